//! The time per key with more producers and workers than processors, and the slowest adds.

use std::{sync::Arc, thread, time::Duration};

use crate::measure::{Key, keys, median, ns_each, one_thread};
use tokio::time::Instant;
use trimtab_test_support::bench::{quick, report_lower};
use trimtab_workqueue::WorkQueue;

/// The number of producers, and of workers, on threads of their own.
const PAIRS: usize = 8;
const COUNT: usize = 400_000;

pub(crate) fn run() {
    let keys: Arc<[Key]> = keys(COUNT).into();
    let rounds = if quick() { 3 } else { 11 };
    let mut latencies = Vec::new();
    let time = median(rounds, || on_threads(&keys, &mut latencies));
    report_lower("workqueue/contention/8x8-threads", "ns", ns_each(time, COUNT));
    latencies.sort_unstable();
    for (name, share) in [("p50", 0.5), ("p99.9", 0.999), ("p99.99", 0.9999)] {
        let at = ((latencies.len() - 1) as f64 * share) as usize;
        report_lower(
            &format!("workqueue/contention/8x8-add-{name}"),
            "us",
            latencies[at].as_secs_f64() * 1e6,
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    for pairs in [PAIRS, 4 * PAIRS] {
        let time = median(rounds, || runtime.block_on(as_tasks(&keys, pairs)));
        report_lower(&format!("workqueue/contention/{pairs}x{pairs}-tasks"), "ns", ns_each(time, COUNT));
    }
}

/// Runs each producer and worker on a thread of its own. Returns the latencies of the adds in `latencies`.
fn on_threads(keys: &[Key], latencies: &mut Vec<Duration>) -> Duration {
    let queue = WorkQueue::new();
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..PAIRS {
            let queue = queue.clone();
            scope.spawn(move || one_thread().block_on(async { while queue.get().await.is_some() {} }));
        }
        let producers: Vec<_> = (0..PAIRS)
            .map(|producer| {
                let queue = &queue;
                scope.spawn(move || {
                    let mine = keys.iter().skip(producer).step_by(PAIRS);
                    mine.map(|key| timed(|| queue.add(key.clone()))).collect::<Vec<_>>()
                })
            })
            .collect();
        for producer in producers {
            latencies.extend(producer.join().expect("no producer panics"));
        }
        queue.shut_down();
    });
    start.elapsed()
}

fn timed<R>(step: impl FnOnce() -> R) -> Duration {
    let start = Instant::now();
    step();
    start.elapsed()
}

/// Runs that many producers and workers as tasks.
async fn as_tasks(keys: &Arc<[Key]>, pairs: usize) -> Duration {
    let queue = WorkQueue::new();
    let start = Instant::now();
    let workers: Vec<_> = (0..pairs)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move { while queue.get().await.is_some() {} })
        })
        .collect();
    let producers: Vec<_> = (0..pairs)
        .map(|producer| {
            let (queue, keys) = (queue.clone(), Arc::clone(keys));
            tokio::spawn(async move {
                for key in keys.iter().skip(producer).step_by(pairs) {
                    queue.add(key.clone());
                }
            })
        })
        .collect();
    for producer in producers {
        producer.await.expect("no producer panics");
    }
    queue.shut_down();
    for worker in workers {
        worker.await.expect("no worker panics");
    }
    start.elapsed()
}
