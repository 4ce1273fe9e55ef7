//! [`Running`]: a run that has not ended, and the [`Status`] of a controller.
//!
//! Each worker's task holds the run. So the run ends when its last task has ended, whatever became of the
//! future that spawned them.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use trimtab_cache::ObjectKey;
use trimtab_leaderelection::{Leadership, LeadershipLost, WorkGuard};
use trimtab_workqueue::{Stage, WorkQueue};

use crate::{
    reconciler::{Action, Error},
    state::Decision,
};

/// The queue of the present run and the counts of all runs.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    queue: Mutex<Option<WorkQueue<ObjectKey>>>,
    reconciles: AtomicU64,
    failures: AtomicU64,
    panics: AtomicU64,
}

impl Shared {
    /// Counts a reconcile that has ended.
    pub(crate) fn count(&self, result: &Result<Action, Error>, decision: &Decision) {
        self.reconciles.fetch_add(1, Relaxed); // counters: they order nothing
        if let (Err(error), Decision::Backoff | Decision::GiveUp) = (result, decision) {
            self.failures.fetch_add(1, Relaxed);
            self.panics.fetch_add(error.is_panic().into(), Relaxed);
        }
    }

    pub(crate) fn status(&self) -> Status {
        let queue = self.queue.lock();
        let of_queue = |count: fn(&WorkQueue<ObjectKey>) -> usize| queue.as_ref().map_or(0, count);
        Status {
            queued: of_queue(WorkQueue::len),
            processing: of_queue(WorkQueue::processing),
            delayed: of_queue(WorkQueue::delayed),
            reconciles: self.reconciles.load(Relaxed),
            failures: self.failures.load(Relaxed),
            panics: self.panics.load(Relaxed),
        }
    }
}

/// A run, from its beginning until its last holder is gone.
#[derive(Debug)]
pub(crate) struct Running {
    controller: Arc<str>,
    shared: Arc<Shared>,
    queue: WorkQueue<ObjectKey>,
    /// Dropped after the run has ended (`Drop` below), so that the Lease is released after that.
    work: Option<WorkGuard>,
}

impl Running {
    /// Begins a run; `None` while another one has not ended.
    pub(crate) fn begin(
        controller: &Arc<str>,
        shared: &Arc<Shared>,
        queue: &WorkQueue<ObjectKey>,
    ) -> Option<Self> {
        let mut slot = shared.queue.lock();
        if slot.is_some() {
            return None;
        }
        *slot = Some(queue.clone());
        Some(Self {
            controller: controller.clone(),
            shared: shared.clone(),
            queue: queue.clone(),
            work: None,
        })
    }

    /// Makes the run part of the led work of a term.
    pub(crate) fn led_by(mut self, leadership: &Leadership) -> Result<Self, LeadershipLost> {
        let name = TaskName { controller: self.controller.clone(), queue: self.queue.clone() };
        self.work = Some(leadership.work_guard(name)?);
        Ok(self)
    }

    /// Returns the keys that are being reconciled.
    pub(crate) fn keys(&self) -> Vec<ObjectKey> {
        processing(&self.queue)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.queue.shut_down();
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

/// The present work of a controller and its counts since it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Keys that are ready and wait for a worker.
    pub queued: usize,
    /// Keys that workers are busy with.
    pub processing: usize,
    /// Keys that wait for their time.
    pub delayed: usize,
    /// Reconciles that have ended, however they did.
    pub reconciles: u64,
    /// Reconciles that ended with an error or a panic. A write refused because its namespace is terminating is neither.
    pub failures: u64,
    /// Reconciles that panicked.
    pub panics: u64,
}
