//! Watching gates, and the warnings that are logged.

use std::task::Poll;

use trimtab_featuregate::{FeatureGates, Spec, Stage, Version};
use trimtab_test_support::log::Log;

fn gates() -> FeatureGates {
    FeatureGates::builder("test", Version::new(1, 35))
        .gate("A", "", [Spec::new(Version::ALWAYS, Stage::Alpha, false)])
        .gate(
            "B",
            "",
            [Spec::new(Version::ALWAYS, Stage::Beta, false), Spec::new(Version::new(1, 35), Stage::Ga, true)],
        )
        .build()
        .expect("valid gates")
}

fn names(changes: Option<Vec<trimtab_featuregate::GateChange>>) -> Vec<(String, bool)> {
    changes.expect("not frozen").into_iter().map(|change| (change.gate.to_string(), change.enabled)).collect()
}

/// Guarantee 6.
#[tokio::test]
async fn a_watch_returns_what_changed_since_it_last_returned() {
    let gates = gates();
    let mut watch = gates.watch();
    gates.set("A=true").expect("accepted");
    assert_eq!(names(watch.changed().await), [("A".to_owned(), true)]);
    gates.set("A=false,B=true").expect("accepted");
    gates.set("A=true,B=false").expect("accepted");
    assert_eq!(names(watch.changed().await), [("B".to_owned(), false)], "A has its old value");

    let waiting = tokio::spawn(async move { (watch.changed().await, watch) });
    tokio::task::yield_now().await;
    gates.set("A=true").expect("accepted"); // no change, so nothing is woken
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    gates.set_emulation_version(Version::new(1, 34)).expect("older");
    gates.reset("B").expect("not frozen");
    gates.set_emulation_version(Version::new(1, 35)).expect("the binary's");
    let (changes, mut watch) = waiting.await.expect("no panic");
    assert_eq!(names(changes), [("B".to_owned(), true)]);

    gates.freeze();
    assert_eq!(watch.changed().await, None);
}

#[tokio::test]
async fn freezing_ends_a_waiting_watch() {
    let gates = gates();
    let mut watch = gates.watch();
    let waiting = tokio::spawn(async move { watch.changed().await });
    tokio::task::yield_now().await;
    gates.freeze();
    assert_eq!(waiting.await.expect("no panic"), None);
}

#[tokio::test]
async fn a_dropped_changed_has_returned_nothing() {
    let gates = gates();
    let mut watch = gates.watch();
    let first = std::future::poll_fn(|context| {
        let mut changed = Box::pin(watch.changed());
        Poll::Ready(changed.as_mut().poll(context).is_pending())
    });
    assert!(first.await);
    gates.set("A=true").expect("accepted");
    assert_eq!(names(watch.changed().await), [("A".to_owned(), true)]);
}

/// Guarantee 7.
#[test]
fn a_gate_that_was_read_before_another_version_changes_it_is_logged() {
    let (warnings, _here) = Log::warnings();
    let gates = gates();
    gates.set_emulation_version(Version::new(1, 34)).expect("older");
    assert_eq!(warnings.take(), Vec::<String>::new(), "B was not read");
    assert_eq!(gates.is_enabled("B"), Some(false));
    gates.set_emulation_version(Version::new(1, 35)).expect("the binary's");
    let logged = warnings.take();
    assert!(
        matches!(&logged[..], [text] if text.contains("gate=B") && text.contains("emulation=1.35")),
        "{logged:?}"
    );
    gates.set_emulation_version(Version::new(1, 34)).expect("older");
    assert_eq!(warnings.take(), Vec::<String>::new(), "not read since");
}

/// As upstream: a stable or deprecated gate can be set, with a warning.
#[test]
fn setting_a_stable_gate_is_logged() {
    let (warnings, _here) = Log::warnings();
    let gates = gates();
    gates.set("A=true,B=false").expect("accepted");
    gates.override_default("B", false).expect("not locked");
    let logged = warnings.take();
    assert_eq!(logged.len(), 2, "{logged:?}");
    assert!(
        logged.iter().all(|text| text.contains("gate=\"B\"") && text.contains("will be removed")),
        "{logged:?}"
    );
}

mod features {
    trimtab_featuregate::gates! {
        /// The gates of the test below.
        pub set Features;

        /// Read before a registry is installed.
        pub EARLY = "Early" { 0.0 => Alpha, off }

        /// Read after a registry is installed.
        pub IN_TIME = "InTime" { 0.0 => Alpha, off }
    }
}

/// EV-T6: installing a registry for gates that were read already is logged.
#[test]
fn installing_after_a_gate_was_read_is_logged() {
    let (warnings, _here) = Log::warnings();
    assert!(!features::EARLY.enabled());
    let gates = FeatureGates::builder("late", Version::new(1, 0)).gates::<features::Features>().build();
    gates.expect("valid gates").install();
    let logged = warnings.take();
    assert!(matches!(&logged[..], [text] if text.contains("[\"Early\"]")), "{logged:?}");
    assert!(!features::IN_TIME.enabled());
}
