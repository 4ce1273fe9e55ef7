//! The scenarios, for as many histories as fit into a test run. `cargo xtask simulate NAME --seeds 5000` runs more.

use trimtab_examples::{
    database::Defect,
    scenarios::{self, Removed, database},
};
use trimtab_simulation::{FaultMix, Plan, Scenario, Simulation};

fn clean(scenario: Scenario, seeds: u64) {
    Simulation::new(scenario).seeds(0..seeds).jobs(2).run().assert_clean();
}

#[test]
fn an_operator_without_a_defect_survives_everything_that_is_done_to_it() {
    clean(database(None), 25);
}

#[test]
fn candidates_for_a_lease_never_lead_at_the_same_time() {
    clean(scenarios::lease(None), 12);
}

#[test]
fn nothing_fails_in_a_world_without_faults() {
    // A defect may be enough by itself.
    for (_, scenario) in scenarios::all().into_iter().filter(|(name, _)| !name.contains('/')) {
        clean(scenario.faults(FaultMix::none()), 3);
    }
}

/// The histories of the ReplicaSet controller and of an election repeat. Those of the database operator do not always:
/// see `docs/simulation.md`.
#[test]
fn two_runs_of_a_seed_are_equal() {
    for scenario in [scenarios::replicaset(), scenarios::lease(None)] {
        Simulation::new(scenario).seeds(0..5).check_determinism().expect("the same histories");
    }
}

/// Each defect with a plan that finds it. The history fits on a page, and is clean without the defect.
#[test]
fn every_planted_defect_is_found_and_told_on_a_page() {
    for (defect, plan) in FOUND {
        let plan: Plan = plan.parse().expect("a plan");
        let report = Simulation::new(database(Some(defect))).replay(&plan);
        let [failure] = report.failures() else { panic!("{defect:?} is not found by {plan}: {report}") };
        let lines = failure.timeline.lines().len();
        assert!(lines <= 45, "{defect:?}: {lines} lines\n{failure}");
        let mended = Simulation::new(database(None)).shrink_runs(0).replay(&plan);
        assert!(mended.failures().is_empty(), "{defect:?}: without the defect it is clean: {mended}");
    }
}

/// Each rule of the election, taken away, by a plan that shows what it guards against.
#[test]
fn an_election_without_one_of_its_rules_fails_and_is_clean_with_it() {
    for (rule, plan) in WITHOUT {
        let plan: Plan = plan.parse().expect("a plan");
        let report = Simulation::new(scenarios::lease(Some(rule))).shrink_runs(0).replay(&plan);
        assert_eq!(report.failures().len(), 1, "{rule:?} is not missed in {plan}: {report}");
        Simulation::new(scenarios::lease(None)).replay(&plan).assert_clean();
    }
}

/// A plan for each rule.
const WITHOUT: [(Removed, &str); 5] = [
    (Removed::ObservedTime, "7; candidate-a@5 set-clock 3600000"),
    (Removed::DeadlineBeforeSend, "7; candidate-b@63 pause 25000"),
    (Removed::Fence, "7; candidate-b@5145 pause 9082"),
    (Removed::JoinBeforeRelease, "1"),
    (Removed::Precondition, "7; candidate-b@3550w late-commit 15000; candidate-b@3700 pause 14000"),
];

/// A plan for each defect.
const FOUND: [(Defect, &str); 9] = [
    (Defect::FinalizerLate, "9; steps 0 1@1500; operator@80+1w crash-after 3000"),
    (Defect::ClaimAfterPod, "3; steps 0; operator@50+1w crash-after 500"),
    (Defect::FinalizerEarly, "3; steps 0 4@300; operator@1700w crash-after 500"),
    (Defect::DeletesByName, "18; steps 0 1; operator@17050+1r stale-read 14000; @17100 rival 0"),
    (Defect::ShrinksByCache, "16; steps 0 1; operator@8050+1r stale-read 6000; @8100 rival 0"),
    (Defect::GoneByCache, "20; steps 0; operator@2900r stale-read 8000; @3000 rival 0"),
    (Defect::RemembersByName, "3; steps 0; @3000 recreate 0"),
    (Defect::ClaimOnTermination, "8; steps 0 2@2000; operator@2008 unobserved 3000"),
    (Defect::QuorumByCache, "4; steps 0 1@2000; operator@1900 lag 3000 20000; @8500 delete 0"),
];
