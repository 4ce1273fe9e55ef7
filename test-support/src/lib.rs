//! Code that tests and benchmarks of several parts share.
//!
//! - [`settle`]: lets the tasks of a test run for a period of paused time.
//! - [`bench`](mod@bench): the command line of a benchmark program and the JSON line of each measurement.
//! - [`log`]: the lines that a test logs.
//! - [`process`]: CPU time and memory of this process.
//! - `server` (feature `kube`): API servers whose responses the test writes.
//!
//! The package is a dev-dependency by bare path and is never published.

pub mod bench;
pub mod log;
pub mod process;
#[cfg(feature = "kube")]
pub mod server;

use tokio::time::{Duration, sleep};

/// Lets all tasks run for `period`.
///
/// With paused time, the clock advances only when every task waits: a millisecond is enough for all work that waits for
/// no timer. A longer period also fires the timers within it.
pub async fn settle(period: Duration) {
    sleep(period).await;
}
