//! [`Consumer`]: one that takes key after key, for less than an [`Item`](crate::Item) each.

use std::{fmt, hash::Hash, sync::Arc};

use tokio::task::coop;

use crate::{
    WorkQueue,
    get::Get,
    metrics,
    shared::Shared,
    slots::SlotId,
    state::{Take, Taken},
};

/// Takes one key after the other; each is done when the next is asked for. Made by [`WorkQueue::consumer`].
///
/// What a loop over [`WorkQueue::get`] does, but the queue is locked once for a key's end and the next one's
/// beginning, and no handle of the queue is made for each. A worker that is dropped, by a panic or because
/// its task was cancelled, is done with its key.
#[must_use = "a worker takes nothing until it is asked for the next key"]
pub struct Consumer<K> {
    shared: Arc<Shared<K>>,
    slot: Option<SlotId>,
    /// There if `slot` is.
    key: Option<K>,
    priority: i16,
}

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueue<K> {
    /// A worker of this queue, which has no key yet.
    pub fn consumer(&self) -> Consumer<K> {
        Consumer { shared: Arc::clone(&self.shared), slot: None, key: None, priority: 0 }
    }
}

impl<K: Clone> Consumer<K> {
    /// Is done with the key, if there is one, and takes the next, waiting until one is ready.
    ///
    /// `None` means that the queue has shut down and nothing is ready: the end of the worker's loop.
    ///
    /// # Cancel safety
    ///
    /// A `next` dropped before it completes has taken no key. The last one is done if `next` was polled; if
    /// not, it still is with the worker.
    #[inline]
    pub async fn next(&mut self) -> Option<&K> {
        coop::consume_budget().await; // a worker whose queue is never empty still lets others run
        if self.shared.metrics.is_some() {
            metrics::keep_refreshing();
        }
        let take = match self.slot.take() {
            Some(slot) => self.shared.done_and_take(slot),
            None => self.shared.take_now(),
        };
        self.key = None; // the user's `Drop`, where no lock is held
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
    /// The key that it has.
    pub fn key(&self) -> Option<&K> {
        self.key.as_ref()
    }

    /// The priority with which it took the key.
    pub fn priority(&self) -> i16 {
        self.priority
    }

    /// Is done with the key, if there is one, without taking another.
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
