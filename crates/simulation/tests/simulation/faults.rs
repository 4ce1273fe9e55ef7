use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use kube_client::api::PostParams;
use trimtab_simulation::{
    Fault, FaultMix, Plan, PlannedFault, Random, Report, Requests, Scenario, Simulation,
};

use crate::small::{SECOND, busy, counting, map, maps};

fn run(scenario: Scenario, process: &str, fault: Fault) -> Report {
    let planned = PlannedFault::new(SECOND / 2, process, fault);
    Simulation::new(scenario).replay(&Plan::new(1).fault(planned))
}

/// One of each kind.
const ALL: [Fault; 27] = [
    Fault::LoseRequest,
    Fault::LoseReply,
    Fault::LateCommit(SECOND),
    Fault::Delay(SECOND),
    Fault::Refuse(503),
    Fault::Hang,
    Fault::CrashBefore(SECOND),
    Fault::CrashAfter(SECOND),
    Fault::StaleRead(SECOND),
    Fault::Crash(SECOND),
    Fault::TimeTravel { lag: SECOND, lasts: SECOND },
    Fault::Lag { lag: SECOND, lasts: SECOND },
    Fault::Unobserved(SECOND),
    Fault::CutWatches,
    Fault::DropBookmarks(SECOND),
    Fault::DuplicateEvents(SECOND),
    Fault::Partition(SECOND),
    Fault::Pause(SECOND),
    Fault::Suspend(SECOND),
    Fault::Drift { rate: 1100, lasts: SECOND },
    Fault::SetClock(3_600_000),
    Fault::Compact,
    Fault::TakeLease(0),
    Fault::Delete(0),
    Fault::Recreate(0),
    Fault::Rival(0),
    Fault::TerminateNamespace(0),
];

/// What the scenario of `a_fault_that_is_asked_for_happens` begins with.
const OBJECTS: &str = "
{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: l}, spec: {holderIdentity: a}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: prices, namespace: shop}}
";

#[test]
fn a_fault_that_is_asked_for_happens() {
    let names: std::collections::BTreeSet<&str> = ALL.iter().map(Fault::name).collect();
    assert_eq!(names.len(), ALL.len(), "one of each kind");
    let mut faults = ALL.to_vec();
    let mut random = Random::seeded(1);
    while faults.len() < 90 {
        let plan = busy().faults(FaultMix::environment().at_most(20)).plan(random.number());
        faults.extend(plan.faults().iter().map(|planned| planned.fault));
    }
    for fault in faults {
        // The follower reads and writes all the time, once it is cut off.
        let scenario = busy().manifest(OBJECTS).touches("configmaps").quiet(10 * SECOND);
        let process = if matches!(fault, Fault::StaleRead(_)) { "follower" } else { "counter" };
        let at = if matches!(fault, Fault::StaleRead(_)) { std::time::Duration::ZERO } else { SECOND / 2 };
        let plan = Plan::new(1).fault(PlannedFault::new(at, process, fault));
        let report = Simulation::new(scenario).replay(&plan);
        assert_eq!((report.faults(), report.faults_named(fault.name())), (1, 1), "{fault}: {report}");
    }
}

/// The namespace goes, and what is in it goes first. `default` never does.
#[test]
fn a_namespace_is_terminated_with_what_is_in_it() {
    let gone = |world: &trimtab_simulation::World| {
        let going = world.commits().iter().any(|written| {
            written.commit.resource == "namespaces"
                && written.commit.name == "shop"
                && !written.commit.object["metadata"]["deletionTimestamp"].is_null()
        });
        going
            && world.get("namespaces", "", "shop").is_none()
            && world.get("configmaps", "shop", "prices").is_none()
    };
    let scenario = |objects: &str| {
        busy().manifest(objects).touches("configmaps").quiet(10 * SECOND).faults(FaultMix::none())
    };
    let plan = Plan::new(1).fault(PlannedFault::new(SECOND, "", Fault::TerminateNamespace(0)));
    let report = Simulation::new(scenario(OBJECTS).at_end("the namespace is gone", gone)).replay(&plan);
    report.assert_clean();
    assert_eq!(report.faults_named("terminate-namespace"), 1);
    let report =
        Simulation::new(scenario("{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}")).replay(&plan);
    report.assert_clean();
    assert_eq!(report.faults_named("terminate-namespace"), 0, "there is only `default`");
}

#[test]
fn what_fails_on_the_way_is_tried_again_and_done_in_the_end() {
    for fault in [Fault::LoseRequest, Fault::LoseReply, Fault::Refuse(503), Fault::Delay(3 * SECOND)] {
        run(counting(), "counter", fault).assert_clean();
    }
}

#[test]
fn a_lost_request_commits_nothing_and_a_lost_reply_commits() {
    let created = |fault| {
        let scenario = Scenario::new("once")
            .faults(FaultMix::none())
            .process("creator", |process| async move {
                let created = maps(process.client()).create(&PostParams::default(), &map("one")).await;
                assert!(created.is_err(), "the reply does not come");
                std::future::pending::<()>().await
            })
            .at_end("the map is there", |world| world.get("configmaps", "default", "one").is_some());
        let plan = Plan::new(1).fault(PlannedFault::new(std::time::Duration::ZERO, "creator", fault));
        Simulation::new(scenario).replay(&plan).failures().is_empty()
    };
    assert!(!created(Fault::LoseRequest));
    assert!(!created(Fault::Refuse(500)));
    assert!(created(Fault::LoseReply));
    assert!(created(Fault::LateCommit(SECOND)));
}

/// A crash ends every task that a process spawned, not only the one that it began with.
#[test]
fn a_crash_ends_every_task_of_the_process() {
    let beats = Arc::new(AtomicU32::new(0));
    let counted = beats.clone();
    let scenario = Scenario::new("spawning").faults(FaultMix::none()).process("spawner", move |process| {
        let counted = counted.clone();
        async move {
            if process.restarts() == 0 {
                tokio::spawn(async move {
                    loop {
                        tokio::time::sleep(SECOND).await;
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            std::future::pending::<()>().await
        }
    });
    let crash = PlannedFault::new(SECOND * 5 / 2, "spawner", Fault::Crash(SECOND));
    let report = Simulation::new(scenario.quiet(20 * SECOND)).replay(&Plan::new(1).fault(crash));
    report.assert_clean();
    assert_eq!(beats.load(Ordering::Relaxed), 2);
}

/// Crashing before a request and after it leave the two states that a process can find when it comes back.
#[test]
fn a_crash_before_a_request_and_one_after_it_differ_in_the_commit() {
    let found = |fault| {
        let found = Arc::new(AtomicU32::new(9));
        let noted = found.clone();
        let scenario = Scenario::new("once").faults(FaultMix::none()).process("creator", move |process| {
            let noted = noted.clone();
            async move {
                let maps = maps(process.client());
                if process.restarts() > 0 {
                    noted.store(u32::from(maps.get("one").await.is_ok()), Ordering::Relaxed);
                } else {
                    maps.create(&PostParams::default(), &map("one")).await.ok();
                }
                std::future::pending::<()>().await
            }
        });
        let planned =
            PlannedFault::new(std::time::Duration::ZERO, "creator", fault).requests(Requests::Writes);
        Simulation::new(scenario).replay(&Plan::new(1).fault(planned)).assert_clean();
        found.load(Ordering::Relaxed)
    };
    assert_eq!(found(Fault::CrashBefore(SECOND)), 0);
    assert_eq!(found(Fault::CrashAfter(SECOND)), 1);
}

/// Sieve's third pattern: a process that could not see for a while finds the last state, and none in between.
#[test]
fn states_that_come_and_go_unobserved_are_never_seen() {
    let seen = |fault: Option<Fault>| {
        let scenario = busy().faults(FaultMix::none()).at_end("the follower saw the counter come", |world| {
            let log = world.get("configmaps", "default", "log").expect("it was in the manifest");
            log["metadata"]["annotations"]["brief"] == "seen"
        });
        let brief = scenario.workload(|_| {
            let object =
                serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "brief"}});
            let path = "/api/v1/namespaces/default/configmaps";
            vec![
                (2 * SECOND, trimtab_simulation::Step::create_at(path, &object)),
                (3 * SECOND, trimtab_simulation::Step::delete_at(&format!("{path}/brief"))),
            ]
        });
        let plan = fault
            .map_or(Plan::new(1), |fault| Plan::new(1).fault(PlannedFault::new(SECOND, "follower", fault)));
        Simulation::new(brief).replay(&plan).failures().is_empty()
    };
    assert!(seen(None));
    assert!(!seen(Some(Fault::Unobserved(4 * SECOND))));
}
