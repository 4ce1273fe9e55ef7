//! [`Shared`]: what the handles of an informer and its reflectors have in common. Here the store changes,
//! and handlers are told of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{
    sync::{Notify, watch},
    time::{Duration, Instant},
};
use trimtab_cache::{Change, Object, ObjectKey, Store, StoreWriter};

use crate::{
    Event, Handler, InformerError, Shard,
    error::Reporter,
    handler::{Batch, Registered},
    metrics::Metrics,
    relist_buffer::RelistBuffer,
    source::watch::Undecodable,
    status::Record,
    sync::{Mutex, MutexGuard},
    versions::Versions,
};

mod notes;

pub(crate) struct Shared<T> {
    pub(crate) reporter: Reporter,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) shard: Option<Shard>,
    store: Store<T>,
    /// How often handlers are told every object again that do not say.
    resync: Option<Duration>,
    /// Told when a handler comes that wants to be told every object again.
    resync_wanted: Notify,
    /// Lock order: this, then a handler's queue. Neither is held while a handler runs.
    inner: Mutex<Inner<T>>,
    progress: watch::Sender<Progress>,
    /// Called with the store's version after it has moved and the handlers were told.
    on_progress: Mutex<Arc<[Arc<OnProgress>]>>,
}

/// A function that takes the store's version.
type OnProgress = dyn Fn(&str) + Send + Sync;

struct Inner<T> {
    writer: StoreWriter<T>,
    /// In the order of registration; a new one for each change, so that delivery needs no lock.
    handlers: Arc<[Arc<Registered<T>>]>,
    /// One for each source.
    records: Vec<Record>,
    /// Of several sources; the store keeps the version of a single one itself.
    versions: Option<Versions>,
    undecodable: BTreeMap<ObjectKey, String>,
    audits: u64,
}

/// How far an informer has come, for those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Waiting,
    Synced,
    /// Before it synced.
    Stopped,
}

/// What a store holds of one source, at one version.
pub(crate) struct Held<T> {
    pub(crate) version: String,
    pub(crate) objects: Vec<Arc<T>>,
    /// Of these it is known that the store is behind.
    pub(crate) undecodable: BTreeSet<ObjectKey>,
}

impl<T: Object> Shared<T> {
    /// Of one source, or of one in each namespace.
    pub(crate) fn new(
        reporter: Reporter,
        metrics: Option<Metrics>,
        shard: Option<Shard>,
        resync: Option<Duration>,
        namespaces: Vec<Option<String>>,
    ) -> Self {
        let versions = (namespaces.len() > 1).then(|| Versions::new(namespaces.len()));
        let writer = if versions.is_some() { StoreWriter::by_bookmark() } else { StoreWriter::new() };
        let store = writer.store().clone();
        let inner = Inner {
            writer,
            handlers: Arc::new([]),
            records: namespaces.into_iter().map(Record::new).collect(),
            versions,
            undecodable: BTreeMap::new(),
            audits: 0,
        };
        let progress = watch::Sender::new(Progress::Waiting);
        let (inner, resync_wanted) = (Mutex::new(inner), Notify::new());
        let on_progress = Mutex::new(Arc::from([]));
        Self { reporter, metrics, shard, store, resync, resync_wanted, inner, progress, on_progress }
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
    pub(crate) fn relist(&self) -> RelistBuffer<T> {
        RelistBuffer::new(self.inner.lock().writer.replacement(), self.shard.clone())
    }

    /// Puts a source's list in the place of what the store held of it.
    pub(crate) fn replace(&self, source: usize, now: Instant, relist: RelistBuffer<T>, version: &str) {
        let RelistBuffer { mut replacement, mut undecodable, .. } = relist;
        let troubles: Vec<_> = undecodable
            .iter()
            .map(|(key, reason)| InformerError::Undecodable { key: key.clone(), reason: reason.clone() })
            .collect();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        if inner.versions.is_some() {
            let own = inner.records[source].status.namespace.as_deref();
            let is_others = |key: &ObjectKey| key.namespace() != own;
            self.store.keys().iter().filter(|key| is_others(key)).for_each(|key| {
                replacement.keep(key);
            });
            let others = std::mem::take(&mut inner.undecodable).into_iter();
            undecodable.extend(others.filter(|(key, _)| is_others(key)));
        }
        inner.undecodable = undecodable;
        let record = &mut inner.records[source];
        let initial = !record.status.synced;
        record.lists += 1;
        record.status.synced = true;
        record.status.last_heard = Some(now);
        let changes = inner.writer.commit(replacement, version);
        self.arrived(inner, source, version);
        if let Some(metrics) = &self.metrics {
            metrics.undecodable(inner.undecodable.len());
        }
        let ends_initial = !self.has_synced() && inner.records.iter().all(|record| record.status.synced);
        if ends_initial {
            // Before the handlers are told: one of them may ask.
            self.progress.send_replace(Progress::Synced);
        }
        let events = changes.into_iter().map(|change| Event::new(change, initial)).collect();
        self.tell(guard, Batch { events, ends_initial });
        self.report_progress();
        troubles.iter().for_each(|trouble| self.reporter.report(trouble));
    }

    /// Takes over an object that the server told of.
    pub(crate) fn apply(&self, source: usize, now: Instant, mut object: T) {
        use trimtab_cache::Metadata;

        object.prune();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        inner.records[source].note_event(now);
        if !inner.undecodable.is_empty() {
            self.decodable(inner, &object.key());
        }
        let change = inner.writer.apply(object);
        self.arrived(inner, source, change.object().metadata().resource_version());
        self.tell_one(guard, change);
        self.report_progress();
    }

    /// Removes an object of which the server told the end.
    pub(crate) fn delete(&self, source: usize, now: Instant, mut last: T) {
        use trimtab_cache::Metadata;

        last.prune();
        let (key, version) = (last.key(), last.metadata().resource_version().to_owned());
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        inner.records[source].note_event(now);
        self.decodable(inner, &key);
        let change = inner.writer.delete(&key, Some(last));
        self.arrived(inner, source, &version);
        match change {
            Some(change) => self.tell_one(guard, change),
            None => drop(guard),
        }
        self.report_progress();
    }

    /// Notes that an object is not what the store says, nor can be said what it is.
    pub(crate) fn undecodable(&self, source: usize, now: Instant, wrong: Undecodable) {
        let Undecodable { key, version, deleted, reason } = wrong;
        let reason = reason.to_string();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        inner.records[source].note_event(now);
        let change = if deleted {
            inner.undecodable.remove(&key);
            inner.writer.delete(&key, None)
        } else {
            inner.undecodable.insert(key.clone(), reason.clone());
            None
        };
        if inner.versions.is_none() {
            inner.writer.bookmark(&version);
        }
        self.arrived(inner, source, &version);
        if let Some(metrics) = &self.metrics {
            metrics.undecodable(inner.undecodable.len());
        }
        if let Some(change) = change {
            self.tell_one(guard, change);
        } else {
            drop(guard);
        }
        self.report_progress();
        self.reporter.report(&InformerError::Undecodable { key, reason });
    }

    /// Notes that the store is behind with an object no longer, if it was.
    fn decodable(&self, inner: &mut Inner<T>, key: &ObjectKey) {
        if inner.undecodable.remove(key).is_some()
            && let Some(metrics) = &self.metrics
        {
            metrics.undecodable(inner.undecodable.len());
        }
    }

    /// Notes that nothing more has changed up to `version`.
    pub(crate) fn bookmark(&self, source: usize, now: Instant, version: &str) {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        inner.records[source].note_bookmark(now);
        if inner.versions.is_none() {
            inner.writer.bookmark(version);
        }
        self.arrived(inner, source, version);
        drop(guard);
        self.report_progress();
    }

    /// Tells every object again to those handlers that are to be told so by now.
    pub(crate) fn resync(&self, now: Instant) {
        let inner = self.inner.lock();
        let due: Vec<_> =
            inner.handlers.iter().filter(|handler| handler.takes_resync(now)).cloned().collect();
        if due.is_empty() || !self.has_synced() {
            return;
        }
        let again = |object: Arc<T>| Event::new(Change::Updated { old: object.clone(), new: object }, false);
        let events = self.store.list().into_iter().map(again).collect();
        self.tell_these(inner, &due, Batch { events, ends_initial: false });
    }

    /// When the next resync is due, of whichever handler.
    pub(crate) fn next_resync(&self) -> Option<Instant> {
        self.inner.lock().handlers.iter().filter_map(|handler| handler.next_resync()).min()
    }

    /// Told when a handler comes that wants resyncs; a permit waits for who was not listening.
    pub(crate) fn resync_wanted(&self) -> &Notify {
        &self.resync_wanted
    }

    /// Adds a handler and tells it what the store holds, on the calling thread.
    pub(crate) fn add_handler(
        self: &Arc<Self>,
        function: impl Fn(&Event<T>) + Send + Sync + 'static,
        resync: Option<Duration>,
    ) -> Handler {
        let registered = Arc::new(Registered::new(function, resync.or(self.resync)));
        {
            let mut inner = self.inner.lock();
            let has_synced = self.has_synced();
            if has_synced || !self.store.is_empty() {
                // Under the lock: an event that comes now is either in the store already or queued
                // behind these; it is never in neither, nor in both.
                let events = self.store.list().into_iter();
                let events = events.map(|object| Event::new(Change::Added(object), true)).collect();
                registered.enqueue(Arc::new(Batch { events, ends_initial: has_synced }));
            }
            inner.handlers = inner.handlers.iter().chain([&registered]).cloned().collect();
        }
        self.resync_wanted.notify_one();
        registered.deliver_initial(&self.reporter);
        Handler::new(self, &registered)
    }

    /// Calls `function` from now on whenever the store's version has moved.
    pub(crate) fn add_on_progress(&self, function: impl Fn(&str) + Send + Sync + 'static) {
        let function: Arc<OnProgress> = Arc::new(function);
        let mut functions = self.on_progress.lock();
        *functions = functions.iter().chain([&function]).cloned().collect();
    }

    /// Reports the store's version. No lock is held, and the handlers were told of everything up to it.
    fn report_progress(&self) {
        let functions = self.on_progress.lock().clone();
        if !functions.is_empty()
            && let Some(version) = self.store.resource_version()
        {
            functions.iter().for_each(|function| function(&version));
        }
    }

    pub(crate) fn remove_handler(&self, registered: &Arc<Registered<T>>) {
        let mut inner = self.inner.lock();
        let others = inner.handlers.iter().filter(|other| !Arc::ptr_eq(other, registered));
        let others = others.cloned().collect();
        let before = std::mem::replace(&mut inner.handlers, others);
        drop(inner);
        drop(before); // outside the lock: it may hold the last handle on something of the user's
    }

    /// Notes that a source was followed up to `version`, after the store was.
    fn arrived(&self, inner: &mut Inner<T>, source: usize, version: &str) {
        if version.is_empty() {
            return; // an object without metadata says nothing about versions
        }
        if let Some(versions) = &mut inner.versions {
            let held = inner.records[source].status.resource_version.get_or_insert_default();
            held.clear();
            held.push_str(version); // in place: no allocation for an event
            if let Some(least) = versions.note(source, version) {
                inner.writer.bookmark(&least.to_string());
            }
        }
        if let Some(metrics) = &self.metrics {
            metrics.versions(version, &self.store.resource_version().unwrap_or_default());
        }
    }

    fn tell_one(&self, inner: MutexGuard<'_, Inner<T>>, change: Change<T>) {
        self.tell(inner, Batch { events: vec![Event::new(change, false)], ends_initial: false });
    }

    fn tell(&self, inner: MutexGuard<'_, Inner<T>>, batch: Batch<T>) {
        let handlers = inner.handlers.clone();
        self.tell_these(inner, &handlers, batch);
    }

    /// Queues events while the change that they tell of is still under the lock, so that all handlers
    /// are told all changes in the order of the store; delivers them without it. Modelled by
    /// `loom_tests::two_who_change_the_store_are_told_of_in_its_order`: after a `stop` that was not
    /// awaited, the old task may still be at its last event when the next one begins.
    fn tell_these(&self, inner: MutexGuard<'_, Inner<T>>, handlers: &[Arc<Registered<T>>], batch: Batch<T>) {
        let batch = Arc::new(batch);
        for handler in handlers {
            handler.enqueue(batch.clone());
        }
        drop(inner);
        let begun = self.metrics.as_ref().map(|metrics| (metrics, Instant::now()));
        for handler in handlers {
            handler.deliver(&self.reporter);
        }
        if let Some((metrics, begun)) = begun {
            metrics.handled(begun.elapsed());
        }
    }
}
