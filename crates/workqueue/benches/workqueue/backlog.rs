//! How long does a key take that is added to a backlog, taken from it and done?

use crate::measure::{Key, keys, median, ns_each, one_thread, quick, report};
use tokio::time::Instant;
use trimtab_workqueue::WorkQueue;

pub(crate) fn run() {
    let runtime = one_thread();
    let backlog = |count: usize, rounds: usize| {
        let keys = keys(count);
        ns_each(median(rounds, || runtime.block_on(add_then_take(&keys))), count)
    };
    let with_worker = |count: usize, rounds: usize| {
        let keys = keys(count);
        ns_each(median(rounds, || runtime.block_on(add_then_work(&keys))), count)
    };
    let rounds = if quick() { [201, 7, 1] } else { [2001, 31, 5] };
    let thousand = backlog(1_000, rounds[0]);
    report("backlog/1k", "ns", thousand);
    report("backlog/100k", "ns", backlog(100_000, rounds[1]));
    let million = backlog(1_000_000, rounds[2]);
    report("backlog/1m", "ns", million);
    report("growth", "ratio", million / thousand);
    report("backlog/1k-worker", "ns", with_worker(1_000, rounds[0]));
    report("backlog/100k-worker", "ns", with_worker(100_000, rounds[1]));
    report("backlog/1m-worker", "ns", with_worker(1_000_000, rounds[2]));
}

/// The same with what spares a producer the clone and a worker a lock.
async fn add_then_work(keys: &[Key]) -> std::time::Duration {
    let queue = WorkQueue::new();
    let start = Instant::now();
    for key in keys {
        queue.add_ref(key);
    }
    let mut worker = queue.worker();
    for _ in keys {
        worker.next().await;
    }
    worker.done();
    start.elapsed()
}

async fn add_then_take(keys: &[Key]) -> std::time::Duration {
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
