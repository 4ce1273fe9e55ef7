//! Read-your-own-writes: a set creates and deletes only when the cache shows its earlier writes.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube_client::api::ListParams;
use trimtab_controller::{
    cache::{Metadata, Object, ObjectKey, ResourceVersion},
    expectations::{Ledger, Write},
};

use super::{
    Error, ReplicaSets,
    request::{RequestError, within_deadline},
};

/// The writes of each set, until the cache of Pods shows them.
pub(super) type OwnWrites = Ledger<ObjectKey, Pods, ResourceVersion>;

/// The one resource that sets write and read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pods;

impl ReplicaSets {
    /// Asks the ledger whether the set may act. `None` if it may; else the time after which to look again
    /// if no event wakes it.
    ///
    /// If the outcome of an earlier write is unknown, one read of the server settles it.
    pub(super) async fn wait(&self, key: &ObjectKey) -> Result<Option<Duration>, Error> {
        let ready = || self.ledger.ready(key, |Pods| self.pods.store().resource_version()?.parse().ok());
        let Err(wait) = ready() else { return Ok(None) };
        if wait.unknown().is_none() {
            return Ok(Some(wait.expires_in()));
        }
        // The version of the list is at least that of every write that was committed before.
        let one = ListParams::default().limit(1);
        let list = within_deadline(self.pod_api(key).list_metadata(&one)).await.map_err(Error::Outcome)?;
        if let Some(version) = list.metadata.resource_version.and_then(|version| version.parse().ok()) {
            self.ledger.resolve(key, &Pods, version);
        }
        Ok(ready().err().map(|wait| wait.expires_in()))
    }
}

/// Reports the outcome of a request to the ledger.
///
/// `seen` is the version of the object that the cache has shown: a reply to a delete may carry no newer one.
pub(super) fn report(
    write: Write<ObjectKey, Pods, ResourceVersion>,
    reply: Result<Option<&Pod>, &RequestError>,
    seen: Option<ResourceVersion>,
) {
    match reply {
        Ok(pod) => {
            let version = pod.and_then(|pod| pod.metadata().resource_version().parse().ok());
            match version.filter(|version| seen.is_none_or(|seen| seen < *version)) {
                Some(version) => write.succeeded(version),
                None => write.succeeded_without_version(),
            }
        }
        // Upstream leaves the expectation to its time to live: the set goes with its namespace.
        Err(error) if error.is_namespace_terminating() => write.succeeded_without_version(),
        Err(error) if error.is_refusal() => write.refused(),
        Err(_) => write.unknown(),
    }
}
