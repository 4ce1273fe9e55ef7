//! The ReplicaSets of a Deployment: the new one and the old ones, their revisions and their annotations.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use k8s_openapi::{
    api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use trimtab_controller::{
    cache::{Metadata, Packed, PackedError},
    ownership::pods::{POD_TEMPLATE_HASH, TemplateMatcher, is_same_template},
};

use super::rollout::Limits;
use crate::replicaset::POD_SPEC;

#[cfg(test)]
mod tests;

/// The longest history of revisions in an annotation, in bytes.
const LONGEST_HISTORY: usize = 2000;

/// The longest name of an object, in bytes.
const LONGEST_NAME: usize = 253;

/// The annotations that the controller writes to ReplicaSets, and the revision to Deployments as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Annotation {
    Revision,
    /// Earlier revisions of a set that was rolled back to.
    History,
    /// `spec.replicas` of the Deployment when the set was last scaled.
    Desired,
    /// The largest number of Pods of the Deployment when the set was last scaled.
    Max,
    /// The revision to roll back to, from the removed API `extensions/v1beta1`.
    RollbackTo,
}

impl Annotation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Revision => "deployment.kubernetes.io/revision",
            Self::History => "deployment.kubernetes.io/revision-history",
            Self::Desired => "deployment.kubernetes.io/desired-replicas",
            Self::Max => "deployment.kubernetes.io/max-replicas",
            Self::RollbackTo => "deprecated.deployment.rollback.to",
        }
    }

    /// Returns the value of the annotation, if an object has it.
    pub(super) fn of(self, metadata: &ObjectMeta) -> Option<&String> {
        metadata.annotations.as_ref()?.get(self.name())
    }

    /// Returns whether the annotation `name` belongs to one object, and is not copied between a Deployment and its sets.
    pub(super) fn stays(name: &str) -> bool {
        let own = [Self::Revision, Self::History, Self::Desired, Self::Max, Self::RollbackTo].map(Self::name);
        own.contains(&name) || name == "kubectl.kubernetes.io/last-applied-configuration"
    }
}

/// The ReplicaSets that a Deployment controls. Only those of a rollback have the specs of their Pods.
#[derive(Debug, Clone, Default)]
pub(super) struct Sets {
    /// The set with the Deployment's template.
    pub(super) new: Option<Arc<ReplicaSet>>,
    /// All others, the oldest first.
    pub(super) old: Vec<Arc<ReplicaSet>>,
}

impl Sets {
    /// Divides the sets. Of several with the Deployment's template the oldest is the new one.
    pub(super) fn of(deployment: &Deployment, mut sets: Vec<Arc<ReplicaSet>>) -> Self {
        sets.sort_by(|a, b| by_age(a, b));
        let wanted = &deployment.spec.template;
        let new = sets.iter().position(|set| is_same_template(wanted, set.spec.template.as_ref()));
        let new = new.map(|position| sets.remove(position));
        Self { new, old: sets }
    }

    /// Reads the sets of a cache without the specs of their Pods, and divides them as [`of`](Self::of) does. `cached` is the
    /// Deployment's text.
    pub(super) fn slim(
        cached: &Packed<Deployment>,
        deployment: &Deployment,
        sets: &[Arc<Packed<ReplicaSet>>],
    ) -> Result<Self, PackedError> {
        let sets: Result<Vec<_>, _> = sets.iter().map(|set| set.read_without(&POD_SPEC)).collect();
        let mut sets = sets?;
        sets.sort_by(|(a, _), (b, _)| by_age(a, b));
        let wanted = TemplateMatcher::new(&deployment.spec.template, cached.field(&POD_SPEC)?);
        let new = sets.iter().position(|(set, text)| wanted.matches(set.spec.template.as_ref(), *text));
        let mut old: Vec<_> = sets.into_iter().map(|(set, _)| Arc::new(set)).collect();
        Ok(Self { new: new.map(|position| old.remove(position)), old })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<ReplicaSet>> {
        self.old.iter().chain(&self.new)
    }

    /// Puts the reply to a write in the place of the set that was written.
    pub(super) fn replace(&mut self, set: ReplicaSet) {
        let uid = set.metadata.uid.clone();
        let mut all = self.old.iter_mut().chain(&mut self.new);
        if let Some(place) = all.find(|old| old.metadata.uid == uid) {
            *place = Arc::new(set);
        }
    }

    /// Returns the number of Pods that all sets want.
    pub(super) fn replicas(&self) -> i32 {
        self.all().map(|set| replicas(set)).sum()
    }
}

/// Orders sets by their age, the oldest first.
pub(super) fn by_age(a: &ReplicaSet, b: &ReplicaSet) -> Ordering {
    let by_time = a.metadata.creation_timestamp.cmp(&b.metadata.creation_timestamp);
    by_time.then_with(|| a.metadata.name.cmp(&b.metadata.name))
}

/// Returns the number of Pods that a set wants.
pub(super) fn replicas(set: &ReplicaSet) -> i32 {
    set.spec.replicas.unwrap_or(1)
}

/// Returns the number of a set's Pods that exist.
pub(super) fn actual(set: &ReplicaSet) -> i32 {
    set.status.as_ref().map_or(0, |status| status.replicas)
}

/// Returns the number of a set's Pods that are available.
pub(super) fn available(set: &ReplicaSet) -> i32 {
    set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0)
}

/// Returns an annotation with a number; `None` if it is absent, malformed or negative.
pub(super) fn number(set: &ReplicaSet, annotation: Annotation) -> Option<i32> {
    annotation.of(&set.metadata)?.parse().ok().filter(|number| *number >= 0)
}

/// Returns the revision of a set or a Deployment: 0 if it has none, `None` if it is no number.
pub(super) fn revision(metadata: &ObjectMeta) -> Option<i64> {
    Annotation::Revision.of(metadata).map_or(Some(0), |text| text.parse().ok())
}

/// Returns the highest revision; sets without a readable one do not count.
pub(super) fn max_revision<'a>(sets: impl IntoIterator<Item = &'a Arc<ReplicaSet>>) -> i64 {
    sets.into_iter().filter_map(|set| revision(&set.metadata)).max().unwrap_or(0).max(0)
}

/// Returns the second highest revision, to which a rollback without a number goes; 0 if there is none.
pub(super) fn last_revision<'a>(sets: impl IntoIterator<Item = &'a Arc<ReplicaSet>>) -> i64 {
    let mut revisions: Vec<_> = sets.into_iter().filter_map(|set| revision(&set.metadata)).collect();
    revisions.sort_unstable();
    revisions.into_iter().nth_back(1).unwrap_or(0).max(0)
}

/// Returns the annotations that the new set lacks: those of the Deployment, and its revision. `existing` are those that it
/// has, `next` is the revision after those of the old sets. Upstream's `SetNewReplicaSetAnnotations`.
///
/// A set whose revision rises is being rolled back to, and keeps its earlier revision in the history.
pub(super) fn missing_annotations(
    deployment: &Deployment,
    existing: &BTreeMap<String, String>,
    next: i64,
) -> BTreeMap<String, String> {
    let own = deployment.metadata.annotations.iter().flatten();
    let copied = own.filter(|(name, value)| !Annotation::stays(name) && existing.get(*name) != Some(value));
    let mut missing: BTreeMap<_, _> = copied.map(|(name, value)| (name.clone(), value.clone())).collect();
    let before = existing.get(Annotation::Revision.name()).filter(|text| !text.is_empty());
    // A revision that is no number is left alone.
    let Ok(number) = before.map_or(Ok(0), |text| text.parse::<i64>()) else { return missing };
    if number < next {
        missing.insert(Annotation::Revision.name().to_owned(), next.to_string());
        let history = existing.get(Annotation::History.name());
        let longer = before.and_then(|before| longer_history(history, before));
        missing.extend(longer.map(|history| (Annotation::History.name().to_owned(), history)));
    }
    missing
}

/// Appends a revision to a history, without the oldest ones for which there is no room; `None` if there is none for it.
fn longer_history(history: Option<&String>, revision: &str) -> Option<String> {
    let mut kept = history.map_or("", String::as_str);
    while !kept.is_empty() && kept.len() + 1 + revision.len() > LONGEST_HISTORY {
        kept = kept.split_once(',').map_or("", |(_, rest)| rest);
    }
    match kept {
        "" => (revision.len() <= LONGEST_HISTORY).then(|| revision.to_owned()),
        kept => Some(format!("{kept},{revision}")),
    }
}

/// Returns the two annotations of a set that is scaled.
pub(super) fn scaled_annotations(limits: &Limits) -> BTreeMap<String, String> {
    let both = [(Annotation::Desired, limits.desired), (Annotation::Max, limits.most())];
    both.map(|(annotation, number)| (annotation.name().to_owned(), number.to_string())).into()
}

/// Builds the new set of a Deployment, without Pods and without an owner.
pub(super) fn new_set(deployment: &Deployment, hash: &str, next: i64, limits: &Limits) -> ReplicaSet {
    let spec = &deployment.spec;
    let mut template = spec.template.clone();
    let labels = template.metadata.get_or_insert_default().labels.get_or_insert_default();
    labels.insert(POD_TEMPLATE_HASH.to_owned(), hash.to_owned());
    let labels = labels.clone();
    let mut selector = spec.selector.clone();
    selector.match_labels.get_or_insert_default().insert(POD_TEMPLATE_HASH.to_owned(), hash.to_owned());
    let mut annotations = missing_annotations(deployment, &BTreeMap::new(), next);
    annotations.extend(scaled_annotations(limits));
    ReplicaSet {
        metadata: ObjectMeta {
            name: Some(name(deployment.metadata.name.as_deref().unwrap_or_default(), hash)),
            namespace: deployment.metadata.namespace.clone(),
            labels: Some(labels),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        spec: ReplicaSetSpec {
            min_ready_seconds: spec.min_ready_seconds,
            replicas: Some(0),
            selector,
            template: Some(template),
        },
        status: None,
    }
}

/// Returns the name of a set, cut to the longest one that the server accepts.
fn name(deployment: &str, hash: &str) -> String {
    let longest = LONGEST_NAME - 1 - hash.len();
    format!("{}-{hash}", deployment.get(..longest).unwrap_or(deployment))
}

/// Returns the old sets that are not kept: all but the newest `limit`, if they have no Pods and want none.
pub(super) fn outdated(old: &[Arc<ReplicaSet>], limit: usize) -> Vec<Arc<ReplicaSet>> {
    let mut alive: Vec<_> = old.iter().filter(|set| !set.metadata.is_being_deleted()).cloned().collect();
    alive.sort_by_key(|set| revision(&set.metadata)); // stable: the oldest first among equal ones
    alive.truncate(alive.len().saturating_sub(limit));
    alive.retain(|set| {
        let observed = set.status.as_ref().and_then(|status| status.observed_generation);
        actual(set) == 0 && replicas(set) == 0 && observed >= set.metadata.generation
    });
    alive
}
