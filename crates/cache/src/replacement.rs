//! [`Replacement`]: the next contents of a store, while a list is still coming in.

use std::{fmt, sync::Arc};

use crate::{Metadata, Object, ObjectKey, Store, contents::Contents};

/// The next contents of a [`Store`], filled object by object; see [`StoreWriter::replacement`].
///
/// Unchanged objects are recognised as they come, so that of each only one copy is ever held.
///
/// [`StoreWriter::replacement`]: crate::StoreWriter::replacement
pub struct Replacement<T> {
    store: Store<T>,
    next: Contents<T>,
}

impl<T: Object> Replacement<T> {
    pub(crate) fn new(store: Store<T>) -> Self {
        Self { store, next: Contents::new() }
    }

    /// Adds an object, or puts it in the place of the one that has its key.
    pub fn apply(&mut self, object: T) {
        let key = object.key();
        let object = match self.store.get(&key) {
            Some(stored) if is_same_state(&*stored, &object) => stored,
            _ => Arc::new(object),
        };
        self.next.insert(key, object);
    }

    /// Keeps the stored object of that key as it is; `false` if there is none.
    ///
    /// For an object that is there but cannot be read.
    pub fn keep(&mut self, key: &ObjectKey) -> bool {
        let Some(stored) = self.store.get(key) else {
            return false;
        };
        self.next.insert(key.clone(), stored);
        true
    }

    /// Takes an object out again.
    pub fn remove(&mut self, key: &ObjectKey) {
        self.next.remove(key);
    }

    /// Takes everything out again.
    pub fn clear(&mut self) {
        self.next = Contents::new();
    }

    /// How many objects it holds by now.
    pub fn len(&self) -> usize {
        self.next.len()
    }

    /// Whether it holds no object yet.
    pub fn is_empty(&self) -> bool {
        self.next.len() == 0
    }

    pub(crate) fn into_contents(self) -> Contents<T> {
        self.next
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
        f.debug_struct("Replacement").field("objects", &self.next.len()).finish_non_exhaustive()
    }
}
