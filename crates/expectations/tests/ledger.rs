//! The promises of a ledger, as a reconciler and a handler meet them.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use tokio::time::advance;
use trimtab_expectations::{Ledger, OnWake, Reason, Snapshot};

type Versions = Ledger<&'static str, &'static str, u64>;

const KEY: &str = "default/web";

/// Returns whether `KEY` may act, with every cache at `version`.
fn ready(ledger: &Versions, version: u64) -> bool {
    ledger.ready(&KEY, |_| Some(version)).is_ok()
}

fn reason(ledger: &Versions, version: u64) -> Option<Reason<&'static str, u64>> {
    ledger.ready(&KEY, |_| Some(version)).err().map(|error| error.reason().clone())
}

/// The keys that `ledger` wakes.
fn woken(ledger: &Versions) -> (Arc<Mutex<Vec<&'static str>>>, OnWake<&'static str>) {
    let woken: Arc<Mutex<Vec<_>>> = Arc::default();
    let keys = Arc::clone(&woken);
    (woken, ledger.on_wake(move |key| keys.lock().expect("no test panics here").push(*key)))
}

fn taken(woken: &Mutex<Vec<&'static str>>) -> Vec<&'static str> {
    std::mem::take(&mut woken.lock().expect("no test panics here"))
}

/// CS-T3.
#[tokio::test(start_paused = true)]
async fn a_new_ledger_is_empty_and_lets_every_key_act() {
    let ledger = Versions::new();
    assert!(ready(&ledger, 0));
    assert_eq!((ledger.status().keys, ledger.status().waits), (0, 0));
}

/// CS-T6, CS-T8, CS-T9.
#[tokio::test(start_paused = true)]
async fn a_key_is_ready_when_its_caches_show_its_writes_and_its_record_is_dropped_then() {
    let ledger = Versions::new();
    ledger.wrote_at(&KEY, "u1", "replicasets", 2);
    assert_eq!(reason(&ledger, 1), Some(Reason::Behind { resource: "replicasets", written: 2 }));
    assert_eq!((ledger.status().keys, ledger.status().stale_sync_skips), (1, 1));
    assert!(ready(&ledger, 2));
    assert_eq!(ledger.status().keys, 0);
    assert!(ready(&ledger, 0), "nothing is remembered");
}

/// CS-T5.
#[test]
fn writes_of_many_threads_are_in_one_record() {
    let ledger = Versions::new();
    for uid in ["u1", "u2"] {
        thread::scope(|scope| {
            for version in 1..=50 {
                let ledger = &ledger;
                scope.spawn(move || ledger.wrote_at(&KEY, uid, "pods", version));
            }
        });
        assert!(!ready(&ledger, 49));
        assert_eq!(ledger.status().keys, 1);
    }
    assert!(ready(&ledger, 50));
}

/// CS-T7.
#[tokio::test(start_paused = true)]
async fn only_the_right_uid_or_none_clears_a_record() {
    let ledger = Versions::new();
    ledger.clear(&KEY, Some("u1"));
    ledger.clear(&KEY, None);
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    ledger.clear(&KEY, Some("u0"));
    assert!(!ready(&ledger, 4));
    ledger.clear(&KEY, Some("u1"));
    assert!(ready(&ledger, 4));
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    ledger.clear(&KEY, None);
    assert!(ready(&ledger, 4));
}

/// Guarantee 1.
#[tokio::test(start_paused = true)]
async fn one_question_asks_for_versions_uids_and_counts() {
    let ledger = Versions::new();
    let (woken, _waker) = woken(&ledger);
    ledger.expect_creation(&KEY, "u1", "pods").succeeded_without_version();
    ledger.expect_deletion(&KEY, "u1", "pods", "p1").succeeded_without_version();
    let waits = |version| ledger.ready(&KEY, |_| Some(version)).map_err(|error| error.to_string());
    assert_eq!(waits(4), Err("1 creations and 1 deletions of \"pods\" are not observed yet".into()));
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    assert_eq!(waits(4), Err("the cache of \"pods\" is behind version 5".into()));
    assert_eq!(waits(5), Err("1 creations and 1 deletions of \"pods\" are not observed yet".into()));
    ledger.creation_observed(&KEY, &"pods");
    assert_eq!(taken(&woken), [""; 0]);
    ledger.deletion_observed(&KEY, &"pods", "p1");
    assert_eq!(taken(&woken), [KEY]);
    assert_eq!(waits(5), Ok(()));
}

/// Guarantee 3.
#[tokio::test(start_paused = true)]
async fn missed_events_keep_no_key_once_the_cache_has_reached_its_versions() {
    let ledger = Versions::new();
    ledger.expect_creation(&KEY, "u1", "pods").succeeded(5);
    ledger.expect_deletion(&KEY, "u1", "pods", "p1").succeeded(6);
    assert!(!ready(&ledger, 5));
    assert!(ready(&ledger, 6));
}

/// Guarantee 2. A reconciler that is cancelled drops its write, whose outcome is then unknown.
#[tokio::test(start_paused = true)]
async fn a_write_that_is_dropped_holds_its_key_back_until_it_is_resolved() {
    let ledger = Versions::new();
    let (woken, _waker) = woken(&ledger);
    ledger.expect_creation(&KEY, "u1", "pods").refused();
    assert!(ready(&ledger, 0), "a refusal changes nothing");

    let write = ledger.expect_creation(&KEY, "u1", "pods");
    let error = ledger.ready(&KEY, |_| Some(99)).expect_err("in flight");
    assert_eq!((error.unknown(), error.to_string()), (None, "1 writes to \"pods\" have not ended".into()));
    drop(write);
    assert_eq!(taken(&woken), [KEY]);
    let error = ledger.ready(&KEY, |_| Some(99)).expect_err("unknown");
    assert_eq!(error.unknown(), Some(&"pods"));
    ledger.resolve(&KEY, &"pods", 100);
    assert!(!ready(&ledger, 99));
    ledger.reached(&"pods", 100);
    assert_eq!(taken(&woken), [KEY]);
    assert!(ready(&ledger, 100));
}

/// Guarantee 4. The line that it guards: the second `read` in `Core::park`.
#[tokio::test(start_paused = true)]
async fn a_key_that_asks_while_the_cache_moves_is_not_left_waiting() {
    let ledger = Versions::new();
    ledger.wrote_at(&KEY, "u1", "pods", 10);
    let reads = std::cell::Cell::new(0);
    let moving = |_: &&str| {
        reads.set(reads.get() + 1);
        Some(if reads.get() == 1 { 9 } else { 10 })
    };
    assert!(ledger.ready(&KEY, moving).is_ok());
    assert_eq!(ledger.status().parked, 0);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_key_is_woken_once_when_the_cache_has_reached_its_version() {
    let ledger = Versions::new();
    let (woken, waker) = woken(&ledger);
    ledger.wrote_at(&KEY, "u1", "pods", 10);
    assert!(!ready(&ledger, 5) && !ready(&ledger, 6), "asked twice");
    ledger.reached(&"sets", 10);
    ledger.reached(&"pods", 9);
    assert_eq!(taken(&woken), [""; 0]);
    ledger.reached(&"pods", 12);
    ledger.reached(&"pods", 13);
    assert_eq!(taken(&woken), [KEY]);
    assert!(!ready(&ledger, 9));
    drop(waker);
    ledger.reached(&"pods", 12);
    assert_eq!((taken(&woken), ledger.status().woken), (vec![], 2), "nobody is called any more");
}

/// The line that it guards: `unpark` in `Core::clear`.
#[tokio::test(start_paused = true)]
async fn a_deleted_object_leaves_no_parked_key() {
    let ledger = Versions::new();
    ledger.wrote_at(&KEY, "u1", "pods", 10);
    assert!(!ready(&ledger, 5));
    ledger.clear(&KEY, None);
    assert_eq!((ledger.status().parked, ledger.status().keys), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_late_deletion_event_leaves_the_successors_record_alone() {
    let ledger = Versions::new();
    ledger.expect_creation(&KEY, "u2", "pods").succeeded_without_version();
    ledger.clear(&KEY, Some("u1"));
    assert!(!ready(&ledger, 9), "the event of u1's deletion came late");
    ledger.wrote_at(&KEY, "u1", "pods", 3);
    assert_eq!(reason(&ledger, 9), Some(Reason::Expecting { resource: "pods", creations: 1, deletions: 0 }));
}

/// After a restore of etcd versions start again at a lower number.
#[tokio::test(start_paused = true)]
async fn a_cache_that_went_back_in_time_is_believed() {
    let ledger = Versions::new();
    ledger.reached(&"pods", 1_000);
    ledger.wrote_at(&KEY, "u1", "pods", 510);
    assert!(!ready(&ledger, 500));
    assert!(ready(&ledger, 510));
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_time_to_live_and_is_counted_then() {
    let ledger: Versions = Ledger::builder().ttl(Duration::from_secs(1)).build();
    ledger.wrote_at(&KEY, "u1", "pods", 5);
    let error = ledger.ready(&KEY, |_| Some(4)).expect_err("behind");
    advance(Duration::from_secs(1)).await;
    assert!(!ready(&ledger, 4));
    advance(error.expires_in() - Duration::from_secs(1)).await;
    assert_eq!(ledger.status().expired, 0);
    assert!(ready(&ledger, 4));
    assert_eq!(ledger.status().expired, 1);
}

#[tokio::test(start_paused = true)]
async fn a_time_to_live_of_the_longest_duration_never_ends() {
    let ledger: Versions = Ledger::builder().ttl(Duration::MAX).build();
    ledger.expect_creation(&KEY, "u1", "pods").succeeded_without_version();
    advance(Duration::from_secs(1 << 30)).await;
    assert!(!ready(&ledger, 4));
}

/// Guarantee 5: the new leader has the old one's snapshot, out of an annotation.
#[tokio::test(start_paused = true)]
async fn a_restored_ledger_lets_no_key_act_until_the_cache_has_caught_up() {
    let old: Ledger<&str, String, u64> = Ledger::new();
    old.wrote_at(&KEY, "u1", "pods".into(), 90);
    old.wrote_at(&KEY, "u1", "sets".into(), 50);
    let annotation = old.snapshot(|_| Some(70)).to_string();
    let snapshot: Snapshot<String, u64> = annotation.parse().expect("a snapshot");
    assert_eq!(snapshot.iter().map(|(_, version)| *version).max(), Some(90));

    let new: Ledger<&str, String, u64> = Ledger::new();
    new.restore(snapshot);
    let (woken, keys) = (Arc::new(Mutex::new(Vec::new())), Arc::default());
    let sink: Arc<Mutex<Vec<&str>>> = Arc::clone(&keys);
    let _waker = new.on_wake(move |key| sink.lock().expect("no test panics here").push(*key));
    let ready = |key: &'static str, version| new.ready(&key, |_| Some(version)).is_ok();
    assert!(!ready("a", 80) && !ready("b", 89));
    new.reached(&"pods".to_owned(), 90);
    woken.lock().expect("no test panics here").extend(taken(&keys));
    woken.lock().expect("no test panics here").sort_unstable();
    assert_eq!(*woken.lock().expect("no test panics here"), ["a", "b"]);
    assert!(ready("a", 90));
    assert!(ready("b", 0), "once is enough: versions of later writes are in the records");
}

/// Guarantee 5: without a snapshot, one read of the server returns the version from which the cache can be trusted.
#[tokio::test(start_paused = true)]
async fn a_closed_ledger_lets_no_key_act_until_one_read_and_the_cache_agree() {
    let ledger = Versions::new();
    ledger.close(["pods"]);
    let error = ledger.ready(&KEY, |_| Some(99)).expect_err("closed");
    assert_eq!((error.unknown(), error.reason()), (Some(&"pods"), &Reason::Closed { resource: "pods" }));
    ledger.resolve(&KEY, &"pods", 100);
    assert_eq!(reason(&ledger, 99), Some(Reason::Restoring { resource: "pods", version: 100 }));
    assert_eq!(ledger.status().parked, 1);
    assert!(ready(&ledger, 100));
    assert_eq!(ledger.status().stale_sync_skips, 2);
}

#[tokio::test(start_paused = true)]
async fn a_closed_gate_opens_with_the_time_to_live() {
    let ledger = Versions::new();
    ledger.close(["pods"]);
    let error = ledger.ready(&KEY, |_| Some(99)).expect_err("closed");
    advance(error.expires_in()).await;
    assert!(ready(&ledger, 0));
    assert_eq!(ledger.status().expired, 1);
}

/// Parking was quadratic once: 40,000 keys at one version took 5 s under the lock, 64 times as long as 5,000.
#[test]
fn parking_and_releasing_many_keys_at_one_version_takes_time_in_proportion() {
    let time = |keys: u32| {
        let ledger: Ledger<u32, &str, u64> = Ledger::new();
        let count = Arc::new(Mutex::new(0));
        let woken = Arc::clone(&count);
        let _waker = ledger.on_wake(move |_| *woken.lock().expect("no test panics here") += 1);
        let start = tokio::time::Instant::now();
        for key in 0..keys {
            ledger.wrote_at(&key, "u", "pods", 5);
            assert!(ledger.ready(&key, |_| Some(4)).is_err());
        }
        ledger.reached(&"pods", 5);
        assert_eq!(*count.lock().expect("no test panics here"), keys);
        start.elapsed()
    };
    // The slowest of the short runs against the fastest of the long ones: others use the machine, too.
    let short = (0..3).map(|_| time(5_000)).max();
    let long = (0..3).map(|_| time(40_000)).min();
    assert!(long < short.map(|short| short * 32), "{long:?} is no multiple of {short:?}");
}
