//! [`Consumer`]: takes keys in a loop, at a lower cost per key than [`Item`](crate::Item)s.

use std::{fmt, hash::Hash, sync::Arc};

use tokio::task::coop;

use crate::{
    get::Get,
    queue::WorkQueue,
    shared::Shared,
    slot_id::SlotId,
    state::{Take, Taken},
};

/// Takes keys one after the other. Asking for the next key completes the previous one.
///
/// [`WorkQueue::consumer`] returns one. It does the same as a loop over [`WorkQueue::get`], but locks the
/// queue once per key instead of twice, and does not clone a handle of the queue per key. Dropping a consumer
/// (after a panic or a cancelled task, too) completes its key.
#[must_use = "a consumer takes no key until `next` is called"]
pub struct Consumer<K> {
    shared: Arc<Shared<K>>,
    slot: Option<SlotId>,
    /// `Some` exactly when `slot` is.
    key: Option<K>,
    priority: i16,
}

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueue<K> {
    /// Returns a new consumer of this queue. It holds no key yet.
    pub fn consumer(&self) -> Consumer<K> {
        Consumer { shared: Arc::clone(&**self.shared), slot: None, key: None, priority: 0 }
    }
}

impl<K: Clone> Consumer<K> {
    /// Completes the current key, if there is one, and takes the next key. Waits until a key is ready.
    ///
    /// `None` means that the queue has shut down and no key is ready: the consumer's loop ends here.
    ///
    /// # Cancel safety
    ///
    /// A `next` dropped before it completes has taken no key. The previous key is completed if `next` was
    /// polled; otherwise the consumer still holds it.
    #[inline]
    pub async fn next(&mut self) -> Option<&K> {
        coop::consume_budget().await; // a loop over a queue that is never empty still yields to other tasks
        if let Some(metrics) = &self.shared.metrics {
            metrics.ensure_refresher();
        }
        let take = match self.slot.take() {
            Some(slot) => self.shared.done_and_take(slot),
            None => self.shared.take_now(),
        };
        self.key = None; // runs the user's `Drop`, so no lock may be held
        let Taken { slot, key, priority, .. } = match take {
            Take::Key(taken) => taken,
            Take::ShutDown => return None,
            Take::Wait => Get::new(&self.shared).await?,
        };
        (self.slot, self.priority) = (Some(slot), priority);
        Some(self.key.insert(key))
    }
}

impl<K> Consumer<K> {
    /// Returns the current key.
    pub fn key(&self) -> Option<&K> {
        self.key.as_ref()
    }

    /// Returns the priority that the current key was taken with.
    pub fn priority(&self) -> i16 {
        self.priority
    }

    /// Completes the current key, if there is one, without taking another.
    pub fn done(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.shared.done(slot);
        }
        self.key = None;
    }
}

impl<K> Drop for Consumer<K> {
    fn drop(&mut self) {
        self.done();
    }
}

impl<K: fmt::Debug> fmt::Debug for Consumer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("key", &self.key).finish_non_exhaustive()
    }
}
