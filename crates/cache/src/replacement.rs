//! [`Replacement`]: the next contents of a store, while a list is still being received.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{Metadata, Object, ObjectKey, Store, Undecodable, bits::Bits, contents::Contents};

/// The next contents of a [`Store`], filled object by object; see [`StoreWriter::replacement`].
///
/// Unchanged objects are recognised as they arrive and shared with the store, so that an unchanged object costs a bit
/// and no object is held twice.
///
/// - R1: a slot of `base` has the same key in `next`; no entry of `base` is removed from `next`.
/// - R2: `seen` has the slots of the objects that were added or kept and not removed again: the next contents.
/// - R3: `changed` has the slots of `seen` whose state is not that of `base`; `order` has each of them once.
///
/// [`StoreWriter::replacement`]: crate::StoreWriter::replacement
pub struct Replacement<T> {
    store: Store<T>,
    base: Arc<Contents<T>>,
    next: Contents<T>,
    seen: Bits,
    changed: Bits,
    order: Vec<u32>,
    undecodable: BTreeMap<ObjectKey, Arc<Undecodable>>,
}

/// The result of a [`Replacement`].
pub(crate) struct Outcome<T> {
    /// The contents that it started from.
    pub(crate) base: Arc<Contents<T>>,
    /// The next contents together with the rest of `base`; the indexes are those of `base`.
    pub(crate) next: Contents<T>,
    /// Slots of the entries of `next` that are to be removed.
    pub(crate) gone: Vec<u32>,
    /// Slots of the entries that are not in `base` in the same state, in the order in which they were added.
    pub(crate) came: Vec<u32>,
}

impl<T: Object> Replacement<T> {
    pub(crate) fn new(store: &Store<T>) -> Self {
        Self::from_base(store.clone(), store.shared.contents())
    }

    fn from_base(store: Store<T>, base: Arc<Contents<T>>) -> Self {
        let next = Contents::clone(&base);
        Self {
            store,
            base,
            next,
            seen: Bits::default(),
            changed: Bits::default(),
            order: Vec::new(),
            undecodable: BTreeMap::new(),
        }
    }

    /// Adds an object, or replaces the one with the same key.
    pub fn apply(&mut self, object: T) {
        let key = object.key();
        self.undecodable.remove(&key);
        let object = match self.store.get(&key) {
            Some(stored) if is_same_state(&*stored, &object) => stored,
            _ => Arc::new(object),
        };
        self.hold(key, object);
    }

    /// Adds an object that cannot be decoded, by its metadata. If the store has an earlier state of the object, it keeps
    /// that state. A state with another UID is another object's, which is gone.
    pub fn apply_undecodable(&mut self, undecodable: Undecodable) {
        let key = undecodable.key().clone();
        if let Some(stored) = self.store.get(&key)
            && undecodable.may_be(&*stored)
        {
            self.hold(key.clone(), stored);
        }
        let undecodable = match self.store.get_undecodable(&key) {
            Some(stored) if stored.is_same_state(&undecodable) => stored,
            _ => Arc::new(undecodable),
        };
        self.undecodable.insert(key, undecodable);
    }

    /// Keeps the store's entry under this key: an object, the metadata of an undecodable one, or both. Returns `false` if
    /// there is no entry.
    pub fn keep(&mut self, key: &ObjectKey) -> bool {
        let (stored, undecodable) = (self.store.get(key), self.store.get_undecodable(key));
        let is_known = stored.is_some() || undecodable.is_some();
        if let Some(stored) = stored {
            self.hold(key.clone(), stored);
        }
        if let Some(undecodable) = undecodable {
            self.undecodable.insert(key.clone(), undecodable);
        }
        is_known
    }

    /// Removes an object again.
    pub fn remove(&mut self, key: &ObjectKey) {
        self.undecodable.remove(key);
        let Some(slot) = self.next.slot(key) else { return };
        self.seen.remove(slot);
        self.forget_change(slot);
        match self.before(slot) {
            Some(before) => drop(self.next.set(slot, before)),
            None => drop(self.next.remove(slot)),
        }
    }

    /// Removes all objects again.
    pub fn clear(&mut self) {
        *self = Self::from_base(self.store.clone(), self.base.clone());
    }

    /// Returns whether an object with this key was added or kept, decodable or not.
    pub fn contains(&self, key: &ObjectKey) -> bool {
        let decoded = self.next.slot(key).is_some_and(|slot| self.seen.contains(slot));
        decoded || self.undecodable.contains_key(key)
    }

    /// Returns the undecodable objects so far, by key.
    pub fn undecodable(&self) -> impl Iterator<Item = &Arc<Undecodable>> {
        self.undecodable.values()
    }

    /// Returns the number of objects so far.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Returns whether there is no object yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn into_outcome(self) -> Outcome<T> {
        let Self { store: _, base, mut next, seen, order, undecodable, .. } = self;
        next.undecodable = Arc::new(undecodable);
        let gone = base.iter().map(|(slot, _)| slot).filter(|&slot| !seen.contains(slot)).collect();
        Outcome { base, next, gone, came: order }
    }

    /// Returns the object that the store had in this slot.
    fn before(&self, slot: u32) -> Option<Arc<T>> {
        Some(self.base.at(slot)?.object.clone())
    }

    fn hold(&mut self, key: ObjectKey, object: Arc<T>) {
        let slot = match self.next.slot(&key) {
            None => self.next.insert(key, object),
            Some(slot) if self.before(slot).is_some_and(|before| Arc::ptr_eq(&before, &object)) => {
                self.seen.insert(slot);
                if self.forget_change(slot) {
                    self.next.set(slot, object);
                }
                return;
            }
            Some(slot) => {
                self.next.set(slot, object);
                slot
            }
        };
        self.seen.insert(slot);
        if self.changed.insert(slot) {
            self.order.push(slot);
        }
    }

    /// Forgets that a slot changed; `false` if it did not. This is rare: a server sent an object twice, or a deletion
    /// within a list.
    fn forget_change(&mut self, slot: u32) -> bool {
        let was_changed = self.changed.remove(slot);
        if was_changed {
            self.order.retain(|&other| other != slot);
        }
        was_changed
    }
}

/// Returns whether both are the same state of the same object. Objects without a version never are.
fn is_same_state<T: Object>(stored: &T, object: &T) -> bool {
    let (stored, object) = (stored.metadata(), object.metadata());
    !object.resource_version().is_empty()
        && stored.resource_version() == object.resource_version()
        && stored.uid() == object.uid()
}

impl<T> fmt::Debug for Replacement<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replacement").field("objects", &self.seen.len()).finish_non_exhaustive()
    }
}
