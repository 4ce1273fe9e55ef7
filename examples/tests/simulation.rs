//! The scenarios, for as many histories as fit into a test run. `cargo xtask simulate NAME --seeds 5000` runs more.

use trimtab_examples::{
    database::Defect,
    scenarios::{self, database},
};
use trimtab_simulation::{FaultMix, Scenario, Simulation};

fn clean(scenario: Scenario, seeds: u64) {
    Simulation::new(scenario).seeds(0..seeds).jobs(2).run().assert_clean();
}

#[test]
fn an_operator_without_a_defect_survives_everything_that_is_done_to_it() {
    clean(database(None), 40);
}

#[test]
fn candidates_for_a_lease_never_lead_at_the_same_time() {
    clean(scenarios::lease(), 40);
}

#[test]
fn nothing_fails_in_a_world_without_faults() {
    for (_, scenario) in scenarios::all() {
        clean(scenario.faults(FaultMix::none()), 3);
    }
}

/// The histories of the controllers in this workspace repeat: no part of it draws without a seed, and none does
/// anything in the order of a hash map.
#[test]
fn two_runs_of_a_seed_are_equal() {
    for scenario in [scenarios::replicaset(), scenarios::lease(), database(None)] {
        Simulation::new(scenario).seeds(0..5).check_determinism().expect("the same histories");
    }
}

/// Each defect by a seed that finds it: the property it violates, and how much is left of the history.
#[test]
fn every_planted_defect_is_found_and_told_in_fifteen_lines() {
    for (defect, seed) in FOUND {
        let report = Simulation::new(database(Some(defect))).seeds(seed..seed + 1).run();
        let [failure] = report.failures() else { panic!("{defect:?} is not found by seed {seed}: {report}") };
        let lines = failure.timeline.lines().len();
        assert!(lines <= 15, "{defect:?}: {lines} lines\n{failure}");
        let again = Simulation::new(database(Some(defect))).replay(&failure.shrunk);
        assert_eq!(again.failures().len(), 1, "{defect:?}: the shrunk plan fails");
        let mended = Simulation::new(database(None)).replay(&failure.shrunk);
        assert!(mended.failures().is_empty(), "{defect:?}: without the defect it does not: {mended}");
    }
}

/// A seed for each defect.
const FOUND: [(Defect, u64); 9] = [
    (Defect::FinalizerLate, 0),
    (Defect::ClaimAfterPod, 0),
    (Defect::FinalizerEarly, 0),
    (Defect::DeletesByName, 0),
    (Defect::ShrinksByCache, 0),
    (Defect::GoneByCache, 0),
    (Defect::RemembersByName, 0),
    (Defect::ClaimOnTermination, 0),
    (Defect::QuorumByCache, 0),
];
