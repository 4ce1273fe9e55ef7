//! What the benchmarks share: the work's size, the clocks, and the lines that `cargo xtask bench` reads.

use std::{fs, time::Duration};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

/// Whether `--quick` asks for less work and noisier figures.
pub(crate) fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// What follows `--name=` on the command line.
pub(crate) fn argument(name: &str) -> Option<String> {
    std::env::args().find_map(|argument| Some(argument.strip_prefix(&format!("--{name}="))?.to_owned()))
}

/// A runtime of this one thread.
pub(crate) fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// How long this process has computed: on one thread, time that nobody else on the machine lengthens.
pub(crate) fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The wall clock's time.
pub(crate) fn wall() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The resident memory of this process, in bytes.
pub(crate) fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes * 1024
}

/// Prints one measurement of which less is better.
pub(crate) fn report_lower(question: &str, unit: &str, value: f64) {
    report(question, unit, "lower", value);
}

/// Prints one measurement of which more is better.
pub(crate) fn report_higher(question: &str, unit: &str, value: f64) {
    report(question, unit, "higher", value);
}

fn report(question: &str, unit: &str, better: &str, value: f64) {
    println!(r#"{{"bench":"apiserver/{question}","unit":"{unit}","better":"{better}","value":{value:.3}}}"#);
}
