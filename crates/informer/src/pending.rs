//! [`Pending`]: the changes that a subscriber has not taken yet, at most one for each object. A plain value.
//!
//! - P1: `order` holds exactly the keys of `changes`, each at the place of its oldest pending change.
//! - P2: a subscriber that takes every change has the store's objects. It never hears of an object that was
//!   added and deleted in between.
//! - P3: the change to an undecodable state comes after the object's other pending change. It is removed when the object
//!   can be decoded again.

use std::collections::{BTreeMap, HashMap, HashSet};

use trimtab_cache::{Change, Object, ObjectKey};

use crate::event::Event;

/// An object's key, and whether the change is that its state cannot be decoded.
type PendingKey = (ObjectKey, bool);

pub(crate) struct Pending<T> {
    changes: HashMap<PendingKey, (u64, Event<T>)>,
    order: BTreeMap<u64, PendingKey>,
    next_place: u64,
    /// The objects of which the subscriber knows only that they cannot be decoded.
    known_undecodable: HashSet<ObjectKey>,
}

impl<T: Object> Pending<T> {
    pub(crate) fn new() -> Self {
        Self {
            changes: HashMap::new(),
            order: BTreeMap::new(),
            next_place: 0,
            known_undecodable: HashSet::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Adds a change, or merges it with the object's pending change.
    pub(crate) fn add(&mut self, mut event: Event<T>) {
        let key = event.key();
        let superseded = self.remove(&(key.clone(), true)); // P3
        match &event.change {
            Change::Undecodable(_) => {
                event.initial |= superseded.is_some_and(|(_, before)| before.initial);
                self.push((key, true), event);
            }
            Change::UndecodableDeleted(_) => {
                // An object that the subscriber was not told of leaves no event (P2).
                if superseded.is_none() || self.known_undecodable.contains(&key) {
                    self.push((key, true), event);
                }
            }
            Change::Added(_) | Change::Updated { .. } | Change::Deleted(_) => self.merge((key, false), event),
        }
    }

    /// Takes the oldest pending change.
    pub(crate) fn take(&mut self) -> Option<Event<T>> {
        let (_, key) = self.order.pop_first()?;
        let (_, event) = self.changes.remove(&key).expect("P1: each key in the order has a change");
        if matches!(event.change, Change::Undecodable(_)) {
            self.known_undecodable.insert(key.0);
        } else {
            self.known_undecodable.remove(&key.0);
        }
        Some(event)
    }

    fn push(&mut self, key: PendingKey, event: Event<T>) {
        self.order.insert(self.next_place, key.clone());
        self.changes.insert(key, (self.next_place, event));
        self.next_place += 1;
    }

    fn remove(&mut self, key: &PendingKey) -> Option<(u64, Event<T>)> {
        let removed = self.changes.remove(key)?;
        self.order.remove(&removed.0); // P1
        Some(removed)
    }

    fn merge(&mut self, key: PendingKey, event: Event<T>) {
        let Some((place, before)) = self.remove(&key) else {
            return self.push(key, event);
        };
        let is_known = self.known_undecodable.contains(&key.0);
        if let Some(merged) = merge(before, event, is_known) {
            self.order.insert(place, key.clone());
            self.changes.insert(key, (place, merged));
        }
    }
}

/// Merges two consecutive changes of an object that were both pending; `None` if they cancel out.
fn merge<T: Object>(before: Event<T>, after: Event<T>, is_known: bool) -> Option<Event<T>> {
    let change = match (before.change, after.change) {
        (Change::Added(_), Change::Deleted(_)) if !is_known => return None,
        (Change::Added(_), Change::Updated { new, .. } | Change::Added(new)) => Change::Added(new),
        // Deleted and created again: an update between objects with different UIDs.
        (Change::Deleted(last), Change::Added(new)) => Change::Updated { old: last.object, new },
        (Change::Updated { old, .. }, Change::Updated { new, .. } | Change::Added(new)) => {
            Change::Updated { old, new }
        }
        (_, after) => after,
    };
    // An addition stays initial until it is taken.
    let initial = before.initial && matches!(change, Change::Added(_));
    Some(Event::new(change, initial))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta};
    use trimtab_cache::{Metadata, StoreWriter};

    use super::*;

    fn object(name: &str, version: u32) -> ConfigMap {
        let (name, resource_version) = (Some(name.to_owned()), Some(version.to_string()));
        ConfigMap {
            metadata: ObjectMeta { name, resource_version, ..ObjectMeta::default() },
            ..ConfigMap::default()
        }
    }

    /// Applies `script` to a store and to a subscriber's pending changes, and returns the pending changes:
    /// `a1` puts `a` at version 1, `-a` deletes it, `.` takes one change.
    fn pending(script: &str) -> Vec<String> {
        let mut writer = StoreWriter::new();
        let (mut pending, mut taken) = (Pending::new(), Vec::new());
        for step in script.split(' ') {
            match (step.strip_prefix('-'), step) {
                (Some(name), _) => {
                    let change = writer.delete(&ObjectKey::cluster_scoped(name), None).expect("it is there");
                    pending.add(Event::new(change, false));
                }
                (None, ".") => drop(pending.take()),
                (None, put) => {
                    let (name, version) = put.split_at(1);
                    let change = writer.apply(object(name, version.parse().expect("a number")));
                    pending.add(Event::new(change, true));
                }
            }
            assert_eq!(pending.len(), pending.order.len(), "P1");
        }
        while let Some(event) = pending.take() {
            let version = |object: &ConfigMap| object.metadata().resource_version().to_owned();
            let name = event.key();
            let mark = if event.initial { "!" } else { "" };
            taken.push(match &event.change {
                Change::Added(new) => format!("{mark}+{name}{}", version(new)),
                Change::Updated { old, new } => format!("{mark}{name}{}>{}", version(old), version(new)),
                Change::Deleted(last) => format!("{mark}-{name}{}", version(&last.object)),
                Change::Undecodable(_) => format!("{mark}?{name}"),
                Change::UndecodableDeleted(_) => format!("{mark}-?{name}"),
            });
        }
        taken
    }

    #[test]
    fn two_changes_of_an_object_become_one() {
        for (script, expected) in [
            ("a1", &["!+a1"][..]),
            ("a1 a2 a3", &["!+a3"]),
            ("a1 -a", &[]),
            ("a1 -a a2", &["!+a2"]),
            ("a1 . a2 a3", &["a1>3"]),
            ("a1 . a2 -a", &["-a2"]),
            ("a1 . -a", &["-a1"]),
            ("a1 . -a a2", &["a1>2"]),
            ("a1 . -a a2 -a", &["-a2"]),
        ] {
            assert_eq!(pending(script), expected, "{script}");
        }
    }

    #[test]
    fn an_object_keeps_its_place_and_one_that_came_and_went_has_none() {
        assert_eq!(pending("a1 b1 c1 a2 -b"), ["!+a2", "!+c1"]);
    }
}
