//! The order in which surplus Pods are deleted: upstream's `ActivePodsWithRanks`, as one sort key.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use k8s_openapi::jiff::Timestamp;
use trimtab_cache::Metadata;

use super::PodState;

/// Returns the `excess` Pods to delete, in the order in which upstream's ReplicaSets delete: not bound
/// before bound, Pending before Unknown before Running, not ready before ready, lower deletion cost, more of
/// `pods` on the same node, ready for a shorter time, more restarts, younger.
///
/// Times count by powers of two, and within such a bucket the UID decides, so that a scale-down does not take
/// one generation of Pods whole. Upstream compares the restarts of equally old Pods only, which is not
/// transitive; here they count within a bucket.
pub fn pods_to_delete<T: PodState>(pods: Vec<Arc<T>>, excess: usize, now: Timestamp) -> Vec<Arc<T>> {
    let mut neighbours: HashMap<String, usize> = HashMap::new();
    for pod in &pods {
        *neighbours.entry(pod.node_name().to_owned()).or_default() += 1;
    }
    pods_to_delete_with_ranks(pods, excess, now, |pod| neighbours[pod.node_name()])
}

/// [`pods_to_delete`] with a rank of each Pod in place of the number of its neighbours: a Pod of higher rank
/// goes earlier.
///
/// Upstream's ReplicaSets also count the Pods on the node that belong to other sets of the same owner.
pub fn pods_to_delete_with_ranks<T: PodState>(
    mut pods: Vec<Arc<T>>,
    excess: usize,
    now: Timestamp,
    rank: impl Fn(&T) -> usize,
) -> Vec<Arc<T>> {
    if excess < pods.len() {
        pods.sort_by_cached_key(|pod| preference(&**pod, rank(pod), now));
        pods.truncate(excess);
    }
    pods
}

/// Returns a key that is lower for a Pod that should go earlier.
fn preference<T: PodState>(pod: &T, rank: usize, now: Timestamp) -> impl Ord + use<T> {
    let phase = match pod.phase() {
        "Pending" => 0,
        "Unknown" => 1,
        _ => 2,
    };
    (
        (!pod.node_name().is_empty(), phase, pod.is_ready(), pod.deletion_cost()),
        (Reverse(rank), bucket(pod.ready_since(), now), Reverse(pod.restarts())),
        (bucket(pod.created(), now), pod.metadata().uid().to_owned()),
    )
}

/// Returns the age of `since` as a power of two of seconds; 0 without a time.
fn bucket(since: Option<Timestamp>, now: Timestamp) -> u32 {
    let seconds = since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
    u64::BITS - seconds.unsigned_abs().leading_zeros()
}

#[cfg(test)]
mod tests;
