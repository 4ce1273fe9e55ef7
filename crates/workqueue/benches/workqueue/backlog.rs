//! The time per key to add it to a backlog, take it and complete it.

use std::time::Duration;

use crate::measure::{Key, keys, median, ns_each, one_thread};
use tokio::time::Instant;
use trimtab_test_support::bench::{quick, report_lower};
use trimtab_workqueue::WorkQueue;

pub(crate) fn run() {
    let runtime = one_thread();
    let backlog = |count: usize, rounds: usize| {
        let keys = keys(count);
        ns_each(median(rounds, || runtime.block_on(add_then_take(&keys))), count)
    };
    let with_consumer = |count: usize, rounds: usize| {
        let keys = keys(count);
        ns_each(median(rounds, || runtime.block_on(add_then_consume(&keys))), count)
    };
    let rounds = if quick() { [201, 7, 1] } else { [2001, 31, 5] };
    let thousand = backlog(1_000, rounds[0]);
    report_lower("workqueue/backlog/1k", "ns", thousand);
    report_lower("workqueue/backlog/100k", "ns", backlog(100_000, rounds[1]));
    let million = backlog(1_000_000, rounds[2]);
    report_lower("workqueue/backlog/1m", "ns", million);
    report_lower("workqueue/growth", "ratio", million / thousand);
    report_lower("workqueue/backlog/1k-worker", "ns", with_consumer(1_000, rounds[0]));
    report_lower("workqueue/backlog/100k-worker", "ns", with_consumer(100_000, rounds[1]));
    report_lower("workqueue/backlog/1m-worker", "ns", with_consumer(1_000_000, rounds[2]));
    let keys = keys(1_000_000);
    // The minimum of the rounds, because other processes disturb some of them.
    let pauses = (0..7).map(|_| runtime.block_on(longest(&keys)));
    let (add, done) = pauses.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))).expect("seven rounds");
    report_lower("workqueue/backlog/1m-longest-add", "ms", add.as_secs_f64() * 1e3);
    report_lower("workqueue/backlog/1m-longest-done", "ms", done.as_secs_f64() * 1e3);
}

/// Adds and takes a thousand keys that many times, and measures nothing.
pub(crate) fn repeat(times: usize) {
    let (runtime, keys) = (one_thread(), keys(1_000));
    for _ in 0..times {
        runtime.block_on(add_then_take(&keys));
    }
}

/// The longest add of a growing queue, and the longest `done` of a shrinking one.
async fn longest(keys: &[Key]) -> (Duration, Duration) {
    let (queue, mut add, mut done) = (WorkQueue::new(), Duration::ZERO, Duration::ZERO);
    queue.add_after(keys[0].clone(), Duration::from_secs(3600)); // so that the queue is never empty
    for key in &keys[1..] {
        let start = Instant::now();
        queue.add(key.clone());
        add = add.max(start.elapsed());
    }
    for _ in &keys[1..] {
        let item = queue.get().await;
        let start = Instant::now();
        drop(item);
        done = done.max(start.elapsed());
    }
    for _ in 0..10_000 {
        queue.add(keys[1].clone());
        let start = Instant::now();
        drop(queue.try_get());
        done = done.max(start.elapsed());
    }
    (add, done)
}

/// As `add_then_take`, with `add_ref` and a `Consumer`.
async fn add_then_consume(keys: &[Key]) -> Duration {
    let queue = WorkQueue::new();
    let start = Instant::now();
    for key in keys {
        queue.add_ref(key);
    }
    let mut consumer = queue.consumer();
    for _ in keys {
        consumer.next().await;
    }
    consumer.done();
    start.elapsed()
}

async fn add_then_take(keys: &[Key]) -> Duration {
    let queue = WorkQueue::new();
    let start = Instant::now();
    for key in keys {
        queue.add(key.clone());
    }
    for _ in keys {
        drop(queue.get().await);
    }
    start.elapsed()
}
