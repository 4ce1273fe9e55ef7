//! What a set's Pods amount to: its status, computed anew at each sync.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::{
    api::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetStatus},
    apimachinery::pkg::apis::meta::v1::Time,
};

use super::PodView;

/// The condition that tells that Pods could not be created or deleted.
const REPLICA_FAILURE: &str = "ReplicaFailure";

/// The Pods of a set, as its status counts them.
pub(super) struct Replicas<'a> {
    pub(super) set: &'a ReplicaSet,
    pub(super) active: &'a [Arc<PodView>],
    pub(super) terminating: usize,
}

impl Replicas<'_> {
    /// The status that these Pods give the set; `failure` is what kept it from creating or deleting.
    pub(super) fn status(&self, failure: Option<&super::Error>, now: Timestamp) -> ReplicaSetStatus {
        let spec = &self.set.spec;
        let old = self.set.status.clone().unwrap_or_default();
        let template = spec.template.as_ref().and_then(|template| template.metadata.as_ref());
        let labels = template.and_then(|metadata| metadata.labels.clone()).unwrap_or_default();
        let has_all = |pod: &PodView| labels.iter().all(|(key, value)| pod.labels().get(key) == Some(value));
        let min_ready = spec.min_ready_seconds.unwrap_or(0);
        ReplicaSetStatus {
            replicas: count(self.active.len()),
            fully_labeled_replicas: Some(self.count(has_all)),
            ready_replicas: Some(self.count(PodView::is_ready)),
            available_replicas: Some(self.count(|pod| pod.is_available(min_ready, now))),
            terminating_replicas: Some(count(self.terminating)),
            observed_generation: self.set.metadata.generation,
            conditions: conditions(old.conditions.unwrap_or_default(), failure, now),
        }
    }

    fn count(&self, counts: impl Fn(&PodView) -> bool) -> i32 {
        count(self.active.iter().filter(|pod| counts(pod)).count())
    }
}

fn count(pods: usize) -> i32 {
    pods.try_into().unwrap_or(i32::MAX)
}

/// Sets or clears `ReplicaFailure`; a condition that stays as it was keeps its time.
fn conditions(
    mut conditions: Vec<ReplicaSetCondition>,
    failure: Option<&super::Error>,
    now: Timestamp,
) -> Option<Vec<ReplicaSetCondition>> {
    let is_failure = |condition: &ReplicaSetCondition| condition.type_.as_deref() == Some(REPLICA_FAILURE);
    match failure {
        None => conditions.retain(|condition| !is_failure(condition)),
        Some(_) if conditions.iter().any(is_failure) => {}
        Some(error) => conditions.push(ReplicaSetCondition {
            type_: Some(REPLICA_FAILURE.to_owned()),
            status: Some("True".to_owned()),
            reason: Some(error.reason().to_owned()),
            message: Some(error.to_string()),
            last_transition_time: Some(Time(now)),
        }),
    }
    (!conditions.is_empty()).then_some(conditions)
}

/// Whether writing `new` would tell anybody anything. A server that does not know
/// `terminatingReplicas` drops it, so it alone is no reason to write.
pub(super) fn differs(old: Option<&ReplicaSetStatus>, new: &ReplicaSetStatus) -> bool {
    let told = |status: &ReplicaSetStatus| {
        let number = |number: Option<i32>| number.unwrap_or(0);
        (
            status.replicas,
            number(status.fully_labeled_replicas),
            number(status.ready_replicas),
            number(status.available_replicas),
            status.observed_generation.unwrap_or(0),
            status.conditions.clone().unwrap_or_default(),
        )
    };
    told(old.unwrap_or(&ReplicaSetStatus::default())) != told(new)
}
