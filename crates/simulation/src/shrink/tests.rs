//! Tests of shrinking.

use serde_json::json;

use super::*;
use crate::fault::{Fault, PlannedFault};

fn plan(faults: u64) -> Plan {
    let at = |second| Duration::from_millis(second * 1000 + 7);
    (0..faults).fold(Plan::new(1), |plan, second| {
        plan.fault(PlannedFault::new(at(second), "operator", Fault::Crash(Duration::from_secs(8))))
    })
}

/// A failure that one line tells.
fn told(fails: bool) -> Option<usize> {
    fails.then_some(1)
}

/// A step every second, each with 8 replicas.
fn steps(count: u64) -> Vec<(Duration, Step)> {
    let step =
        Step::create_at("/api/v1/things", &json!({"metadata": {"name": "a"}, "spec": {"replicas": 8}}));
    (0..count).map(|second| (Duration::from_secs(second), step.clone())).collect()
}

#[test]
fn only_what_the_failure_needs_is_left() {
    let needs = |plan: &Plan| {
        let long = |fault: &PlannedFault| matches!(fault.fault, Fault::Crash(time) if time >= Duration::from_secs(2));
        let has =
            |number| plan.steps.as_ref().is_none_or(|steps| steps.iter().any(|step| step.number == number));
        plan.faults.iter().any(|fault| fault.at >= Duration::from_secs(5) && long(fault)) && has(3)
    };
    let shrunk = shrink(&plan(20), &steps(5), 1000, |plan| told(needs(plan)));
    assert!(needs(&shrunk));
    assert_eq!(shrunk.faults.len(), 1);
    let Fault::Crash(time) = shrunk.faults[0].fault else { panic!("another fault: {shrunk}") };
    assert!((2000..2100).contains(&time.as_millis()), "{shrunk}");
    assert!((5000..5100).contains(&shrunk.faults[0].at.as_millis()), "{shrunk}");
    assert_eq!(shrunk.taken().len(), 1, "{shrunk}");
    assert_eq!(shrunk.taken()[0].number, 3);
}

#[test]
fn numbers_become_as_small_as_the_failure_allows() {
    let replicas = |plan: &Plan| {
        let (_, step) = plan.take(steps(1)).pop()?;
        step.numbers().pop().map(|(_, number)| number)
    };
    let shrunk = shrink(&plan(0), &steps(1), 100, |plan| told(replicas(plan) >= Some(3)));
    assert_eq!(replicas(&shrunk), Some(3), "{shrunk}");
}

/// What the failure needs is a second between two steps, wherever they are.
#[test]
fn what_comes_later_moves_with_what_comes_before_it() {
    let times = |plan: &Plan| plan.take(steps(9)).iter().map(|(at, _)| *at).collect::<Vec<_>>();
    let apart = |plan: &Plan| times(plan).windows(2).any(|pair| pair[1] >= pair[0] + 1000);
    let shrunk = shrink(&plan(0), &steps(9), 1000, |plan| told(apart(plan)));
    let [first, second] = times(&shrunk)[..] else { panic!("two steps are enough: {shrunk}") };
    assert!(first <= SHORTEST && second - first < 1100, "{shrunk}");
}

#[test]
fn whatever_the_budget_a_passing_plan_is_never_returned() {
    for runs in 0..60 {
        let fails = |plan: &Plan| plan.faults.len() >= 3 && plan.seed == 1;
        let shrunk = shrink(&plan(9), &steps(4), runs, |plan| told(fails(plan)));
        assert!(fails(&shrunk), "{runs} runs");
    }
}

#[test]
fn a_failure_that_needs_nothing_shrinks_to_an_empty_plan() {
    let shrunk = shrink(&plan(9), &steps(4), 100, |_| Some(1));
    assert_eq!((shrunk.faults.len(), shrunk.steps), (0, Some(Vec::new())));
}

/// A fault at less than five seconds takes more lines to tell.
#[test]
fn a_time_is_not_shortened_if_there_is_more_to_tell_then() {
    let lines = |plan: &Plan| {
        let at = plan.faults.first()?.at;
        Some(if at >= Duration::from_secs(5) { 10 } else { 11 })
    };
    let late = Plan { faults: plan(9).faults.split_off(8), ..Plan::new(1) };
    let shrunk = shrink(&late, &[], 1000, lines);
    assert_eq!((shrunk.faults.len(), lines(&shrunk)), (1, Some(10)), "{shrunk}");
}
