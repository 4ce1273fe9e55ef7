//! [`InformerFactory`]: one informer for all who follow the same.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::Arc,
};

use futures_util::future::{BoxFuture, join_all};
use kube_client::{Client, Resource};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::time::{Duration, timeout};
use trimtab_cache::{ManagedFields, Object};

use crate::{Informer, InformerBuilder, InformerError, Selection, Status};

/// Makes informers, and shares them: whoever asks for the same kind, form and selection gets the same.
///
/// A handle: clones are of the same factory.
#[derive(Clone)]
pub struct InformerFactory {
    defaults: InformerBuilder,
    stops_unused: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    informers: HashMap<(TypeId, String), Held>,
    shut_down: bool,
}

/// Gives the informer that a factory holds; `None` if it was left by all its users, and may go.
type Held = Box<dyn Fn() -> Option<Box<dyn AnyInformer>> + Send + Sync>;

/// Builds an [`InformerFactory`].
#[derive(Debug, Clone)]
#[must_use]
pub struct InformerFactoryBuilder {
    defaults: InformerBuilder,
    stops_unused: bool,
}

impl InformerFactoryBuilder {
    /// What informers follow unless they are asked for otherwise; by default all objects.
    pub fn selection(mut self, selection: Selection) -> Self {
        self.defaults = self.defaults.selection(selection);
        self
    }

    /// Follows only one namespace: short for a [`Selection`] of that.
    pub fn namespace(self, namespace: &str) -> Self {
        self.selection(Selection::all().namespace(namespace))
    }

    /// As in [`InformerBuilder::streaming_lists`].
    pub fn streaming_lists(mut self, streaming: bool) -> Self {
        self.defaults = self.defaults.streaming_lists(streaming);
        self
    }

    /// As in [`InformerBuilder::page_size`].
    pub fn page_size(mut self, objects: u32) -> Self {
        self.defaults = self.defaults.page_size(objects);
        self
    }

    /// As in [`InformerBuilder::resync`].
    pub fn resync(mut self, period: Duration) -> Self {
        self.defaults = self.defaults.resync(period);
        self
    }

    /// As in [`InformerBuilder::managed_fields`].
    pub fn managed_fields(mut self, managed_fields: ManagedFields) -> Self {
        self.defaults = self.defaults.managed_fields(managed_fields);
        self
    }

    /// As in [`InformerBuilder::gzip_lists`].
    pub fn gzip_lists(mut self, packed: bool) -> Self {
        self.defaults = self.defaults.gzip_lists(packed);
        self
    }

    /// As in [`InformerBuilder::audit`].
    pub fn audit(mut self, period: Duration) -> Self {
        self.defaults = self.defaults.audit(period);
        self
    }

    /// As in [`InformerBuilder::seed`].
    pub fn seed(mut self, seed: u64) -> Self {
        self.defaults = self.defaults.seed(seed);
        self
    }

    /// Names the factory for the [`metrics`](crate::metrics) of its informers; without a name they have
    /// none. Two factories of one process should not have the same.
    pub fn name(mut self, name: &str) -> Self {
        self.defaults = self.defaults.name(name);
        self
    }

    /// As in [`InformerBuilder::on_error`].
    pub fn on_error(mut self, callback: impl Fn(&str, &InformerError) + Send + Sync + 'static) -> Self {
        self.defaults = self.defaults.on_error(callback);
        self
    }

    /// Whether an informer stops, and its store goes, when the last handle on it outside of the factory is
    /// dropped; who asks for it after that gets a new one. By default the factory keeps all of them.
    ///
    /// Handlers, subscriptions, indexes and stores are not handles: keep the [`Informer`] as well.
    pub fn stop_unused(mut self, stop: bool) -> Self {
        self.stops_unused = stop;
        self
    }

    /// The factory. It has no informers yet.
    pub fn build(self) -> InformerFactory {
        let Self { defaults, stops_unused } = self;
        InformerFactory { defaults, stops_unused, state: Arc::default() }
    }
}

impl InformerFactory {
    /// A factory of informers of all objects, in all namespaces.
    pub fn new(client: Client) -> Self {
        Self::builder(client).build()
    }

    /// A builder with the defaults.
    pub fn builder(client: Client) -> InformerFactoryBuilder {
        InformerFactoryBuilder { defaults: Informer::builder(client), stops_unused: false }
    }

    /// The informer of `T`, with the factory's selection. It waits to be started.
    pub fn informer<T>(&self) -> Informer<T>
    where
        T: Object + DeserializeOwned,
        <T::Kind as Resource>::DynamicType: Default,
    {
        self.informer_of(self.defaults.selection.clone(), &Default::default())
    }

    /// The informer of `T` with a selection of its own. It waits to be started.
    pub fn informer_with<T>(&self, selection: Selection) -> Informer<T>
    where
        T: Object + DeserializeOwned,
        <T::Kind as Resource>::DynamicType: Default,
    {
        self.informer_of(selection, &Default::default())
    }

    /// The informer of a kind that only a value describes, such as `DynamicObject` and its `ApiResource`.
    /// It waits to be started.
    pub fn informer_of<T: Object + DeserializeOwned>(
        &self,
        selection: Selection,
        resource: &<T::Kind as Resource>::DynamicType,
    ) -> Informer<T> {
        let builder = self.defaults.clone().selection(selection);
        let identity = (TypeId::of::<T>(), builder.identity::<T>(resource));
        let mut state = self.state.lock();
        if let Some(held) = state.informers.get(&identity).and_then(|held| held()) {
            let informer = held.as_any().downcast_ref::<Informer<T>>();
            return informer.expect("an informer is found under the id of its own type").clone();
        }
        let informer = builder.build_for::<T>(resource);
        state.informers.insert(identity, if self.stops_unused { lent(&informer) } else { kept(&informer) });
        informer
    }

    /// Starts all informers that have been asked for and do not run, those too that were
    /// [stopped](Informer::stop) one by one. Call it again when there are more. After a shutdown it does
    /// nothing.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(&self) {
        let mut state = self.state.lock();
        let informers = state.informers();
        if !state.shut_down {
            informers.iter().for_each(|informer| informer.start());
        }
        drop(state);
        drop(informers); // outside the lock: it may be the last handle, with a handler of the user's
    }

    /// Waits until all informers that have been asked for have synced, at most for `patience`.
    ///
    /// # Errors
    ///
    /// Names the informers that have not, and what each is doing instead.
    ///
    /// # Cancel safety
    ///
    /// Waiting changes nothing.
    pub async fn wait_for_sync(&self, patience: Duration) -> Result<(), NotSyncedError> {
        let informers: Vec<_> = self.state.lock().informers();
        let _ = timeout(patience, join_all(informers.iter().map(|one| one.wait_for_sync()))).await;
        let mut missing: Vec<_> = informers
            .iter()
            .filter(|informer| !informer.status().synced)
            .map(|informer| NotSynced { name: informer.name().to_owned(), status: informer.status() })
            .collect();
        missing.sort_by(|one, other| one.name.cmp(&other.name));
        if missing.is_empty() { Ok(()) } else { Err(NotSyncedError { missing }) }
    }

    /// Stops all informers and waits until nothing of them runs any more.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, it may have stopped only some; call it again.
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
        let mut names: Vec<_> = informers.iter().map(|informer| informer.name()).collect();
        names.sort_unstable();
        f.debug_struct("InformerFactory").field("informers", &names).finish_non_exhaustive()
    }
}

impl State {
    /// The informers that are there; forgets those that were left.
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

/// The factory is one of the informer's users.
fn kept<T: Object + DeserializeOwned>(informer: &Informer<T>) -> Held {
    let informer = informer.clone();
    Box::new(move || Some(Box::new(informer.clone())))
}

/// The factory finds the informer for as long as somebody else uses it.
fn lent<T: Object + DeserializeOwned>(informer: &Informer<T>) -> Held {
    let owner = Arc::downgrade(&informer.owner);
    Box::new(move || Some(Box::new(Informer { owner: owner.upgrade()? })))
}

/// Some informers have not synced in time.
#[derive(Debug)]
pub struct NotSyncedError {
    missing: Vec<NotSynced>,
}

/// An informer that has not synced.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NotSynced {
    /// Its name.
    pub name: String,
    /// What it is doing, and what went wrong.
    pub status: Status,
}

impl NotSyncedError {
    /// The informers that have not synced, by name.
    pub fn informers(&self) -> &[NotSynced] {
        &self.missing
    }
}

impl fmt::Display for NotSyncedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not synced: ")?;
        for (number, NotSynced { name, status }) in self.missing.iter().enumerate() {
            let semicolon = if number > 0 { "; " } else { "" };
            write!(f, "{semicolon}{name} (")?;
            let missing = status.sources.iter().filter(|source| !source.synced);
            for (number, source) in missing.enumerate() {
                f.write_str(if number > 0 { ", " } else { "" })?;
                if let (Some(namespace), 2..) = (&source.namespace, status.sources.len()) {
                    write!(f, "in {namespace}: ")?;
                }
                source.phase.fmt(f)?;
                if let Some(error) = &source.last_error {
                    write!(f, ": {error}")?;
                }
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl std::error::Error for NotSyncedError {}

/// An informer, whatever its type.
trait AnyInformer: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn name(&self) -> &str;
    fn status(&self) -> Status;
    fn start(&self);
    fn wait_for_sync(&self) -> BoxFuture<'_, bool>;
    fn stop(&self) -> BoxFuture<'_, ()>;
}

impl<T: Object + DeserializeOwned> AnyInformer for Informer<T> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        Informer::name(self)
    }

    fn status(&self) -> Status {
        Informer::status(self)
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
