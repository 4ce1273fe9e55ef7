//! Benchmarks of the work queue, one scenario per file: `cargo bench -p trimtab-workqueue -- [--quick]
//! [NAME…]`.

mod backlog;
mod contention;
mod cycle;
mod delay;
mod measure;
mod memory;
mod priority;
mod storm;

use trimtab_test_support::bench::{instructions, run_selected};

fn main() {
    if let Some(times) = instructions() {
        return backlog::repeat(times);
    }
    run_selected(&[
        ("memory", memory::run), // first, because it measures the process's memory
        ("backlog", backlog::run),
        ("cycle", cycle::run),
        ("contention", contention::run),
        ("storm", storm::run),
        ("delay", delay::run),
        ("priority", priority::run),
    ]);
}
