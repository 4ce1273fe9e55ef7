//! client-go's `events_cache_test.go`, by its cases (EC-T1 to EC-T4), and the limits of memory.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use k8s_openapi::{api::core::v1::ObjectReference, jiff::Timestamp};
use tokio::time::Instant;

use super::*;
use crate::{NewEvent, record::Reporter};

const SECOND: Duration = Duration::from_secs(1);

fn event(reason: &str, note: &str, field_path: Option<&str>) -> Recorded {
    Recorded {
        event: NewEvent::normal(reason, "Act", note),
        regarding: ObjectReference {
            kind: Some("Pod".into()),
            name: Some("web".into()),
            namespace: Some("shop".into()),
            field_path: field_path.map(str::to_owned),
            ..ObjectReference::default()
        },
        reporter: Arc::new(Reporter { controller: "kubelet".into(), instance: "node".into(), host: None }),
        at: Timestamp::UNIX_EPOCH,
        name: format!("web.{note}"),
    }
}

struct Run {
    correlator: Correlator,
    now: Instant,
}

impl Run {
    fn new(options: &CorrelatorOptions) -> Self {
        Self { correlator: Correlator::new(options), now: Instant::now() }
    }

    /// Returns the count and the message of the object that the event leads to, after `interval`.
    fn observe(&mut self, event: &Recorded, interval: Duration) -> Option<(i32, String)> {
        self.now += interval;
        let write = self.correlator.observe(event, self.now)?;
        let Object::Core(object) = write.object else { panic!("a core event") };
        let count = object.count.expect("a count");
        assert_eq!(write.patch.is_some(), count > 1, "a repeated event is a patch");
        Some((count, object.message.unwrap_or_default()))
    }
}

/// EC-T1, EC-T3.
#[test]
fn identical_events_are_counted_and_never_aggregated() {
    let mut run = Run::new(&CorrelatorOptions::default());
    for expected in 1..=11 {
        assert_eq!(run.observe(&event("Pulled", "m", None), SECOND), Some((expected, "m".into())));
    }
}

/// EC-T2, EC-T3.
#[test]
fn ten_similar_messages_become_one_aggregate() {
    let mut run = Run::new(&CorrelatorOptions::default());
    for number in 0..9 {
        let message = format!("m{number}");
        assert_eq!(run.observe(&event("Pulled", &message, None), SECOND), Some((1, message)));
    }
    let combined = |message: &str| format!("(combined from similar events): {message}");
    assert_eq!(run.observe(&event("Pulled", "m9", None), SECOND), Some((1, combined("m9"))));
    assert_eq!(run.observe(&event("Pulled", "m10", None), SECOND), Some((2, combined("m10"))));
}

/// EC-T3.
#[test]
fn similar_messages_that_are_far_apart_are_not_aggregated() {
    let mut run = Run::new(&CorrelatorOptions::default());
    for number in 0..30 {
        let message = format!("m{number}");
        assert_eq!(run.observe(&event("Pulled", &message, None), 601 * SECOND), Some((1, message)));
    }
}

/// EC-T3.
#[test]
fn a_source_that_repeats_itself_is_filtered_after_its_burst_and_counts_on() {
    let mut run = Run::new(&CorrelatorOptions::default());
    let repeated = event("Pulled", "m", None);
    let passed = (0..40).filter(|_| run.observe(&repeated, SECOND).is_some()).count();
    assert_eq!(passed, 25, "the burst; 40 s refill no token");
    assert_eq!(run.observe(&repeated, 300 * SECOND), Some((41, "m".into())), "filtered events were counted");
}

/// EC-T3.
#[test]
fn many_reasons_are_not_similar_to_one_another() {
    let mut run = Run::new(&CorrelatorOptions::default().spam(1000, SECOND));
    for number in 0..30 {
        assert_eq!(run.observe(&event(&format!("R{number}"), "m", None), SECOND), Some((1, "m".into())));
    }
}

/// EC-T3.
#[test]
fn containers_of_one_pod_are_counted_apart() {
    let mut run = Run::new(&CorrelatorOptions::default());
    for container in ["spec.containers{a}", "spec.containers{b}"] {
        assert_eq!(run.observe(&event("Pulled", "m", Some(container)), SECOND), Some((1, "m".into())));
    }
}

/// EC-T4.
#[test]
fn the_spam_filter_merges_reasons_unless_it_is_told_not_to() {
    for (by_reason, expected) in [(false, 25), (true, 40)] {
        let mut run = Run::new(&CorrelatorOptions::default().spam_by_reason(by_reason));
        let reasons = (0..40).map(|number| event(&format!("R{}", number % 2), "m", None));
        assert_eq!(reasons.filter(|event| run.observe(event, SECOND).is_some()).count(), expected);
    }
}

#[test]
fn memory_is_bounded_by_the_capacity() {
    let mut run = Run::new(&CorrelatorOptions::default().capacity(NonZeroUsize::new(2).expect("not zero")));
    for (note, count) in [("a", 1), ("b", 1), ("c", 1), ("b", 2), ("a", 1)] {
        assert_eq!(run.observe(&event("Pulled", note, None), SECOND), Some((count, note.into())), "{note}");
    }
}
