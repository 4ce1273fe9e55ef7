//! The metrics of a queue with a name, with client-go's names and meanings.
//!
//! They go to the recorder of the [`metrics`](https://docs.rs/metrics) facade that is installed when the
//! queue is built. Each has the label `name`. A queue without a name emits nothing.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::metrics::{Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram};
use ::metrics::{Unit, gauge, histogram};
use parking_lot::Mutex;
use tokio::time::MissedTickBehavior;

use crate::state::Counts;

/// Gauge: the number of keys that need work: ready, or ready again once they are done.
pub const DEPTH: &str = "workqueue_depth";
/// Counter: adds of keys that did not need work already.
pub const ADDS_TOTAL: &str = "workqueue_adds_total";
/// Histogram of seconds between the add of a key and its take.
pub const QUEUE_DURATION_SECONDS: &str = "workqueue_queue_duration_seconds";
/// Histogram of seconds between the take of a key and its `done`.
pub const WORK_DURATION_SECONDS: &str = "workqueue_work_duration_seconds";
/// Gauge: the total seconds that the keys in processing have been processed so far. Updated twice a second.
pub const UNFINISHED_WORK_SECONDS: &str = "workqueue_unfinished_work_seconds";
/// Gauge: the seconds that the longest-processed key has been processed so far. Updated twice a second.
pub const LONGEST_RUNNING_PROCESSOR_SECONDS: &str = "workqueue_longest_running_processor_seconds";
/// Counter: adds with a delay of any length, rate-limited adds included.
pub const RETRIES_TOTAL: &str = "workqueue_retries_total";

/// The upper bounds, in seconds, of the buckets of both histograms. Pass them to the exporter.
pub const DURATION_BUCKETS: [f64; 10] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0];

/// The interval at which the gauges of unfinished work are updated.
const REFRESH: Duration = Duration::from_millis(500);

/// The metric handles of one queue, created once.
pub(crate) struct Metrics {
    depth: Gauge,
    adds: Counter,
    queue_duration: Histogram,
    work_duration: Histogram,
    unfinished_work: Gauge,
    longest_running: Gauge,
    retries: Counter,
    refresher: Refresher,
}

impl Metrics {
    /// `queue` is the queue that they are about.
    pub(crate) fn new(name: &str, queue: Weak<dyn Refresh>) -> Self {
        describe();
        let labels = || [("name", name.to_owned())];
        Self {
            depth: gauge!(DEPTH, &labels()),
            adds: counter!(ADDS_TOTAL, &labels()),
            queue_duration: histogram!(QUEUE_DURATION_SECONDS, &labels()),
            work_duration: histogram!(WORK_DURATION_SECONDS, &labels()),
            unfinished_work: gauge!(UNFINISHED_WORK_SECONDS, &labels()),
            longest_running: gauge!(LONGEST_RUNNING_PROCESSOR_SECONDS, &labels()),
            retries: counter!(RETRIES_TOTAL, &labels()),
            refresher: Refresher { queue, running: Arc::default(), updating: Mutex::new(()) },
        }
    }

    /// Starts the queue's refresher if it does not run. Must be called within a runtime.
    pub(crate) fn ensure_refresher(&self) {
        let Refresher { queue, running, .. } = &self.refresher;
        // Relaxed: only the flag itself is agreed on.
        if !running.load(Ordering::Relaxed) && !running.swap(true, Ordering::Relaxed) {
            tokio::spawn(refresh(queue.clone(), RunningFlag(running.clone())));
        }
    }

    /// Runs an update of the gauges of unfinished work.
    pub(crate) fn updating<T>(&self, update: impl FnOnce() -> T) -> T {
        let _updating = self.refresher.updating.lock();
        update()
    }

    /// Waits until an update in progress is over. A queue that is shut down sees no later update (WM-T1).
    pub(crate) fn wait_for_refresh(&self) {
        drop(self.refresher.updating.lock());
    }

    /// Reports the difference between two counts. Differences may be reported in any order, so two threads
    /// need no common order.
    pub(crate) fn report_changes(&self, before: Counts, after: Counts) {
        if after.adds > before.adds {
            self.adds.increment(after.adds - before.adds);
        }
        if after.depth > before.depth {
            self.depth.increment((after.depth - before.depth) as f64);
        } else if before.depth > after.depth {
            self.depth.decrement((before.depth - after.depth) as f64);
        }
    }

    pub(crate) fn record_retry(&self) {
        self.retries.increment(1);
    }

    pub(crate) fn record_taken(&self, waited: Duration) {
        self.queue_duration.record(waited);
    }

    pub(crate) fn record_done(&self, worked: Duration) {
        self.work_duration.record(worked);
    }

    pub(crate) fn set_unfinished(&self, together: Duration, longest: Duration) {
        self.unfinished_work.set(together);
        self.longest_running.set(longest);
    }
}

fn describe() {
    describe_gauge!(DEPTH, "Keys that need work.");
    describe_counter!(ADDS_TOTAL, "Keys added that needed no work before.");
    describe_histogram!(
        QUEUE_DURATION_SECONDS,
        Unit::Seconds,
        "Time from the add until a worker takes the key."
    );
    describe_histogram!(WORK_DURATION_SECONDS, Unit::Seconds, "Time from taking a key until it is done.");
    describe_gauge!(
        UNFINISHED_WORK_SECONDS,
        Unit::Seconds,
        "Time that the keys in work have taken, together."
    );
    describe_gauge!(LONGEST_RUNNING_PROCESSOR_SECONDS, Unit::Seconds, "Time of the key longest in work.");
    describe_counter!(RETRIES_TOTAL, "Adds with a delay.");
}

/// A queue, as the refresher sees it.
pub(crate) trait Refresh: Send + Sync {
    /// Updates the gauges of unfinished work. Returns false after shutdown: the refresher then ends.
    fn refresh(&self) -> bool;
}

/// The task that updates the gauges of one queue twice a second.
///
/// It runs on the runtime of the `get` that started it, and ends with that runtime, after the queue was shut down or
/// dropped, or when a recorder panics. The next `get` starts another task. A queue has a task of its own because time
/// is the runtime's: a process may have several runtimes with paused clocks, as a simulation has, and one that does not
/// run must hold up nobody else's gauges.
struct Refresher {
    queue: Weak<dyn Refresh>,
    running: Arc<AtomicBool>,
    /// Held during an update.
    updating: Mutex<()>,
}

async fn refresh(queue: Weak<dyn Refresh>, _running: RunningFlag) {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + REFRESH, REFRESH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Perhaps the last handle of the queue: then its keys are dropped here, with no lock held.
        let Some(queue) = queue.upgrade() else { return };
        if !queue.refresh() {
            return;
        }
    }
}

/// Clears the running flag when the task ends, for whatever reason.
struct RunningFlag(Arc<AtomicBool>);

impl Drop for RunningFlag {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
