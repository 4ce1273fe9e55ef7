use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use trimtab_simulation::{FaultMix, OnEnd, Plan, Process, Scenario, Simulation};

use crate::small::{SECOND, counting, maps};

/// Returns the message of the only failure.
fn violation(scenario: Scenario) -> String {
    let report = Simulation::new(scenario.faults(FaultMix::none())).seeds(0..1).run();
    report.failures()[0].violation.to_string()
}

#[test]
fn a_property_that_fails_before_the_first_step_says_so() {
    let text = violation(counting().always("never", |_| false));
    assert_eq!(text, "never was violated: before the first step, when nothing has run yet");
}

#[test]
fn a_process_that_panics_is_named_with_its_words() {
    let text = violation(Scenario::new("s").process("operator", |process: Process| async move {
        assert!(process.name().is_empty(), "no such luck");
    }));
    assert_eq!(text, "processes keep running was violated: process operator panicked: no such luck");
}

#[test]
fn a_process_that_ends_is_named_with_its_error() {
    let text = violation(Scenario::new("s").process("operator", |_| async { Err::<(), _>("out of luck") }));
    assert_eq!(
        text,
        "processes keep running was violated: process operator ended with an error: out of luck"
    );
    let text = violation(Scenario::new("s").process("operator", |_| async {}));
    assert_eq!(text, "processes keep running was violated: process operator returned");
}

#[test]
fn a_process_that_ends_is_started_again_if_that_is_asked_for() {
    let starts = Arc::new(AtomicU32::new(0));
    let counted = starts.clone();
    let scenario = Scenario::new("s")
        .faults(FaultMix::none())
        .process("operator", move |_| {
            let counted = counted.clone();
            async move {
                if counted.fetch_add(1, Ordering::Relaxed) == 3 {
                    std::future::pending::<()>().await;
                }
            }
        })
        .on_end(OnEnd::Restart(Duration::from_millis(100)));
    Simulation::new(scenario).seeds(0..1).run().assert_clean();
    assert_eq!(starts.load(Ordering::Relaxed), 4);
}

/// A panic counts as a crash as well, if that is asked for.
#[test]
fn a_process_that_panics_is_started_again_if_that_is_asked_for() {
    let scenario = Scenario::new("s")
        .faults(FaultMix::none())
        .process("operator", |process: Process| async move {
            assert!(process.restarts() == 2, "no such luck");
            std::future::pending::<()>().await
        })
        .on_end(OnEnd::Restart(Duration::from_millis(100)));
    Simulation::new(scenario).seeds(0..1).run().assert_clean();
}

/// It cannot fail, which may be a mistake: the report says so in a line.
#[test]
fn a_scenario_without_objects_is_told() {
    let scenario = Scenario::new("s")
        .faults(FaultMix::none())
        .process("operator", |_| std::future::pending::<()>())
        .always("nothing is wrong", |world| world.objects("things").count() == 0);
    let report = Simulation::new(scenario).seeds(0..1).run().to_string();
    let line = "There was no object in any history: no manifest, no step and no process wrote one.";
    assert_eq!(report.lines().nth(1), Some(line), "{report}");
    let report = Simulation::new(counting().faults(FaultMix::none())).seeds(0..1).run().to_string();
    assert!(!report.contains(line), "{report}");
}

#[test]
fn a_scenario_with_nothing_to_run_is_refused() {
    let text = violation(Scenario::new("empty"));
    assert_eq!(
        text,
        "the scenario has a process was violated: before the first step, when nothing has run yet"
    );
}

#[test]
fn a_manifest_that_cannot_be_created_is_told() {
    let text = violation(counting().manifest("{apiVersion: v1, kind: Unicorn, metadata: {name: u}}"));
    assert_eq!(
        text,
        r#"the scenario can be set up was violated: manifest: document 1: no kind "Unicorn" is served in "v1""#
    );
}

#[test]
fn a_plan_for_another_scenario_is_refused() {
    let plan: Plan = "1; stranger@100 cut-watches".parse().expect("a plan");
    let report = Simulation::new(counting()).replay(&plan);
    let text = report.failures()[0].violation.to_string();
    assert_eq!(text, r#"the plan fits the scenario was violated: there is no process "stranger""#);
}

#[test]
fn a_loop_of_requests_without_an_end_is_found() {
    let scenario = Scenario::new("s").most_requests(500).process("looper", |process: Process| async move {
        for _ in 0_u64.. {
            maps(process.client()).get("none").await.ok();
        }
    });
    let text = violation(scenario);
    assert!(text.starts_with("no hot loop was violated: looper has sent 501 requests"), "{text}");
}

#[test]
fn a_controller_that_writes_for_ever_does_not_settle() {
    let scenario = Scenario::new("s")
        .settles_within(30 * SECOND)
        .process("writer", |process| async move { crate::small::counter(process, u32::MAX).await });
    let text = violation(scenario);
    assert!(text.starts_with("settles was violated: a process still wrote at "), "{text}");
}

/// Runs itself once more, as a program that is ended from inside.
#[test]
fn a_task_that_blocks_its_thread_is_named_and_ends_the_program() {
    const INSIDE: &str = "TRIMTAB_TEST_BLOCKS";
    if std::env::var_os(INSIDE).is_some() {
        let scenario = Scenario::new("s").faults(FaultMix::none()).process("spinner", |_| async {
            for _ in 0_u64.. {
                std::hint::spin_loop();
            }
        });
        Simulation::new(scenario).seeds(41..42).step_limit(Duration::from_millis(200)).run().assert_clean();
        return;
    }
    let this = "bad_input::a_task_that_blocks_its_thread_is_named_and_ends_the_program";
    let program = std::env::current_exe().expect("a path");
    let run =
        std::process::Command::new(program).args(["--exact", this, "--nocapture"]).env(INSIDE, "1").output();
    let run = run.expect("it was run");
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(70), "{said}");
    assert!(said.contains("a task of spinner has blocked its thread for 200ms (seed 41)"), "{said}");
}
