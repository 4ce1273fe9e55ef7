//! Histories of the ReplicaSet controller in every state of the gates, as many as fit into a test run.
//! `cargo xtask simulate replicaset --seeds 5000` runs more.

use trimtab_examples::scenarios;
use trimtab_simulation::{Scenario, Simulation};

fn scenario(name: &str) -> Scenario {
    let (_, scenario) = scenarios::all().into_iter().find(|(known, _)| known == name).expect("a scenario");
    scenario
}

fn clean(name: &str) {
    Simulation::new(scenario(name)).seeds(0..8).jobs(2).run().assert_clean();
}

#[test]
fn the_default_controller_makes_no_pod_too_many_and_converges_within_a_minute() {
    clean("replicaset");
}

#[test]
fn without_unknown_outcomes_it_does_where_every_write_is_answered() {
    clean("replicaset-versions");
}

#[test]
fn with_counts_alone_it_makes_no_pod_too_many_and_converges_in_the_end() {
    clean("replicaset-counts");
}

/// `cargo xtask simulate deployment --seeds 2000` runs more.
#[test]
fn a_rollout_keeps_its_bounds_and_revisions_and_comes_to_its_end_under_faults() {
    clean("deployment");
}

/// The same properties find a controller that believes its cache.
#[test]
fn a_controller_that_believes_its_cache_makes_a_pod_too_many() {
    let report = Simulation::new(scenario("replicaset/naive")).seeds(0..50).shrink_runs(0).run();
    let failure = report.failures().first().expect("duplicates are found");
    assert_eq!(&*failure.violation.property, "no Pod too many", "{failure}");
}
