//! The memory per queued key, and the memory left after a burst.

use crate::measure::{keys, one_thread};
use trimtab_test_support::{bench::report_lower, process::resident_bytes};
use trimtab_workqueue::WorkQueue;

const COUNT: usize = 1_000_000;

pub(crate) fn run() {
    let keys = keys(COUNT);
    let queue = WorkQueue::new();
    let empty = resident_bytes();
    for key in &keys {
        queue.add(key.clone());
    }
    let each = |bytes: usize| bytes.saturating_sub(empty) as f64 / COUNT as f64;
    report_lower("workqueue/bytes-per-key/1m", "bytes", each(resident_bytes()));
    one_thread().block_on(async {
        for _ in &keys {
            drop(queue.get().await);
        }
    });
    report_lower("workqueue/bytes-per-key/1m-left", "bytes", each(resident_bytes()));
}
