//! The time of an add whose key is queued already.

use crate::measure::{keys, median, ns_each};
use tokio::time::Instant;
use trimtab_test_support::bench::{quick, report_lower};
use trimtab_workqueue::WorkQueue;

pub(crate) fn run() {
    let keys = keys(10_000);
    let queue = WorkQueue::new();
    queue.add_many(keys.iter().cloned());
    let (times, rounds) = if quick() { (100, 1) } else { (1_000, 3) };
    let storm = || {
        let start = Instant::now();
        for _ in 0..times {
            for key in &keys {
                queue.add(key.clone());
            }
        }
        start.elapsed()
    };
    report_lower("workqueue/storm", "ns", ns_each(median(rounds, storm), times * keys.len()));
    let borrowing = || {
        let start = Instant::now();
        for _ in 0..times {
            for key in &keys {
                queue.add_ref(key);
            }
        }
        start.elapsed()
    };
    report_lower("workqueue/storm-ref", "ns", ns_each(median(rounds, borrowing), times * keys.len()));
}
