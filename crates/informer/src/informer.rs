//! [`Informer`]: a handle to a store that follows one kind.

use std::{fmt, hash::Hash, sync::Arc};

use futures_util::future::join_all;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::{
    task::JoinHandle,
    time::{Duration, Instant, sleep_until},
};
use trimtab_cache::{Index, Object, ObjectKey, Store};

use crate::{
    config::{self, ReflectorConfig},
    event::Event,
    handler::Handler,
    reflector::Reflector,
    selection::Selection,
    shared::{Progress, Shared},
    source::Source,
    status::{InformerSummary, Status},
    subscription::Subscription,
};

/// Keeps a [`Store`] equal to the API server's objects of one kind and calls handlers for each change.
///
/// A handle: clones refer to the same informer, and dropping the last one stops it. `T` is a whole type such
/// as `Pod`, or a view of one; see [`Object`].
pub struct Informer<T> {
    pub(crate) owner: Arc<Owner<T>>,
}

/// The owner of the task: [`stop`](Informer::stop) ends the task and awaits it, a drop ends it.
pub(crate) struct Owner<T> {
    shared: Arc<Shared<T>>,
    /// One for each followed namespace, or one for all namespaces.
    sources: Vec<Arc<Source>>,
    target: Target,
    config: ReflectorConfig,
    /// Lock order: this, then those of `shared`.
    task: Mutex<Option<JoinHandle<()>>>,
}

/// The objects that an informer follows.
pub(crate) struct Target {
    /// The plural name and the group, such as `pods` or `replicasets.apps`.
    pub(crate) resource: String,
    pub(crate) selection: Selection,
}

impl<T: Object> Informer<T> {
    pub(crate) fn new(
        shared: Shared<T>,
        sources: Vec<Source>,
        target: Target,
        config: ReflectorConfig,
    ) -> Self {
        let sources = sources.into_iter().map(Arc::new).collect();
        let (shared, task) = (Arc::new(shared), Mutex::default());
        Self { owner: Arc::new(Owner { shared, sources, target, config, task }) }
    }

    /// Returns the kind, form and namespaces that the informer follows, for logs: `replicasets.apps (SetView) in
    /// default`.
    pub fn description(&self) -> &str {
        &self.owner.shared.reporter.description
    }

    /// Returns the objects as the server last sent them. Empty until the first list is complete.
    pub fn store(&self) -> &Store<T> {
        self.owner.shared.store()
    }

    /// Adds an index to the store: [`Store::add_index`].
    pub fn add_index<V, I, F>(&self, name: &str, function: F) -> Index<T, V>
    where
        F: Fn(&T) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = V> + 'static,
        V: Hash + Eq + Clone + Send + Sync + 'static,
    {
        self.store().add_index(name, function)
    }

    /// Calls `handler` for every later change, after the store has applied it.
    ///
    /// The handler first receives each object of the store as an addition, before this call returns. It
    /// misses no change and receives none twice. Calls do not overlap, and handlers are called in the
    /// order of their registration. A handler that panics is reported and called again for the next event.
    /// A slow handler delays its informer: put a key in a queue and do the work elsewhere.
    ///
    /// A handler that holds this informer keeps it running; let it hold the store instead.
    pub fn on_change(&self, handler: impl Fn(&Event<T>) + Send + Sync + 'static) -> Handler {
        self.handler().on_change(handler)
    }

    /// Builds a handler or a subscription with settings of its own.
    pub fn handler(&self) -> HandlerBuilder<'_, T> {
        HandlerBuilder { informer: self, resync: None }
    }

    /// Returns the changes of the store as a stream, for a subscriber that may be slow. It begins with the objects of
    /// the store.
    ///
    /// Dropping the subscription ends it.
    pub fn subscribe(&self) -> Subscription<T> {
        self.handler().subscribe()
    }

    /// Calls `function` with the store's resource version after each event, relist and bookmark, once the handlers
    /// have received every change up to that version.
    ///
    /// For keys that wait until the cache has reached a version: a bookmark moves the version without a change
    /// for the handlers. The function is called as long as the informer lives, and must return quickly.
    pub fn on_progress(&self, function: impl Fn(&str) + Send + Sync + 'static) {
        self.owner.shared.add_on_progress(function);
    }

    /// Returns whether the newest state of the object could not be decoded. The store then has the object's last
    /// decoded state, or none, and its metadata
    /// ([`Store::undecodable`](trimtab_cache::Store::undecodable)). [`Status::undecodable`] has the reason.
    pub fn is_outdated(&self, key: &ObjectKey) -> bool {
        self.owner.shared.is_outdated(key)
    }

    /// Returns whether the first list is in the store. Handlers may still be receiving it.
    pub fn has_synced(&self) -> bool {
        self.owner.shared.has_synced()
    }

    /// Waits until the informer [has synced](Self::has_synced); `false` if it was stopped before.
    ///
    /// Waits as long as the informer has not been started or cannot reach the server; see
    /// [`status`](Self::status).
    ///
    /// # Cancel safety
    ///
    /// A `wait_for_sync` dropped before it completes has changed nothing.
    pub async fn wait_for_sync(&self) -> bool {
        let mut progress = self.owner.shared.progress();
        let settled = progress.wait_for(|progress| *progress != Progress::Waiting).await;
        settled.is_ok_and(|progress| *progress == Progress::Synced)
    }

    /// Returns the informer's present state.
    pub fn status(&self) -> Status {
        let received = self.owner.sources.iter().map(|source| source.received());
        self.owner.shared.status(received.sum())
    }

    /// Returns the followed objects and the present state, without the type of the objects.
    pub fn summary(&self) -> InformerSummary {
        let Target { resource, selection } = &self.owner.target;
        InformerSummary {
            description: self.description().to_owned(),
            resource: resource.clone(),
            selection: selection.clone(),
            status: self.status(),
        }
    }

    /// Stops following the server and waits until the informer's task has ended. The store keeps its
    /// objects, and [`start`](Self::start) continues from there.
    ///
    /// # Cancel safety
    ///
    /// A `stop` dropped before it completes has stopped the informer but has not waited.
    pub async fn stop(&self) {
        let task = self.owner.task.lock().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await; // it ends only by being aborted
        }
        // Another thread may have started the informer again. Under the lock, so that none does before `stopped`.
        let task = self.owner.task.lock();
        if task.is_none() {
            self.owner.shared.stopped();
        }
    }
}

impl<T: Object + DeserializeOwned> Informer<T> {
    /// Starts to follow the server in a task of its own. Does nothing if the informer runs already.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(&self) {
        let mut task = self.owner.task.lock();
        if task.is_none() {
            self.owner.shared.started();
            let Owner { shared, sources, config, .. } = &*self.owner;
            let reflector = |(number, source): (usize, &Arc<Source>)| {
                Reflector::new(shared.clone(), source.clone(), number, *config).run()
            };
            let reflectors = join_all(sources.iter().enumerate().map(reflector));
            let resyncs = resyncs(shared.clone());
            *task = Some(tokio::spawn(async move {
                tokio::select! {
                    // In this order: a constant flow of events must not postpone a resync.
                    biased;
                    () = resyncs => {}
                    _ = reflectors => {}
                }
            }));
        }
    }
}

/// Runs the resyncs of all handlers, forever. It shares a task with the reflectors, so that the two never
/// deliver at the same time.
async fn resyncs<T: Object>(shared: Arc<Shared<T>>) {
    loop {
        let due = shared.next_resync();
        let pause = async {
            match due {
                Some(time) => sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased; // a resync that is due comes first; by chance, a simulation could not be replayed
            () = pause => shared.resync(Instant::now()),
            // A permit is kept for a handler that was added between the check above and here.
            () = shared.resync_wanted().notified() => {}
        }
    }
}

/// Registers a handler or a subscription; see [`Informer::handler`].
#[must_use]
pub struct HandlerBuilder<'a, T> {
    informer: &'a Informer<T>,
    resync: Option<Duration>,
}

impl<T: Object> HandlerBuilder<'_, T> {
    /// Delivers every object again after each `period` since the registration, instead of the informer's
    /// resync period. The shortest period is one second.
    pub fn resync(mut self, period: Duration) -> Self {
        self.resync = Some(config::period(period));
        self
    }

    /// Registers a handler; see [`Informer::on_change`].
    pub fn on_change(self, handler: impl Fn(&Event<T>) + Send + Sync + 'static) -> Handler {
        self.informer.owner.shared.add_handler(handler, self.resync)
    }

    /// Registers a subscription; see [`Informer::subscribe`].
    pub fn subscribe(self) -> Subscription<T> {
        Subscription::new(|handler| self.on_change(handler))
    }
}

impl<T> fmt::Debug for HandlerBuilder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerBuilder").field("resync", &self.resync).finish_non_exhaustive()
    }
}

impl<T> Drop for Owner<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut() {
            task.abort();
        }
    }
}

impl<T> Clone for Informer<T> {
    fn clone(&self) -> Self {
        Self { owner: self.owner.clone() }
    }
}

impl<T> fmt::Debug for Informer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Informer").field(&self.owner.shared.reporter.description).finish()
    }
}
