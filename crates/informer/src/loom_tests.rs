//! Models of event delivery: every interleaving of threads that change the store and of a handler that joins.
//!
//! Run `cargo rustc -p trimtab-informer --lib --profile test -- --cfg trimtab_loom`, then the program that it
//! builds. Each model has been seen failing without the line that its comment names. The store's own locks are
//! not loom's: none is held while a thread waits.

use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use loom::{
    model::Builder,
    sync::{Mutex, atomic::AtomicUsize},
    thread,
};
use tokio::time::Instant;
use trimtab_cache::{Change, Metadata, Object};

use crate::{
    error::Reporter,
    event::Event,
    handler::Handler,
    shared::Shared,
    sync::{AtomicBool, Ordering},
    waking::Waking,
};

/// Explores all schedules with at most three preemptions: enough for every two-party race, and
/// over within seconds.
fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Returns the shared state of a synced informer, with `a` at version 1.
fn synced() -> Arc<Shared<ConfigMap>> {
    let reporter = Reporter { description: "model".into(), callbacks: Vec::new() };
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

/// The events of a handler, as `+1` and `1>2`.
#[derive(Clone)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    fn join(shared: &Arc<Shared<ConfigMap>>) -> (Self, Handler) {
        let events = Self(Arc::new(Mutex::new(Vec::new())));
        let log = events.clone();
        let write = move |event: &Event<ConfigMap>| {
            let version = |object: &ConfigMap| object.metadata().resource_version().to_owned();
            log.0.lock().expect("no panic").push(match &event.change {
                Change::Added(new) => format!("+{}", version(new)),
                Change::Updated { old, new } => format!("{}>{}", version(old), version(new)),
                Change::Deleted(last) => format!("-{}", version(&last.object)),
                Change::Undecodable(_) | Change::UndecodableDeleted(_) => {
                    unreachable!("every object can be decoded")
                }
            });
        };
        (events, shared.add_handler(write, None))
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

/// Fails if `Registered::new` does not make the handler busy: a thread that changes the store then delivers its
/// event while the handler still receives the initial objects.
#[test]
fn a_handler_that_joins_receives_everything_in_order() {
    explore(|| {
        let shared = synced();
        let writer = applying(&shared, 2);
        let (events, _handler) = Events::join(&shared);
        writer.join().expect("no panic");
        let events = events.take();
        assert!(events == ["+1", "1>2"] || events == ["+2"], "{events:?}");
    });
}

/// Fails if `Shared::dispatch_to` queues events after it has released the lock. There are two writers for a moment
/// if an informer is started again before a stop was awaited.
#[test]
fn two_writers_are_delivered_in_the_order_of_the_store() {
    explore(|| {
        let shared = synced();
        let (events, _handler) = Events::join(&shared);
        assert_eq!(events.take(), ["+1"]);
        let other = applying(&shared, 2);
        shared.apply(0, Instant::now(), object(3));
        other.join().expect("no panic");
        let events = events.take();
        assert!(events == ["1>2", "2>3"] || events == ["1>3", "3>2"], "{events:?}");
    });
}

/// Fails if `Registered::next` checks the queue and clears `busy` under two separate locks: an event that is
/// added in between is then never delivered.
#[test]
fn no_event_is_left_in_the_queue() {
    explore(|| {
        let shared = synced();
        let (events, handler) = Events::join(&shared);
        let others = [applying(&shared, 2), applying(&shared, 3)];
        others.into_iter().for_each(|other| other.join().expect("no panic"));
        assert_eq!(events.take().len(), 3);
        assert!(handler.has_synced());
    });
}

/// A task, which counts its wake-ups.
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A frame comes from another thread while the task polls. Fails without the look at `WOKEN` when the poll ends, and
/// without the wake-up of the task.
#[test]
fn a_frame_that_comes_during_a_poll_is_read_or_wakes_the_task() {
    explore(|| {
        let (waking, task) = (Arc::new(Waking::new()), Arc::new(Task(AtomicUsize::new(0))));
        let has_frame = Arc::new(AtomicBool::new(false));
        let registered = Arc::new(Mutex::new(None::<Waker>));
        let connection = {
            let (has_frame, registered) = (has_frame.clone(), registered.clone());
            thread::spawn(move || {
                has_frame.store(true, Ordering::SeqCst);
                let waker = registered.lock().expect("a lock").take();
                waker.iter().for_each(Waker::wake_by_ref);
            })
        };
        let polled = waking.poll(&Context::from_waker(&Waker::from(task.clone())), |cx| {
            *registered.lock().expect("a lock") = Some(cx.waker().clone());
            if has_frame.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        });
        connection.join().expect("the connection's thread");
        assert!(polled.is_ready() || task.0.load(Ordering::SeqCst) > 0, "the frame is never read");
    });
}
