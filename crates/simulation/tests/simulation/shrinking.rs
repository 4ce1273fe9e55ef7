use trimtab_simulation::{FaultMix, Pattern, Plan, Scenario, Simulation};

use crate::small::{busy, counting};

/// A counter that is never to be seen after a crash: any crash is a failure, everything else is noise.
fn fragile() -> Scenario {
    counting()
        .faults(FaultMix::environment().at_most(12))
        .on_request("no process was started twice", |_, sent| sent.identity.ends_with("-0"))
}

#[test]
fn a_shrunk_plan_fails_as_the_first_one_did_and_is_smaller() {
    let report = Simulation::new(fragile()).seeds(0..200).stop_after(5).run();
    assert_eq!(report.failures().len(), 5);
    for failure in report.failures() {
        assert_eq!(failure.shrunk.faults().len(), 1, "one crash is enough: {}", failure.shrunk);
        assert!(failure.repeats);
        let again = Simulation::new(fragile()).replay(&failure.shrunk);
        assert_eq!(again.failures()[0].violation.property, failure.violation.property);
    }
}

#[test]
fn a_plan_printed_and_pasted_fails_again() {
    let report = Simulation::new(fragile()).seeds(0..200).run();
    let failure = &report.failures()[0];
    let pasted: Plan = failure.shrunk.to_string().parse().expect("a plan");
    assert!(failure.test().contains(&format!("{:?}", failure.shrunk.to_string())));
    assert_eq!(Simulation::new(fragile()).replay(&pasted).failures().len(), 1);
}

/// Every request is met by every fault of the pattern, once: no more and no fewer histories.
#[test]
fn systematic_exploration_is_complete_and_countable() {
    let report = Simulation::new(busy())
        .seeds(3..4)
        .stop_after(usize::MAX)
        .systematic(&[Pattern::Crash, Pattern::LoseReply]);
    let requests = report.requests_tried().expect("it was systematic");
    assert!(requests > 20, "{requests}");
    assert_eq!(report.faults(), report.runs(), "each history meets its one fault");
    assert_eq!(report.faults_named("crash-before"), requests);
    assert_eq!(report.faults_named("crash-after"), report.faults_named("lose-reply"));
    assert_eq!(report.runs(), requests + 2 * report.faults_named("lose-reply"));
}
