//! [`Item`]: a key that a worker holds.

use std::{fmt, ops::Deref, sync::Arc};

use crate::{handle::Handle, slot_id::SlotId, state::Taken};

/// A key that a worker has taken. Dropping the item is `done`.
///
/// While the item lives, no other worker gets the key. If the key is added meanwhile, it comes out once more
/// afterwards. A worker that panics or is cancelled drops its item as well, so no key gets stuck. An item may
/// outlive all handles of its queue.
#[must_use = "dropping an item marks its key as done"]
pub struct Item<K> {
    shared: Arc<Handle<K>>,
    key: K,
    slot: SlotId,
    priority: i16,
}

impl<K> Item<K> {
    pub(crate) fn new(shared: &Arc<Handle<K>>, taken: Taken<K>) -> Self {
        let Taken { slot, key, priority, .. } = taken;
        Self { shared: Arc::clone(shared), key, slot, priority }
    }

    /// Returns the key, as `&*item` does.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// Returns the priority that the key was taken with.
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
