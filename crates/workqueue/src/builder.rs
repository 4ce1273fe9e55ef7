//! [`WorkQueueBuilder`]: what a queue may be told before it exists.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    num::NonZeroU32,
    sync::{Arc, Weak},
};

use hashbrown::DefaultHashBuilder;

use crate::{
    WorkQueue,
    limiter::{self, RateLimiter},
    metrics::{self, Metrics},
    order::Step,
    shared::{GroupOf, Shared},
    state::State,
};

/// The priorities that controllers agree on; every `i16` is one.
pub mod priority {
    /// For what can wait: the initial list, a resync.
    pub const LOW: i16 = -100;
    /// What a key has unless told otherwise.
    pub const NORMAL: i16 = 0;
    /// For what somebody waits for.
    pub const HIGH: i16 = 100;
}

/// Builds a [`WorkQueue`]; made by [`WorkQueue::builder`].
#[must_use = "a builder does nothing until `build`"]
pub struct WorkQueueBuilder<K> {
    name: Option<String>,
    limiter: Option<Box<dyn RateLimiter<K>>>,
    ageing: NonZeroU32,
    group_of: Option<GroupOf<K>>,
}

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueueBuilder<K> {
    pub(crate) fn new() -> Self {
        const AGEING: NonZeroU32 = NonZeroU32::new(1000).expect("not zero");
        Self { name: None, limiter: None, ageing: AGEING, group_of: None }
    }

    /// Names the queue: it measures itself and reports [`metrics`](crate::metrics) under this name.
    ///
    /// That costs it two looks at the clock for each key. One task in the process, which the first `get`
    /// of a named queue starts, sets the gauges of unfinished work. A queue without a name has none of it.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Sets what [`add_rate_limited`](WorkQueue::add_rate_limited) asks for its delays. The default is
    /// [`limiter::default_controller`].
    pub fn limiter(self, limiter: impl RateLimiter<K> + 'static) -> Self {
        Self { limiter: Some(Box::new(limiter)), ..self }
    }

    /// Sets how many arrivals outweigh one level of priority; 1000 unless told otherwise.
    ///
    /// A key of priority p is overtaken by at most `(q − p) × arrivals` later keys of priority q, and
    /// so it cannot starve. A key that became ready at the default is behind at most 100,000 later
    /// normal keys if it is [`priority::LOW`]: an initial list of that size stays behind every event,
    /// and is through after that many.
    pub fn ageing(self, arrivals: NonZeroU32) -> Self {
        Self { ageing: arrivals, ..self }
    }

    /// Lets groups of keys take turns, such as namespaces: each that has a ready key gives one a round.
    ///
    /// A key that is the n-th of its group comes within n rounds, however many keys other groups have.
    /// Priorities order the keys within a group. Off by default: one line for all.
    pub fn group_by<G: Hash + ?Sized>(self, group: impl Fn(&K) -> &G + Send + Sync + 'static) -> Self {
        let hasher = DefaultHashBuilder::default();
        let group_of: GroupOf<K> = Box::new(move |key| hasher.hash_one(group(key)));
        Self { group_of: Some(group_of), ..self }
    }

    /// Makes the queue. It spawns nothing: who waits for a key keeps the time for the delayed ones.
    pub fn build(self) -> WorkQueue<K> {
        let Self { name, limiter, ageing, group_of } = self;
        let metrics = name.filter(|name| !name.is_empty()).map(|name| Metrics::new(&name));
        let measured = metrics.is_some();
        let state = State::new(Step(ageing.get()), group_of.is_some(), measured);
        let limiter = limiter.unwrap_or_else(|| Box::new(limiter::default_controller()));
        let shared = Arc::new(Shared::new(state, limiter, group_of, metrics));
        if measured {
            let queue: Weak<Shared<K>> = Arc::downgrade(&shared);
            metrics::register(queue);
        }
        WorkQueue { shared }
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
