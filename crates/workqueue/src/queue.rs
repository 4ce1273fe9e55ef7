//! [`WorkQueue`]: the handle of a queue.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    sync::Arc,
    time::Duration,
};

use tokio::{task::coop, time::Instant};

use crate::{
    drain::Drain,
    get::Get,
    handle::Handle,
    item::Item,
    key_source::KeySource,
    priority,
    ready::GroupHash,
    shared::{ClockRead, Shared},
    state::{AddParams, Take},
};

/// A deduplicating queue of keys that need work. A clone is another handle of the same queue.
///
/// Producers `add` keys; workers `get` them. A key is with one worker at a time. Keys should be cheap to
/// clone, because each [`Item`] holds a clone.
pub struct WorkQueue<K> {
    pub(crate) shared: Arc<Handle<K>>,
}

/// The options of [`WorkQueue::add_with`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct AddOptions {
    priority: i16,
    delay: Option<Duration>,
    rate_limited: bool,
}

impl AddOptions {
    /// Returns the defaults: no delay, [`priority::NORMAL`](crate::priority::NORMAL).
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the priority; higher comes first. If a waiting key is added again, the higher priority counts.
    pub fn priority(self, priority: i16) -> Self {
        Self { priority, ..self }
    }

    /// Sets a delay.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay: Some(delay), ..self }
    }

    /// Takes the delay from the queue's rate limiter, which counts this add as a failure of the key. With
    /// [`after`](Self::after) as well, the longer delay counts.
    pub fn rate_limited(self) -> Self {
        Self { rate_limited: true, ..self }
    }
}

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueue<K> {
    /// Adds a key that needs work now. Returns whether the queue still accepts keys.
    ///
    /// A key that is already ready is not added twice. A key that a worker holds comes out once more when
    /// that worker is done. A delayed key becomes ready now, and once more when its delay ends.
    pub fn add(&self, key: K) -> bool {
        self.add_now(key, priority::NORMAL)
    }

    /// Adds a borrowed key. Does the same as [`add`](Self::add), but clones the key only if the queue does
    /// not hold it yet, or if another thread uses the queue at the moment.
    ///
    /// For producers that have a reference, or that add the same keys again and again.
    pub fn add_ref(&self, mut key: &K) -> bool {
        self.shared.add(&mut key, priority::NORMAL)
    }

    /// Adds a key that needs work after a delay. Returns whether the queue still accepts keys.
    ///
    /// If the key is delayed already, the earlier time wins. A delay may be of any length.
    pub fn add_after(&self, key: K, delay: Duration) -> bool {
        self.add_delayed(key, priority::NORMAL, delay)
    }

    /// Adds a key after the delay that the rate limiter returns for it. For a key whose processing failed.
    ///
    /// Returns whether the queue still accepts keys. The limiter counts the failure in both cases.
    pub fn add_rate_limited(&self, key: K) -> bool {
        self.add_with(key, AddOptions::new().rate_limited())
    }

    /// Adds a key with a priority, a delay, or both. Returns whether the queue still accepts keys.
    pub fn add_with(&self, key: K, options: AddOptions) -> bool {
        let AddOptions { priority, mut delay, rate_limited } = options;
        if rate_limited {
            delay = delay.max(Some(self.shared.limiter.lock().when(&key, Instant::now())));
        }
        match delay {
            None => self.add_now(key, priority),
            Some(delay) => self.add_delayed(key, priority, delay),
        }
    }

    fn add_delayed(&self, key: K, priority: i16, delay: Duration) -> bool {
        let now = self.shared.clock.now();
        let due = (!delay.is_zero()).then(|| now.after(delay));
        let mut source = Some(key); // a key that was not taken is dropped here, outside the lock
        let (hash, group) = self.shared.hash_and_group(source.key());
        let params = AddParams { priority, due, group };
        let accepted = self.shared.add_delayed(now, hash, &mut source, params);
        if let (true, Some(metrics)) = (accepted, &self.shared.metrics) {
            metrics.record_retry();
        }
        accepted
    }

    #[inline]
    fn add_now(&self, key: K, priority: i16) -> bool {
        self.shared.add(&mut Some(key), priority) // a key that was not taken is dropped here, outside the lock
    }

    /// Takes the next key. Waits until a key is ready.
    ///
    /// `None` means that the queue has shut down and no key is ready: a worker's loop ends here. It is not a
    /// failure. Dropping the [`Item`] is `done`.
    ///
    /// One of the waiting `get`s owns the timer for the delayed keys. Poll a `get` or drop it; one that is
    /// kept without being polled may delay the others.
    ///
    /// # Cancel safety
    ///
    /// A `get` dropped before it completes has taken no key. If it was already woken for a key, another
    /// waiting `get` is woken instead.
    pub async fn get(&self) -> Option<Item<K>> {
        coop::consume_budget().await; // a loop over a queue that is never empty still yields to other tasks
        if let Some(metrics) = &self.shared.metrics {
            metrics.ensure_refresher();
        }
        let taken = match self.shared.take_now() {
            Take::Key(taken) => taken,
            Take::ShutDown => return None,
            Take::Wait => Get::new(&self.shared).await?,
        };
        Some(Item::new(&self.shared, taken))
    }

    /// Takes the next key if a key is ready now.
    pub fn try_get(&self) -> Option<Item<K>> {
        match self.shared.take_now() {
            Take::Key(taken) => Some(Item::new(&self.shared, taken)),
            Take::Wait | Take::ShutDown => None,
        }
    }

    /// Removes a key that is ready, delayed or to be processed again, and makes the rate limiter forget it.
    ///
    /// For a deleted object, of which nothing should be left. A worker that holds the key keeps it, but
    /// earlier adds do not make it come out again. Returns whether the key would have come out.
    pub fn remove(&self, key: &K) -> bool {
        self.forget(key);
        let hash = self.shared.hash(key);
        let (waited, removed) =
            self.shared.with_state(ClockRead::IfMeasured, |state, _| state.remove(hash, key));
        drop(removed); // runs the user's `Drop`, so no lock may be held
        waited
    }

    /// Makes the rate limiter forget the failures of a key: its processing succeeded, or it is given up.
    pub fn forget(&self, key: &K) {
        self.shared.limiter.lock().forget(key);
    }

    /// Returns the number of rate-limited adds of a key since the last [`forget`](Self::forget).
    pub fn num_requeues(&self, key: &K) -> u32 {
        self.shared.limiter.lock().num_requeues(key)
    }

    /// Returns the number of ready keys. Keys that workers hold and delayed keys do not count.
    pub fn len(&self) -> usize {
        loop {
            let (ready, more) = self.shared.with_state(ClockRead::IfDelayed, |state, now| {
                state.fire(now);
                (state.ready(), state.next_due().is_some_and(|due| due <= now))
            });
            if !more {
                return ready;
            }
        }
    }

    /// Returns whether no key is ready.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of keys that workers hold.
    pub fn processing(&self) -> usize {
        self.shared.with_state(ClockRead::IfMeasured, |state, _| state.processing())
    }

    /// Returns the number of keys with a delay that has not ended, whether or not they are also ready or
    /// processing.
    pub fn delayed(&self) -> usize {
        self.len(); // makes the keys ready whose delay has ended
        self.shared.with_state(ClockRead::IfMeasured, |state, _| state.delayed())
    }

    /// Shuts the queue down. From now on adds are refused and delayed keys are dropped; ready keys can still
    /// be taken. Ends every waiting [`Drain`]. May be called several times.
    pub fn shut_down(&self) {
        drop(self.shared.shut_down(false));
    }

    /// Shuts the queue down at once, as [`shut_down`](Self::shut_down) does, and returns a future that waits
    /// until no key is ready and none is processing.
    pub fn shut_down_with_drain(&self) -> Drain<K> {
        Drain::new(&self.shared)
    }

    /// Returns whether the queue refuses adds.
    pub fn is_shutting_down(&self) -> bool {
        self.shared.with_state(ClockRead::IfMeasured, |state, _| state.is_shutting_down())
    }
}

impl<K: Hash + Eq> Shared<K> {
    /// Adds a key now. Returns whether the queue still accepts keys.
    #[inline]
    fn add(&self, source: &mut impl KeySource<K>, priority: i16) -> bool {
        let (hash, group) = self.hash_and_group(source.key());
        self.add_now(hash, source, AddParams { priority, due: None, group })
    }
}

impl<K: Hash> Shared<K> {
    pub(crate) fn hash_and_group(&self, key: &K) -> (u32, GroupHash) {
        let group = self.group_of.as_ref().map_or(0, |group_of| group_of(key));
        (self.hash(key), group)
    }

    fn hash(&self, key: &K) -> u32 {
        self.hasher.hash_one(key) as u32 // either half of the hash is as good as the whole
    }
}

impl<K> Clone for WorkQueue<K> {
    fn clone(&self) -> Self {
        Self { shared: Handle::new(Arc::clone(&self.shared)) }
    }
}

impl<K> fmt::Debug for WorkQueue<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&***self.shared, f)
    }
}
