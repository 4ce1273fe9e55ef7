//! Benchmarks of the API server, a file a question: `cargo bench -p trimtab-apiserver -- [--quick] [NAME…]`.

mod create_cpu;
mod fan_out;
mod kube;
mod list;
mod measure;
mod memory;
mod pods;
mod serve;
mod start;
mod writes;

use measure::argument;
use mimalloc::MiMalloc;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    if let Some(form) = argument("serve") {
        return serve::run(&form); // the other process of the questions that need two
    }
    let questions: [(&str, fn()); 6] = [
        ("memory", memory::run), // first: it measures the process
        ("start", start::run),
        ("writes", writes::run),
        ("create-cpu", create_cpu::run),
        ("fan-out", fan_out::run),
        ("list", list::run),
    ];
    let asked: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for (name, run) in questions {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            run();
        }
    }
}
