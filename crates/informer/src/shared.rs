//! [`Shared`]: the state that an informer's handles and reflectors share.
//!
//! `writes` changes the store, `malformed` treats what cannot be attributed, `dispatch` delivers the changes to handlers,
//! `joining` keeps the events with which they begin, `records` keeps the status.

use std::{collections::BTreeSet, sync::Arc};

use tokio::{
    sync::{Notify, watch},
    time::Duration,
};
use trimtab_cache::{Object, ObjectKey, Store, StoreWriter};

use crate::{
    delivery::Registered, error::Reporter, metrics::Metrics, shard::Shard, status::Record, sync::Mutex,
    unstarted::Unstarted, versions::Versions,
};

mod dispatch;
mod joining;
mod malformed;
mod records;
mod writes;

use joining::Joining;
use malformed::Warned;

pub(crate) struct Shared<T> {
    pub(crate) reporter: Reporter,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) shard: Option<Shard>,
    store: Store<T>,
    unstarted: Arc<Unstarted>,
    /// The resync period of handlers without a period of their own.
    resync: Option<Duration>,
    /// Notified when a handler with resyncs is added.
    resync_wanted: Notify,
    /// Lock order: this, then a handler's queue. Neither is held while a handler runs.
    inner: Mutex<Inner<T>>,
    progress: watch::Sender<Progress>,
    /// Called with the store's version after a change was delivered to the handlers.
    on_progress: Mutex<Arc<[Arc<OnProgress>]>>,
}

/// A function that takes the store's version.
type OnProgress = dyn Fn(&str) + Send + Sync;

struct Inner<T> {
    store: Joining<T>,
    /// In the order of registration. Each change makes a new list, so that delivery needs no lock.
    handlers: Arc<[Arc<Registered<T>>]>,
    /// One for each source.
    records: Vec<Record>,
    /// The versions of several sources. The store keeps the version of a single source.
    versions: Option<Versions>,
    malformed: u64,
    warned: Warned,
    audits: u64,
}

/// The progress of an informer, for tasks that wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Waiting,
    Synced,
    /// Before it synced.
    Stopped,
}

/// The store's objects of one source, at one version.
pub(crate) struct Held<T> {
    pub(crate) version: String,
    pub(crate) objects: Vec<Arc<T>>,
    /// Objects of which the store is known to be behind.
    pub(crate) undecodable: BTreeSet<ObjectKey>,
}

impl<T: Object> Shared<T> {
    /// Creates the state of an informer with one source for each of `namespaces`.
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
        let unstarted = Arc::new(Unstarted::new(reporter.description.clone()));
        writer.on_unfilled_read({
            let unstarted = unstarted.clone();
            move || unstarted.read()
        });
        let inner = Inner {
            store: Joining::new(writer),
            handlers: Arc::new([]),
            records: namespaces.into_iter().map(Record::new).collect(),
            versions,
            malformed: 0,
            warned: Warned::default(),
            audits: 0,
        };
        let progress = watch::Sender::new(Progress::Waiting);
        let (inner, resync_wanted) = (Mutex::new(inner), Notify::new());
        let on_progress = Mutex::new(Arc::from([]));
        Self {
            reporter,
            metrics,
            shard,
            store,
            unstarted,
            resync,
            resync_wanted,
            inner,
            progress,
            on_progress,
        }
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
}
