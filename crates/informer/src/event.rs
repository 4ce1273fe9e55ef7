//! [`Event`]: one change of the store, as a handler receives it.

use std::{fmt, sync::Arc};

use trimtab_cache::{Change, Metadata, Object, ObjectKey};

/// One change of the store, as a handler receives it. The store has already applied it.
#[non_exhaustive]
pub struct Event<T> {
    /// The addition, update or deletion.
    pub change: Change<T>,
    /// Whether the object belongs to the handler's initial state: it came with the informer's first list,
    /// or it was in the store when the handler was registered.
    pub initial: bool,
}

impl<T: Object> Event<T> {
    pub(crate) fn new(change: Change<T>, initial: bool) -> Self {
        Self { change, initial }
    }

    /// Returns the newest known state, which is the last one of a deleted object; `None` if it cannot be decoded.
    pub fn object(&self) -> Option<&Arc<T>> {
        self.change.object()
    }

    /// Returns the metadata of the newest known state, whether it can be decoded or not.
    pub fn metadata(&self) -> &dyn Metadata {
        self.change.metadata()
    }

    /// Returns the object's key. A deletion has one, too.
    pub fn key(&self) -> ObjectKey {
        self.change.key()
    }

    /// Returns whether this is a resync: an update whose old and new state are the same object.
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
            Change::Undecodable(_) => "undecodable",
            Change::UndecodableDeleted(_) => "deleted undecodable",
        };
        write!(f, "{change} {}{}", self.key(), if self.initial { " (initial)" } else { "" })
    }
}
