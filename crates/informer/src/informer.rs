//! [`Informer`]: the handle by which a kind is followed.

use std::{any::type_name, fmt, hash::Hash, sync::Arc};

use kube_client::{Client, Resource};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::{task::JoinHandle, time::Duration};
use trimtab_cache::{Index, ManagedFields, Object, Store};

use crate::{
    Event, Handler, Selection, Status, Subscription,
    reflector::Reflector,
    shared::{Progress, Shared},
    source::Source,
};

/// Keeps a [`Store`] equal to what the API server has of one kind, and tells handlers what changed.
///
/// A handle: clones are of the same informer, and dropping the last stops it. `T` is a whole type such
/// as `Pod`, or a view of one; see [`Object`].
pub struct Informer<T> {
    owner: Arc<Owner<T>>,
}

/// Owns the task: [`stop`](Informer::stop) ends and awaits it, dropping this ends it.
struct Owner<T> {
    shared: Arc<Shared<T>>,
    source: Arc<Source>,
    streaming_lists: bool,
    page_size: Option<u32>,
    resync: Option<Duration>,
    managed_fields: ManagedFields,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What an [`Informer`] follows, and how.
#[derive(Clone)]
#[must_use]
pub struct InformerBuilder {
    pub(crate) client: Client,
    pub(crate) selection: Selection,
    pub(crate) streaming_lists: bool,
    pub(crate) page_size: Option<u32>,
    pub(crate) resync: Option<Duration>,
    pub(crate) managed_fields: ManagedFields,
}

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
        self.streaming_lists = streaming;
        self
    }

    /// Asks for so many objects at a time in a first list that is no stream; 0 asks for all at once. The default is
    /// 500, as in client-go: few enough for the server, enough for the way.
    pub fn page_size(mut self, objects: u32) -> Self {
        self.page_size = (objects > 0).then_some(objects);
        self
    }

    /// Tells handlers the state of every object again, each time that so long has passed. By default
    /// this is not done: no change is missed without it. A period under a second counts as one.
    pub fn resync(mut self, period: Duration) -> Self {
        self.resync = Some(period.max(Duration::from_secs(1)));
        self
    }

    /// Whether whole and packed objects keep their `managedFields`. By default they are dropped: they are a
    /// quarter of an object's text, and hardly any controller reads them. A view
    /// has what it names.
    pub fn managed_fields(mut self, managed_fields: ManagedFields) -> Self {
        self.managed_fields = managed_fields;
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
        let shared = Arc::new(Shared::new(self.describe::<T>(resource).into()));
        let source = Arc::new(self.source::<T>(resource));
        let Self { streaming_lists, page_size, resync, managed_fields, .. } = self;
        Informer {
            owner: Arc::new(Owner {
                shared,
                source,
                streaming_lists,
                page_size,
                resync,
                managed_fields,
                task: Mutex::default(),
            }),
        }
    }

    pub(crate) fn source<T: Object>(&self, resource: &<T::Kind as Resource>::DynamicType) -> Source {
        Source::new::<T>(self.client.clone(), resource, &self.selection)
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
        if let Some(namespace) = &self.selection.namespace {
            name = format!("{name} in {namespace}");
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
            streaming_lists: true,
            page_size: Some(500),
            resync: None,
            managed_fields: ManagedFields::Dropped,
        }
    }
}

impl<T: Object> Informer<T> {
    /// Which kind it follows, in which form and where, for logs.
    pub fn name(&self) -> &str {
        &self.owner.shared.name
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
        self.owner.shared.add_handler(handler)
    }

    /// The changes of the store, beginning with what is there, to be taken by somebody who may be slow.
    ///
    /// Dropping the subscription ends it.
    pub fn subscribe(&self) -> Subscription<T> {
        Subscription::new(|handler| self.on_change(handler))
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
        self.owner.shared.status(self.owner.source.received())
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
            let reflector = Reflector {
                shared: self.owner.shared.clone(),
                source: self.owner.source.clone(),
                streaming_lists: self.owner.streaming_lists,
                page_size: self.owner.page_size,
                resync: self.owner.resync,
                managed_fields: self.owner.managed_fields,
            };
            *task = Some(tokio::spawn(reflector.run()));
        }
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
        f.debug_tuple("Informer").field(&self.owner.shared.name).finish()
    }
}
