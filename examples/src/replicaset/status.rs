//! The status of a set, computed from its Pods at each sync.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    api::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetStatus},
    apimachinery::pkg::apis::meta::v1::Time,
};
use serde_json::{Value, json};
use trimtab_controller::ownership::pods::{PodState, PodView};

use super::Error;

/// The condition of a set whose Pods could not be created or deleted.
const REPLICA_FAILURE: &str = "ReplicaFailure";

/// The present state of a set's Pods.
pub(super) struct Replicas<'a> {
    pub(super) active: &'a [Arc<PodView>],
    /// The number of terminating Pods, if it is reported.
    pub(super) terminating: Option<usize>,
    /// The error of creating or deleting Pods.
    pub(super) failure: Option<&'a Error>,
    pub(super) now: Timestamp,
}

impl Replicas<'_> {
    /// Returns the status for `set`, with null for the fields that it must not have; `None` if `set` has it already.
    pub(super) fn change_of(&self, set: &ReplicaSet) -> Option<Value> {
        let old = set.status.clone().unwrap_or_default();
        let template = set.spec.template.as_ref().and_then(|template| template.metadata.as_ref());
        let labels = template.and_then(|metadata| metadata.labels.clone()).unwrap_or_default();
        let has_all = |pod: &PodView| {
            labels.iter().all(|(key, value)| pod.metadata.labels.get(key) == Some(value.as_str()))
        };
        let new = ReplicaSetStatus {
            replicas: count(self.active.len()),
            fully_labeled_replicas: Some(self.count(has_all)),
            ready_replicas: Some(self.count(PodState::is_ready)),
            available_replicas: Some(self.count(|pod| pod.is_available(min_ready(set), self.now))),
            terminating_replicas: self.terminating.map(count),
            observed_generation: set.metadata.generation,
            conditions: self.conditions(old.conditions.clone().unwrap_or_default()),
        };
        if !differs(old, &new) {
            return None;
        }
        let mut change = json!(new);
        change["conditions"] = json!(new.conditions);
        change["terminatingReplicas"] = json!(new.terminating_replicas);
        Some(change)
    }

    fn count(&self, counts: impl Fn(&PodView) -> bool) -> i32 {
        count(self.active.iter().filter(|pod| counts(pod)).count())
    }

    /// Sets or clears `ReplicaFailure`. An unchanged condition keeps its time.
    fn conditions(&self, mut conditions: Vec<ReplicaSetCondition>) -> Option<Vec<ReplicaSetCondition>> {
        let is_failure =
            |condition: &ReplicaSetCondition| condition.type_.as_deref() == Some(REPLICA_FAILURE);
        match self.failure {
            None => conditions.retain(|condition| !is_failure(condition)),
            Some(_) if conditions.iter().any(is_failure) => {}
            Some(error) => {
                let (reason, message) = error.failure();
                conditions.push(ReplicaSetCondition {
                    type_: Some(REPLICA_FAILURE.to_owned()),
                    status: Some("True".to_owned()),
                    reason: Some(reason.to_owned()),
                    message: Some(message),
                    last_transition_time: Some(Time(self.now)),
                });
            }
        }
        (!conditions.is_empty()).then_some(conditions)
    }
}

/// Returns the time for which a Pod of the set must be ready to be available.
pub(super) fn min_ready(set: &ReplicaSet) -> Duration {
    let seconds = set.spec.min_ready_seconds.and_then(|seconds| seconds.try_into().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

fn count(pods: usize) -> i32 {
    pods.try_into().unwrap_or(i32::MAX)
}

/// Returns whether `new` must be written. A count of 0 may be absent. A server without the field `terminatingReplicas` drops
/// it; its absence is not a difference.
fn differs(old: ReplicaSetStatus, new: &ReplicaSetStatus) -> bool {
    let known = |number: Option<i32>| Some(number.unwrap_or(0));
    let old = ReplicaSetStatus {
        fully_labeled_replicas: known(old.fully_labeled_replicas),
        ready_replicas: known(old.ready_replicas),
        available_replicas: known(old.available_replicas),
        terminating_replicas: old.terminating_replicas.or(new.terminating_replicas),
        ..old
    };
    old != *new
}
