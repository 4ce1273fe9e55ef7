//! Benchmarks of the work queue, a file a question: `cargo bench -p trimtab-workqueue -- [--quick] [NAME…]`.

mod backlog;
mod contention;
mod cycle;
mod delay;
mod measure;
mod memory;
mod priority;
mod storm;

fn main() {
    let questions: [(&str, fn()); 7] = [
        ("memory", memory::run), // first: it measures the process
        ("backlog", backlog::run),
        ("cycle", cycle::run),
        ("contention", contention::run),
        ("storm", storm::run),
        ("delay", delay::run),
        ("priority", priority::run),
    ];
    let asked: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for (name, run) in questions {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            run();
        }
    }
}
