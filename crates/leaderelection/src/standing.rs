//! [`Standing`]: keeps the candidate's `LeaseCandidate` alive. The waiting around the rules of `state`.

use std::{convert::Infallible, time::Duration};

use jiff::Timestamp;
use kube_client::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
    core::{ApiResource, Status},
};
use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tracing::{info, warn};

use crate::{candidacy::Candidacy, config::Config, lease::RequestError};
use object::LeaseCandidate;
use state::{Registration, Step};

mod object;
mod state;

/// How often a candidate looks, at least: the server waits 5 s for the answer to a ping, and hands out a
/// lease of 5 s.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(2);

/// One `LeaseCandidate` on the server.
pub(crate) struct Standing {
    api: Api<LeaseCandidate>,
    resource: ApiResource,
    registration: Mutex<Registration>,
    lease: String,
    identity: String,
    look_every: Duration,
    timeout: Duration,
    /// Whether the server picks the leader; `None` until it was asked.
    coordinated: watch::Sender<Option<bool>>,
}

impl Standing {
    pub(crate) fn new(client: Client, config: &Config, candidacy: &Candidacy) -> Self {
        let resource = object::resource();
        Self {
            api: Api::namespaced_with(client, &config.namespace, &resource),
            resource,
            registration: Mutex::new(Registration::new(config, candidacy)),
            lease: format!("{}/{}", config.namespace, config.name),
            identity: config.identity.clone(),
            look_every: config.retry_period.min(LOOK_EVERY),
            timeout: config.renew_deadline / 2,
            coordinated: watch::Sender::new(None),
        }
    }

    /// Whether the server picks the leader. Waits until it was asked, which [`keep`](Self::keep) does.
    pub(crate) async fn is_coordinated(&self) -> bool {
        let mut coordinated = self.coordinated.subscribe();
        coordinated.wait_for(Option::is_some).await.is_ok_and(|coordinated| *coordinated == Some(true))
    }

    /// Keeps the `LeaseCandidate` alive, until it is dropped.
    ///
    /// It is read each time, not watched: a small GET every 2 s is less to go wrong than a list and a
    /// watch of one object.
    pub(crate) async fn keep(&self) -> Infallible {
        loop {
            if let Err(error) = self.look().await {
                let error = &error as &dyn std::error::Error;
                warn!(lease = self.lease, identity = self.identity, error, "LeaseCandidate not kept alive");
            }
            sleep(self.look_every).await;
        }
    }

    async fn look(&self) -> Result<(), RequestError> {
        let found = match timeout(self.timeout, self.api.get(&self.identity)).await? {
            Ok(found) => Some(found),
            Err(kube_client::Error::Api(status)) if is_unserved(&status) => {
                self.learned(false);
                return Ok(());
            }
            Err(kube_client::Error::Api(status)) if status.code == 404 => None,
            Err(error) => return Err(error.into()),
        };
        self.learned(true);
        let (found, sent) = (found.map(|found| found.spec), Instant::now());
        let step = self.registration.lock().next(found.as_ref(), sent, Timestamp::now());
        // The name is what the server will write into the lease as its holder.
        let object = |spec| LeaseCandidate::new(&self.identity, &self.resource, spec);
        match step {
            Step::Create(spec) => {
                timeout(self.timeout, self.api.create(&PostParams::default(), &object(spec))).await??;
            }
            // Not a replacement: the server's next ping must not be in the way of the answer to this one.
            Step::Renew(spec) => {
                let (params, change) = (PatchParams::default(), Patch::Merge(object(spec)));
                timeout(self.timeout, self.api.patch(&self.identity, &params, &change)).await??;
            }
            Step::Rest => return Ok(()),
        }
        self.registration.lock().renewed(sent);
        Ok(())
    }

    fn learned(&self, coordinated: bool) {
        if self.coordinated.send_replace(Some(coordinated)) == Some(coordinated) {
            return;
        }
        if coordinated {
            info!(lease = self.lease, identity = self.identity, "the API server picks the leader");
        } else {
            info!(
                lease = self.lease,
                identity = self.identity,
                "LeaseCandidate is not served: standing for the plain Lease"
            );
        }
    }
}

/// Whether the path is unknown to the server, rather than the object: then its 404 names no object.
fn is_unserved(status: &Status) -> bool {
    status.code == 404 && status.details.as_ref().is_none_or(|details| details.name.is_empty())
}
