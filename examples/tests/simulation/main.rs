//! The scenarios, for as many histories as fit into a test run. `cargo xtask simulate NAME --seeds 5000` runs more.

mod deployment;
mod replicaset;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use trimtab_examples::{
    database::Defect,
    replicaset::Protection,
    scenarios::{self, Removed, database},
};
use trimtab_simulation::{FaultMix, Plan, Scenario, Simulation};

fn clean(scenario: Scenario, seeds: u64) {
    Simulation::new(scenario).seeds(0..seeds).jobs(2).run().assert_clean();
}

#[test]
fn an_operator_without_a_defect_survives_everything_that_is_done_to_it() {
    clean(database(None), 12);
}

#[test]
fn the_website_operator_survives_faults_and_elections_in_two_managers() {
    clean(scenarios::website(), 8);
}

#[test]
fn two_controllers_of_the_same_websites_are_found() {
    let report = Simulation::new(scenarios::website_twice()).seeds(0..5).shrink_runs(0).run();
    let failure = report.failures().first().expect("the same website is in work twice");
    assert_eq!(failure.violation.property, "no website is reconciled twice at once", "{failure}");
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

/// The histories of the controllers in this workspace repeat: no part of it draws without a seed, does anything in the
/// order of a hash map, or shares a task with another runtime. Another thread runs histories meanwhile: once a task that
/// updated metrics for the whole process was in the one history or in the other.
#[test]
fn two_runs_of_a_seed_are_equal() {
    let is_over = AtomicBool::new(false);
    let checked = thread::scope(|threads| {
        threads.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                Simulation::new(database(None)).seeds(90..91).shrink_runs(0).run().assert_clean();
            }
        });
        let seeds = |scenario, seeds| Simulation::new(scenario).seeds(0..seeds).check_determinism();
        let checked = seeds(database(None), 4)
            .and_then(|()| seeds(scenarios::replicaset(), 3))
            .and_then(|()| seeds(scenarios::lease(None), 3))
            .and_then(|()| seeds(scenarios::website(), 2));
        is_over.store(true, Ordering::Relaxed);
        checked
    });
    checked.expect("the same histories");
}

/// Each defect by a plan that finds it: its history is told in at most fifteen lines, and is clean without the defect.
#[test]
fn every_planted_defect_is_found_and_told_on_a_page() {
    for (defect, plan) in FOUND {
        let plan: Plan = plan.parse().expect("a plan");
        let replayed = |defect| Simulation::new(database(defect)).shrink_runs(0).replay(&plan);
        let report = replayed(Some(defect));
        let [failure] = report.failures() else { panic!("{defect:?} is not found by {plan}: {report}") };
        let lines = failure.timeline.lines().len();
        assert!(lines <= 15, "{defect:?}: {lines} lines\n{failure}");
        let mended = replayed(None);
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

/// Protections of the ReplicaSet controller, taken away one at a time.
#[test]
fn a_controller_without_one_of_its_protections_fails_and_is_clean_with_it() {
    for (protection, plan) in UNPROTECTED {
        let plan: Plan = plan.parse().expect("a plan");
        let without = Simulation::new(scenarios::replicaset_without(protection)).shrink_runs(0);
        let report = without.replay(&plan);
        assert_eq!(report.failures().len(), 1, "{protection:?} is not missed in {plan}: {report}");
        let whole = match protection {
            Protection::FreshUid => scenarios::replicaset_adopting(),
            Protection::Versions => scenarios::replicaset_unseen(),
            Protection::Uids => scenarios::replicaset_shrinking(),
            _ => scenarios::replicaset(),
        };
        Simulation::new(whole).replay(&plan).assert_clean();
    }
}

/// The cache of the sets hangs while a set is scaled to nothing and deleted. What it created was collected at once, which started
/// the next sync: thousands of Pods, until the controller believed the 404 of its status.
#[test]
fn a_set_that_is_gone_gets_no_more_pods() {
    let plan = "2483; controller@2212 pause 149; controller@4341 drift 900 780; controller@4795 partition 4970; \
                controller@6242 hang; controller@15833 lag 198 1489";
    let scenario = scenarios::replicaset().most_requests(300);
    let report = Simulation::new(scenario).shrink_runs(0).replay(&plan.parse().expect("a plan"));
    report.assert_clean();
}

/// A plan for each protection.
const UNPROTECTED: [(Protection, &str); 5] = [
    (Protection::Uids, "49; steps 0,/spec/replicas=8 7@20 8@29; controller@18 lag 500 1633"),
    (Protection::Counts, "4; steps 0"),
    (
        Protection::UnknownOutcomes,
        "82; steps 0@2,/spec/replicas=0 8@1679,/spec/replicas=1; controller@11w refuse 500; controller@11+1w lose-reply",
    ),
    (
        Protection::FreshUid,
        "118; steps 1@8,/spec/replicas=0 3@9,/spec/replicas=2 9@46; controller@39 unobserved 3",
    ),
    (Protection::Versions, "35; steps 2@7,/spec/replicas=1; controller@14 unobserved 1; @18 delete 59760"),
];

/// A plan for each defect, shrunk.
const FOUND: [(Defect, &str); 9] = [
    (Defect::FinalizerLate, "770; steps 0@10,/spec/replicas=1 1@21"),
    (Defect::ClaimAfterPod, "25; steps 0@10,/spec/replicas=1; operator@19w crash-after 5"),
    (Defect::FinalizerEarly, "60; steps 0@3 2@24; operator@71w lose-reply"),
    (Defect::DeletesByName, "3577; steps 0@2,/spec/replicas=1 1@11 3@1035; operator@3162 lag 2328 10"),
    (Defect::ShrinksByCache, "97; steps 0@7 1@1858,/spec/replicas=2; operator@1959 lag 2911 2134"),
    (Defect::GoneByCache, "105; steps 0@2,/spec/replicas=1; operator@53 lag 2096 2237"),
    (Defect::RemembersByName, "8; steps 0@1,/spec/replicas=1; @1843 delete 373391"),
    (Defect::ClaimOnTermination, "131; steps 0@9,/spec/replicas=2 1@75; operator@81 unobserved 1"),
    (
        Defect::QuorumByCache,
        "357; steps 0@3,/spec/replicas=2 2@2107; operator@1376 unobserved 3; @2109 delete 305477",
    ),
];
