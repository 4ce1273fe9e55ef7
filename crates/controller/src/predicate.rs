//! [`Predicate`]: decides which events of an informer queue a key.

use std::{fmt, sync::Arc};

use kube_client::Resource;
use trimtab_cache::{Change, Metadata, Object};
use trimtab_informer::Event;

use crate::reasons::EventKind;

/// The function of a predicate: kind of event, old state, new state.
type Test<T> = dyn Fn(EventKind, Option<&T>, Option<&T>) -> bool + Send + Sync;

/// Decides which events of an informer queue a key: controller-runtime's `predicate.Predicate`.
///
/// Applied by [`Watch::when`](crate::Watch::when). An event of an object that cannot be decoded passes every predicate,
/// because there is no state to decide by.
pub struct Predicate<T>(Arc<Test<T>>);

impl<T: Object> Predicate<T> {
    /// Creates a predicate of the kind of event, the old and the new state.
    ///
    /// | kind | old | new |
    /// |---|---|---|
    /// | [`Created`](EventKind::Created) | – | the object |
    /// | [`Updated`](EventKind::Updated) | the state before | the state now |
    /// | [`Deleted`](EventKind::Deleted) | the last known state | – |
    /// | [`Resync`](EventKind::Resync) | the object | the same object |
    ///
    /// The informer calls it for every event: it must return quickly.
    pub fn new(test: impl Fn(EventKind, Option<&T>, Option<&T>) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(test))
    }

    /// Creates a predicate that passes the updates for which `changed` returns `true`, and every creation and deletion.
    ///
    /// An update to another UID is a deletion and a creation in one event, and passes.
    pub fn updates(changed: impl Fn(&T, &T) -> bool + Send + Sync + 'static) -> Self {
        Self::new(move |_, old, new| match (old, new) {
            (Some(old), Some(new)) => old.metadata().uid() != new.metadata().uid() || changed(old, new),
            _ => true,
        })
    }

    /// Passes events that pass both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::new(move |kind, old, new| (self.0)(kind, old, new) && (other.0)(kind, old, new))
    }

    /// Passes events that pass at least one of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::new(move |kind, old, new| (self.0)(kind, old, new) || (other.0)(kind, old, new))
    }

    /// Passes events that do not pass `self`.
    ///
    /// This inverts every kind of event: the inversion of [`generation_changed`] passes no creation and no deletion.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "the word of controller-runtime, beside `and` and `or`"
    )]
    pub fn not(self) -> Self {
        Self::new(move |kind, old, new| !(self.0)(kind, old, new))
    }

    /// Returns whether an event passes.
    pub(crate) fn admits(&self, event: &Event<T>) -> bool {
        match event.change.states() {
            (None, None) => true,
            (old, new) => (self.0)(kind_of(event), old.map(|old| &**old), new.map(|new| &**new)),
        }
    }
}

impl<T> Clone for Predicate<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Predicate<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Predicate")
    }
}

/// Passes updates of `metadata.generation`: the spec has changed, not only the status or the metadata.
///
/// As every function here, it passes all creations and deletions. It is for whole objects: a view or a
/// [`Packed`](trimtab_cache::Packed) object has no generation at hand; compare the fields that it has with
/// [`Predicate::updates`]. A kind without a generation, such as `ConfigMap`, passes no update.
pub fn generation_changed<T: Resource + Send + Sync + 'static>() -> Predicate<T> {
    Predicate::updates(|old: &T, new: &T| old.meta().generation != new.meta().generation)
}

/// Passes updates of the labels, of every form of object. See [`generation_changed`] for creations and deletions.
pub fn labels_changed<T: Object>() -> Predicate<T> {
    Predicate::updates(|old: &T, new: &T| old.metadata().labels() != new.metadata().labels())
}

/// Passes updates of the annotations of whole objects. See [`generation_changed`] for creations, deletions and views.
pub fn annotations_changed<T: Resource + Send + Sync + 'static>() -> Predicate<T> {
    Predicate::updates(|old: &T, new: &T| old.meta().annotations != new.meta().annotations)
}

/// Passes updates to another resource version, and so no resync. For every form of object, views included.
pub fn resource_version_changed<T: Object>() -> Predicate<T> {
    Predicate::updates(|old: &T, new: &T| {
        old.metadata().resource_version() != new.metadata().resource_version()
    })
}

/// Returns the kind of an informer's event.
pub(crate) fn kind_of<T: Object>(event: &Event<T>) -> EventKind {
    match &event.change {
        Change::Added(_) => EventKind::Created,
        Change::Updated { .. } if event.is_resync() => EventKind::Resync,
        Change::Updated { .. } | Change::Undecodable(_) => EventKind::Updated,
        Change::Deleted(_) | Change::UndecodableDeleted(_) => EventKind::Deleted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};
    use trimtab_cache::Packed;

    fn pod(metadata: &Value) -> Pod {
        let mut pod: Pod = serde_json::from_value(json!({"metadata": metadata})).expect("a Pod");
        pod.metadata.uid.get_or_insert("uid".to_owned());
        pod
    }

    fn updated(predicate: &Predicate<Pod>, old: &Value, new: &Value) -> bool {
        (predicate.0)(EventKind::Updated, Some(&pod(old)), Some(&pod(new)))
    }

    /// controller-runtime: `predicate_test.go`, the four predicates of changed metadata.
    #[test]
    fn each_predicate_compares_its_field_and_no_other() {
        let base =
            json!({"generation": 1, "labels": {"a": "1"}, "annotations": {"a": "1"}, "resourceVersion": "1"});
        let predicates = [
            ("generation", generation_changed()),
            ("labels", labels_changed()),
            ("annotations", annotations_changed()),
            ("resourceVersion", resource_version_changed()),
        ];
        let changes = [
            ("generation", json!(2)),
            ("labels", json!({"a": "2"})),
            ("annotations", json!({"a": "1", "b": ""})),
            ("resourceVersion", json!("2")),
        ];
        for (name, predicate) in &predicates {
            for (field, value) in &changes {
                let mut new = base.clone();
                new[field] = value.clone();
                assert_eq!(updated(predicate, &base, &new), name == field, "{name}, {field}");
            }
            assert!(!updated(predicate, &base, &base), "{name}");
        }
    }

    #[test]
    fn labels_and_versions_are_compared_in_every_form_of_object() {
        let view = |labels: Value, version: &str| -> Packed<Pod> {
            let metadata = json!({"name": "a", "uid": "1", "labels": labels, "resourceVersion": version});
            serde_json::from_value(json!({"metadata": metadata})).expect("a Pod")
        };
        let (base, labelled) = (view(json!({"a": "1"}), "1"), view(json!({"a": "2"}), "1"));
        let newer = view(json!({"a": "1"}), "2");
        let passes =
            |predicate: &Predicate<_>, new| (predicate.0)(EventKind::Updated, Some(&base), Some(new));
        let (labels, versions) = (labels_changed(), resource_version_changed());
        assert_eq!([passes(&labels, &labelled), passes(&labels, &newer)], [true, false]);
        assert_eq!([passes(&versions, &labelled), passes(&versions, &newer)], [false, true]);
    }

    /// controller-runtime's predicates of changes pass all creations and deletions. kube-rs' swallow deletions (#1768).
    #[test]
    fn predicates_of_changes_pass_creations_deletions_and_replacements() {
        for predicate in
            [generation_changed(), labels_changed(), annotations_changed(), resource_version_changed()]
        {
            let object = pod(&json!({"generation": 1}));
            assert!((predicate.0)(EventKind::Created, None, Some(&object)));
            assert!((predicate.0)(EventKind::Deleted, Some(&object), None));
            assert!(updated(
                &predicate,
                &json!({"generation": 1}),
                &json!({"generation": 1, "uid": "another"})
            ));
        }
    }

    /// controller-runtime: `predicate.And`, `Or`, `Not` of true and false ones.
    #[test]
    fn predicates_are_combined_by_and_or_and_not() {
        let object = pod(&json!({}));
        let constant = |value: bool| Predicate::<Pod>::new(move |_, _, _| value);
        let test = |predicate: Predicate<Pod>| (predicate.0)(EventKind::Created, None, Some(&object));
        for (one, other) in [(false, false), (false, true), (true, false), (true, true)] {
            assert_eq!(test(constant(one).and(constant(other))), one && other);
            assert_eq!(test(constant(one).or(constant(other))), one || other);
        }
        assert!(test(constant(false).not()) && !test(constant(true).not()));
    }

    /// controller-runtime: `predicate.Funcs`.
    #[test]
    fn a_closure_decides_by_kind_of_event_and_by_both_states() {
        let only_deletions = Predicate::<Pod>::new(|kind, _, _| kind == EventKind::Deleted);
        let object = pod(&json!({}));
        assert!((only_deletions.0)(EventKind::Deleted, Some(&object), None));
        assert!(!(only_deletions.0)(EventKind::Created, None, Some(&object)));
        assert!(!(only_deletions.0)(EventKind::Resync, Some(&object), Some(&object)));
    }
}
