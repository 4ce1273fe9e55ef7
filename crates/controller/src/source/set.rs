//! [`SourceSet`]: the sources of a controller, which are added and removed also while it runs.

use std::sync::Arc;

use futures_util::future::{AbortHandle, Abortable, join_all};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{Activity, Connection, Driver, Source, SourceId};
use crate::{queue::KeyQueue, status::SourceStatus};

/// The sources of a controller.
#[derive(Default)]
pub(crate) struct SourceSet {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sources: Vec<Entry>,
    last_id: u64,
    live: Option<Live>,
    /// The number of the present or last run.
    run: u64,
}

/// The run to which sources are connected.
#[derive(Clone)]
struct Live {
    run: u64,
    queue: KeyQueue,
    drivers: mpsc::UnboundedSender<Driver>,
}

struct Entry {
    id: SourceId,
    source: Arc<dyn Source>,
    optional: bool,
    /// Held for its drop, while a run is connected.
    connection: Option<Guards>,
}

/// Ends a connection when it is dropped.
struct Guards {
    _source: Box<dyn Send + Sync>,
    driver: Option<AbortHandle>,
}

impl Drop for Guards {
    fn drop(&mut self) {
        if let Some(driver) = &self.driver {
            driver.abort();
        }
    }
}

impl SourceSet {
    /// Adds a source. While a run is connected, the source is started and connected at once.
    pub(crate) fn add(&self, source: impl Source + 'static, optional: bool) -> SourceId {
        let source: Arc<dyn Source> = Arc::new(source);
        let (id, live) = {
            let mut state = self.state.lock();
            state.last_id += 1;
            let id = SourceId(state.last_id);
            state.sources.push(Entry { id, source: source.clone(), optional, connection: None });
            (id, state.live.clone())
        };
        if let Some(live) = live {
            source.start();
            self.connect(&live, id, &source);
        }
        id
    }

    /// Removes a source: none of its later events queues a key. Returns whether it was there.
    pub(crate) fn remove(&self, id: SourceId) -> bool {
        let mut state = self.state.lock();
        let at = state.sources.iter().position(|entry| entry.id == id);
        let removed = at.map(|at| state.sources.remove(at));
        drop(state); // the drop of a source may run code of the user
        removed.is_some()
    }

    pub(crate) fn start(&self) {
        self.sources(|_| true).iter().for_each(|(_, source)| source.start());
    }

    /// Waits until every source that is not optional has synced. Returns `false` if one was stopped before.
    pub(crate) async fn wait_for_sync(&self) -> bool {
        let required = self.sources(|entry| !entry.optional);
        let synced = join_all(required.iter().map(|(_, source)| source.wait_for_sync())).await;
        synced.into_iter().all(|synced| synced)
    }

    /// Returns the sources for which [`wait_for_sync`](Self::wait_for_sync) still waits, with their errors.
    pub(crate) fn not_synced(&self) -> Vec<String> {
        let waiting = self.statuses().into_iter().filter(|source| !source.optional && !source.synced);
        let mut texts: Vec<_> = waiting
            .map(|source| match source.last_error {
                Some(error) => format!("{} ({error})", source.name),
                None => format!("{} ({})", source.name, source.phase),
            })
            .collect();
        texts.dedup();
        texts
    }

    /// Connects all sources, and those that are added later, to the queue of a run. Returns the futures that the run
    /// must poll.
    pub(crate) fn connect_all(
        self: &Arc<Self>,
        queue: &KeyQueue,
    ) -> (Connected, mpsc::UnboundedReceiver<Driver>) {
        let (drivers, receiver) = mpsc::unbounded_channel();
        let (live, sources) = {
            let mut state = self.state.lock();
            state.run += 1;
            let live = Live { run: state.run, queue: queue.clone(), drivers };
            state.live = Some(live.clone()); // a source that is added from here on connects itself
            let sources: Vec<_> =
                state.sources.iter().map(|entry| (entry.id, entry.source.clone())).collect();
            (live, sources)
        };
        let connected = Connected { set: self.clone(), run: live.run };
        sources.iter().for_each(|(id, source)| self.connect(&live, *id, source));
        (connected, receiver)
    }

    /// Connects one source. Without a lock, because it runs the functions of the user for every existing object.
    fn connect(&self, live: &Live, id: SourceId, source: &Arc<dyn Source>) {
        let Connection { guard, driver } = source.connect(live.queue.inlet(&source.name()));
        let abort = driver.map(|driver| {
            let (abort, registration) = AbortHandle::new_pair();
            let driver = Abortable::new(driver, registration);
            // A run that has ended polls no driver any more.
            _ = live.drivers.send(Box::pin(async { _ = driver.await }));
            abort
        });
        let guards = Guards { _source: guard, driver: abort };
        let mut state = self.state.lock();
        let is_live = state.live.as_ref().is_some_and(|now| now.run == live.run);
        let entry = state.sources.iter_mut().find(|entry| entry.id == id);
        let unused = match entry {
            Some(entry) if is_live => entry.connection.replace(guards),
            _ => Some(guards), // the source was removed meanwhile, or the run has ended
        };
        drop(state);
        drop(unused);
    }

    /// Queues the key of every existing object of the informers again.
    pub(crate) fn requeue_all(&self) {
        let live = self.state.lock().live.clone();
        if let Some(live) = live {
            for (_, source) in self.sources(|_| true) {
                source.requeue(live.queue.inlet(&source.name()));
            }
        }
    }

    pub(crate) fn statuses(&self) -> Vec<SourceStatus> {
        let entries: Vec<_> = {
            let state = self.state.lock();
            state.sources.iter().map(|entry| (entry.id, entry.source.clone(), entry.optional)).collect()
        };
        let status = |(id, source, optional): (SourceId, Arc<dyn Source>, bool)| {
            let Activity { synced, phase, last_error, failing_since, lag } = source.activity();
            SourceStatus {
                id,
                name: source.name().to_string(),
                optional,
                synced,
                phase,
                last_error,
                failing_since,
                lag,
            }
        };
        entries.into_iter().map(status).collect()
    }

    fn sources(&self, which: impl Fn(&Entry) -> bool) -> Vec<(SourceId, Arc<dyn Source>)> {
        let state = self.state.lock();
        let chosen = state.sources.iter().filter(|entry| which(entry));
        chosen.map(|entry| (entry.id, entry.source.clone())).collect()
    }
}

/// Disconnects all sources from the queue of a run when it is dropped.
pub(crate) struct Connected {
    set: Arc<SourceSet>,
    run: u64,
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut state = self.set.state.lock();
        if state.live.as_ref().is_none_or(|live| live.run != self.run) {
            return;
        }
        state.live = None;
        let connections: Vec<_> =
            state.sources.iter_mut().filter_map(|entry| entry.connection.take()).collect();
        drop(state);
        drop(connections);
    }
}
