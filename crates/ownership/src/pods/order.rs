//! [`DeletionOrder`]: the order in which surplus Pods are deleted, upstream's `ActivePodsWithRanks` as one sort key.

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
    DeletionOrder::at(now).related(&pods).first(excess, pods)
}

/// The order of [`pods_to_delete`] with other neighbours, or without the deletion cost.
#[derive(Debug, Clone)]
#[must_use]
pub struct DeletionOrder {
    now: Timestamp,
    /// The number of related Pods on each node.
    neighbours: HashMap<String, usize>,
    by_cost: bool,
}

impl DeletionOrder {
    /// Creates the order at the time `now`, in which no Pod has neighbours.
    pub fn at(now: Timestamp) -> Self {
        Self { now, neighbours: HashMap::new(), by_cost: true }
    }

    /// Counts the active Pods of `related` as neighbours of the Pods on their node.
    ///
    /// Upstream's ReplicaSets count the Pods of all sets of the same owner, and none if a set has no owner.
    pub fn related<'a, T: PodState>(mut self, related: impl IntoIterator<Item = &'a Arc<T>>) -> Self {
        for pod in related.into_iter().filter(|pod| pod.is_active()) {
            *self.neighbours.entry(pod.node_name().to_owned()).or_default() += 1;
        }
        self
    }

    /// Sets whether the deletion cost counts. The default is that it does.
    pub fn deletion_cost(self, by_cost: bool) -> Self {
        Self { by_cost, ..self }
    }

    /// Returns the first `excess` of `pods`; all of them, unsorted, if there are no more.
    pub fn first<T: PodState>(&self, excess: usize, mut pods: Vec<Arc<T>>) -> Vec<Arc<T>> {
        if excess < pods.len() {
            pods.sort_by_cached_key(|pod| self.preference(&**pod));
            pods.truncate(excess);
        }
        pods
    }

    /// Returns a key that is lower for a Pod that should go earlier.
    fn preference<T: PodState>(&self, pod: &T) -> impl Ord + use<T> {
        let phase = match pod.phase() {
            "Pending" => 0,
            "Unknown" => 1,
            _ => 2,
        };
        let cost = if self.by_cost { pod.deletion_cost() } else { 0 };
        let rank = self.neighbours.get(pod.node_name()).copied().unwrap_or(0);
        (
            (!pod.node_name().is_empty(), phase, pod.is_ready(), cost),
            (Reverse(rank), bucket(pod.ready_since(), self.now), Reverse(pod.restarts())),
            (bucket(pod.created(), self.now), pod.metadata().uid().to_owned()),
        )
    }
}

/// Returns the age of `since` as a power of two of seconds; 0 without a time.
fn bucket(since: Option<Timestamp>, now: Timestamp) -> u32 {
    let seconds = since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
    u64::BITS - seconds.unsigned_abs().leading_zeros()
}

#[cfg(test)]
mod tests;
