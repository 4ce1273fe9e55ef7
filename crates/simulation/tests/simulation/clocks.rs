use std::{sync::Arc, time::Duration};

use kube_client::api::PostParams;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};
use trimtab_simulation::{Fault, FaultMix, Plan, PlannedFault, Process, Scenario, Simulation};

use crate::small::{SECOND, map, maps};

/// The clocks of a process, read every second: its running time, and the seconds of its wall clock.
fn ticks(fault: Fault) -> Vec<(u64, i64)> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let scenario =
        Scenario::new("ticking").faults(FaultMix::none()).process("ticker", move |process: Process| {
            let noted = noted.clone();
            async move {
                let (start, wall) = (Instant::now(), process.now());
                for _ in 0_u64.. {
                    sleep(SECOND).await;
                    noted
                        .lock()
                        .push((start.elapsed().as_secs(), process.now().as_second() - wall.as_second()));
                }
            }
        });
    let planned = PlannedFault::new(SECOND * 5 / 2, "ticker", fault);
    Simulation::new(scenario.quiet(10 * SECOND)).replay(&Plan::new(1).fault(planned)).assert_clean();
    seen.lock().clone()
}

#[test]
fn a_paused_process_finds_that_its_clock_has_moved_on() {
    let ticks = ticks(Fault::Pause(10 * SECOND));
    assert_eq!(ticks[..4], [(1, 1), (2, 2), (12, 12), (13, 13)]);
}

#[test]
fn a_suspended_process_finds_its_clock_where_it_was_and_its_wall_clock_moved_on() {
    let ticks = ticks(Fault::Suspend(10 * SECOND));
    assert_eq!(ticks[..4], [(1, 1), (2, 2), (3, 13), (4, 14)]);
    assert!(ticks.len() < 14, "ten seconds are missing: {}", ticks.len());
}

/// With a clock that runs at half the speed, a suspension of ten seconds counts for five.
#[test]
fn a_boot_time_clock_goes_on_in_a_suspension_at_the_rate_of_the_process() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let scenario =
        Scenario::new("booted").faults(FaultMix::none()).process("ticker", move |process: Process| {
            let noted = noted.clone();
            async move {
                for _ in 0..4 {
                    sleep(SECOND).await;
                    noted.lock().push(process.boot_time().as_secs());
                }
                std::future::pending::<()>().await;
            }
        });
    let plan = Plan::new(1)
        .fault(PlannedFault::new(SECOND * 9 / 4, "ticker", Fault::Drift { rate: 500, lasts: 20 * SECOND }))
        .fault(PlannedFault::new(SECOND * 5 / 2, "ticker", Fault::Suspend(10 * SECOND)));
    Simulation::new(scenario.quiet(10 * SECOND)).replay(&plan).assert_clean();
    assert_eq!(*seen.lock(), [1, 2, 8, 9]);
}

#[test]
fn a_violation_that_a_process_has_seen_fails_the_history() {
    let scenario =
        Scenario::new("honest").faults(FaultMix::none()).process("a", |process: Process| async move {
            sleep(SECOND).await;
            process.violate("all is well", "it is not");
            std::future::pending::<()>().await;
        });
    let report = Simulation::new(scenario).replay(&Plan::new(1));
    let violation = &report.failures()[0].violation;
    assert_eq!((&*violation.property, &*violation.reason), ("all is well", "a: it is not"));
}

#[test]
fn a_wall_clock_is_set_without_moving_the_other() {
    let ticks = ticks(Fault::SetClock(3_600_000));
    assert_eq!(ticks[..4], [(1, 1), (2, 2), (3, 3603), (4, 3604)]);
}

#[test]
fn a_fast_clock_ticks_more_often() {
    let fast = ticks(Fault::Drift { rate: 2000, lasts: 5 * SECOND });
    let slow = ticks(Fault::Drift { rate: 500, lasts: 5 * SECOND });
    assert!(fast.len() > slow.len() + 5, "{} and {}", fast.len(), slow.len());
}

/// No process is stopped for long to wait for another: messages arrive within the longest latency and a window.
#[test]
fn a_round_trip_takes_the_time_of_two_messages() {
    let slowest = Arc::new(Mutex::new(Duration::ZERO));
    let noted = slowest.clone();
    let scenario = Scenario::new("pinging").faults(FaultMix::none()).replicas("pinger", 3, move |process| {
        let noted = noted.clone();
        async move {
            let maps = maps(process.client());
            maps.create(&PostParams::default(), &map(process.name())).await.ok();
            for _ in 0_u64.. {
                let sent = Instant::now();
                maps.get(process.name()).await.ok();
                let took = sent.elapsed();
                assert!(took >= Duration::from_millis(2), "{took:?}");
                {
                    let mut slowest = noted.lock();
                    *slowest = took.max(*slowest);
                }
                sleep(Duration::from_millis(137)).await;
            }
        }
    });
    Simulation::new(scenario).seeds(0..5).run().assert_clean();
    let slowest = *slowest.lock();
    assert!(slowest <= Duration::from_millis(10 + 256), "{slowest:?}");
}
