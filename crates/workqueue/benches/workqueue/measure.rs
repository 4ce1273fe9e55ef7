//! Keys, runtimes and medians for the benchmarks.

use std::{sync::Arc, time::Duration};

use tokio::runtime::{Builder, Runtime};

/// A shared key of 35 characters, like the keys of an informer.
pub(crate) type Key = Arc<str>;

/// Returns `count` different keys.
pub(crate) fn keys(count: usize) -> Vec<Key> {
    (0..count).map(|n| format!("namespace-{:04}/replicaset-{n:09}", n % 100).into()).collect()
}

/// Returns a runtime for the current thread.
pub(crate) fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// Returns the median of that many rounds.
pub(crate) fn median(rounds: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..rounds).map(|_| measure()).collect();
    times.sort_unstable();
    times[rounds / 2]
}

/// Returns the nanoseconds per item.
pub(crate) fn ns_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e9 / count as f64
}
