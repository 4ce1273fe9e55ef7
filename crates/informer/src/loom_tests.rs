//! Models of the hand-overs: every interleaving of those who change the store and of a handler that joins.
//!
//! Run with `cargo rustc -p trimtab-informer --lib --profile test -- --cfg trimtab_loom`, then the program
//! that it makes. Each model has been seen failing without the line that its comment names. The store's own
//! locks are no loom's: none is held while anything waits.

use std::sync::Arc;

use k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use loom::{model::Builder, sync::Mutex, thread};
use tokio::time::Instant;
use trimtab_cache::{Change, Metadata, Object};

use crate::{Event, Handler, error::Reporter, shared::Shared};

/// Explores all schedules with at most three preemptions: enough for every two-party race, and
/// over within seconds.
fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// An informer's inside, synced, with `a` at version 1.
fn synced() -> Arc<Shared<ConfigMap>> {
    let reporter = Reporter { name: "model".into(), callbacks: Vec::new() };
    let shared = Arc::new(Shared::new(reporter, None, None, None, vec![None]));
    let mut relist = shared.relist();
    relist.take(Ok(object(1)));
    shared.replace(0, Instant::now(), relist, "1");
    shared
}

fn object(version: u32) -> ConfigMap {
    let (name, resource_version) = (Some("a".to_owned()), Some(version.to_string()));
    ConfigMap {
        metadata: ObjectMeta { name, resource_version, ..ObjectMeta::default() },
        ..ConfigMap::default()
    }
}

fn applying(shared: &Arc<Shared<ConfigMap>>, version: u32) -> thread::JoinHandle<()> {
    let shared = shared.clone();
    thread::spawn(move || shared.apply(0, Instant::now(), object(version)))
}

/// What a handler is told, as `+1` and `1>2`.
#[derive(Clone)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn join(shared: &Arc<Shared<ConfigMap>>) -> (Self, Handler) {
        let told = Self(Arc::new(Mutex::new(Vec::new())));
        let log = told.clone();
        let write = move |event: &Event<ConfigMap>| {
            let version = |object: &ConfigMap| object.metadata().resource_version().to_owned();
            log.0.lock().expect("no panic").push(match &event.change {
                Change::Added(new) => format!("+{}", version(new)),
                Change::Updated { old, new } => format!("{}>{}", version(old), version(new)),
                Change::Deleted(last) => format!("-{}", version(&last.object)),
            });
        };
        (told, shared.add_handler(write, None))
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

/// Fails if `Registered::new` does not make the handler busy: whoever changes the store then tells it of
/// that while it is still being told what was there.
#[test]
fn a_handler_that_joins_is_told_everything_in_order() {
    explore(|| {
        let shared = synced();
        let writer = applying(&shared, 2);
        let (told, _handler) = Told::join(&shared);
        writer.join().expect("no panic");
        let told = told.take();
        assert!(told == ["+1", "1>2"] || told == ["+2"], "{told:?}");
    });
}

/// Fails if `Shared::tell_these` queues events after it has let go of the lock. Two write for a moment when an
/// informer is started again before a stop was awaited.
#[test]
fn two_who_change_the_store_are_told_of_in_its_order() {
    explore(|| {
        let shared = synced();
        let (told, _handler) = Told::join(&shared);
        assert_eq!(told.take(), ["+1"]);
        let other = applying(&shared, 2);
        shared.apply(0, Instant::now(), object(3));
        other.join().expect("no panic");
        let told = told.take();
        assert!(told == ["1>2", "2>3"] || told == ["1>3", "3>2"], "{told:?}");
    });
}

/// Fails if `Registered::next` looks into the queue and says that nobody is busy under two locks: an event
/// that comes in between is then told by nobody.
#[test]
fn no_event_is_left_in_the_queue() {
    explore(|| {
        let shared = synced();
        let (told, handler) = Told::join(&shared);
        let others = [applying(&shared, 2), applying(&shared, 3)];
        others.into_iter().for_each(|other| other.join().expect("no panic"));
        assert_eq!(told.take().len(), 3);
        assert!(handler.has_synced());
    });
}
