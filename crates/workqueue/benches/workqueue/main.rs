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

fn main() {
    let scenarios: [(&str, fn()); 7] = [
        ("memory", memory::run), // first, because it measures the process's memory
        ("backlog", backlog::run),
        ("cycle", cycle::run),
        ("contention", contention::run),
        ("storm", storm::run),
        ("delay", delay::run),
        ("priority", priority::run),
    ];
    let selected: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for (name, run) in scenarios {
        if selected.is_empty() || selected.iter().any(|selected| selected == name) {
            run();
        }
    }
}
