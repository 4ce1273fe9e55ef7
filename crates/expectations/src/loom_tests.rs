//! Models of the wake-ups: every interleaving of a reconciler that checks and a handler that reports.
//!
//! Run with `cargo rustc -p trimtab-expectations --lib --profile test -- --cfg trimtab_loom`, then the program
//! that it makes. Each model has been seen failing without the line that its comment names.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use loom::{model::Builder, sync::atomic::AtomicU64, thread};

use crate::Ledger;

type Versions = Ledger<&'static str, &'static str, u64>;

const KEY: &str = "default/web";

/// Explores all schedules with at most three preemptions: enough for every two-party race, and
/// over within seconds.
fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Returns a ledger, and the number of times that it woke a key. The counter is not loom's: it is read at the
/// end only.
fn ledger() -> (Versions, Arc<AtomicUsize>) {
    let (ledger, woken) = (Versions::new(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&woken);
    let waker = ledger.on_wake(move |_| {
        count.fetch_add(1, SeqCst);
    });
    std::mem::forget(waker); // its removal would only add schedules
    (ledger, woken)
}

/// The line that it guards: the second `read` in `Core::park`.
#[test]
fn a_key_that_asks_while_the_cache_moves_is_woken_or_may_act() {
    explore(|| {
        let (ledger, woken) = ledger();
        ledger.wrote_at(&KEY, "u1", "pods", 10);
        let cache = Arc::new(AtomicU64::new(9));
        let handler = {
            let (ledger, cache) = (ledger.clone(), Arc::clone(&cache));
            thread::spawn(move || {
                cache.store(10, loom::sync::atomic::Ordering::SeqCst); // the store first, then the handler
                ledger.reached(&"pods", 10);
            })
        };
        let acts = ledger.ready(&KEY, |_| Some(cache.load(loom::sync::atomic::Ordering::SeqCst))).is_ok();
        handler.join().expect("the handler ends");
        assert!(acts || woken.load(SeqCst) == 1, "the key sleeps beside a cache that has caught up");
    });
}

/// The line that it guards: `self.waiting = …` in `Record::check`.
#[test]
fn a_key_that_asks_while_its_last_event_comes_is_woken_or_may_act() {
    explore(|| {
        let (ledger, woken) = ledger();
        ledger.expect_creation(&KEY, "u1", "pods").succeeded_without_version();
        let handler = {
            let ledger = ledger.clone();
            thread::spawn(move || ledger.creation_observed(&KEY, &"pods"))
        };
        let acts = ledger.ready(&KEY, |_| None).is_ok();
        handler.join().expect("the handler ends");
        assert!(acts || woken.load(SeqCst) == 1, "the key sleeps though all was observed");
    });
}

/// An event that is faster than the reply is not lost, whatever the order in which both arrive, and counts once.
///
/// The line that it guards: `written.creations += 1` in `Record::begin`.
#[test]
fn an_event_that_is_faster_than_the_reply_counts() {
    explore(|| {
        let (ledger, _) = ledger();
        ledger.expect_creation(&KEY, "u1", "pods").succeeded_without_version();
        let write = ledger.expect_creation(&KEY, "u1", "pods");
        let handler = {
            let ledger = ledger.clone();
            thread::spawn(move || ledger.creation_observed(&KEY, &"pods"))
        };
        write.succeeded_without_version();
        handler.join().expect("the handler ends");
        assert!(ledger.ready(&KEY, |_| None).is_err(), "one of two creations was observed");
        ledger.creation_observed(&KEY, &"pods");
        assert!(ledger.ready(&KEY, |_| None).is_ok());
    });
}
