//! A named queue's metrics, under the names and with the meaning that client-go's dashboards expect.
//!
//! They go to whichever recorder of the [`metrics`](https://docs.rs/metrics) facade is installed when the
//! queue is built. All are labelled with the queue's `name`; a queue without one emits nothing.

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

/// Gauge: the keys that need work, ready or to be ready once their worker is done.
pub const DEPTH: &str = "workqueue_depth";
/// Counter: the keys added that needed no work before.
pub const ADDS_TOTAL: &str = "workqueue_adds_total";
/// Histogram, in seconds: from the add until a worker takes the key.
pub const QUEUE_DURATION_SECONDS: &str = "workqueue_queue_duration_seconds";
/// Histogram, in seconds: from when a worker takes the key until it is done.
pub const WORK_DURATION_SECONDS: &str = "workqueue_work_duration_seconds";
/// Gauge, in seconds: how long the keys in work have been in work, all together; twice a second.
pub const UNFINISHED_WORK_SECONDS: &str = "workqueue_unfinished_work_seconds";
/// Gauge, in seconds: how long the key that is longest in work has been; twice a second.
pub const LONGEST_RUNNING_PROCESSOR_SECONDS: &str = "workqueue_longest_running_processor_seconds";
/// Counter: the adds with a delay, rate-limited ones among them, however short.
pub const RETRIES_TOTAL: &str = "workqueue_retries_total";

/// The upper bounds of the buckets of both histograms in seconds, for the exporter's set-up.
pub const DURATION_BUCKETS: [f64; 10] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0];

/// How often the gauges of unfinished work are set.
const REFRESH: Duration = Duration::from_millis(500);

/// One queue's handles, made once.
pub(crate) struct Metrics {
    depth: Gauge,
    adds: Counter,
    queue_duration: Histogram,
    work_duration: Histogram,
    unfinished_work: Gauge,
    longest_running: Gauge,
    retries: Counter,
}

/// What a queue counts under its lock, read before and after each turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) adds: u64,
    pub(crate) depth: usize,
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

    /// Reports a turn as differences: turns of two threads may be reported in either order.
    pub(crate) fn turned(&self, before: Tally, after: Tally) {
        if after.adds > before.adds {
            self.adds.increment(after.adds - before.adds);
        }
        if after.depth > before.depth {
            self.depth.increment((after.depth - before.depth) as f64);
        } else if before.depth > after.depth {
            self.depth.decrement((before.depth - after.depth) as f64);
        }
    }

    pub(crate) fn retried(&self) {
        self.retries.increment(1);
    }

    pub(crate) fn taken(&self, waited: Duration) {
        self.queue_duration.record(waited);
    }

    pub(crate) fn done(&self, worked: Duration) {
        self.work_duration.record(worked);
    }

    pub(crate) fn unfinished(&self, together: Duration, longest: Duration) {
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

/// A queue as the refreshing task knows it.
pub(crate) trait Refresh: Send + Sync {
    /// Sets the gauges of unfinished work. Not after shutdown: `false` says that this was the last time.
    fn refresh(&self) -> bool;
}

/// The named queues of this process, and the one task that looks at them twice a second.
///
/// The task belongs to the runtime of the `get` that started it, and ends with it or once no queue is
/// left; the next `get` of a named queue starts another. A panic of a recorder ends it likewise.
struct Refresher {
    queues: Mutex<Vec<Weak<dyn Refresh>>>,
    runs: AtomicBool,
}

static REFRESHER: Refresher = Refresher { queues: Mutex::new(Vec::new()), runs: AtomicBool::new(false) };

/// Has the queue refreshed from the next `get` on.
pub(crate) fn register(queue: Weak<dyn Refresh>) {
    REFRESHER.queues.lock().push(queue);
}

/// Waits until a refresh that is under way is over. A queue that is shut down sees no other (WM-T1).
pub(crate) fn refreshed() {
    drop(REFRESHER.queues.lock());
}

/// Starts the task if none runs. Must be called within a runtime.
pub(crate) fn keep_refreshing() {
    // Relaxed: the flag alone is agreed on; whoever sets it takes the queues' lock later.
    if !REFRESHER.runs.load(Ordering::Relaxed) && !REFRESHER.runs.swap(true, Ordering::Relaxed) {
        let running = Running;
        tokio::spawn(refresh_all(running));
    }
}

async fn refresh_all(running: Running) {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + REFRESH, REFRESH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Dropped after the lock: one of these may be the last handle of its queue, and drop its keys.
        let mut refreshed = Vec::new();
        let mut queues = REFRESHER.queues.lock();
        queues.retain(|queue| {
            let Some(queue) = queue.upgrade() else { return false };
            let goes_on = queue.refresh();
            refreshed.push(queue);
            goes_on
        });
        if queues.is_empty() {
            drop(running); // under the lock: a queue that comes now starts another task
            return;
        }
    }
}

/// Says that no task runs any more, however it ended.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        REFRESHER.runs.store(false, Ordering::Relaxed);
    }
}
