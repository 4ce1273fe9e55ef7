//! [`WorkQueue`]: the handle that everybody holds.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    sync::Arc,
    time::Duration,
};

use tokio::{task::coop, time::Instant};

use crate::{
    Drain, Item, WorkQueueBuilder,
    builder::priority,
    get::Get,
    metrics,
    offer::Offer,
    ready::GroupHash,
    shared::{Shared, When},
    state::{Added, Take, Wanted},
    time::Time,
};

/// A deduplicating queue of keys that need work. Cloning makes another handle of the same queue.
///
/// Producers `add` keys; workers `get` them, one at a time for each key. Keys should be cheap to
/// clone: a worker's [`Item`] carries one.
pub struct WorkQueue<K> {
    pub(crate) shared: Arc<Shared<K>>,
}

/// How [`WorkQueue::add_with`] adds a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct AddOptions {
    priority: i16,
    delay: Option<Duration>,
    rate_limited: bool,
}

impl AddOptions {
    /// Now, at [`priority::NORMAL`](crate::priority::NORMAL).
    pub fn new() -> Self {
        Self::default()
    }

    /// The higher one is first. Of two adds of a waiting key the higher counts.
    pub fn priority(self, priority: i16) -> Self {
        Self { priority, ..self }
    }

    /// Not before this much time has passed.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay: Some(delay), ..self }
    }

    /// Not before the queue's rate limiter says so, which counts this as a try.
    pub fn rate_limited(self) -> Self {
        Self { rate_limited: true, ..self }
    }
}

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueue<K> {
    /// A queue with client-go's defaults.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A queue with choices.
    pub fn builder() -> WorkQueueBuilder<K> {
        WorkQueueBuilder::new()
    }

    /// Says that the key needs work, now. Returns whether the queue still accepts keys.
    ///
    /// A key that is ready already is not added twice. One that a worker has comes out once more, after
    /// that worker is done. One that is delayed becomes ready now, and once more when its delay is over.
    pub fn add(&self, key: K) -> bool {
        self.add_due(key, priority::NORMAL, None, When::Whenever)
    }

    /// Adds the key as [`add`](Self::add) does, and clones it only if the queue does not hold it yet.
    ///
    /// For a producer that has the key borrowed, or that adds the same keys again and again.
    pub fn add_ref(&self, mut key: &K) -> bool {
        self.shared.add(&mut key, priority::NORMAL, None, When::Whenever)
    }

    /// Says that the key needs work in a while. Returns whether the queue still accepts keys.
    ///
    /// Of two delays of one key the earlier wins. No delay is too long: the end of time is as late as it gets.
    pub fn add_after(&self, key: K, delay: Duration) -> bool {
        self.add_delayed(key, priority::NORMAL, delay)
    }

    /// Adds the key again after the delay that the rate limiter gives it: what follows a failure.
    ///
    /// Returns whether the queue still accepts keys; the limiter counts the try either way.
    pub fn add_rate_limited(&self, key: K) -> bool {
        self.add_with(key, AddOptions::new().rate_limited())
    }

    /// Adds the key with a priority, a delay, or both. Returns whether the queue still accepts keys.
    pub fn add_with(&self, key: K, options: AddOptions) -> bool {
        let AddOptions { priority, mut delay, rate_limited } = options;
        if rate_limited {
            delay = delay.max(Some(self.shared.limiter.lock().when(&key, Instant::now())));
        }
        match delay {
            None => self.add_due(key, priority, None, When::Whenever),
            Some(delay) => self.add_delayed(key, priority, delay),
        }
    }

    fn add_delayed(&self, key: K, priority: i16, delay: Duration) -> bool {
        let now = self.shared.clock.now();
        let due = (!delay.is_zero()).then(|| now.after(delay));
        let accepted = self.add_due(key, priority, due, When::At(now));
        if let (true, Some(metrics)) = (accepted, &self.shared.metrics) {
            metrics.retried();
        }
        accepted
    }

    #[inline]
    fn add_due(&self, key: K, priority: i16, due: Option<Time>, when: When) -> bool {
        self.shared.add(&mut Some(key), priority, due, when) // a key that was not taken is dropped here, unlocked
    }

    /// Takes the next key, waiting until one is ready.
    ///
    /// `None` means that the queue has shut down and nothing is ready: the end of a worker's loop, not a
    /// failure. Dropping the [`Item`] is `done`.
    ///
    /// A `get` that waits also keeps the time for the delayed keys, for all who wait: poll it or drop it,
    /// but do not hold one without polling.
    ///
    /// # Cancel safety
    ///
    /// A `get` dropped before it completes has taken no key. If a key was meant for it, another waiting
    /// `get` is woken in its place.
    pub async fn get(&self) -> Option<Item<K>> {
        coop::consume_budget().await; // a worker whose queue is never empty still lets others run
        if self.shared.metrics.is_some() {
            metrics::keep_refreshing();
        }
        let taken = match self.shared.take_now() {
            Take::Key(taken) => taken,
            Take::ShutDown => return None,
            Take::Wait => Get::new(&self.shared).await?,
        };
        Some(Item::new(&self.shared, taken))
    }

    /// Takes the next key if one is ready now.
    pub fn try_get(&self) -> Option<Item<K>> {
        match self.shared.take_now() {
            Take::Key(taken) => Some(Item::new(&self.shared, taken)),
            Take::Wait | Take::ShutDown => None,
        }
    }

    /// Takes a key out that waits, is delayed, or is to come again, and lets the rate limiter forget it.
    ///
    /// What is deleted leaves nothing behind. A worker that has the key keeps it, but it does not come
    /// again for what was added so far. Returns whether it would have come.
    pub fn remove(&self, key: &K) -> bool {
        self.forget(key);
        let hash = self.shared.hash(key);
        let (waited, forgotten) = self.shared.with(When::Whenever, |state, _| state.remove(hash, key));
        drop(forgotten); // the user's `Drop`, where no lock is held
        waited
    }

    /// Lets the rate limiter forget the key's tries: it succeeded, or nobody will try it again.
    pub fn forget(&self, key: &K) {
        self.shared.limiter.lock().forget(key);
    }

    /// How often the key was added rate-limited since it was last forgotten.
    pub fn num_requeues(&self, key: &K) -> u32 {
        self.shared.limiter.lock().num_requeues(key)
    }

    /// How many keys are ready. Those with workers do not count, nor do delayed ones.
    pub fn len(&self) -> usize {
        loop {
            let (ready, more) = self.shared.with(When::Now, |state, now| {
                state.fire(now);
                (state.ready(), state.next_due().is_some_and(|due| due <= now))
            });
            if !more {
                return ready;
            }
        }
    }

    /// Whether no key is ready.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many keys are with workers.
    pub fn processing(&self) -> usize {
        self.shared.with(When::Whenever, |state, _| state.processing())
    }

    /// How many keys have a delay that is not over, whatever else they do meanwhile.
    pub fn delayed(&self) -> usize {
        self.len(); // what is due is not delayed any more
        self.shared.with(When::Whenever, |state, _| state.delayed())
    }

    /// Shuts the queue down: keys are refused from now on, delayed ones are dropped, ready ones can
    /// still be taken. Ends every [`Drain`] that waits. May be called again.
    pub fn shut_down(&self) {
        drop(self.shared.shut_down(false));
    }

    /// Shuts the queue down as [`shut_down`](Self::shut_down) does, at once, and returns a future that
    /// waits until nothing is ready and nothing is processing.
    pub fn shut_down_with_drain(&self) -> Drain<K> {
        Drain::new(&self.shared)
    }

    /// Whether the queue refuses keys.
    pub fn is_shutting_down(&self) -> bool {
        self.shared.with(When::Whenever, |state, _| state.is_shutting_down())
    }
}

impl<K: Hash + Eq> Shared<K> {
    /// Adds a key and returns whether the queue still accepts any.
    #[inline]
    fn add(&self, offer: &mut impl Offer<K>, priority: i16, due: Option<Time>, when: When) -> bool {
        let (hash, group) = self.hash_and_group(offer.key());
        let wanted = Wanted { priority, due, group };
        self.with(when, |state, now| state.add(hash, offer, wanted, now)) != Added::Refused
    }
}

impl<K: Hash> Shared<K> {
    pub(crate) fn hash_and_group(&self, key: &K) -> (u32, GroupHash) {
        let group = self.group_of.as_ref().map_or(0, |group_of| group_of(key));
        (self.hash(key), group)
    }

    fn hash(&self, key: &K) -> u32 {
        self.hasher.hash_one(key) as u32 // the low half is as good as the whole
    }
}

impl<K> Clone for WorkQueue<K> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K: Hash + Eq + Clone + Send + 'static> Default for WorkQueue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> fmt::Debug for WorkQueue<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.shared, f)
    }
}
