//! [`Informer`]: the handle by which a kind is followed.

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
    Event, Handler, Status, Subscription,
    builder::LEAST_PERIOD,
    reflector::{Reflector, ReflectorConfig},
    shared::{Progress, Shared},
    source::Source,
};

/// Keeps a [`Store`] equal to what the API server has of one kind, and tells handlers what changed.
///
/// A handle: clones are of the same informer, and dropping the last stops it. `T` is a whole type such
/// as `Pod`, or a view of one; see [`Object`].
pub struct Informer<T> {
    pub(crate) owner: Arc<Owner<T>>,
}

/// Owns the task: [`stop`](Informer::stop) ends and awaits it, dropping this ends it.
pub(crate) struct Owner<T> {
    shared: Arc<Shared<T>>,
    /// One for each namespace that is followed, or one for all.
    sources: Vec<Arc<Source>>,
    config: ReflectorConfig,
    /// Lock order: this, then those of `shared`.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl<T: Object> Informer<T> {
    pub(crate) fn new(shared: Shared<T>, sources: Vec<Source>, config: ReflectorConfig) -> Self {
        let sources = sources.into_iter().map(Arc::new).collect();
        let (shared, task) = (Arc::new(shared), Mutex::default());
        Self { owner: Arc::new(Owner { shared, sources, config, task }) }
    }

    /// Which kind it follows, in which form and where, for logs.
    pub fn name(&self) -> &str {
        &self.owner.shared.reporter.name
    }

    /// The objects, as the server last told them. Empty until the first list has come.
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

    /// Calls `handler` for every change from now on, after the store has made it.
    ///
    /// If there are objects already, it is first told of each as an addition, before this returns; it
    /// misses no change and is told none twice. Calls come one after the other, and handlers in the
    /// order of their registration. A handler that panics is reported and called for the next event.
    /// A handler that takes long holds up its informer: put a key in a queue, and work elsewhere.
    ///
    /// A handler that holds this informer keeps it running: let it hold the store instead.
    pub fn on_change(&self, handler: impl Fn(&Event<T>) + Send + Sync + 'static) -> Handler {
        self.handler().on_change(handler)
    }

    /// A handler or a subscription with settings of its own.
    pub fn handler(&self) -> HandlerBuilder<'_, T> {
        HandlerBuilder { informer: self, resync: None }
    }

    /// The changes of the store, beginning with what is there, to be taken by somebody who may be slow.
    ///
    /// Dropping the subscription ends it.
    pub fn subscribe(&self) -> Subscription<T> {
        self.handler().subscribe()
    }

    /// Calls `function` with the store's resource version whenever that has moved: after an event, a relist
    /// or a bookmark, when the handlers have been told of everything up to it.
    ///
    /// For keys that wait until the cache has reached a version: a bookmark moves it without any change that
    /// a handler would be told. The function stays for as long as the informer lives, and must return soon.
    pub fn on_progress(&self, function: impl Fn(&str) + Send + Sync + 'static) {
        self.owner.shared.add_on_progress(function);
    }

    /// Whether the newest state of the object could not be decoded, so that the store is behind with it:
    /// it has the last state that could, or none. [`Status::undecodable`] says why.
    pub fn is_outdated(&self, key: &ObjectKey) -> bool {
        self.owner.shared.is_outdated(key)
    }

    /// Whether the store has been filled: the first list is in, and handlers are being told of it.
    pub fn has_synced(&self) -> bool {
        self.owner.shared.has_synced()
    }

    /// Waits until the informer [has synced](Self::has_synced); `false` if it was stopped before.
    ///
    /// Waits for as long as the informer is not started or the server cannot be reached:
    /// [`status`](Self::status) says which.
    ///
    /// # Cancel safety
    ///
    /// Waiting changes nothing.
    pub async fn wait_for_sync(&self) -> bool {
        let mut progress = self.owner.shared.progress();
        let settled = progress.wait_for(|progress| *progress != Progress::Waiting).await;
        settled.is_ok_and(|progress| *progress == Progress::Synced)
    }

    /// How it is doing.
    pub fn status(&self) -> Status {
        let received = self.owner.sources.iter().map(|source| source.received());
        self.owner.shared.status(received.sum())
    }

    /// Stops following the server, and waits until nothing of it runs any more. What the store holds
    /// stays. [`start`](Self::start) goes on from there.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, it has stopped the informer, but not waited.
    pub async fn stop(&self) {
        let task = self.owner.task.lock().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await; // its only way to end is being aborted
        }
        // Somebody may have started it again meanwhile. Locked, so that nobody does between the look and the note.
        let task = self.owner.task.lock();
        if task.is_none() {
            self.owner.shared.stopped();
        }
    }
}

impl<T: Object + DeserializeOwned> Informer<T> {
    /// Starts to follow the server, in a task of its own; does nothing if it does so already.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
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
                    // In this order, lest a resync be put off for as long as events keep coming.
                    biased;
                    () = resyncs => {}
                    _ = reflectors => {}
                }
            }));
        }
    }
}

/// Tells handlers every object again, whenever it is time for one. Runs for ever, beside the reflectors and
/// on their task, so that the two never tell at the same time.
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
            () = pause => shared.resync(Instant::now()),
            // A permit is kept for a handler that came between the look above and here.
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
    /// Tells this one the state of every object again, each time that so long has passed since it was
    /// registered, whatever the informer's period is. A period under a second counts as one.
    pub fn resync(mut self, period: Duration) -> Self {
        self.resync = Some(period.max(LEAST_PERIOD));
        self
    }

    /// As [`Informer::on_change`].
    pub fn on_change(self, handler: impl Fn(&Event<T>) + Send + Sync + 'static) -> Handler {
        self.informer.owner.shared.add_handler(handler, self.resync)
    }

    /// As [`Informer::subscribe`].
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
        f.debug_tuple("Informer").field(&self.owner.shared.reporter.name).finish()
    }
}
