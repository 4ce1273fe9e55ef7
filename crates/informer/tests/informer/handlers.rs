//! The events of handlers and their order. Ids such as SI-T18 name client-go's tests: docs/upstream-behaviours.md.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use k8s_openapi::api::core::v1::ConfigMap;
use parking_lot::Mutex;
use tokio::time::Duration;
use trimtab_cache::{Metadata, Object};
use trimtab_informer::{Event, Handler, Informer};
use trimtab_test_support::{
    server::{ScriptedServer, WatchBody, failure},
    settle,
};

use crate::fixtures::{lists, object};

/// A handler that counts its calls.
fn count(informer: &Informer<ConfigMap>) -> (Handler, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let handler = informer.on_change(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    (handler, calls)
}

fn calls(counter: &AtomicUsize) -> usize {
    counter.load(Ordering::SeqCst)
}

/// An informer that follows a server with `objects` objects.
async fn following(objects: usize) -> (ScriptedServer, Informer<ConfigMap>, WatchBody) {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    let objects: Vec<_> = (0..objects).map(|number| object(&format!("o{number}"), "1")).collect();
    server.next().await.list("5", &objects);
    let watch = server.next().await.watch();
    settle(Duration::from_millis(1)).await;
    (server, informer, watch)
}

/// SI-T18. A handler that joins late neither misses nor repeats anything, and has its own `has_synced`.
#[tokio::test(start_paused = true)]
async fn a_late_handler_is_told_what_is_there_and_then_what_comes() {
    let (_server, informer, watch) = following(3).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let handler = informer.on_change(move |event: &Event<ConfigMap>| {
        log.lock().push((event.key().name().to_owned(), event.initial));
    });
    assert!(handler.has_synced());
    watch.event("ADDED", &object("new", "6"));
    settle(Duration::from_millis(1)).await;
    let mut told = told.lock().clone();
    assert_eq!(told.pop(), Some(("new".to_owned(), false)));
    told.sort();
    assert_eq!(told, [("o0".to_owned(), true), ("o1".to_owned(), true), ("o2".to_owned(), true)]);
}

/// SI-T18 on the other side; and an empty list is a list.
#[tokio::test(start_paused = true)]
async fn a_handler_has_synced_once_it_was_told_the_first_list() {
    for objects in [vec![], vec![object("a", "1")]] {
        let (mut server, client) = ScriptedServer::new();
        let informer = lists(client).build::<ConfigMap>();
        let (handler, counter) = count(&informer);
        informer.start();
        let list = server.next().await;
        settle(Duration::from_millis(1)).await;
        assert!(!informer.has_synced() && !handler.has_synced());
        list.list("5", &objects);
        assert!(informer.wait_for_sync().await);
        settle(Duration::from_millis(1)).await;
        assert!(handler.has_synced());
        assert_eq!(calls(&counter), objects.len());
    }
}

/// As client-go: during a call the store already has the change; after a relist, all changes.
#[tokio::test(start_paused = true)]
async fn a_handler_finds_in_the_store_what_it_is_told() {
    let (mut server, informer, watch) = following(2).await;
    let (store, mismatches) = (informer.store().clone(), Arc::new(AtomicUsize::new(0)));
    let counter = mismatches.clone();
    informer.on_change(move |event: &Event<ConfigMap>| {
        let held = store.get(&event.key());
        let agrees = match &event.change {
            trimtab_cache::Change::Deleted(_) => held.is_none(),
            _ => held.zip(event.object()).is_some_and(|(held, told)| Arc::ptr_eq(&held, told)),
        };
        counter.fetch_add(usize::from(!agrees), Ordering::SeqCst);
    });
    watch.event("MODIFIED", &object("o0", "6"));
    watch.event("DELETED", &object("o1", "7"));
    watch.event("ERROR", &failure(410, "Expired"));
    server.next().await.list("9", &[object("o3", "8")]);
    server.next().await;
    assert_eq!(calls(&mismatches), 0);
}

#[tokio::test(start_paused = true)]
async fn handlers_are_called_in_the_order_of_their_registration() {
    let (_server, informer, watch) = following(0).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    for number in 0..3 {
        let order = order.clone();
        informer.on_change(move |_| order.lock().push(number));
    }
    for version in ["6", "7"] {
        watch.event("MODIFIED", &object("a", version));
    }
    settle(Duration::from_millis(1)).await;
    assert_eq!(*order.lock(), [0, 1, 2, 0, 1, 2]);
}

/// SI-T20; unlike client-go's (kubernetes#129024), the handler becomes synced all the same.
#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_harms_neither_itself_nor_others() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    let attempts = Arc::new(AtomicUsize::new(0));
    let counter = attempts.clone();
    let fragile = informer.on_change(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        panic!("a bug in a handler");
    });
    let (_, sound) = count(&informer);
    informer.start();
    server.next().await.list("5", &[object("a", "1"), object("b", "2")]);
    let watch = server.next().await.watch();
    watch.event("ADDED", &object("c", "6"));
    settle(Duration::from_millis(1)).await;
    assert_eq!((calls(&attempts), calls(&sound)), (3, 3));
    assert!(fragile.has_synced());
}

/// SI-T9, SI-T11, SI-T12, SI-T16, SI-T17.
#[tokio::test(start_paused = true)]
async fn a_removed_handler_is_told_nothing_more() {
    let (_server, informer, watch) = following(1).await;
    let (first, first_calls) = count(&informer);
    let (second, second_calls) = count(&informer);
    first.remove();
    first.remove();
    watch.event("ADDED", &object("a", "6"));
    settle(Duration::from_millis(1)).await;
    assert_eq!((calls(&first_calls), calls(&second_calls)), (1, 2));
    informer.stop().await;
    second.remove();
    drop(informer);
    second.remove();
    assert_eq!(calls(&second_calls), 2);
}

/// SI-T21 for one that removes itself: it must not wait for itself.
#[tokio::test(start_paused = true)]
async fn a_handler_may_remove_itself_and_register_others() {
    let (_server, informer, watch) = following(0).await;
    let slot = Arc::new(Mutex::new(None::<Handler>));
    let (own, once) = (slot.clone(), Arc::new(AtomicUsize::new(0)));
    let (counter, weak) = (once.clone(), informer.clone());
    let nested = Arc::new(AtomicUsize::new(0));
    let nested_counter = nested.clone();
    let handler = informer.on_change(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        own.lock().take().expect("only once").remove();
        let nested_counter = nested_counter.clone();
        weak.on_change(move |_| {
            nested_counter.fetch_add(1, Ordering::SeqCst);
        });
    });
    *slot.lock() = Some(handler);
    watch.event("ADDED", &object("a", "6"));
    watch.event("ADDED", &object("b", "7"));
    settle(Duration::from_millis(1)).await;
    assert_eq!((calls(&once), calls(&nested)), (1, 2));
}

/// SI-T10.
#[tokio::test(start_paused = true)]
async fn a_handle_has_no_effect_on_another_informer() {
    let (_server, informer, watch) = following(0).await;
    let (_other_server, other, other_watch) = following(0).await;
    let (_, here) = count(&informer);
    let (foreign, there) = count(&other);
    foreign.remove();
    watch.event("ADDED", &object("a", "6"));
    other_watch.event("ADDED", &object("a", "6"));
    settle(Duration::from_millis(1)).await;
    assert_eq!((calls(&here), calls(&there)), (1, 0));
}

/// SI-T4, SI-T13, CT-T2: handlers come and go on other threads while events flow. The events of
/// each must be consistent from the first to the last. Fails if `Shared::add_handler` reads the store before it
/// takes the lock under which it joins the handlers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_handler_misses_or_repeats_a_change_whenever_it_joins() {
    const OBJECTS: u64 = 7;
    const JOINS: usize = 150;
    /// The number of updates for each joiner.
    const MEMBERS: usize = 8;
    /// The number of objects that never change, so that reading the store takes a while.
    const OTHERS: usize = 2_000;

    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    let others: Vec<_> = (0..OTHERS).map(|number| object(&format!("other{number}"), "1")).collect();
    server.next().await.list("5", &others);
    let watch = server.next().await.watch();
    assert!(informer.wait_for_sync().await);
    let joiner = |informer: Informer<ConfigMap>| {
        move || {
            let mut members = VecDeque::new();
            for _ in 0..JOINS {
                let replica = Arc::new(Mutex::new(Replica::default()));
                let known = replica.clone();
                let handler = informer.on_change(move |event: &Event<ConfigMap>| known.lock().take(event));
                assert!(handler.has_synced(), "it was told the initial state before this returned");
                members.push_back((handler, replica));
                if members.len() > MEMBERS {
                    let (handler, replica) = members.pop_front().expect("not empty");
                    handler.remove();
                    assert_eq!(replica.lock().wrong, None);
                }
            }
            members
        }
    };
    let joiners = [0, 1].map(|_| tokio::task::spawn_blocking(joiner(informer.clone())));
    let mut version = 10;
    while joiners.iter().any(|joiner| !joiner.is_finished()) {
        version += 1;
        let kind = if version % 11 == 0 { "DELETED" } else { "MODIFIED" };
        watch.event(kind, &object(&format!("o{}", version % OBJECTS), &version.to_string()));
        while informer.store().resource_version() != Some(version.to_string()) {
            tokio::task::yield_now().await; // as many events as the joiners have time for, and no more
        }
    }
    informer.stop().await;
    let mut held: Vec<_> = informer.store().list().iter().map(|object| describe(object)).collect();
    held.retain(|text| !text.contains("other"));
    held.sort();
    for joiner in joiners {
        for (_, replica) in joiner.await.expect("no panic") {
            let replica = replica.lock();
            let mut known: Vec<_> = replica.known.values().cloned().collect();
            known.sort();
            assert_eq!((&replica.wrong, &known), (&None, &held));
        }
    }
}

fn describe(object: &ConfigMap) -> String {
    format!("{} {}", object.key(), object.metadata().resource_version())
}

/// The state that a handler derives from its events.
#[derive(Default)]
struct Replica {
    known: std::collections::BTreeMap<String, String>,
    wrong: Option<String>,
}

impl Replica {
    fn take(&mut self, event: &Event<ConfigMap>) {
        use trimtab_cache::Change;

        if event.metadata().name().starts_with("other") {
            return;
        }
        let key = event.key().to_string();
        let fits = match &event.change {
            Change::Added(new) => self.known.insert(key, describe(new)).is_none(),
            Change::Updated { old, new } => self.known.insert(key, describe(new)) == Some(describe(old)),
            Change::Deleted(_) => self.known.remove(&key).is_some(),
            Change::Undecodable(_) | Change::UndecodableDeleted(_) => false,
        };
        if !fits {
            self.wrong.get_or_insert_with(|| format!("{event:?}"));
        }
    }
}

/// SI-T21: removal does not wait for a call that blocks on another thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removal_returns_while_a_call_is_under_way() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    server.next().await.list("5", &[]);
    let watch = server.next().await.watch();
    let (entered, mut has_entered) = tokio::sync::mpsc::unbounded_channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Mutex::new(released);
    let blocked = informer.on_change(move |_| {
        let _ = entered.send(());
        let _ = released.lock().recv();
    });
    watch.event("ADDED", &object("a", "6"));
    watch.event("ADDED", &object("b", "7"));
    has_entered.recv().await.expect("called");
    blocked.remove();
    release.send(()).expect("waiting");
    while informer.store().len() < 2 {
        tokio::task::yield_now().await;
    }
    informer.stop().await;
    assert!(has_entered.try_recv().is_err(), "told once more");
}

/// SI-T22, SI-T23: before the start, while events flow, and after the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutting_a_handler_down_waits_for_the_call_that_is_under_way() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    let (unused, _) = count(&informer);
    unused.shut_down().await;
    informer.start();
    server.next().await.list("5", &[]);
    let watch = server.next().await.watch();
    let (entered, mut has_entered) = tokio::sync::mpsc::unbounded_channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Mutex::new(released);
    let ended = Arc::new(AtomicUsize::new(0));
    let counter = ended.clone();
    let blocked = informer.on_change(move |_| {
        let _ = entered.send(());
        let _ = released.lock().recv();
        counter.fetch_add(1, Ordering::SeqCst);
    });
    watch.event("ADDED", &object("a", "6"));
    watch.event("ADDED", &object("b", "7"));
    has_entered.recv().await.expect("called");
    let mut waiting = Box::pin(blocked.shut_down());
    tokio::select! {
        biased;
        () = &mut waiting => panic!("the call is under way"),
        () = tokio::task::yield_now() => {}
    }
    release.send(()).expect("waiting");
    waiting.await;
    assert_eq!(calls(&ended), 1, "the call is over, and no other began");
    informer.stop().await;
    drop(informer);
    blocked.shut_down().await;
}

/// SI-T2, SI-T3: each handler has its own period, or the informer's, or none.
#[tokio::test(start_paused = true)]
async fn each_handler_is_told_again_at_its_own_period() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).resync(Duration::from_secs(10)).build::<ConfigMap>();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = |name: &'static str| {
        let told = told.clone();
        move |event: &Event<ConfigMap>| {
            if event.is_resync() {
                told.lock().push(name);
            }
        }
    };
    informer.on_change(log("default"));
    let quick = informer.handler().resync(Duration::from_secs(3)).on_change(log("quick"));
    informer.handler().resync(Duration::from_secs(3_600)).on_change(log("slow"));
    informer.start();
    server.next().await.list("5", &[object("a", "3")]);
    let watch = server.next().await.watch();
    for seconds in 1..=21 {
        if seconds == 13 {
            quick.remove();
            informer.handler().resync(Duration::from_secs(4)).on_change(log("late"));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        watch.bookmark("6"); // a busy watch puts off nothing
        settle(Duration::from_millis(1)).await;
    }
    let expected = ["quick", "quick", "quick", "default", "quick", "late", "default", "late"];
    assert_eq!(*told.lock(), expected);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_an_informer_ends_when_it_is_stopped() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    let _unanswered = server.next().await;
    let waiting = tokio::spawn({
        let informer = informer.clone();
        async move { informer.wait_for_sync().await }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!waiting.is_finished());
    informer.stop().await;
    assert!(!waiting.await.unwrap());
}
