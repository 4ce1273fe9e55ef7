//! The metrics of a controller, with controller-runtime's names and labels.
//!
//! They are emitted to the recorder of the [`metrics`](https://docs.rs/metrics) facade that is installed when the
//! controller is created. Each has the label `controller`. The queue of a controller reports the metrics of
//! [`trimtab_workqueue::metrics`] under the controller's name, and named informers those of
//! [`trimtab_informer::metrics`].

use std::time::Duration;

use ::metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
};
use ::metrics::{gauge, histogram};

/// Counter: reconciles that have ended, by `result`: `success`, `error`, `requeue`, `requeue_after`. Waits for own writes
/// count as `requeue_after`.
pub const RECONCILE_TOTAL: &str = "controller_runtime_reconcile_total";
/// Counter: reconciles that ended with an error, panics and timeouts included.
pub const RECONCILE_ERRORS_TOTAL: &str = "controller_runtime_reconcile_errors_total";
/// Counter: reconciles that ended with a terminal error.
pub const TERMINAL_RECONCILE_ERRORS_TOTAL: &str = "controller_runtime_terminal_reconcile_errors_total";
/// Counter: reconciles that panicked.
pub const RECONCILE_PANICS_TOTAL: &str = "controller_runtime_reconcile_panics_total";
/// Counter: reconciles that exceeded the reconcile timeout.
pub const RECONCILE_TIMEOUTS_TOTAL: &str = "controller_runtime_reconcile_timeouts_total";
/// Histogram of seconds of each reconcile.
pub const RECONCILE_TIME_SECONDS: &str = "controller_runtime_reconcile_time_seconds";
/// Gauge: the number of workers.
pub const MAX_CONCURRENT_RECONCILES: &str = "controller_runtime_max_concurrent_reconciles";
/// Gauge: the number of workers that reconcile a key.
pub const ACTIVE_WORKERS: &str = "controller_runtime_active_workers";

/// All names, for lists and checks.
pub const NAMES: [&str; 8] = [
    RECONCILE_TOTAL,
    RECONCILE_ERRORS_TOTAL,
    TERMINAL_RECONCILE_ERRORS_TOTAL,
    RECONCILE_PANICS_TOTAL,
    RECONCILE_TIMEOUTS_TOTAL,
    RECONCILE_TIME_SECONDS,
    MAX_CONCURRENT_RECONCILES,
    ACTIVE_WORKERS,
];

/// controller-runtime's bucket bounds for [`RECONCILE_TIME_SECONDS`], for the configuration of an exporter.
pub const RECONCILE_TIME_BUCKETS: [f64; 33] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25,
    1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0,
];

/// The label `result` of [`RECONCILE_TOTAL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Error,
    Requeue,
    RequeueAfter,
}

/// The metric handles of one controller.
pub(crate) struct Metrics {
    success: Counter,
    error: Counter,
    requeue: Counter,
    requeue_after: Counter,
    errors: Counter,
    terminal: Counter,
    panics: Counter,
    timeouts: Counter,
    time: Histogram,
    max_concurrent: Gauge,
    active: Gauge,
}

impl Metrics {
    pub(crate) fn new(controller: &str) -> Self {
        describe();
        let labels = || [("controller", controller.to_owned())];
        let total = |result: &'static str| counter!(RECONCILE_TOTAL, "controller" => controller.to_owned(), "result" => result);
        Self {
            success: total("success"),
            error: total("error"),
            requeue: total("requeue"),
            requeue_after: total("requeue_after"),
            errors: counter!(RECONCILE_ERRORS_TOTAL, &labels()),
            terminal: counter!(TERMINAL_RECONCILE_ERRORS_TOTAL, &labels()),
            panics: counter!(RECONCILE_PANICS_TOTAL, &labels()),
            timeouts: counter!(RECONCILE_TIMEOUTS_TOTAL, &labels()),
            time: histogram!(RECONCILE_TIME_SECONDS, &labels()),
            max_concurrent: gauge!(MAX_CONCURRENT_RECONCILES, &labels()),
            active: gauge!(ACTIVE_WORKERS, &labels()),
        }
    }

    /// Emits every series once, so that a dashboard shows 0 before the first failure.
    pub(crate) fn began(&self, workers: usize) {
        self.max_concurrent.set(workers as f64);
        self.active.set(0.0);
        let counters = [
            &self.success,
            &self.error,
            &self.requeue,
            &self.requeue_after,
            &self.errors,
            &self.terminal,
            &self.panics,
            &self.timeouts,
        ];
        counters.into_iter().for_each(|counter| counter.increment(0));
    }

    /// Counts a worker as active until the guard is dropped.
    pub(crate) fn active(&self) -> ActiveWorker<'_> {
        self.active.increment(1);
        ActiveWorker(&self.active)
    }

    pub(crate) fn ended(&self, outcome: Outcome, took: Duration) {
        let total = match outcome {
            Outcome::Success => &self.success,
            Outcome::Error => &self.error,
            Outcome::Requeue => &self.requeue,
            Outcome::RequeueAfter => &self.requeue_after,
        };
        total.increment(1);
        self.time.record(took);
    }

    pub(crate) fn failed(&self, is_terminal: bool, is_panic: bool, is_timeout: bool) {
        self.errors.increment(1);
        self.terminal.increment(is_terminal.into());
        self.panics.increment(is_panic.into());
        self.timeouts.increment(is_timeout.into());
    }
}

/// A worker that reconciles a key.
pub(crate) struct ActiveWorker<'a>(&'a Gauge);

impl Drop for ActiveWorker<'_> {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

fn describe() {
    describe_counter!(RECONCILE_TOTAL, "Reconciles that have ended, by result.");
    describe_counter!(RECONCILE_ERRORS_TOTAL, "Reconciles that ended with an error.");
    describe_counter!(TERMINAL_RECONCILE_ERRORS_TOTAL, "Reconciles that ended with a terminal error.");
    describe_counter!(RECONCILE_PANICS_TOTAL, "Reconciles that panicked.");
    describe_counter!(RECONCILE_TIMEOUTS_TOTAL, "Reconciles that exceeded the timeout.");
    describe_histogram!(RECONCILE_TIME_SECONDS, Unit::Seconds, "Duration of a reconcile.");
    describe_gauge!(MAX_CONCURRENT_RECONCILES, "Workers of the controller.");
    describe_gauge!(ACTIVE_WORKERS, "Workers that reconcile a key.");
}
