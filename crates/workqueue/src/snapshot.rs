//! [`Entry`]: the state of one key, for debug pages and tests.

use std::hash::Hash;

use tokio::time::Instant;

use crate::{queue::WorkQueue, shared::ClockRead, slots::Phase, state::KeyState};

/// The state of one key, as [`WorkQueue::snapshot`] found it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry<K> {
    /// The key.
    pub key: K,
    /// The key's stage.
    pub stage: Stage,
    /// The time since which the key is ready or processing. Only known if the queue has a
    /// [name](crate::WorkQueueBuilder::name).
    pub since: Option<Instant>,
    /// The key's priority. For a key that is only delayed: the priority it was last ready with, or 0.
    pub priority: i16,
    /// The number of rate-limited adds since the last [`forget`](WorkQueue::forget).
    pub num_requeues: u32,
    /// The time at which the key's delay ends. A key can be ready or processing besides.
    pub due: Option<Instant>,
}

/// The stage of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Delayed, and neither ready nor processing.
    Delayed,
    /// Ready: it waits for a worker.
    Ready,
    /// A worker holds it.
    Processing,
    /// A worker holds it, and it is ready again once that worker is done.
    ProcessingAgain,
}

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueue<K> {
    /// Returns the state of every key, in no particular order. Clones all keys under the lock: for debug
    /// pages, not for decisions.
    pub fn snapshot(&self) -> Vec<Entry<K>> {
        let states = self.shared.with_state(ClockRead::IfMeasured, |state, _| state.key_states());
        let limiter = self.shared.limiter.lock();
        let entry = |KeyState { key, phase, priority, since, due }| Entry {
            num_requeues: limiter.num_requeues(&key),
            key,
            stage: match phase {
                Phase::Idle => Stage::Delayed,
                Phase::InLane | Phase::InHeap => Stage::Ready,
                Phase::Processing => Stage::Processing,
                Phase::ProcessingAgain => Stage::ProcessingAgain,
            },
            since: since.map(|time| self.shared.clock.instant(time)),
            priority,
            due: due.map(|time| self.shared.clock.instant(time)),
        };
        states.into_iter().map(entry).collect()
    }
}
