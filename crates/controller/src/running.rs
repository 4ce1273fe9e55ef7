//! [`Running`]: a run that has not ended, and the state that a controller shares with its handles.
//!
//! Each worker's task holds the run. So the run ends when its last task has ended, whatever became of the
//! future that spawned them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;
use trimtab_cache::ObjectKey;
use trimtab_leaderelection::{Leadership, LeadershipLost, WorkGuard};
use trimtab_workqueue::{Entry, Stage, WorkQueue};

use crate::{
    action::Action,
    failure::{Class, Error},
    metrics::Metrics,
    queue::KeyQueue,
    records::KeyRecords,
    state::Decision,
    status::Status,
};

/// The queue of the present run and the counts of all runs.
pub(crate) struct Shared {
    pub(crate) metrics: Metrics,
    /// The keys of the present run that fail or wait.
    pub(crate) records: KeyRecords,
    queue: Mutex<Option<KeyQueue>>,
    reconciles: AtomicU64,
    failures: AtomicU64,
    panics: AtomicU64,
    timeouts: AtomicU64,
    terminal: AtomicU64,
}

impl Shared {
    pub(crate) fn new(controller: &str) -> Self {
        Self {
            metrics: Metrics::new(controller),
            records: KeyRecords::default(),
            queue: Mutex::default(),
            reconciles: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
            terminal: AtomicU64::new(0),
        }
    }

    /// Counts a reconcile that has ended.
    pub(crate) fn count(&self, result: &Result<Action, Error>, decision: Decision, took: Duration) {
        self.metrics.ended(decision.outcome(), took);
        self.reconciles.fetch_add(1, Relaxed); // counters: they order nothing
        if let (Err(error), true) = (result, decision.is_failure()) {
            let (is_terminal, is_panic, is_timeout) =
                (error.class() == Class::Terminal, error.is_panic(), error.is_timeout());
            self.failures.fetch_add(1, Relaxed);
            self.panics.fetch_add(is_panic.into(), Relaxed);
            self.timeouts.fetch_add(is_timeout.into(), Relaxed);
            self.terminal.fetch_add(is_terminal.into(), Relaxed);
            self.metrics.failed(is_terminal, is_panic, is_timeout);
        }
    }

    /// Returns the queue of the present run.
    pub(crate) fn queue(&self) -> Option<KeyQueue> {
        self.queue.lock().clone()
    }

    /// Returns the state of every key of the present run.
    pub(crate) fn entries(&self) -> Vec<Entry<ObjectKey>> {
        self.queue().map(|queue| queue.queue.snapshot()).unwrap_or_default()
    }

    /// Returns the status without its sources.
    pub(crate) fn status(&self) -> Status {
        let queue = self.queue();
        let of_queue =
            |count: fn(&WorkQueue<ObjectKey>) -> usize| queue.as_ref().map_or(0, |queue| count(&queue.queue));
        let (failing, parked) = self.records.count();
        Status {
            running: queue.is_some(),
            queued: of_queue(WorkQueue::len),
            processing: of_queue(WorkQueue::processing),
            delayed: of_queue(WorkQueue::delayed),
            failing,
            parked,
            reconciles: self.reconciles.load(Relaxed),
            failures: self.failures.load(Relaxed),
            panics: self.panics.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            terminal: self.terminal.load(Relaxed),
            sources: Vec::new(),
        }
    }
}

/// The names of the controllers that run in this process, with the number of their runs.
static NAMES: Mutex<BTreeMap<Arc<str>, usize>> = Mutex::new(BTreeMap::new());

/// A run, from its beginning until its last holder is gone.
pub(crate) struct Running {
    controller: Arc<str>,
    shared: Arc<Shared>,
    queue: KeyQueue,
    /// Dropped after the run has ended (`Drop` below), so that the Lease is released after that.
    work: Option<WorkGuard>,
}

impl Running {
    /// Begins a run; `None` while another one has not ended.
    pub(crate) fn begin(controller: &Arc<str>, shared: &Arc<Shared>, queue: &KeyQueue) -> Option<Self> {
        let mut slot = shared.queue.lock();
        if slot.is_some() {
            return None;
        }
        *slot = Some(queue.clone());
        shared.records.clear();
        let mut names = NAMES.lock();
        let runs = names.entry(controller.clone()).or_default();
        *runs += 1;
        if *runs > 1 {
            let controller = &**controller;
            tracing::warn!(
                controller,
                "another controller of this name runs in the process: give each a name of its own, by which logs and \
                 metrics distinguish them"
            );
        }
        Some(Self {
            controller: controller.clone(),
            shared: shared.clone(),
            queue: queue.clone(),
            work: None,
        })
    }

    /// Makes the run part of the led work of a term.
    pub(crate) fn led_by(mut self, leadership: &Leadership) -> Result<Self, LeadershipLost> {
        let name = TaskName { controller: self.controller.clone(), queue: self.queue.queue.clone() };
        self.work = Some(leadership.work_guard(name)?);
        Ok(self)
    }

    /// Returns the keys that are being reconciled.
    pub(crate) fn keys(&self) -> Vec<ObjectKey> {
        processing(&self.queue.queue)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.queue.queue.shut_down();
        {
            let mut names = NAMES.lock();
            let others = names.get_mut(&self.controller).map(|runs| {
                *runs -= 1;
                *runs
            });
            if others == Some(0) {
                names.remove(&self.controller);
            }
        }
        self.shared.records.clear();
        *self.shared.queue.lock() = None;
    }
}

/// The name of a run in the elector's log: the controller, and the keys that it is reconciling by then.
struct TaskName {
    controller: Arc<str>,
    queue: WorkQueue<ObjectKey>,
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "controller {}", self.controller)?;
        for (number, key) in processing(&self.queue).iter().enumerate() {
            write!(f, "{}{key}", if number == 0 { ", reconciling " } else { ", " })?;
        }
        Ok(())
    }
}

fn processing(queue: &WorkQueue<ObjectKey>) -> Vec<ObjectKey> {
    let entries = queue.snapshot().into_iter();
    let processing =
        entries.filter(|entry| matches!(entry.stage, Stage::Processing | Stage::ProcessingAgain));
    let mut keys: Vec<_> = processing.map(|entry| entry.key).collect();
    keys.sort();
    keys
}
