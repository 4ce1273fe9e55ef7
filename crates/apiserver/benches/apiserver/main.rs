//! Benchmarks of the API server, a file a question: `cargo bench -p trimtab-apiserver -- [--quick] [NAME…]`.

mod create_cpu;
mod fan_out;
mod kube;
mod list;
mod measure;
mod memory;
mod neighbour;
mod pods;
mod serve;
mod start;
mod writes;

use measure::argument;
use mimalloc::MiMalloc;
use trimtab_test_support::bench::{instructions, run_selected};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    if let Some(form) = argument("serve") {
        return serve::run(&form); // the other process of the questions that need two
    }
    if let Some(times) = instructions() {
        return writes::create(times);
    }
    run_selected(&[
        ("memory", memory::run), // first: it measures the process
        ("start", start::run),
        ("writes", writes::run),
        ("create-cpu", create_cpu::run),
        ("fan-out", fan_out::run),
        ("list", list::run),
        ("neighbour-p99", neighbour::run),
    ]);
}
