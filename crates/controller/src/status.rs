//! [`Status`] and [`KeyStatus`]: the state of a controller and of its keys at one moment.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use trimtab_cache::ObjectKey;
use trimtab_workqueue::{Entry, Stage};

use crate::{records::KeyRecord, source::SourceId};

/// The present work of a controller, and its counts since it was created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Whether a run has begun and not ended.
    pub running: bool,
    /// Keys that are ready and wait for a worker.
    pub queued: usize,
    /// Keys that workers are busy with.
    pub processing: usize,
    /// Keys that wait for their time.
    pub delayed: usize,
    /// Keys whose last reconcile failed.
    pub failing: usize,
    /// Keys that wait until the cache shows the controller's own writes.
    pub parked: usize,
    /// Reconciles that have ended, however they did.
    pub reconciles: u64,
    /// Reconciles that ended with an error, a panic or a timeout. A write refused because its namespace is terminating is
    /// none of these, and neither is a wait for own writes.
    pub failures: u64,
    /// Reconciles that panicked.
    pub panics: u64,
    /// Reconciles that exceeded the timeout.
    pub timeouts: u64,
    /// Reconciles that ended with a terminal error.
    pub terminal: u64,
    /// The sources of keys: the informers and the external sources.
    pub sources: Vec<SourceStatus>,
}

/// The state of one source of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The source's identity, with which it can be removed.
    pub id: SourceId,
    /// The description of the informer, or the name of the external source.
    pub name: String,
    /// Whether a run begins without waiting for the source.
    pub optional: bool,
    /// Whether the source has delivered its initial state. External sources have none.
    pub synced: bool,
    /// The source's present activity, such as `watching`.
    pub phase: String,
    /// The last error. It may be old.
    pub last_error: Option<String>,
    /// The time since which every attempt has failed.
    pub failing_since: Option<Instant>,
    /// The time since the server last confirmed the state of an informer's store: below about a minute for a healthy one.
    /// A reconciler that acts on many objects at once should look at it first.
    pub lag: Option<Duration>,
}

/// The state of one key that is queued, delayed, in work, failing or waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The key.
    pub key: ObjectKey,
    /// The key's stage in the queue; `None` if it has been given up until its next event.
    pub stage: Option<Stage>,
    /// The time since which the key is ready or processing.
    pub since: Option<Instant>,
    /// The time at which the key's delay ends.
    pub due: Option<Instant>,
    /// The key's priority.
    pub priority: i16,
    /// The number of consecutive failures.
    pub failures: u32,
    /// The last error of a key that fails.
    pub last_error: Option<Arc<str>>,
    /// The own write for which a parked key waits.
    pub waits_for: Option<Arc<str>>,
    /// The time of the first failure in a row, or of the begin of the wait.
    pub failing_since: Option<Instant>,
}

impl KeyStatus {
    pub(crate) fn new(key: ObjectKey, entry: Option<&Entry<ObjectKey>>, record: Option<&KeyRecord>) -> Self {
        Self {
            key,
            stage: entry.map(|entry| entry.stage),
            since: entry.and_then(|entry| entry.since),
            due: entry.and_then(|entry| entry.due),
            priority: entry.map_or(0, |entry| entry.priority),
            failures: record.map_or(0, |record| record.failures),
            last_error: record.and_then(|record| record.error.clone()),
            waits_for: record.and_then(|record| record.waits_for.clone()),
            failing_since: record.map(|record| record.since),
        }
    }
}
