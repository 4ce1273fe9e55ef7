use kube_client::api::PostParams;
use trimtab_simulation::{FaultMix, Scenario, Simulation};

use crate::small::{busy, counting, map, maps};

#[test]
fn two_runs_of_a_seed_are_equal() {
    Simulation::new(busy()).seeds(0..25).check_determinism().expect("the same histories");
}

/// The check itself: code that asks the machine for a random number is found out, with the step.
#[test]
fn code_that_draws_by_itself_is_found_out() {
    use std::hash::BuildHasher;
    let scenario =
        Scenario::new("drawing").faults(FaultMix::none()).process("drawer", |process| async move {
            let name = format!("map-{:x}", std::hash::RandomState::new().hash_one(0));
            maps(process.client()).create(&PostParams::default(), &map(&name)).await.ok();
            std::future::pending::<()>().await
        });
    let divergence = Simulation::new(scenario).seeds(0..1).check_determinism().expect_err("they differ");
    assert!(divergence.first.contains("create configmaps"), "{divergence}");
}

#[test]
fn a_world_without_faults_never_fails() {
    Simulation::new(counting().faults(FaultMix::none())).seeds(0..50).run().assert_clean();
    Simulation::new(busy().faults(FaultMix::none())).seeds(0..20).run().assert_clean();
}

#[test]
fn threads_find_what_one_thread_finds() {
    let found = |jobs| {
        let scenario = counting().always("it never counts to 3", |world| {
            world.get("configmaps", "default", "counter").is_none_or(|map| map["data"]["count"] != "3")
        });
        let report = Simulation::new(scenario).seeds(0..6).jobs(jobs).stop_after(6).shrink_runs(0).run();
        report
            .failures()
            .iter()
            .map(|failure| (failure.plan.clone(), failure.violation.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(1).len(), 6);
    assert_eq!(found(1), found(4));
}
