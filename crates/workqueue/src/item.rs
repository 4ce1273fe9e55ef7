//! [`Item`]: a key with a worker.

use std::{fmt, ops::Deref, sync::Arc};

use crate::{shared::Shared, slots::SlotId, state::Taken};

/// A key that a worker has taken. Dropping it is `done`.
///
/// While it lives, no other worker gets the key; what is added meanwhile comes out once, afterwards.
/// A worker that panics or is cancelled drops its item like any other, so no key is ever stuck.
/// An item may outlive every handle of its queue.
#[must_use = "dropping an item says that its work is done"]
pub struct Item<K> {
    shared: Arc<Shared<K>>,
    key: K,
    slot: SlotId,
    priority: i16,
}

impl<K> Item<K> {
    pub(crate) fn new(shared: &Arc<Shared<K>>, taken: Taken<K>) -> Self {
        let Taken { slot, key, priority, .. } = taken;
        Self { shared: Arc::clone(shared), key, slot, priority }
    }

    /// The key; the same as `&*item`.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// The priority with which the key was taken.
    pub fn priority(&self) -> i16 {
        self.priority
    }
}

impl<K> Deref for Item<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.key
    }
}

impl<K: fmt::Debug> fmt::Debug for Item<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("key", &self.key)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

impl<K> Drop for Item<K> {
    fn drop(&mut self) {
        self.shared.done(self.slot);
    }
}
