//! [`Renewal`]: keeps the candidate's `LeaseCandidate` renewed. The waiting around the rules of `state`.

use std::{convert::Infallible, time::Duration};

use kube_client::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
    core::{ApiResource, Status},
};
use parking_lot::Mutex;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    candidacy::Candidacy,
    clock::Timer,
    config::Config,
    lease::{Reason, RequestError},
};
use object::LeaseCandidate;
use state::{Registration, Step};

mod object;
mod state;

/// The longest interval between two reads: the server waits 5 s for the answer to a ping, and hands out a
/// Lease of 5 s.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// One `LeaseCandidate` on the server.
pub(crate) struct Renewal {
    api: Api<LeaseCandidate>,
    resource: ApiResource,
    registration: Mutex<Registration>,
    lease: String,
    identity: String,
    poll_interval: Duration,
    timeout: Duration,
    timer: Timer,
    /// Whether the server picks the leader; `None` until the first request.
    coordinated: watch::Sender<Option<bool>>,
}

impl Renewal {
    pub(crate) fn new(client: Client, config: &Config, candidacy: &Candidacy, timer: Timer) -> Self {
        let resource = object::resource();
        Self {
            api: Api::namespaced_with(client, &config.namespace, &resource),
            resource,
            registration: Mutex::new(Registration::new(config, candidacy)),
            lease: format!("{}/{}", config.namespace, config.name),
            identity: config.identity.clone(),
            poll_interval: config.retry_period.min(POLL_INTERVAL),
            timeout: config.renew_deadline / 2,
            timer,
            coordinated: watch::Sender::new(None),
        }
    }

    /// Returns whether the server picks the leader. Waits for the first request of
    /// [`run`](Self::run).
    pub(crate) async fn is_coordinated(&self) -> bool {
        let mut coordinated = self.coordinated.subscribe();
        coordinated.wait_for(Option::is_some).await.is_ok_and(|coordinated| *coordinated == Some(true))
    }

    /// Keeps the `LeaseCandidate` renewed, until it is dropped.
    ///
    /// It is read each time, not watched: a small GET every 2 s is less to go wrong than a list and a
    /// watch of one object.
    pub(crate) async fn run(&self) -> Infallible {
        let mut failing = None;
        loop {
            match self.poll().await {
                Ok(()) => failing = None,
                Err(error) if error.reason() == Reason::Forbidden => {
                    self.learned(false, "this process may not read or write its LeaseCandidate (403)");
                }
                Err(error) => {
                    if failing.replace(error.reason()) != Some(error.reason()) {
                        let error = &error as &dyn std::error::Error;
                        warn!(
                            lease = self.lease,
                            identity = self.identity,
                            error,
                            "LeaseCandidate not renewed"
                        );
                    }
                }
            }
            self.timer.sleep(self.poll_interval).await;
        }
    }

    async fn poll(&self) -> Result<(), RequestError> {
        let found = match self.limited(self.api.get(&self.identity)).await? {
            Ok(found) => Some(found),
            Err(kube_client::Error::Api(status)) if is_unserved(&status) => {
                self.learned(false, "the server does not serve LeaseCandidates (404)");
                return Ok(());
            }
            Err(kube_client::Error::Api(status)) if status.code == 404 => None,
            Err(error) => return Err(error.into()),
        };
        let (found, sent) = (found.map(|found| found.spec), self.timer.now());
        let step = self.registration.lock().next(found.as_ref(), sent, self.timer.wall());
        // The name is what the server will write into the Lease as its holder.
        let object = |spec| LeaseCandidate::new(&self.identity, &self.resource, spec);
        let renewed = !matches!(step, Step::Rest);
        match step {
            Step::Create(spec) => {
                self.limited(self.api.create(&PostParams::default(), &object(spec))).await??;
            }
            // Not a replacement: the server's next ping must not be in the way of the answer to this one.
            Step::Renew(spec) => {
                let (params, change) = (PatchParams::default(), Patch::Merge(object(spec)));
                self.limited(self.api.patch(&self.identity, &params, &change)).await??;
            }
            Step::Rest => {}
        }
        if renewed {
            self.registration.lock().renewed(sent);
        }
        self.learned(true, "");
        Ok(())
    }

    async fn limited<T>(
        &self,
        request: impl Future<Output = Result<T, kube_client::Error>>,
    ) -> Result<Result<T, kube_client::Error>, RequestError> {
        self.timer.timeout(self.timeout, request).await.ok_or(RequestError::Timeout(self.timeout))
    }

    fn learned(&self, coordinated: bool, reason: &str) {
        if self.coordinated.send_replace(Some(coordinated)) == Some(coordinated) {
            return;
        }
        if coordinated {
            info!(lease = self.lease, identity = self.identity, "the API server picks the leader");
        } else {
            warn!(
                lease = self.lease,
                identity = self.identity,
                reason,
                "no coordinated election: standing for the plain Lease"
            );
        }
    }
}

/// Returns whether the path is unknown to the server, rather than the object: then its 404 names no
/// object.
fn is_unserved(status: &Status) -> bool {
    status.code == 404 && status.details.as_ref().is_none_or(|details| details.name.is_empty())
}
