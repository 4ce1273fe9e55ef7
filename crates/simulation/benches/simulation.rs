//! Histories per core and minute, and their simulated time.
//!
//! `cargo xtask bench simulation` runs this: the ReplicaSet controller of `examples/` in two processes, three sets with
//! 30 Pods and 20 faults; three candidates for a lease; and a world in which next to nothing happens.

use std::{num::NonZeroU64, time::Duration};

use tokio::time::Instant;
use trimtab_examples::scenarios;
use trimtab_simulation::{FaultMix, Scenario, Simulation};

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let runs =
        |many: u64| NonZeroU64::new(if quick { many / 4 } else { many }).expect("many is more than four");
    let (per_minute, _) = measure(scenarios::replicaset_bench(), runs(100));
    report("replicaset", "histories/min", "higher", per_minute);
    let (per_minute, _) = measure(scenarios::lease(None), runs(400));
    report("lease", "histories/min", "higher", per_minute);
    let idle = Scenario::new("idle")
        .process("sleeper", |_| async { std::future::pending::<()>().await })
        .faults(FaultMix::none())
        .quiet(Duration::from_secs(600));
    let (_, faster) = measure(idle, runs(40));
    report("time/idle", "x", "higher", faster);
    let (_, faster) = measure(scenarios::lease(None), runs(400));
    report("time", "x", "higher", faster);
}

/// Histories a minute on one thread, and simulated time divided by real time. Failures are counted like all others.
fn measure(scenario: Scenario, runs: NonZeroU64) -> (f64, f64) {
    let begun = Instant::now();
    let simulation = Simulation::new(scenario).seeds(0..runs.get()).stop_after(usize::MAX).shrink_runs(0);
    let report = simulation.run();
    let took = begun.elapsed().as_secs_f64();
    assert!(report.failures().is_empty(), "{report}");
    (report.runs() as f64 * 60.0 / took, report.simulated().as_secs_f64() / took)
}

fn report(name: &str, unit: &str, better: &str, value: f64) {
    println!(r#"{{"bench":"simulation/{name}","unit":"{unit}","better":"{better}","value":{value:.1}}}"#);
}
