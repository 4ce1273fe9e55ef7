//! Reading one's own writes: a set creates and deletes only when the cache shows what it wrote before.
//!
//! One question, [`ReplicaSets::waits`], for three kinds of evidence: upstream's expectations (so many
//! creations, the deletions of these UIDs), the resource versions of replies, and writes whose reply
//! never came, be it lost, a 5xx, or dropped together with a sync whose lease was lost.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube_client::api::ListParams;
use trimtab_controller::{
    cache::{Metadata, Object, ObjectKey, ResourceVersion},
    expectations::{Expectations, Ledger, Write},
    informer::Event,
};

use super::{Error, PodView, ReplicaSets};

/// What each set has written, until the cache of Pods shows it.
pub(super) type OwnWrites = Ledger<ObjectKey, Pods, ResourceVersion>;

/// The one resource that sets write and read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pods;

/// How soon a waiting set looks again when no event wakes it: a bookmark moves the cache without one.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The sets that waited for the version of the event's Pod.
pub(super) fn sets_that_waited_for(ledger: &OwnWrites, event: &Event<PodView>) -> Vec<ObjectKey> {
    let version = event.object().metadata().resource_version().parse();
    version.map_or_else(|_| Vec::new(), |version| ledger.reached(&Pods, version))
}

impl ReplicaSets {
    /// `None` if the set may act; else after what time to look again, if no event wakes it before.
    pub(super) async fn waits(&self, key: &ObjectKey) -> Result<Option<Duration>, Error> {
        let Err(wait) = self.ledger.ready(key, |Pods| self.pods.store().resource_version()?.parse().ok())
        else {
            return Ok(None);
        };
        if wait.unknown().is_some() {
            // The list's version is at least that of every write that was committed before.
            let newest = self.pod_api(key).list_metadata(&ListParams::default().limit(1)).await;
            let newest = newest.map_err(Error::Outcome)?.metadata.resource_version;
            if let Some(version) = newest.and_then(|version| version.parse().ok()) {
                self.ledger.resolve(key, &Pods, version);
            }
        }
        Ok(Some(wait.expires_in().min(LOOK_AGAIN)))
    }

    pub(super) fn expectations(&self) -> &Expectations<ObjectKey> {
        self.ledger.expectations()
    }

    /// Notes that the set is about to send a request.
    pub(super) fn write(&self, key: &ObjectKey, uid: &str) -> Write<ObjectKey, Pods, ResourceVersion> {
        self.ledger.begin(key, uid, Pods)
    }

    /// Forgets what the set expects if the guard is dropped before [`Expecting::complete`]: the sync was
    /// dropped where it waited, and the requests that it had sent are writes of unknown outcome.
    pub(super) fn expecting(&self, key: &ObjectKey) -> Expecting {
        Expecting { expectations: self.expectations().clone(), key: Some(key.clone()) }
    }
}

/// Tells the ledger how a request for a Pod ended. Returns whether the reply told: then an event comes
/// if the request succeeded, and none if it was refused.
pub(super) fn ended(
    write: Write<ObjectKey, Pods, ResourceVersion>,
    reply: Result<Option<&Pod>, &kube_client::Error>,
) {
    match reply {
        Ok(pod) => match pod.and_then(|pod| pod.metadata().resource_version().parse().ok()) {
            Some(version) => write.succeeded(version),
            None => write.failed(), // no version to wait for: the expectation holds the set
        },
        Err(error) if is_refusal(error) => write.failed(),
        Err(_) => drop(write), // unknown
    }
}

/// The server said no. Anything else, a lost reply or a 5xx, may have been done all the same.
fn is_refusal(error: &kube_client::Error) -> bool {
    matches!(error, kube_client::Error::Api(status) if (400..500).contains(&status.code))
}

/// Requests of a set are under way, and expected.
pub(super) struct Expecting {
    expectations: Expectations<ObjectKey>,
    key: Option<ObjectKey>,
}

impl Expecting {
    /// Every request has ended.
    pub(super) fn complete(mut self) {
        self.key = None;
    }
}

impl Drop for Expecting {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.expectations.delete_expectations(key);
        }
    }
}
