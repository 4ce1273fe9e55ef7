//! What a ledger promises, as a reconciler and a handler meet it.

use std::{thread, time::Duration};

use tokio::time::advance;
use trimtab_expectations::{Expectations, Ledger};

type Versions = Ledger<&'static str, &'static str, u64>;

const KEY: &str = "default/web";

/// Whether `KEY` may act, with every cache at `version`.
fn ready(ledger: &Versions, version: u64) -> bool {
    ledger.ready(&KEY, |_| Some(version)).is_ok()
}

/// CS-T3, CS-T6, CS-T9.
#[tokio::test(start_paused = true)]
async fn a_key_is_ready_when_its_caches_show_what_it_wrote() {
    let ledger = Versions::new();
    assert!(ready(&ledger, 0));
    ledger.wrote_at(&KEY, "u1", "replicasets", 2);
    assert!(!ready(&ledger, 1));
    assert!(ready(&ledger, 2));
    assert!(ready(&ledger, 0), "and is forgotten then");
}

/// CS-T5.
#[test]
fn writes_of_many_threads_are_in_one_record() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _time = runtime.enter();
    let ledger = Versions::new();
    for uid in ["u1", "u2"] {
        thread::scope(|scope| {
            for version in 1..=50 {
                let ledger = &ledger;
                scope.spawn(move || ledger.wrote_at(&KEY, uid, "pods", version));
            }
        });
        assert!(!ready(&ledger, 49));
    }
    assert!(ready(&ledger, 50));
}

#[tokio::test(start_paused = true)]
async fn one_question_asks_for_versions_uids_and_counts() {
    let ledger = Versions::new();
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    ledger.expectations().expect_creations(&KEY, 1);
    ledger.expectations().expect_deletions_by_uid(&KEY, ["p1"]);
    let waits = |version| ledger.ready(&KEY, |_| Some(version)).map_err(|error| error.to_string());
    assert_eq!(waits(4), Err("creations or deletions are still expected".into()));
    ledger.expectations().creation_observed(&KEY);
    ledger.expectations().deletion_observed_by_uid(&KEY, "p1");
    assert_eq!(waits(4), Err("the cache of \"pods\" is behind version 5".into()));
    assert_eq!(waits(5), Ok(()));
}

/// A reconciler that is cancelled drops its guard: nobody knows whether the request arrived.
#[tokio::test(start_paused = true)]
async fn a_write_that_is_dropped_holds_its_key_back_until_it_is_resolved() {
    let ledger = Versions::new();
    ledger.begin(&KEY, "u1", "pods").failed();
    assert!(ready(&ledger, 0), "a refusal changes nothing");

    let write = ledger.begin(&KEY, "u1", "pods");
    let error = ledger.ready(&KEY, |_| Some(99)).expect_err("under way");
    assert_eq!((error.unknown(), error.to_string()), (None, "a write to \"pods\" is under way".into()));
    drop(write);
    let error = ledger.ready(&KEY, |_| Some(99)).expect_err("unknown");
    assert_eq!(error.unknown(), Some(&"pods"));
    ledger.resolve(&KEY, &"pods", 100);
    assert!(!ready(&ledger, 99));
    assert_eq!(ledger.reached(&"pods", 100), [KEY]);
    assert!(ready(&ledger, 99), "the event was faster than the look at the cache");
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_time_to_live() {
    let ledger: Versions = Expectations::builder().ttl(Duration::from_secs(1)).build_ledger();
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    let error = ledger.ready(&KEY, |_| Some(4)).expect_err("behind");
    advance(Duration::from_secs(1)).await;
    assert!(!ready(&ledger, 4));
    advance(error.expires_in() - Duration::from_secs(1)).await;
    assert!(ready(&ledger, 4));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_object_leaves_nothing_and_its_successor_keeps_what_it_wrote() {
    let ledger = Versions::new();
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    ledger.expectations().expect_creations(&KEY, 1);
    ledger.clear(&KEY, Some("u1"));
    assert!(ready(&ledger, 0));
    ledger.wrote_at(&KEY, "u2", "pods", 9);
    ledger.expectations().expect_creations(&KEY, 1);
    ledger.clear(&KEY, Some("u1"));
    assert!(!ready(&ledger, 9), "the event of u1's deletion came late");
    ledger.clear(&KEY, None);
    assert!(ready(&ledger, 0));
}
