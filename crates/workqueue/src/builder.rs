//! [`WorkQueueBuilder`]: the options of a queue.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    num::{NonZeroU32, NonZeroUsize},
    sync::{Arc, Weak},
};

use hashbrown::DefaultHashBuilder;

use crate::{
    handle::Handle,
    limiter::{self, RateLimiter},
    metrics::Metrics,
    queue::WorkQueue,
    rank::Step,
    shared::{GroupOf, Shared},
    state::State,
};

/// Builds a [`WorkQueue`]. [`WorkQueue::builder`] returns one.
#[must_use = "a builder does nothing until `build`"]
pub struct WorkQueueBuilder<K> {
    name: Option<String>,
    limiter: Option<Box<dyn RateLimiter<K>>>,
    ageing: NonZeroU32,
    group_of: Option<GroupOf<K>>,
    group_limit: Option<NonZeroUsize>,
}

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueue<K> {
    /// Returns a queue with client-go's defaults.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder for a queue with options.
    pub fn builder() -> WorkQueueBuilder<K> {
        WorkQueueBuilder::new()
    }
}

impl<K: Hash + Eq + Clone + Send + 'static> Default for WorkQueue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueueBuilder<K> {
    fn new() -> Self {
        const AGEING: NonZeroU32 = NonZeroU32::new(1000).expect("not zero");
        Self { name: None, limiter: None, ageing: AGEING, group_of: None, group_limit: None }
    }

    /// Names the queue. A queue with a name reports [`metrics`](crate::metrics) labelled with it.
    ///
    /// A queue with a name reads the clock twice per key. The first `get` of any such queue starts one task
    /// for the whole process, which updates the gauges of unfinished work. A queue without a name does
    /// neither.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Sets the rate limiter of [`add_rate_limited`](WorkQueue::add_rate_limited). The default is
    /// [`limiter::default_controller`].
    pub fn limiter(self, limiter: impl RateLimiter<K> + 'static) -> Self {
        Self { limiter: Some(Box::new(limiter)), ..self }
    }

    /// Sets the number of arrivals that outweigh one level of priority. The default is 1000.
    ///
    /// A key of priority p is overtaken by at most `(q − p) × arrivals` later keys of priority q, so it
    /// cannot starve. With the default, a key of priority [`priority::LOW`](crate::priority::LOW) is
    /// overtaken by at most 100,000 later keys of normal priority: an initial list of low priority stays
    /// behind the events, but not forever.
    pub fn ageing(self, arrivals: NonZeroU32) -> Self {
        Self { ageing: arrivals, ..self }
    }

    /// Puts keys into groups that take turns, for example by namespace. Each round takes one key from every
    /// group that has a ready key.
    ///
    /// The n-th key of a group comes out within n rounds, however many keys other groups have. Priorities
    /// order the keys within a group. The default is one group for all keys.
    pub fn group_by<G: Hash + ?Sized>(self, group: impl Fn(&K) -> &G + Send + Sync + 'static) -> Self {
        let hasher = DefaultHashBuilder::default();
        let group_of: GroupOf<K> = Box::new(move |key| hasher.hash_one(group(key)));
        Self { group_of: Some(group_of), ..self }
    }

    /// Limits the number of keys of each [group](Self::group_by) that workers hold at the same time. The default is no
    /// limit.
    ///
    /// The keys of a group at its limit wait, and the keys of other groups are taken meanwhile. After a shutdown, a worker
    /// that finds only such keys ends; the workers that hold the group's other keys take them.
    pub fn group_limit(self, keys: NonZeroUsize) -> Self {
        Self { group_limit: Some(keys), ..self }
    }

    /// Builds the queue. Nothing is spawned: a waiting `get` owns the timer for the delayed keys.
    pub fn build(self) -> WorkQueue<K> {
        let Self { name, limiter, ageing, mut group_of, group_limit } = self;
        if group_limit.is_some() {
            group_of.get_or_insert_with(|| Box::new(|_| 0)); // one group for all keys
        }
        let name = name.filter(|name| !name.is_empty());
        let measured = name.is_some();
        let mut state = State::new(Step(ageing.get()), group_of.is_some(), measured);
        if let Some(limit) = group_limit {
            state.limit_groups(limit);
        }
        let limiter = limiter.unwrap_or_else(|| Box::new(limiter::default_controller()));
        let shared = Arc::new_cyclic(|queue: &Weak<Shared<K>>| {
            let metrics = name.map(|name| Metrics::new(&name, queue.clone()));
            Shared::new(state, limiter, group_of, metrics)
        });
        WorkQueue { shared: Handle::new(shared) }
    }
}

impl<K> fmt::Debug for WorkQueueBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkQueueBuilder")
            .field("name", &self.name)
            .field("ageing", &self.ageing)
            .field("fair", &self.group_of.is_some())
            .finish_non_exhaustive()
    }
}
