//! [`Event`]: one change of the store, as a handler receives it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use trimtab_cache::{Change, Metadata, Object, ObjectKey};

/// One change of the store, as a handler receives it. The store has already applied it.
#[non_exhaustive]
pub struct Event<T> {
    /// The addition, update or deletion.
    pub change: Change<T>,
    /// Whether the object belongs to the handler's initial state: it came with the informer's first list,
    /// or it was in the store when the handler was registered.
    pub initial: bool,
    /// Made by the first handler that asks, and shared by all: their queues then hold one text a key.
    key: OnceLock<ObjectKey>,
}

impl<T: Object> Event<T> {
    pub(crate) fn new(change: Change<T>, initial: bool) -> Self {
        Self { change, initial, key: OnceLock::new() }
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
        self.key.get_or_init(|| self.change.key()).clone()
    }

    /// Returns whether this is a resync: an update whose old and new state are the same object.
    pub fn is_resync(&self) -> bool {
        matches!(&self.change, Change::Updated { old, new } if Arc::ptr_eq(old, new))
    }
}

impl<T> Clone for Event<T> {
    fn clone(&self) -> Self {
        Self { change: self.change.clone(), initial: self.initial, key: self.key.clone() }
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

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    #[test]
    fn all_handlers_of_an_event_share_the_text_of_its_key() {
        let mut map = ConfigMap::default();
        map.metadata.name = Some("web".to_owned());
        let event = Event::new(Change::Added(Arc::new(map)), false);
        let (first, second) = (event.key(), event.key());
        assert!(std::ptr::eq(first.name(), second.name()));
    }
}
