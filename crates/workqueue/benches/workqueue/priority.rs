//! The time per key in a backlog with a hundred priorities.

use crate::measure::{Key, keys, median, ns_each, one_thread};
use tokio::time::Instant;
use trimtab_test_support::bench::{quick, report_lower};
use trimtab_workqueue::{AddOptions, WorkQueue};

const COUNT: usize = 100_000;

pub(crate) fn run() {
    let (runtime, keys) = (one_thread(), keys(COUNT));
    let rounds = if quick() { 5 } else { 21 };
    let time = median(rounds, || runtime.block_on(add_then_take(&keys)));
    report_lower("workqueue/priority/100k", "ns", ns_each(time, COUNT));
}

async fn add_then_take(keys: &[Key]) -> std::time::Duration {
    let queue = WorkQueue::new();
    let start = Instant::now();
    for (priority, key) in (0..100).cycle().zip(keys) {
        queue.add_with(key.clone(), AddOptions::new().priority(priority * 37 % 100));
    }
    for _ in keys {
        drop(queue.get().await);
    }
    start.elapsed()
}
