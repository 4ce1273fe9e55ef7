//! The time per key while producers and workers use the queue at the same time, on two threads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::measure::{Key, keys, median, ns_each};
use tokio::{sync::Notify, time::Instant};
use trimtab_test_support::bench::{quick, report_lower};
use trimtab_workqueue::WorkQueue;

const ROUNDS: usize = 5;

pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    for (pairs, name) in [(1, "1x1"), (2, "2x2")] {
        for (count, size, repeats) in [(1_000, "1k", 101), (100_000, "100k", 5)] {
            let repeats = if quick() { repeats / 5 } else { repeats };
            let keys: Arc<[Key]> = keys(count).into();
            let cycle = || runtime.block_on(rounds(Arc::clone(&keys), pairs));
            let time = median(repeats, cycle);
            report_lower(&format!("workqueue/cycle/{name}/{size}"), "ns", ns_each(time, ROUNDS * count));
        }
    }
}

/// In each round the producers add all keys, and the workers take until no key is left.
async fn rounds(keys: Arc<[Key]>, pairs: usize) -> Duration {
    let queue = WorkQueue::new();
    let left = Arc::new(AtomicUsize::new(0));
    let all_done = Arc::new(Notify::new());
    for _ in 0..pairs {
        let (queue, left, all_done) = (queue.clone(), Arc::clone(&left), Arc::clone(&all_done));
        tokio::spawn(async move {
            while let Some(item) = queue.get().await {
                drop(item);
                if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                    all_done.notify_one();
                }
            }
        });
    }
    let start = Instant::now();
    for _ in 0..ROUNDS {
        left.store(keys.len(), Ordering::Release);
        for producer in 0..pairs {
            let (queue, keys) = (queue.clone(), Arc::clone(&keys));
            tokio::spawn(async move {
                for key in keys.iter().skip(producer).step_by(pairs) {
                    queue.add(key.clone());
                }
            });
        }
        all_done.notified().await;
    }
    let time = start.elapsed();
    queue.shut_down();
    time
}
