//! [`Replacement`]: the next contents of a store, while a list is still coming in.

use std::{fmt, sync::Arc};

use crate::{Metadata, Object, ObjectKey, Store, bits::Bits, contents::Contents};

/// The next contents of a [`Store`], filled object by object; see [`StoreWriter::replacement`].
///
/// Unchanged objects are recognised as they come. Of each object only one copy is ever held, and what has
/// not changed is shared with the store: for an unchanged object it takes a bit.
///
/// - R1: in each slot of `next` that is one of `base`, too, is the same key; nothing of `base` is taken out.
/// - R2: `seen` are the slots of what was added or kept and not removed again: the next contents.
/// - R3: `changed` are those of `seen` that are not in `base` in the same state; `order` has each once.
///
/// [`StoreWriter::replacement`]: crate::StoreWriter::replacement
pub struct Replacement<T> {
    store: Store<T>,
    base: Arc<Contents<T>>,
    next: Contents<T>,
    seen: Bits,
    changed: Bits,
    order: Vec<u32>,
}

/// What a [`Replacement`] comes to.
pub(crate) struct Outcome<T> {
    /// What it started from.
    pub(crate) base: Arc<Contents<T>>,
    /// All that is to be, and all of `base` besides; the indexes are those of `base`.
    pub(crate) next: Contents<T>,
    /// Slots of what is not to be.
    pub(crate) gone: Vec<u32>,
    /// Slots of what is not in `base` in the same state, in the order in which it came.
    pub(crate) came: Vec<u32>,
}

impl<T: Object> Replacement<T> {
    pub(crate) fn new(store: &Store<T>) -> Self {
        Self::from_base(store.clone(), store.contents())
    }

    fn from_base(store: Store<T>, base: Arc<Contents<T>>) -> Self {
        let next = Contents::clone(&base);
        Self { store, base, next, seen: Bits::default(), changed: Bits::default(), order: Vec::new() }
    }

    /// Adds an object, or puts it in the place of the one that has its key.
    pub fn apply(&mut self, object: T) {
        let key = object.key();
        let object = match self.store.get(&key) {
            Some(stored) if is_same_state(&*stored, &object) => stored,
            _ => Arc::new(object),
        };
        self.hold(key, object);
    }

    /// Keeps the stored object of that key as it is; `false` if there is none.
    ///
    /// For an object that is there but cannot be read.
    pub fn keep(&mut self, key: &ObjectKey) -> bool {
        let Some(stored) = self.store.get(key) else {
            return false;
        };
        self.hold(key.clone(), stored);
        true
    }

    /// Takes an object out again.
    pub fn remove(&mut self, key: &ObjectKey) {
        let Some(slot) = self.next.slot(key) else { return };
        self.seen.remove(slot);
        self.forget_change(slot);
        match self.before(slot) {
            Some(before) => drop(self.next.set(slot, before)),
            None => drop(self.next.remove(slot)),
        }
    }

    /// Takes everything out again.
    pub fn clear(&mut self) {
        *self = Self::from_base(self.store.clone(), self.base.clone());
    }

    /// How many objects it holds by now.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether it holds no object yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn into_outcome(self) -> Outcome<T> {
        let Self { store: _, base, next, seen, order, .. } = self;
        let gone = base.iter().map(|(slot, _)| slot).filter(|&slot| !seen.contains(slot)).collect();
        Outcome { base, next, gone, came: order }
    }

    /// What the store had in that slot.
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

    /// Whether there was one. It is rare: a server told an object twice, or its deletion within a list.
    fn forget_change(&mut self, slot: u32) -> bool {
        let was_changed = self.changed.remove(slot);
        if was_changed {
            self.order.retain(|&other| other != slot);
        }
        was_changed
    }
}

/// Whether both are the same state of the same object. Without a version nothing says so.
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
