//! [`Entry`]: one key of a queue, for debug pages and for tests.

use std::hash::Hash;

use tokio::time::Instant;

use crate::{WorkQueue, shared::When, slots::Phase, state::Seen};

/// What one key is up to, as [`WorkQueue::snapshot`] found it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry<K> {
    /// The key.
    pub key: K,
    /// Where it stands.
    pub stage: Stage,
    /// Since when it is ready, or with its worker. Known in queues that measure themselves:
    /// those with a [name](crate::WorkQueueBuilder::name).
    pub since: Option<Instant>,
    /// Its priority. For a key that is only delayed: the one it had before, if any.
    pub priority: i16,
    /// How often it was added rate-limited since it was last forgotten.
    pub num_requeues: u32,
    /// When its delay is over, whatever else it does meanwhile.
    pub due: Option<Instant>,
}

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// It waits for its delay to be over, and for nothing else.
    Delayed,
    /// It waits for a worker.
    Ready,
    /// A worker has it.
    Processing,
    /// A worker has it, and it will be ready again once that worker is done.
    ProcessingAgain,
}

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueue<K> {
    /// Every key that the queue holds, in no particular order. Copies them all under the lock: for
    /// debug pages, not for decisions.
    pub fn snapshot(&self) -> Vec<Entry<K>> {
        let seen = self.shared.with(When::Whenever, |state, _| state.look());
        let limiter = self.shared.limiter.lock();
        let entry = |Seen { key, phase, priority, since, due }| Entry {
            num_requeues: limiter.num_requeues(&key),
            key,
            stage: match phase {
                Phase::Idle => Stage::Delayed,
                Phase::Ready | Phase::Ranked => Stage::Ready,
                Phase::Processing => Stage::Processing,
                Phase::Again => Stage::ProcessingAgain,
            },
            since: since.map(|time| self.shared.clock.instant(time)),
            priority,
            due: due.map(|time| self.shared.clock.instant(time)),
        };
        seen.into_iter().map(entry).collect()
    }
}
