//! The status of a Deployment: counts, conditions and the deadline of its progress.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    api::apps::v1::{Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet, ReplicaSetCondition},
    apimachinery::pkg::apis::meta::v1::Time,
};
use trimtab_controller::cache::Metadata;

use super::{
    rollout::Limits,
    sets::{Sets, actual, available, replicas},
};
use crate::replicaset::gates::DEPLOYMENT_REPLICA_SET_TERMINATING_REPLICAS;

#[cfg(test)]
mod tests;

/// The types of a Deployment's conditions.
pub(super) const PROGRESSING: &str = "Progressing";
const AVAILABLE: &str = "Available";
const REPLICA_FAILURE: &str = "ReplicaFailure";

/// The reasons of the condition `Progressing`.
pub(super) mod reason {
    pub(in super::super) const CREATED: &str = "NewReplicaSetCreated";
    pub(in super::super) const CREATE_FAILED: &str = "ReplicaSetCreateError";
    pub(in super::super) const FOUND: &str = "FoundNewReplicaSet";
    pub(in super::super) const UPDATED: &str = "ReplicaSetUpdated";
    pub(in super::super) const COMPLETE: &str = "NewReplicaSetAvailable";
    pub(in super::super) const TIMED_OUT: &str = "ProgressDeadlineExceeded";
    pub(in super::super) const PAUSED: &str = "DeploymentPaused";
    pub(in super::super) const RESUMED: &str = "DeploymentResumed";
}

/// Returns the time within which a rollout must make progress, if the Deployment has such a deadline.
pub(super) fn deadline(deployment: &Deployment) -> Option<Duration> {
    let seconds = deployment.spec.progress_deadline_seconds.filter(|seconds| *seconds != i32::MAX)?;
    Some(Duration::from_secs(seconds.try_into().unwrap_or(0)))
}

/// Returns a condition whose times are now.
pub(super) fn condition(
    type_: &str,
    status: &str,
    reason: &str,
    message: String,
    now: Timestamp,
) -> DeploymentCondition {
    DeploymentCondition {
        type_: Some(type_.to_owned()),
        status: Some(status.to_owned()),
        reason: Some(reason.to_owned()),
        message: Some(message),
        last_transition_time: Some(Time(now)),
        last_update_time: Some(Time(now)),
    }
}

pub(super) fn find<'a>(status: &'a DeploymentStatus, type_: &str) -> Option<&'a DeploymentCondition> {
    status.conditions.iter().flatten().find(|condition| condition.type_.as_deref() == Some(type_))
}

pub(super) fn reason_of<'a>(status: &'a DeploymentStatus, type_: &str) -> Option<&'a str> {
    find(status, type_)?.reason.as_deref()
}

/// Sets a condition. One with the same status and reason stays as it is.
pub(super) fn set(status: &mut DeploymentStatus, new: DeploymentCondition) {
    let old = find(status, new.type_.as_deref().unwrap_or_default());
    if old.is_none_or(|old| old.status != new.status || old.reason != new.reason) {
        renew(status, new);
    }
}

/// Sets a condition and its update time. The transition time changes only with the status.
fn renew(status: &mut DeploymentStatus, mut new: DeploymentCondition) {
    let type_ = new.type_.clone().unwrap_or_default();
    if let Some(old) = find(status, &type_).filter(|old| old.status == new.status) {
        new.last_transition_time = old.last_transition_time.clone();
    }
    remove(status, &type_);
    status.conditions.get_or_insert_default().push(new);
}

fn remove(status: &mut DeploymentStatus, type_: &str) {
    let mut conditions = status.conditions.take().unwrap_or_default();
    conditions.retain(|condition| condition.type_.as_deref() != Some(type_));
    status.conditions = (!conditions.is_empty()).then_some(conditions);
}

/// Returns whether `new` must be written. A server without the field `terminatingReplicas` drops it; its absence is not a
/// difference.
pub(super) fn differs(old: &DeploymentStatus, new: &DeploymentStatus) -> bool {
    let old = DeploymentStatus {
        terminating_replicas: old.terminating_replicas.or(new.terminating_replicas),
        ..old.clone()
    };
    old != *new
}

/// Sets the condition of a Deployment that is paused or was resumed, so that the time of a pause does not count as a lack of
/// progress. A deadline that was exceeded before stays reported.
pub(super) fn set_paused(deployment: &Deployment, status: &mut DeploymentStatus, now: Timestamp) {
    let before = reason_of(status, PROGRESSING);
    if deadline(deployment).is_none() || before == Some(reason::TIMED_OUT) {
        return;
    }
    let was_paused = before == Some(reason::PAUSED);
    let (reason, message) = match (deployment.spec.paused.unwrap_or(false), was_paused) {
        (true, false) => (reason::PAUSED, "Deployment is paused"),
        (false, true) => (reason::RESUMED, "Deployment is resumed"),
        _ => return,
    };
    set(status, condition(PROGRESSING, "Unknown", reason, message.to_owned(), now));
}

/// Computes the counts and the condition `Available`: upstream's `calculateStatus`. `before` has the other conditions and the
/// collision count, which stay.
pub(super) fn counts(
    deployment: &Deployment,
    before: &DeploymentStatus,
    sets: &Sets,
    limits: &Limits,
    now: Timestamp,
) -> DeploymentStatus {
    let sum = |count: fn(&ReplicaSet) -> i32| sets.all().map(|set| count(set)).sum::<i32>();
    let all_available = sum(available);
    let is_reported = DEPLOYMENT_REPLICA_SET_TERMINATING_REPLICAS.enabled();
    let mut status = DeploymentStatus {
        observed_generation: deployment.metadata.generation,
        replicas: some(sum(actual)),
        updated_replicas: some(sets.new.as_ref().map_or(0, |new| actual(new))),
        ready_replicas: some(sum(|set| {
            set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0)
        })),
        available_replicas: some(all_available),
        unavailable_replicas: some((sum(replicas) - all_available).max(0)),
        terminating_replicas: is_reported.then(|| terminating(sets)).flatten(),
        collision_count: before.collision_count,
        conditions: before.conditions.clone(),
    };
    let is_available = all_available >= limits.least();
    let (value, reason, message) = if is_available {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    set(&mut status, condition(AVAILABLE, value, reason, message.to_owned(), now));
    status
}

/// A count of 0 is absent, as upstream writes it.
fn some(count: i32) -> Option<i32> {
    (count != 0).then_some(count)
}

/// Returns the number of terminating Pods; `None` if a set that was synced does not report it.
fn terminating(sets: &Sets) -> Option<i32> {
    let count = |set: &Arc<ReplicaSet>| {
        let Some(status) = &set.status else { return Some(0) };
        let is_synced = status.observed_generation.is_some_and(|generation| generation > 0);
        status.terminating_replicas.or((!is_synced).then_some(0))
    };
    sets.all().map(count).sum()
}

/// Sets the conditions of a rollout: upstream's `syncRolloutStatus`. `new` has the present counts, `old` is the status that
/// was last written.
pub(super) fn set_progress(
    deployment: &Deployment,
    old: &DeploymentStatus,
    new: &mut DeploymentStatus,
    sets: &Sets,
    now: Timestamp,
) {
    match failure(sets) {
        Some(failure) => set(new, failure),
        None => remove(new, REPLICA_FAILURE),
    }
    let Some(deadline) = deadline(deployment) else { return remove(new, PROGRESSING) };
    if new.replicas == new.updated_replicas && reason_of(new, PROGRESSING) == Some(reason::COMPLETE) {
        return; // a later failure of a Pod is not a rollout
    }
    let subject = match &sets.new {
        Some(set) => format!("ReplicaSet {:?}", set.metadata.name()),
        None => format!("Deployment {:?}", deployment.metadata.name()),
    };
    if is_complete(deployment, new) {
        let message = format!("{subject} has successfully progressed.");
        set(new, condition(PROGRESSING, "True", reason::COMPLETE, message, now));
    } else if has_progressed(old, new) {
        let message = format!("{subject} is progressing.");
        renew(new, condition(PROGRESSING, "True", reason::UPDATED, message, now));
    } else if has_timed_out(new, deadline, now) {
        let message = format!("{subject} has timed out progressing.");
        set(new, condition(PROGRESSING, "False", reason::TIMED_OUT, message, now));
    }
}

/// Returns whether all Pods are of the new template and available, and no others are left: upstream's `DeploymentComplete`.
pub(super) fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let desired = deployment.spec.replicas.unwrap_or(1);
    let counts = [status.updated_replicas, status.replicas, status.available_replicas];
    counts.iter().all(|count| count.unwrap_or(0) == desired)
        && status.observed_generation >= deployment.metadata.generation
}

/// Returns whether Pods of the new template came, or old ones went, or more are ready or available.
fn has_progressed(old: &DeploymentStatus, new: &DeploymentStatus) -> bool {
    let count = |count: Option<i32>| count.unwrap_or(0);
    let outdated = |status: &DeploymentStatus| count(status.replicas) - count(status.updated_replicas);
    count(new.updated_replicas) > count(old.updated_replicas)
        || outdated(new) < outdated(old)
        || count(new.ready_replicas) > count(old.ready_replicas)
        || count(new.available_replicas) > count(old.available_replicas)
}

/// Returns whether there was no progress for the time of the deadline.
fn has_timed_out(status: &DeploymentStatus, deadline: Duration, now: Timestamp) -> bool {
    let Some(progressing) = find(status, PROGRESSING) else { return false };
    match progressing.reason.as_deref() {
        // The condition of the rollout before: that of this one has not been written yet.
        Some(reason::COMPLETE) => false,
        Some(reason::TIMED_OUT) => true,
        _ => ends_at(progressing, deadline).is_some_and(|end| end < now),
    }
}

/// Returns the time at which a rollout without further progress has exceeded its deadline.
fn ends_at(progressing: &DeploymentCondition, deadline: Duration) -> Option<Timestamp> {
    progressing.last_update_time.as_ref()?.0.checked_add(deadline).ok()
}

/// Returns the time after which the Deployment must be looked at again, to see whether its deadline was exceeded: upstream's
/// `requeueStuckDeployment`.
pub(super) fn next_check(
    deployment: &Deployment,
    status: &DeploymentStatus,
    now: Timestamp,
) -> Option<Duration> {
    let deadline = deadline(deployment)?;
    let progressing = find(status, PROGRESSING)?;
    // After a rollout that is complete nothing is measured, even if Pods fail later.
    let is_decided = matches!(progressing.reason.as_deref(), Some(reason::TIMED_OUT | reason::COMPLETE));
    if is_decided || is_complete(deployment, status) {
        return None;
    }
    let left = ends_at(progressing, deadline)?.duration_since(now);
    // Times of conditions have whole seconds.
    Some(Duration::try_from(left).unwrap_or_default() + Duration::from_secs(1))
}

/// Returns the failure of the new set, or else of an old one, as a condition of the Deployment.
fn failure(sets: &Sets) -> Option<DeploymentCondition> {
    let mut newest_first = sets.new.iter().chain(&sets.old);
    newest_first.find_map(|set| {
        let mut conditions = set.status.as_ref()?.conditions.iter().flatten();
        let failure = conditions.find(|condition| condition.type_.as_deref() == Some(REPLICA_FAILURE))?;
        let ReplicaSetCondition { type_, status, reason, message, last_transition_time } = failure.clone();
        let last_update_time = last_transition_time.clone();
        Some(DeploymentCondition { type_, status, reason, message, last_transition_time, last_update_time })
    })
}
