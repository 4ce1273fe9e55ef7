//! The kinds of evidence that hold a key back in a ledger of each strictness.

use std::time::Duration;

use tokio::time::advance;
use trimtab_expectations::{Ledger, Strictness};

type Versions = Ledger<&'static str, &'static str, u64>;

const KEY: &str = "default/web";

fn ledger(strictness: Strictness) -> Versions {
    Ledger::builder().strictness(strictness).build()
}

/// Returns whether `KEY` may act, with every cache at `version`.
fn ready(ledger: &Versions, version: u64) -> bool {
    ledger.ready(&KEY, |_| Some(version)).is_ok()
}

/// Returns whether a version, a lost reply, an update in flight, a count and a closed gate hold a
/// key back.
fn holds_back(strictness: Strictness) -> [bool; 5] {
    let version = ledger(strictness);
    version.wrote_at(&KEY, "u1", "pods", 5);
    let lost = ledger(strictness);
    drop(lost.expect_creation(&KEY, "u1", "pods"));
    let in_flight = ledger(strictness);
    let _write = in_flight.expect_update(&KEY, "u1", "pods");
    let count = ledger(strictness);
    count.expect_creation(&KEY, "u1", "pods").succeeded_without_version();
    let closed = ledger(strictness);
    closed.close(["pods"]);
    [version, lost, in_flight, count, closed].map(|ledger| !ready(&ledger, 4))
}

/// Without the version store upstream's counts stay in force: a set of 500 must not get 1,000 Pods.
#[tokio::test(start_paused = true)]
async fn each_strictness_waits_for_less_and_counts_hold_at_all_of_them() {
    assert_eq!(holds_back(Strictness::Strict), [true; 5]);
    assert_eq!(holds_back(Strictness::Versions), [true, false, false, true, true]);
    assert_eq!(holds_back(Strictness::Counts), [false, false, false, true, false]);
    assert_eq!(holds_back(Strictness::default()), [true; 5]);
    let ledger = Versions::new();
    drop(ledger.expect_creation(&KEY, "u1", "pods"));
    assert!(!ready(&ledger, 4));
}

/// The line that it guards: `open > 0` in `Record::pass`.
#[tokio::test(start_paused = true)]
async fn a_ledger_of_versions_still_notes_a_write_that_ends_after_its_key_was_ready() {
    let ledger = ledger(Strictness::Versions);
    let write = ledger.expect_update(&KEY, "u1", "pods");
    assert!(ready(&ledger, 4));
    write.succeeded(5);
    assert!(!ready(&ledger, 4));
    assert!(ready(&ledger, 5));
    assert_eq!(ledger.status().keys, 0);
}

#[tokio::test(start_paused = true)]
async fn a_ledger_of_versions_knows_no_unknown_outcomes_and_waits_no_longer_than_the_time_to_live() {
    let ledger = ledger(Strictness::Versions);
    drop(ledger.expect_creation(&KEY, "u1", "pods"));
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    let error = ledger.ready(&KEY, |_| Some(4)).expect_err("behind");
    assert_eq!(error.unknown(), None);
    ledger.resolve(&KEY, &"pods", 9);
    assert!(ready(&ledger, 5), "there is nothing to resolve");
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    advance(error.expires_in() + Duration::from_nanos(1)).await;
    assert!(ready(&ledger, 4));
}

/// As upstream: events end a wait, versions are not looked at.
#[tokio::test(start_paused = true)]
async fn a_ledger_of_counts_waits_for_events_alone() {
    let ledger = ledger(Strictness::Counts);
    ledger.expect_creation(&KEY, "u1", "pods").succeeded(5);
    ledger.expect_deletion(&KEY, "u1", "pods", "p1").succeeded(6);
    assert!(!ready(&ledger, 99));
    ledger.creation_observed(&KEY, &"pods");
    ledger.deletion_observed(&KEY, &"pods", "p1");
    assert!(ready(&ledger, 0));
}
