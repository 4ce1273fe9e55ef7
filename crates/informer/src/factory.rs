//! [`InformerFactory`]: shares one informer among all users of the same objects.

use std::{
    any::{Any, TypeId},
    collections::BTreeMap,
    fmt,
    sync::Arc,
};

use futures_util::future::{BoxFuture, join_all};
use kube_client::{Client, Resource};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::time::{Duration, timeout};
use trimtab_cache::{ManagedFields, Object};

use crate::{
    builder::InformerBuilder,
    error::InformerError,
    informer::Informer,
    not_synced::{NotSynced, NotSyncedError},
    selection::Selection,
    status::InformerSummary,
};

/// Makes and shares informers: two requests for the same kind, form and selection get the same informer.
///
/// A handle: clones refer to the same factory.
#[derive(Clone)]
pub struct InformerFactory {
    defaults: InformerBuilder,
    stops_unused: bool,
    starts_new: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By description, which is also the order in which they start: a simulation can be replayed.
    informers: BTreeMap<(String, TypeId), Held>,
    started: bool,
    shut_down: bool,
}

/// Returns an informer of the factory; `None` if all its users have dropped it.
type Held = Box<dyn Fn() -> Option<Box<dyn AnyInformer>> + Send + Sync>;

/// Builds an [`InformerFactory`].
#[derive(Debug, Clone)]
#[must_use]
pub struct InformerFactoryBuilder {
    defaults: InformerBuilder,
    stops_unused: bool,
    starts_new: bool,
}

impl InformerFactoryBuilder {
    /// Sets the objects that informers follow unless [`selected`](InformerFactory::selected) chooses others. The
    /// default is all objects. Informers of cluster-scoped kinds ignore its namespaces.
    pub fn selection(mut self, selection: Selection) -> Self {
        self.defaults = self.defaults.selection(selection);
        self
    }

    /// Follows only one namespace: short for a [`Selection`] of that namespace.
    pub fn namespace(self, namespace: &str) -> Self {
        self.selection(Selection::all().namespace(namespace))
    }

    /// See [`InformerBuilder::streaming_lists`].
    pub fn streaming_lists(mut self, streaming: bool) -> Self {
        self.defaults = self.defaults.streaming_lists(streaming);
        self
    }

    /// See [`InformerBuilder::page_size`].
    pub fn page_size(mut self, objects: u32) -> Self {
        self.defaults = self.defaults.page_size(objects);
        self
    }

    /// See [`InformerBuilder::resync`].
    pub fn resync(mut self, period: Duration) -> Self {
        self.defaults = self.defaults.resync(period);
        self
    }

    /// See [`InformerBuilder::managed_fields`].
    pub fn managed_fields(mut self, managed_fields: ManagedFields) -> Self {
        self.defaults = self.defaults.managed_fields(managed_fields);
        self
    }

    /// See [`InformerBuilder::gzip_lists`].
    pub fn gzip_lists(mut self, gzip: bool) -> Self {
        self.defaults = self.defaults.gzip_lists(gzip);
        self
    }

    /// See [`InformerBuilder::audit`].
    pub fn audit(mut self, period: Duration) -> Self {
        self.defaults = self.defaults.audit(period);
        self
    }

    /// See [`InformerBuilder::max_backoff`].
    pub fn max_backoff(mut self, longest: Duration) -> Self {
        self.defaults = self.defaults.max_backoff(longest);
        self
    }

    /// See [`InformerBuilder::seed`].
    pub fn seed(mut self, seed: u64) -> Self {
        self.defaults = self.defaults.seed(seed);
        self
    }

    /// Sets the name of the factory's informers in their [`metrics`](crate::metrics). Without a name they emit no
    /// metrics. Two factories of one process should have different names.
    ///
    /// An informer of another form than the whole object, or of another selection than the factory's, has these in its
    /// name, as in `web/PodView;app=shop`: no two informers share a series.
    pub fn name(mut self, name: &str) -> Self {
        self.defaults = self.defaults.name(name);
        self
    }

    /// See [`InformerBuilder::on_error`].
    pub fn on_error(mut self, callback: impl Fn(&str, &InformerError) + Send + Sync + 'static) -> Self {
        self.defaults = self.defaults.on_error(callback);
        self
    }

    /// Sets whether an informer stops, and its store is dropped, with the last handle outside the factory. A later
    /// request makes a new informer. By default the factory keeps all its informers.
    ///
    /// Handlers, subscriptions, indexes and stores are not handles: keep the [`Informer`], too.
    pub fn stop_unused(mut self, stop: bool) -> Self {
        self.stops_unused = stop;
        self
    }

    /// Sets whether an informer that is made after [`start`](InformerFactory::start) is started at once; it must then be
    /// requested inside a tokio runtime. By default it waits for another `start`.
    pub fn start_new(mut self, start: bool) -> Self {
        self.starts_new = start;
        self
    }

    /// Builds the factory, without any informers.
    pub fn build(self) -> InformerFactory {
        let Self { defaults, stops_unused, starts_new } = self;
        InformerFactory { defaults, stops_unused, starts_new, state: Arc::default() }
    }
}

impl InformerFactory {
    /// Creates a factory whose informers follow all objects in all namespaces.
    pub fn new(client: Client) -> Self {
        Self::builder(client).build()
    }

    /// Returns a builder with the defaults.
    pub fn builder(client: Client) -> InformerFactoryBuilder {
        InformerFactoryBuilder { defaults: Informer::builder(client), stops_unused: false, starts_new: false }
    }

    /// Returns the informer of `T` with the factory's selection. It does nothing before [`start`](Self::start).
    pub fn informer<T>(&self) -> Informer<T>
    where
        T: Object + DeserializeOwned,
        <T::Kind as Resource>::DynamicType: Default,
    {
        self.informer_with(&Default::default())
    }

    /// Returns the informer of a kind that is known at run time, such as `DynamicObject` with its `ApiResource`, with
    /// the factory's selection.
    pub fn informer_with<T: Object + DeserializeOwned>(
        &self,
        dyntype: &<T::Kind as Resource>::DynamicType,
    ) -> Informer<T> {
        self.selected_with(self.defaults.selection.clone(), dyntype)
    }

    /// Returns the informer of `T` with a selection of its own.
    pub fn selected<T>(&self, selection: Selection) -> Informer<T>
    where
        T: Object + DeserializeOwned,
        <T::Kind as Resource>::DynamicType: Default,
    {
        self.selected_with(selection, &Default::default())
    }

    /// Returns the informer of a kind that is known at run time, with a selection of its own.
    pub fn selected_with<T: Object + DeserializeOwned>(
        &self,
        selection: Selection,
        dyntype: &<T::Kind as Resource>::DynamicType,
    ) -> Informer<T> {
        let builder = self.defaults.clone().selection(selection);
        let builder = builder.distinguished::<T>(dyntype, &self.defaults.selection);
        let identity = (builder.identity::<T>(dyntype), TypeId::of::<T>());
        let mut state = self.state.lock();
        if let Some(held) = state.informers.get(&identity).and_then(|held| held()) {
            let informer = held.as_any().downcast_ref::<Informer<T>>();
            return informer.expect("an informer is stored under the id of its own type").clone();
        }
        let informer = builder.build_with::<T>(dyntype);
        state.informers.insert(identity, if self.stops_unused { lent(&informer) } else { kept(&informer) });
        if self.starts_new && state.started && !state.shut_down {
            informer.start();
        }
        informer
    }

    /// Starts all informers of the factory that do not run, including those that were
    /// [stopped](Informer::stop). Call it again after a request for another informer. It does nothing after
    /// [`shut_down`](Self::shut_down).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(&self) {
        let mut state = self.state.lock();
        let informers = state.informers();
        state.started = true;
        if !state.shut_down {
            informers.iter().for_each(|informer| informer.start());
        }
        drop(state);
        drop(informers); // outside the lock: it may be the last handle, with a handler of the user's
    }

    /// Waits until all informers of the factory have synced, at most for `limit`.
    ///
    /// # Errors
    ///
    /// Names the informers that have not synced, with the present activity and the last error of each.
    ///
    /// # Cancel safety
    ///
    /// A `wait_for_sync` dropped before it completes has changed nothing.
    pub async fn wait_for_sync(&self, limit: Duration) -> Result<(), NotSyncedError> {
        self.wait_for_sync_of(limit, |_| true).await
    }

    /// Waits until those informers have synced for whose [description](Informer::description) `is_needed` returns
    /// `true`, at most for `limit`.
    ///
    /// # Errors
    ///
    /// As [`wait_for_sync`](Self::wait_for_sync).
    ///
    /// # Cancel safety
    ///
    /// As [`wait_for_sync`](Self::wait_for_sync).
    pub async fn wait_for_sync_of(
        &self,
        limit: Duration,
        is_needed: impl Fn(&str) -> bool,
    ) -> Result<(), NotSyncedError> {
        let mut informers: Vec<_> = self.state.lock().informers();
        informers.retain(|informer| is_needed(informer.description()));
        let _ = timeout(limit, join_all(informers.iter().map(|one| one.wait_for_sync()))).await;
        let mut missing: Vec<_> = informers
            .iter()
            .map(|informer| informer.summary())
            .filter(|summary| !summary.status.synced)
            .map(|InformerSummary { description, status, .. }| NotSynced { description, status })
            .collect();
        missing.sort_by(|one, other| one.description.cmp(&other.description));
        if missing.is_empty() { Ok(()) } else { Err(NotSyncedError::new(missing)) }
    }

    /// Returns the state of all informers, in the order in which they start.
    pub fn summaries(&self) -> Vec<InformerSummary> {
        let informers = self.state.lock().informers();
        informers.iter().map(|informer| informer.summary()).collect()
    }

    /// Stops all informers for good and waits until their tasks have ended.
    ///
    /// # Cancel safety
    ///
    /// A `shut_down` dropped before it completes may have stopped only some informers; call it again.
    pub async fn shut_down(&self) {
        let informers: Vec<_> = {
            let mut state = self.state.lock();
            state.shut_down = true;
            state.informers()
        };
        join_all(informers.iter().map(|informer| informer.stop())).await;
    }
}

impl fmt::Debug for InformerFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let informers = self.state.lock().informers();
        let mut descriptions: Vec<_> = informers.iter().map(|informer| informer.description()).collect();
        descriptions.sort_unstable();
        f.debug_struct("InformerFactory").field("informers", &descriptions).finish_non_exhaustive()
    }
}

impl State {
    /// Returns the present informers. Removes those that all users have dropped.
    fn informers(&mut self) -> Vec<Box<dyn AnyInformer>> {
        let mut found = Vec::new();
        self.informers.retain(|_, held| {
            let informer = held();
            let is_there = informer.is_some();
            found.extend(informer);
            is_there
        });
        found
    }
}

/// Keeps the informer: the factory is one of its users.
fn kept<T: Object + DeserializeOwned>(informer: &Informer<T>) -> Held {
    let informer = informer.clone();
    Box::new(move || Some(Box::new(informer.clone())))
}

/// Finds the informer as long as another user keeps it.
fn lent<T: Object + DeserializeOwned>(informer: &Informer<T>) -> Held {
    let owner = Arc::downgrade(&informer.owner);
    Box::new(move || Some(Box::new(Informer { owner: owner.upgrade()? })))
}

/// An informer of any type.
trait AnyInformer: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn description(&self) -> &str;
    fn summary(&self) -> InformerSummary;
    fn start(&self);
    fn wait_for_sync(&self) -> BoxFuture<'_, bool>;
    fn stop(&self) -> BoxFuture<'_, ()>;
}

impl<T: Object + DeserializeOwned> AnyInformer for Informer<T> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn description(&self) -> &str {
        Informer::description(self)
    }

    fn summary(&self) -> InformerSummary {
        Informer::summary(self)
    }

    fn start(&self) {
        Informer::start(self);
    }

    fn wait_for_sync(&self) -> BoxFuture<'_, bool> {
        Box::pin(Informer::wait_for_sync(self))
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(Informer::stop(self))
    }
}
