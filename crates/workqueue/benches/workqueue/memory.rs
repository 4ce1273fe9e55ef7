//! The memory per queued key, and the memory left after a burst.

use crate::measure::{keys, one_thread, report};
use trimtab_workqueue::WorkQueue;

const COUNT: usize = 1_000_000;

pub(crate) fn run() {
    let keys = keys(COUNT);
    let queue = WorkQueue::new();
    let empty = resident();
    for key in &keys {
        queue.add(key.clone());
    }
    let each = |bytes: usize| bytes.saturating_sub(empty) as f64 / COUNT as f64;
    report("bytes-per-key/1m", "bytes", each(resident()));
    one_thread().block_on(async {
        for _ in &keys {
            drop(queue.get().await);
        }
    });
    report("bytes-per-key/1m-left", "bytes", each(resident()));
}

/// Returns the process's resident memory in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes * 1024
}
