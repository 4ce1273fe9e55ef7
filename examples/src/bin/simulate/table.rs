//! A table of the failures of several scenarios, found at random and systematically.

use std::process::ExitCode;

use trimtab_examples::scenarios;
use trimtab_simulation::{Pattern, Report, Simulation};

use crate::Options;

/// Runs every scenario whose name begins with `prefix` until it fails, and prints a row for each.
pub(crate) fn print(prefix: &str, options: &Options) -> ExitCode {
    println!("| scenario | seed | runs | faults | timeline | systematic | property |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut found_all = true;
    for (name, scenario) in scenarios::all().into_iter().filter(|(name, _)| name.starts_with(prefix)) {
        let simulation = || {
            let seeds = options.first..options.first.saturating_add(options.seeds);
            Simulation::new(scenario.clone()).seeds(seeds).jobs(options.jobs)
        };
        let random = simulation().run();
        let systematic = simulation().shrink_runs(0).systematic(&Pattern::all());
        found_all &= !random.failures().is_empty() || !systematic.failures().is_empty();
        println!("| {name} | {} | {} |", by_chance(&random), systematically(&random, &systematic));
    }
    if found_all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the seed, the number of runs, and the faults and the lines of the shrunk failure.
fn by_chance(report: &Report) -> String {
    match report.failures().first() {
        Some(failure) => {
            let faults: Vec<&str> =
                failure.shrunk.faults().iter().map(|planned| planned.fault.name()).collect();
            let faults = if faults.is_empty() { "none".to_owned() } else { faults.join(", ") };
            let lines = failure.timeline.lines().len();
            format!("{} | {} | {faults} | {lines} lines", failure.plan.seed(), report.runs())
        }
        None => format!("none | {} | | ", report.runs()),
    }
}

/// Returns the number of histories before the systematic run found the failure, and the violated property.
fn systematically(random: &Report, report: &Report) -> String {
    let found = match report.failures() {
        [] => format!("not in {}", report.runs()),
        _ => format!("after {} of {}", report.runs(), report.planned()),
    };
    let failure = random.failures().first().or_else(|| report.failures().first());
    let property = failure.map(|failure| failure.violation.property.clone()).unwrap_or_default();
    format!("{found} | {property}")
}
