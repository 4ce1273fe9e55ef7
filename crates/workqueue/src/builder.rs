//! [`WorkQueueBuilder`]: what a queue may be told before it exists.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    num::NonZeroU32,
};

use hashbrown::DefaultHashBuilder;

use crate::{
    WorkQueue,
    limiter::{self, RateLimiter},
    order::Step,
    shared::{GroupOf, Shared},
    state::State,
    sync::Arc,
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
    limiter: Option<Box<dyn RateLimiter<K>>>,
    ageing: NonZeroU32,
    group_of: Option<GroupOf<K>>,
}

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueueBuilder<K> {
    pub(crate) fn new() -> Self {
        const AGEING: NonZeroU32 = NonZeroU32::new(1000).expect("not zero");
        Self {
            limiter: None,
            ageing: AGEING,
            group_of: None,
        }
    }

    /// Sets what [`add_rate_limited`](WorkQueue::add_rate_limited) asks for its delays. The default is
    /// [`limiter::default_controller`].
    pub fn limiter(self, limiter: impl RateLimiter<K> + 'static) -> Self {
        Self {
            limiter: Some(Box::new(limiter)),
            ..self
        }
    }

    /// Sets how many arrivals outweigh one level of priority; 1000 unless told otherwise.
    ///
    /// A key of priority p is overtaken by at most `(q − p) × arrivals` later keys of priority q, and
    /// so it cannot starve. A key that became ready at the default is behind at most 100,000 later
    /// normal keys if it is [`priority::LOW`]: an initial list of that size stays behind every event,
    /// and is through after that many.
    pub fn ageing(self, arrivals: NonZeroU32) -> Self {
        Self {
            ageing: arrivals,
            ..self
        }
    }

    /// Lets groups of keys take turns, such as namespaces: each that has a ready key gives one a round.
    ///
    /// A key that is the n-th of its group comes within n rounds, however many keys other groups have.
    /// Priorities order the keys within a group. Off by default: one line for all.
    pub fn group_by<G: Hash + ?Sized>(self, group: impl Fn(&K) -> &G + Send + Sync + 'static) -> Self {
        let hasher = DefaultHashBuilder::default();
        let group_of: GroupOf<K> = Box::new(move |key| hasher.hash_one(group(key)));
        Self {
            group_of: Some(group_of),
            ..self
        }
    }

    /// Makes the queue. It spawns nothing, now or later.
    pub fn build(self) -> WorkQueue<K> {
        let state = State::new(Step(self.ageing.get()), self.group_of.is_some(), false);
        let limiter = self
            .limiter
            .unwrap_or_else(|| Box::new(limiter::default_controller()));
        WorkQueue {
            shared: Arc::new(Shared::new(state, limiter, self.group_of)),
        }
    }
}

impl<K> fmt::Debug for WorkQueueBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkQueueBuilder")
            .field("ageing", &self.ageing)
            .field("fair", &self.group_of.is_some())
            .finish_non_exhaustive()
    }
}
