//! The metrics of a queue with a name, with client-go's names and meanings.
//!
//! They go to the recorder of the [`metrics`](https://docs.rs/metrics) facade that is installed when the
//! queue is built. Each has the label `name`. A queue without a name emits nothing.

use std::{
    sync::{
        Weak,
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
}

impl Metrics {
    pub(crate) fn new(name: &str) -> Self {
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
        }
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
    /// Updates the gauges of unfinished work. Returns false after shutdown: the queue is then removed.
    fn refresh(&self) -> bool;
}

/// The queues with a name in this process, and the one task that updates their gauges twice a second.
///
/// The task runs on the runtime of the `get` that started it. It ends with that runtime, when no queue is
/// left, or when a recorder panics. The next `get` of a queue with a name starts another task.
struct Refresher {
    queues: Mutex<Vec<Weak<dyn Refresh>>>,
    running: AtomicBool,
}

static REFRESHER: Refresher = Refresher { queues: Mutex::new(Vec::new()), running: AtomicBool::new(false) };

/// Adds a queue. Its gauges are updated from its first `get` on.
pub(crate) fn register(queue: Weak<dyn Refresh>) {
    REFRESHER.queues.lock().push(queue);
}

/// Waits until an update in progress is over. A queue that is shut down sees no later update (WM-T1).
pub(crate) fn wait_for_refresh() {
    drop(REFRESHER.queues.lock());
}

/// Starts the refresher if none runs. Must be called within a runtime.
pub(crate) fn ensure_refresher() {
    // Relaxed: only the flag itself is agreed on. The task takes the lock of `queues` before it reads them.
    if !REFRESHER.running.load(Ordering::Relaxed) && !REFRESHER.running.swap(true, Ordering::Relaxed) {
        let running = RunningFlag;
        tokio::spawn(refresh_all(running));
    }
}

async fn refresh_all(running: RunningFlag) {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + REFRESH, REFRESH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Dropped after the lock: one of these may be the last handle of its queue, and then drops the
        // queue's keys.
        let mut refreshed = Vec::new();
        let mut queues = REFRESHER.queues.lock();
        queues.retain(|queue| {
            let Some(queue) = queue.upgrade() else { return false };
            let keep = queue.refresh();
            refreshed.push(queue);
            keep
        });
        if queues.is_empty() {
            drop(running); // under the lock: a queue that is registered now starts another task
            return;
        }
    }
}

/// Clears the running flag when the task ends, for whatever reason.
struct RunningFlag;

impl Drop for RunningFlag {
    fn drop(&mut self) {
        REFRESHER.running.store(false, Ordering::Relaxed);
    }
}
