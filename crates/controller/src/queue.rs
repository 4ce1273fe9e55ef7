//! [`KeyQueue`]: the work queue of a run, with the reasons and priorities of its keys; [`QueueOptions`].

use std::{num::NonZeroU32, num::NonZeroUsize, sync::Arc, time::Duration};

use trimtab_cache::ObjectKey;
use trimtab_workqueue::{
    AddOptions, WorkQueue,
    limiter::{MaxWaitLimiter, RateLimiter, default_controller},
    priority,
};

use crate::{
    reason_table::{ReasonReader, ReasonTable, SourceNumber},
    reasons::{EventKind, Reasons},
};

/// Makes the rate limiter of a run's queue.
type MakeLimiter = dyn Fn() -> Box<dyn RateLimiter<ObjectKey>> + Send + Sync;

/// The options of a controller's queue.
pub(crate) struct QueueOptions {
    pub(crate) limiter: Box<MakeLimiter>,
    pub(crate) max_backoff: Duration,
    pub(crate) ageing: Option<NonZeroU32>,
    pub(crate) low_priority: i16,
    pub(crate) debounce: Duration,
    pub(crate) fair: bool,
    pub(crate) per_namespace: Option<NonZeroUsize>,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self {
            limiter: Box::new(|| Box::new(default_controller())),
            max_backoff: Duration::MAX,
            ageing: None,
            low_priority: priority::LOW,
            debounce: Duration::ZERO,
            fair: false,
            per_namespace: None,
        }
    }
}

impl QueueOptions {
    /// Builds the queue of a run.
    pub(crate) fn build(&self, name: &Arc<str>, reasons: &Arc<ReasonTable>) -> KeyQueue {
        let limiter = MaxWaitLimiter::new((self.limiter)(), self.max_backoff);
        let mut queue = WorkQueue::builder().name(&**name).limiter(limiter);
        if let Some(ageing) = self.ageing {
            queue = queue.ageing(ageing);
        }
        if self.fair || self.per_namespace.is_some() {
            queue = queue.group_by(|key: &ObjectKey| key.namespace().unwrap_or_default());
        }
        if let Some(limit) = self.per_namespace {
            queue = queue.group_limit(limit);
        }
        KeyQueue {
            queue: queue.build(),
            name: name.clone(),
            reasons: reasons.clone(),
            low_priority: self.low_priority,
            debounce: self.debounce,
        }
    }
}

/// The work queue of a run. A clone is another handle of the same queue.
#[derive(Debug, Clone)]
pub(crate) struct KeyQueue {
    pub(crate) queue: WorkQueue<ObjectKey>,
    reasons: Arc<ReasonTable>,
    /// The controller's name, which is the source of its requeues.
    name: Arc<str>,
    low_priority: i16,
    debounce: Duration,
}

impl KeyQueue {
    /// Returns the end of the queue to which a source adds keys.
    pub(crate) fn inlet(&self, source: &Arc<str>) -> Inlet {
        Inlet { source: self.reasons.number(source), queue: self.clone() }
    }

    /// Returns the reader of reasons for one worker.
    pub(crate) fn reasons(&self) -> ReasonReader {
        self.reasons.reader()
    }

    /// Returns the reasons of a key that a worker has taken. A key that no event has queued was queued by its last
    /// reconcile, which `otherwise` says.
    pub(crate) fn take_reasons(
        &self,
        reader: &mut ReasonReader,
        key: &ObjectKey,
        otherwise: EventKind,
    ) -> Reasons {
        let reasons = reader.take(key);
        if reasons.is_empty() { reasons.and(&self.name, otherwise) } else { reasons }
    }
}

/// The end of a queue to which one source adds keys.
#[derive(Debug, Clone)]
pub(crate) struct Inlet {
    queue: KeyQueue,
    source: SourceNumber,
}

impl Inlet {
    /// Adds a key because of an event.
    ///
    /// Keys of the initial list and of a resync have low priority, as in controller-runtime.
    pub(crate) fn add(&self, key: ObjectKey, event: EventKind, is_initial: bool) {
        let KeyQueue { queue, reasons, low_priority, debounce, .. } = &self.queue;
        reasons.add(&key, self.source, event);
        let is_low = is_initial || event == EventKind::Resync;
        let options = AddOptions::new().priority(if is_low { *low_priority } else { priority::NORMAL });
        // A key that waits for its own writes has waited already.
        let is_delayed = !debounce.is_zero() && event != EventKind::Woken;
        queue.add_with(key, if is_delayed { options.after(*debounce) } else { options });
    }
}
