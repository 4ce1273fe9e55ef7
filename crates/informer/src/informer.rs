//! [`Informer`]: the handle by which a kind is followed.

use std::{any::type_name, fmt, hash::Hash, sync::Arc};

use futures_util::future::join_all;
use kube_client::{Client, Resource};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::{
    task::JoinHandle,
    time::{Duration, Instant, sleep_until},
};
use trimtab_cache::{Index, ManagedFields, Object, ObjectKey, Store};

use crate::{
    Event, Handler, Selection, Status, Subscription, Trouble,
    metrics::Metrics,
    reflector::{Habits, Reflector},
    shared::{Progress, Shared},
    source::Source,
    trouble::{Callback, Reporter},
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
    habits: Habits,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What an [`Informer`] follows, and how.
#[derive(Clone)]
#[must_use]
pub struct InformerBuilder {
    pub(crate) client: Client,
    pub(crate) selection: Selection,
    habits: Habits,
    packed_lists: bool,
    resync: Option<Duration>,
    name: Option<String>,
    callbacks: Vec<Callback>,
}

/// Of resyncs and audits.
const LEAST_PERIOD: Duration = Duration::from_secs(1);

impl InformerBuilder {
    /// Follows only some of the objects; by default all are.
    pub fn selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Whether to ask for lists as streams, which costs servers least and needs no pages. By default it
    /// does, and falls back to lists where a server refuses that, or ignores it: the latter shows when
    /// nothing more has come for 10 s and the list was not said to be complete.
    pub fn streaming_lists(mut self, streaming: bool) -> Self {
        self.habits.streaming_lists = streaming;
        self
    }

    /// Asks for so many objects at a time in a first list that is no stream; 0 asks for all at once. The default is
    /// 500, as in client-go: few enough for the server, enough for the way.
    pub fn page_size(mut self, objects: u32) -> Self {
        self.habits.page_size = (objects > 0).then_some(objects);
        self
    }

    /// Whether to ask for lists packed with gzip, which saves nine tenths of the way and costs both ends
    /// CPU; by default it does, as client-go. Watches and streaming lists are never asked for so.
    pub fn packed_lists(mut self, packed: bool) -> Self {
        self.packed_lists = packed;
        self
    }

    /// Tells each handler the state of every object again, each time that so long has passed. By default
    /// this is not done: no change is missed without it. A period under a second counts as one. A handler
    /// can have a period of its own: [`Informer::handler`].
    pub fn resync(mut self, period: Duration) -> Self {
        self.resync = Some(period.max(LEAST_PERIOD));
        self
    }

    /// Compares the store with the server each time that about so long has passed: with the metadata of
    /// all objects at exactly the store's resource version. What differs is reported as
    /// [`Trouble::Inconsistent`], and a relist repairs it. By default this is not done: it costs the
    /// server a list, and is a net below the net. A period under a second counts as one.
    pub fn audit(mut self, period: Duration) -> Self {
        self.habits.audit = Some(period.max(LEAST_PERIOD));
        self
    }

    /// Names the informer for its [`metrics`](crate::metrics); without a name it has none.
    pub fn name(mut self, name: &str) -> Self {
        self.name = (!name.is_empty()).then(|| name.to_owned());
        self
    }

    /// Calls `callback` with the informer's [`name`](Informer::name) whenever something goes wrong,
    /// besides logging it. Several callbacks are all called. One that panics is reported, and called
    /// again the next time. It runs on the informer's task: it must not take long.
    pub fn on_error(mut self, callback: impl Fn(&str, &Trouble) + Send + Sync + 'static) -> Self {
        self.callbacks.push(Arc::new(callback));
        self
    }

    /// Whether whole and packed objects keep their `managedFields`. By default they are dropped: they are a
    /// quarter of an object's text, and hardly any controller reads them. A view
    /// has what it names.
    pub fn managed_fields(mut self, managed_fields: ManagedFields) -> Self {
        self.habits.managed_fields = managed_fields;
        self
    }

    /// An informer of `T`, which waits to be started.
    pub fn build<T>(self) -> Informer<T>
    where
        T: Object + DeserializeOwned,
        <T::Kind as Resource>::DynamicType: Default,
    {
        self.build_for(&Default::default())
    }

    /// An informer of a kind that only a value describes, such as `DynamicObject` and its `ApiResource`.
    pub fn build_for<T: Object + DeserializeOwned>(
        self,
        resource: &<T::Kind as Resource>::DynamicType,
    ) -> Informer<T> {
        let name: Arc<str> = self.describe::<T>(resource).into();
        let sources = self.sources::<T>(resource).into_iter().map(Arc::new).collect();
        let metrics = self.name.as_ref().map(|name| Metrics::new::<T>(name, resource));
        let reporter = Reporter { name, callbacks: self.callbacks };
        let mut namespaces: Vec<_> = self.selection.namespaces.into_iter().map(Some).collect();
        if namespaces.is_empty() {
            namespaces.push(None);
        }
        let shared = Shared::new(reporter, metrics, self.selection.shard, self.resync, namespaces);
        let (shared, task) = (Arc::new(shared), Mutex::default());
        Informer { owner: Arc::new(Owner { shared, sources, habits: self.habits, task }) }
    }

    /// One source for each namespace that is followed, or one for all.
    pub(crate) fn sources<T: Object>(&self, resource: &<T::Kind as Resource>::DynamicType) -> Vec<Source> {
        let source = |namespace: Option<&str>| {
            Source::new::<T>(self.client.clone(), resource, &self.selection, namespace, self.packed_lists)
        };
        if self.selection.namespaces.is_empty() {
            return vec![source(None)];
        }
        self.selection.namespaces.iter().map(|namespace| source(Some(namespace))).collect()
    }

    /// Paths and selectors: what tells one informer of a type from another.
    pub(crate) fn identity<T: Object>(&self, resource: &<T::Kind as Resource>::DynamicType) -> String {
        let sources = self.sources::<T>(resource);
        sources.iter().map(Source::identity).collect::<Vec<_>>().join("\n")
    }

    /// `replicasets.apps (SetView) in default`: the form is left out where it is the kind itself.
    fn describe<T: Object>(&self, resource: &<T::Kind as Resource>::DynamicType) -> String {
        let (kind, group) = (T::Kind::kind(resource), T::Kind::group(resource));
        let mut name = T::Kind::plural(resource).into_owned();
        if !group.is_empty() {
            name = [&name, ".", &group].concat();
        }
        let form = short_name(type_name::<T>());
        if form != kind {
            name = format!("{name} ({form})");
        }
        if !self.selection.namespaces.is_empty() {
            let namespaces: Vec<_> = self.selection.namespaces.iter().map(String::as_str).collect();
            name = format!("{name} in {}", namespaces.join(", "));
        }
        name
    }
}

impl fmt::Debug for InformerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InformerBuilder").field("selection", &self.selection).finish_non_exhaustive()
    }
}

impl Informer<()> {
    /// A builder with the defaults; [`build`](InformerBuilder::build) says of which type.
    pub fn builder(client: Client) -> InformerBuilder {
        InformerBuilder {
            client,
            selection: Selection::all(),
            habits: Habits {
                streaming_lists: true,
                page_size: Some(500),
                audit: None,
                managed_fields: ManagedFields::Dropped,
            },
            packed_lists: true,
            resync: None,
            name: None,
            callbacks: Vec::new(),
        }
    }
}

impl<T: Object> Informer<T> {
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
        self.owner.shared.stopped();
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
            let Owner { shared, sources, habits, .. } = &*self.owner;
            let reflector = |(number, source): (usize, &Arc<Source>)| {
                Reflector::new(shared.clone(), source.clone(), number, *habits).run()
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

/// The name of a type without the modules that it and its parameters are in.
fn short_name(full: &str) -> String {
    let is_separator = |next: char| !next.is_alphanumeric() && !"_:".contains(next);
    let words = full.split_inclusive(is_separator);
    words.filter_map(|word| word.rsplit("::").next()).collect()
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
