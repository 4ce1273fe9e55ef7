//! What holds a key back in a ledger of each strictness.

use std::time::Duration;

use tokio::time::advance;
use trimtab_expectations::{Expectations, Ledger, Strictness};

type Versions = Ledger<&'static str, &'static str, u64>;

const KEY: &str = "default/web";

fn ledger(strictness: Strictness) -> Versions {
    Expectations::builder().strictness(strictness).build_ledger()
}

/// Whether `KEY` may act, with every cache at `version`.
fn ready(ledger: &Versions, version: u64) -> bool {
    ledger.ready(&KEY, |_| Some(version)).is_ok()
}

/// Of a version, a lost reply, a request under way and a count, what holds a key back.
fn holds_back(strictness: Strictness) -> [bool; 4] {
    let version = ledger(strictness);
    version.wrote_at(&KEY, "u1", "pods", 5);
    let lost = ledger(strictness);
    drop(lost.begin(&KEY, "u1", "pods"));
    let under_way = ledger(strictness);
    let _write = under_way.begin(&KEY, "u1", "pods");
    let count = ledger(strictness);
    count.expectations().expect_creations(&KEY, 1);
    [version, lost, under_way, count].map(|ledger| !ready(&ledger, 4))
}

#[tokio::test(start_paused = true)]
async fn each_strictness_waits_for_less_and_strict_is_the_default() {
    assert_eq!(holds_back(Strictness::Strict), [true; 4]);
    assert_eq!(holds_back(Strictness::Versions), [true, false, false, true]);
    assert_eq!(holds_back(Strictness::Off), [false; 4]);
    assert_eq!(holds_back(Strictness::default()), [true; 4]);
    let ledger = Versions::new();
    drop(ledger.begin(&KEY, "u1", "pods"));
    assert!(!ready(&ledger, 4));
}

/// The line that it guards: the condition on `self.owners.remove(key)` in the ledger's `State::check`.
#[tokio::test(start_paused = true)]
async fn a_ledger_of_versions_still_notes_what_ends_after_its_key_was_ready() {
    let ledger = ledger(Strictness::Versions);
    let write = ledger.begin(&KEY, "u1", "pods");
    assert!(ready(&ledger, 4));
    write.succeeded(5);
    assert!(!ready(&ledger, 4));
    assert_eq!(ledger.reached(&"pods", 5), [KEY]);
    assert!(ready(&ledger, 5));
}

#[tokio::test(start_paused = true)]
async fn a_ledger_of_versions_tells_of_none_that_are_unknown_and_waits_no_longer_than_the_time_to_live() {
    let ledger = ledger(Strictness::Versions);
    drop(ledger.begin(&KEY, "u1", "pods"));
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    let error = ledger.ready(&KEY, |_| Some(4)).expect_err("behind");
    assert_eq!(error.unknown(), None);
    ledger.resolve(&KEY, &"pods", 9);
    assert!(ready(&ledger, 5), "there is nothing to resolve");
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    advance(error.expires_in() + Duration::from_nanos(1)).await;
    assert!(ready(&ledger, 4));
}

/// Upstream's store with its gate off; counts are not part of that store.
#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_off_records_nothing_and_leaves_counts_to_who_asks_for_them() {
    let ledger = ledger(Strictness::Off);
    let empty = format!("{ledger:?}");
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    ledger.begin(&KEY, "u1", "pods").failed();
    drop(ledger.begin(&KEY, "u1", "pods"));
    ledger.resolve(&KEY, &"pods", 9);
    assert_eq!(ledger.reached(&"pods", 5), [""; 0]);
    assert_eq!(format!("{ledger:?}"), empty);

    ledger.expectations().expect_creations(&KEY, 1);
    assert!(ready(&ledger, 0) && !ledger.expectations().satisfied(&KEY));
    ledger.clear(&KEY, Some("u1"));
    assert!(ledger.expectations().satisfied(&KEY));
}
