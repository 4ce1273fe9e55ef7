//! [`OwnWrites`]: the ledger of the controller's own writes, and the reports of their outcomes.

use k8s_openapi::api::core::v1::Pod;
use trimtab_controller::{
    cache::{Metadata, Object, ObjectKey, ResourceVersion},
    expectations::{Ledger, Write},
};

use super::request::RequestError;

/// The writes of each set, until the cache of Pods shows them.
pub(super) type OwnWrites = Ledger<ObjectKey, Pods, ResourceVersion>;

/// The resource of the ledger: Pods are the only objects that sets create and delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pods;

/// Reports the outcome of a request to the ledger.
///
/// `seen` is the cached version of the object: the reply to a delete may carry no newer one.
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
