//! [`Event`]: what a handler is told.

use std::{fmt, sync::Arc};

use trimtab_cache::{Change, Object, ObjectKey};

/// One change of the store, as a handler is told it. The store has made it already.
#[non_exhaustive]
pub struct Event<T> {
    /// What became of the object.
    pub change: Change<T>,
    /// Whether the object was there before the handler was told of anything: it comes with the
    /// informer's first list, or with the handler's registration.
    pub initial: bool,
}

impl<T: Object> Event<T> {
    pub(crate) fn new(change: Change<T>, initial: bool) -> Self {
        Self { change, initial }
    }

    /// The newest state that is known: of a deleted object, its last.
    pub fn object(&self) -> &Arc<T> {
        self.change.object()
    }

    /// The object's key, also if it was deleted.
    pub fn key(&self) -> ObjectKey {
        match &self.change {
            Change::Deleted(tombstone) => tombstone.key.clone(),
            Change::Added(object) | Change::Updated { new: object, .. } => object.key(),
        }
    }

    /// Whether this is a resync: an update to the very state that was there, told again because time
    /// has passed.
    pub fn is_resync(&self) -> bool {
        matches!(&self.change, Change::Updated { old, new } if Arc::ptr_eq(old, new))
    }
}

impl<T> Clone for Event<T> {
    fn clone(&self) -> Self {
        Self { change: self.change.clone(), initial: self.initial }
    }
}

impl<T: Object> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let change = match &self.change {
            Change::Added(_) => "added",
            Change::Updated { .. } => "updated",
            Change::Deleted(_) => "deleted",
        };
        write!(f, "{change} {}{}", self.key(), if self.initial { " (initial)" } else { "" })
    }
}
