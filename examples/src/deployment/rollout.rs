//! The arithmetic of a rollout: how many Pods each ReplicaSet of a Deployment shall have next.
//!
//! Everything here is a function of numbers. Pods that are wanted are `replicas` of a spec; Pods that serve are
//! `availableReplicas` of a status.

use std::sync::Arc;

use k8s_openapi::{
    api::apps::v1::{Deployment, ReplicaSet},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{
    sets::{Annotation, available, by_age, number, replicas},
    sync::is_recreated,
};

#[cfg(test)]
mod tests;

/// The numbers of Pods that a Deployment allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// `spec.replicas`.
    pub(super) desired: i32,
    /// The number of Pods above `desired` during a rollout.
    pub(super) surge: i32,
    /// The number of Pods below `desired` that may be unavailable during a rollout.
    pub(super) unavailable: i32,
}

/// `maxSurge` or `maxUnavailable` is neither a number nor a percentage, and the server should have refused it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value:?}, which is neither a number of Pods nor a percentage such as \"25%\"")]
pub struct InvalidLimit {
    field: &'static str,
    value: String,
}

impl Limits {
    /// Reads the limits of a Deployment: upstream's `ResolveFenceposts`, `MaxSurge` and `MaxUnavailable`.
    ///
    /// A surge is rounded up, an unavailability down. If both are 0 then, one Pod may be unavailable: a surge might be
    /// impossible for want of quota. Without a rolling update both are 0.
    pub(super) fn of(deployment: &Deployment) -> Result<Self, InvalidLimit> {
        let desired = deployment.spec.replicas.unwrap_or(1);
        if is_recreated(deployment) {
            return Ok(Self { desired, surge: 0, unavailable: 0 });
        }
        let strategy = deployment.spec.strategy.clone().unwrap_or_default();
        let rolling = strategy.rolling_update.unwrap_or_default();
        let surge = scaled("maxSurge", rolling.max_surge, desired, 99)?;
        let unavailable = scaled("maxUnavailable", rolling.max_unavailable, desired, 0)?;
        let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
        Ok(Self { desired, surge, unavailable: unavailable.min(desired) })
    }

    /// The largest number of Pods in a rollout.
    pub(super) fn most(&self) -> i32 {
        self.desired.saturating_add(self.surge)
    }

    /// The smallest number of available Pods in a rollout.
    pub(super) fn least(&self) -> i32 {
        self.desired - self.unavailable
    }
}

/// Returns a number of Pods, or a percentage of `total` after `add` hundredths: 99 rounds up, 0 rounds down.
fn scaled(
    field: &'static str,
    value: Option<IntOrString>,
    total: i32,
    add: i64,
) -> Result<i32, InvalidLimit> {
    match value {
        None => Ok(0),
        Some(IntOrString::Int(number)) => Ok(number),
        Some(IntOrString::String(text)) => {
            let percent = text.strip_suffix('%').and_then(|digits| digits.parse::<i32>().ok());
            let Some(percent) = percent else { return Err(InvalidLimit { field, value: text }) };
            let hundredths = i64::from(percent) * i64::from(total) + add;
            Ok(i32::try_from(hundredths.div_euclid(100)).unwrap_or(i32::MAX))
        }
    }
}

/// Returns the number of Pods that the new set shall have next in a rolling update: upstream's `NewRSNewReplicas` and
/// `reconcileNewReplicaSet`. `total` is the number of Pods that all sets want, the new one included.
pub(super) fn scale_up_new(limits: &Limits, total: i32, new: i32) -> i32 {
    let room = (limits.most() - total).max(0);
    new + room.min(limits.desired - new) // a set that is too large shrinks at once
}

/// Returns the numbers of Pods that the old sets shall have next in a rolling update: upstream's `reconcileOldReplicaSets`.
/// `old` are the old sets, the oldest first.
///
/// Pods that are not available go first: they serve nobody, and they would keep the rollout from its end. Pods of the new
/// set that are not available count as missing, so that a broken template stops the rollout. Of a set that has more available
/// Pods than it wants, only the wanted ones count: the others are about to go. (Upstream scales nothing down then.)
pub(super) fn scale_down_old(limits: &Limits, old: &[Arc<ReplicaSet>], new: &ReplicaSet) -> Vec<i32> {
    let mut sizes: Vec<i32> = old.iter().map(|set| replicas(set)).collect();
    let wanted: i32 = sizes.iter().sum();
    let staying = |set: &ReplicaSet| available(set).min(replicas(set));
    let mut unhealthy = (wanted + staying(new) - limits.least()).max(0);
    for (size, set) in sizes.iter_mut().zip(old) {
        let surplus = unhealthy.min(*size - staying(set));
        *size -= surplus;
        unhealthy -= surplus;
    }
    let all_available = staying(new) + old.iter().map(|set| staying(set)).sum::<i32>();
    let mut serving = (all_available - limits.least()).max(0);
    for size in &mut sizes {
        let surplus = serving.min(*size);
        *size -= surplus;
        serving -= surplus;
    }
    sizes
}

/// Returns the sizes of a Deployment's sets after `spec.replicas` has changed, or while it is paused: upstream's `scale`.
/// A set is in the result if its size or its annotations may have to be written.
///
/// `old` are the old sets, the oldest first. In the middle of a rollout each set keeps its share, so that scaling does not hasten a rollout that may be broken.
pub(super) fn scale(
    limits: &Limits,
    is_rolling: bool,
    new: Option<&Arc<ReplicaSet>>,
    old: &[Arc<ReplicaSet>],
    status_replicas: i32,
) -> Vec<(Arc<ReplicaSet>, i32)> {
    let is_active = |set: &&Arc<ReplicaSet>| replicas(set) > 0;
    let mut active: Vec<_> = old.iter().chain(new).filter(is_active).cloned().collect();
    // The only set that wants Pods, or the newest if none does: upstream's `FindActiveOrLatest`.
    let only = match &active[..] {
        [] => new.or(old.last()),
        [only] => Some(only),
        _ => None,
    };
    if let Some(only) = only {
        // Also one of that size, for the number in its annotation: without it, each later sync would be for a scaling, and
        // a rollout whose old set had shrunk to the new size would never go on. Upstream's does not.
        return vec![(only.clone(), limits.desired)];
    }
    if new.is_some_and(|new| is_saturated(limits, new)) {
        return old.iter().filter(is_active).map(|set| (set.clone(), 0)).collect();
    }
    if !is_rolling {
        return Vec::new();
    }
    let allowed = if limits.desired > 0 { limits.most() } else { 0 };
    let to_add = allowed - active.iter().map(|set| replicas(set)).sum::<i32>();
    // The largest first. Of equal ones, the newest grows first, and the oldest shrinks first.
    active.sort_by(|a, b| {
        let age = if to_add > 0 { by_age(b, a) } else { by_age(a, b) };
        replicas(b).cmp(&replicas(a)).then(age)
    });
    let mut added = 0;
    let mut sizes = Vec::new();
    for set in &active {
        let share = share(limits, set, to_add, added, status_replicas);
        added += share;
        sizes.push(replicas(set) + share);
    }
    if let Some(largest) = sizes.first_mut() {
        *largest = (*largest + to_add - added).max(0);
    }
    active.into_iter().zip(sizes).collect()
}

/// Returns whether the new set has all Pods, and was given them for the present number: upstream's `IsSaturated`.
fn is_saturated(limits: &Limits, new: &ReplicaSet) -> bool {
    replicas(new) == limits.desired
        && available(new) == limits.desired
        && number(new, Annotation::Desired) == Some(limits.desired)
}

/// Returns the share of a set in the Pods `to_add`, of which `added` are given: upstream's `GetReplicaSetProportion`. Both
/// are negative if Pods are removed.
fn share(limits: &Limits, set: &ReplicaSet, to_add: i32, added: i32, status_replicas: i32) -> i32 {
    let left = to_add - added;
    if left == 0 {
        return 0;
    }
    let size = replicas(set);
    let fraction = if limits.desired == 0 {
        -size
    } else {
        // Without the annotation, the present number of Pods stands for the limit at the last scaling.
        let before = number(set, Annotation::Max).filter(|most| *most > 0).unwrap_or(status_replicas);
        if before == 0 {
            return 0;
        }
        let (product, before) = (i64::from(size) * i64::from(limits.most()), i64::from(before));
        let rounded = (2 * product + before).div_euclid(2 * before); // half away from zero; both are positive
        i32::try_from(rounded).unwrap_or(i32::MAX) - size
    };
    if to_add > 0 { fraction.min(left) } else { fraction.max(left) }
}

/// Returns whether a set was last written for another number of Pods: upstream's `isScalingEvent`.
pub(super) fn is_scaling_event<'a>(
    limits: &Limits,
    sets: impl IntoIterator<Item = &'a Arc<ReplicaSet>>,
) -> bool {
    let mut active = sets.into_iter().filter(|set| replicas(set) > 0);
    active.any(|set| number(set, Annotation::Desired).is_some_and(|desired| desired != limits.desired))
}
