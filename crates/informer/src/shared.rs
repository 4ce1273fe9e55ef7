//! [`Shared`]: what the handles of an informer and its reflector have in common. Here the store changes,
//! and handlers are told of it.

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::watch, time::Instant};
use trimtab_cache::{Change, Object, Store, StoreWriter};

use crate::{
    Event, Handler, Phase, SourceError, Status,
    filling::Filling,
    handler::{Batch, Registered},
    source::watch::Undecodable,
    status::Record,
};

pub(crate) struct Shared<T> {
    /// For logs: which kind, in which form, which part of it.
    pub(crate) name: Arc<str>,
    store: Store<T>,
    /// Lock order: this, then a handler's queue. Neither is held while a handler runs.
    inner: Mutex<Inner<T>>,
    progress: watch::Sender<Progress>,
}

struct Inner<T> {
    writer: StoreWriter<T>,
    /// In the order of registration; a new one for each change, so that delivery needs no lock.
    handlers: Arc<[Arc<Registered<T>>]>,
    record: Record,
}

/// How far an informer has come, for those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Waiting,
    Synced,
    /// Before it synced.
    Stopped,
}

impl<T: Object> Shared<T> {
    pub(crate) fn new(name: Arc<str>) -> Self {
        let writer = StoreWriter::new();
        let store = writer.store().clone();
        let inner = Inner { writer, handlers: Arc::new([]), record: Record::new() };
        Self { name, store, inner: Mutex::new(inner), progress: watch::Sender::new(Progress::Waiting) }
    }

    pub(crate) fn store(&self) -> &Store<T> {
        &self.store
    }

    pub(crate) fn has_synced(&self) -> bool {
        *self.progress.borrow() == Progress::Synced
    }

    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Begins with the next contents of the store.
    pub(crate) fn filling(&self) -> Filling<T> {
        Filling::new(self.name.clone(), self.inner.lock().writer.replacement())
    }

    /// Puts a list in the place of what the store held.
    pub(crate) fn replace(&self, filling: Filling<T>, version: &str) {
        let Filling { replacement, undecodable, .. } = filling;
        let mut inner = self.inner.lock();
        let initial = !self.has_synced();
        let changes = inner.writer.commit(replacement, version);
        inner.record.lists += 1;
        inner.record.undecodable = undecodable;
        let events = changes.into_iter().map(|change| Event::new(change, initial)).collect();
        // Before the handlers are told: one of them may ask.
        self.progress
            .send_if_modified(|progress| std::mem::replace(progress, Progress::Synced) != Progress::Synced);
        self.tell(inner, Batch { events, ends_initial: initial });
    }

    /// Takes over an object that the server told of.
    pub(crate) fn apply(&self, now: Instant, mut object: T) {
        object.prune();
        let mut inner = self.inner.lock();
        inner.record.note_event(now);
        if !inner.record.undecodable.is_empty() {
            inner.record.undecodable.remove(&object.key());
        }
        let change = inner.writer.apply(object);
        self.tell_one(inner, change);
    }

    /// Removes an object of which the server told the end.
    pub(crate) fn delete(&self, now: Instant, mut last: T) {
        last.prune();
        let key = last.key();
        let mut inner = self.inner.lock();
        inner.record.note_event(now);
        inner.record.undecodable.remove(&key);
        if let Some(change) = inner.writer.delete(&key, Some(last)) {
            self.tell_one(inner, change);
        }
    }

    /// Notes that an object is not what the store says, nor can be said what it is.
    pub(crate) fn undecodable(&self, now: Instant, wrong: Undecodable) {
        tracing::warn!(informer = &*self.name, key = %wrong.key, error = %wrong.reason, "object cannot be decoded");
        let mut inner = self.inner.lock();
        inner.record.note_event(now);
        let change = if wrong.deleted {
            inner.record.undecodable.remove(&wrong.key);
            inner.writer.delete(&wrong.key, None)
        } else {
            inner.record.undecodable.insert(wrong.key, wrong.reason.to_string());
            None
        };
        inner.writer.bookmark(&wrong.version);
        if let Some(change) = change {
            self.tell_one(inner, change);
        }
    }

    /// Notes that nothing more has changed up to `version`.
    pub(crate) fn bookmark(&self, now: Instant, version: &str) {
        let mut inner = self.inner.lock();
        inner.record.last_event = Some(now);
        inner.writer.bookmark(version);
    }

    /// Tells handlers the state of every object again.
    pub(crate) fn resync(&self) {
        let inner = self.inner.lock();
        let again = |object: Arc<T>| Event::new(Change::Updated { old: object.clone(), new: object }, false);
        let events = self.store.list().into_iter().map(again).collect();
        self.tell(inner, Batch { events, ends_initial: false });
    }

    /// Adds a handler and tells it what the store holds, on the calling thread.
    pub(crate) fn add_handler(
        self: &Arc<Self>,
        function: impl Fn(&Event<T>) + Send + Sync + 'static,
    ) -> Handler {
        let registered = Arc::new(Registered::new(function));
        {
            let mut inner = self.inner.lock();
            if self.has_synced() {
                // Under the lock: an event that comes now is either in the store already or queued
                // behind these; it is never in neither, nor in both.
                let events = self.store.list().into_iter();
                let events = events.map(|object| Event::new(Change::Added(object), true)).collect();
                registered.enqueue(Arc::new(Batch { events, ends_initial: true }));
            }
            inner.handlers = inner.handlers.iter().chain([&registered]).cloned().collect();
        }
        registered.deliver_initial(&self.name);
        Handler::new(self, &registered)
    }

    pub(crate) fn remove_handler(&self, registered: &Arc<Registered<T>>) {
        let mut inner = self.inner.lock();
        let others = inner.handlers.iter().filter(|other| !Arc::ptr_eq(other, registered));
        let others = others.cloned().collect();
        let before = std::mem::replace(&mut inner.handlers, others);
        drop(inner);
        drop(before); // outside the lock: it may hold the last handle on something of the user's
    }

    pub(crate) fn status(&self, bytes: u64) -> Status {
        let inner = self.inner.lock();
        let record = &inner.record;
        Status {
            phase: record.phase,
            synced: self.has_synced(),
            last_error: record.last_error.clone(),
            failing_since: record.failing_since,
            restarts: record.restarts,
            lists: record.lists,
            watches: record.watches,
            events: record.events,
            last_event: record.last_event,
            bytes,
            objects: self.store.len(),
            undecodable: record.undecodable.clone(),
        }
    }

    /// How many events the server has sent.
    pub(crate) fn events(&self) -> u64 {
        self.inner.lock().record.events
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.inner.lock().record.phase = phase;
    }

    pub(crate) fn watch_opened(&self) {
        let mut inner = self.inner.lock();
        inner.record.phase = Phase::Watching;
        inner.record.watches += 1;
        inner.record.failing_since = None;
    }

    /// Notes a failure, after which nothing is tried for `wait`.
    pub(crate) fn failed(&self, now: Instant, error: SourceError, wait: Duration) {
        let error = Arc::new(error);
        let mut inner = self.inner.lock();
        let (record, until) = (&mut inner.record, now + wait);
        record.phase =
            if error.is_not_served() { Phase::NotServed { until } } else { Phase::Waiting { until } };
        record.restarts += 1;
        record.failing_since.get_or_insert(now);
        record.last_error = Some(error);
    }

    pub(crate) fn started(&self) {
        self.progress.send_if_modified(|progress| {
            let stopped = *progress == Progress::Stopped;
            *progress = if stopped { Progress::Waiting } else { *progress };
            stopped
        });
    }

    pub(crate) fn stopped(&self) {
        self.enter(Phase::Stopped);
        self.progress.send_if_modified(|progress| {
            let waiting = *progress == Progress::Waiting;
            *progress = if waiting { Progress::Stopped } else { *progress };
            waiting
        });
    }

    fn tell_one(&self, inner: MutexGuard<'_, Inner<T>>, change: Change<T>) {
        self.tell(inner, Batch { events: vec![Event::new(change, false)], ends_initial: false });
    }

    /// Queues events while the change that they tell of is still under the lock, so that all handlers
    /// are told all changes in the order of the store; delivers them without it.
    fn tell(&self, inner: MutexGuard<'_, Inner<T>>, batch: Batch<T>) {
        let batch = Arc::new(batch);
        let handlers = inner.handlers.clone();
        for handler in &*handlers {
            handler.enqueue(batch.clone());
        }
        drop(inner);
        for handler in &*handlers {
            handler.deliver(&self.name);
        }
    }
}
