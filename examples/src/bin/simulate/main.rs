//! Runs a scenario of this package in the simulation: many histories, each with other faults.
//!
//! `cargo xtask simulate replicaset --seeds 200 --jobs 2` prints, if there are no failures:
//!
//! ```text
//! replicaset: 200 of 200 histories, 12345 requests, 678 faults, 9012 s simulated, 0 failures
//! ```
//!
//! A name that ends with a slash stands for all scenarios that begin with it: `cargo xtask simulate database/` prints a
//! table with the failures of each defect of the database operator.
//!
//! A failure comes with a timeline, and with a test that repeats it. `--systematic` tries one fault at each request of
//! one history in turn, `--plan` repeats a plan, `--coverage` shows which faults met which requests, and `--twice`
//! checks that two runs of each seed are the same.

mod table;

use std::process::ExitCode;

use clap::{Parser, error::ErrorKind};
use trimtab_examples::scenarios;
use trimtab_simulation::{Pattern, Plan, Simulation};

/// Runs a scenario in the simulation.
#[derive(Debug, Parser)]
#[command(name = "simulate", bin_name = "cargo xtask simulate")]
struct Options {
    /// Runs this scenario, or all whose names begin with it if it ends with a slash; without a name, lists the names.
    name: Option<String>,
    /// Runs this many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// Begins with this seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Uses this many threads.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Stops after this many failures.
    #[arg(long, default_value_t = 1)]
    failures: usize,
    /// Does not shrink failures.
    #[arg(long)]
    no_shrink: bool,
    /// Tries one fault at each request of the first seed's history in turn.
    #[arg(long)]
    systematic: bool,
    /// Runs this plan, as a failure printed it.
    #[arg(long)]
    plan: Option<Plan>,
    /// Runs at most this number of histories to shrink a failure; with 0, a failure is shown as it was found.
    #[arg(long, value_name = "N", default_value_t = 500)]
    shrink: usize,
    /// Runs each seed twice and compares the histories.
    #[arg(long)]
    twice: bool,
    /// Shows which faults met which requests.
    #[arg(long)]
    coverage: bool,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let options = Options::parse();
    let names: Vec<String> = scenarios::all().into_iter().map(|(name, _)| name).collect();
    let Some(name) = &options.name else {
        println!("{}", names.join("\n"));
        return ExitCode::SUCCESS;
    };
    if name.ends_with('/') {
        return table::print(name, &options);
    }
    let Some((_, scenario)) = scenarios::all().into_iter().find(|(known, _)| known == name) else {
        let known = format!("no scenario is named {name:?}; there are {}", names.join(", "));
        clap::Error::raw(ErrorKind::InvalidValue, format!("{known}\n")).exit();
    };
    let simulation = Simulation::new(scenario)
        .seeds(options.first..options.first.saturating_add(options.seeds))
        .jobs(options.jobs)
        .stop_after(options.failures)
        .shrink_runs(options.shrink)
        .progress(true);
    let simulation = if options.no_shrink { simulation.shrink_runs(0) } else { simulation };
    if options.twice {
        return match simulation.check_determinism() {
            Ok(()) => {
                println!("{name}: {} seeds, each run twice with the same history", options.seeds);
                ExitCode::SUCCESS
            }
            Err(divergence) => {
                eprintln!("simulate: {divergence}");
                ExitCode::FAILURE
            }
        };
    }
    let report = match &options.plan {
        Some(plan) => simulation.replay(plan),
        None if options.systematic => simulation.systematic(&Pattern::all()),
        None => simulation.run(),
    };
    println!("{report}");
    if options.coverage {
        println!("{}", report.coverage());
    }
    if report.failures().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
