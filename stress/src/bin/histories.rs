//! Soak of the simulation: thousands of histories of one scenario in one process. It fails on a history that violates a
//! property, and on memory that grows with the number of histories.
//!
//! ```text
//! cargo run --release -p trimtab-stress --bin histories -- --seconds 300
//! ```
//!
//! It prints a line with the number of histories and the memory after each tenth of the time.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use tokio::time::Instant;
use trimtab_examples::scenarios::database;
use trimtab_simulation::Simulation;

/// How many histories are run between two looks at the memory.
const BATCH: u64 = 100;
/// The memory in MiB by which the process may grow after its first five hundred histories, when every table has been
/// filled.
const GROWTH: u64 = 16;
const WARM_UP: u64 = 500;

#[derive(Parser)]
struct Options {
    /// How long to run.
    #[arg(long, value_name = "N", default_value_t = 300)]
    seconds: u64,
    /// On how many threads.
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
}

fn main() -> ExitCode {
    let Options { seconds, jobs } = Options::parse();
    let (begun, limit) = (Instant::now(), Duration::from_secs(seconds));
    let (mut histories, mut before, mut printed) = (0, None, 0);
    while begun.elapsed() < limit {
        let report = Simulation::new(database(None)).seeds(histories..histories + BATCH).jobs(jobs).run();
        if !report.failures().is_empty() {
            println!("{report}");
            return ExitCode::FAILURE;
        }
        histories += BATCH;
        let now = resident();
        if histories >= WARM_UP && before.is_none() {
            before = Some(now);
        }
        let tenth = (begun.elapsed().as_secs() * 10).checked_div(seconds);
        if tenth.is_some_and(|tenth| tenth > printed) {
            printed = tenth.unwrap_or_default();
            println!("{histories} histories, {now} MiB");
        }
    }
    let now = resident();
    let grown = now.saturating_sub(before.unwrap_or(now));
    println!("{histories} histories, {now} MiB, {grown} MiB more than after {WARM_UP}");
    if grown > GROWTH { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The resident size of this process in MiB; 0 where there is no `/proc`.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    (pages * 4096) >> 20
}
