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

use crate::{Informer, InformerBuilder, Selection, Status};

/// Makes informers, and shares them: whoever asks for the same kind, form and selection gets the same.
///
/// A handle: clones are of the same factory.
#[derive(Clone)]
pub struct InformerFactory {
    defaults: InformerBuilder,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    informers: HashMap<(TypeId, String), Box<dyn AnyInformer>>,
    shut_down: bool,
}

/// Builds an [`InformerFactory`].
#[derive(Debug, Clone)]
#[must_use]
pub struct InformerFactoryBuilder {
    defaults: InformerBuilder,
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

    /// The factory. It has no informers yet.
    pub fn build(self) -> InformerFactory {
        InformerFactory { defaults: self.defaults, state: Arc::default() }
    }
}

impl InformerFactory {
    /// A factory of informers of all objects, in all namespaces.
    pub fn new(client: Client) -> Self {
        Self::builder(client).build()
    }

    /// A builder with the defaults.
    pub fn builder(client: Client) -> InformerFactoryBuilder {
        InformerFactoryBuilder { defaults: Informer::builder(client) }
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
        let shared =
            state.informers.entry(identity).or_insert_with(|| Box::new(builder.build_for::<T>(resource)));
        let shared = shared.as_any().downcast_ref::<Informer<T>>();
        shared.expect("an informer is found under the id of its own type").clone()
    }

    /// Starts all informers that have been asked for and do not run. Call it again when there are
    /// more. After a shutdown it does nothing.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(&self) {
        let state = self.state.lock();
        if !state.shut_down {
            state.informers.values().for_each(|informer| informer.start());
        }
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
        let informers: Vec<_> = self.state.lock().informers.values().map(|one| one.boxed()).collect();
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
            state.informers.values().map(|one| one.boxed()).collect()
        };
        join_all(informers.iter().map(|informer| informer.stop())).await;
    }
}

impl fmt::Debug for InformerFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        let mut names: Vec<_> = state.informers.values().map(|informer| informer.name()).collect();
        names.sort_unstable();
        f.debug_struct("InformerFactory").field("informers", &names).finish_non_exhaustive()
    }
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
            let comma = if number > 0 { "; " } else { "" };
            write!(f, "{comma}{name} ({}", status.phase)?;
            if let Some(error) = &status.last_error {
                write!(f, ": {error}")?;
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
    fn boxed(&self) -> Box<dyn AnyInformer>;
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

    fn boxed(&self) -> Box<dyn AnyInformer> {
        Box::new(self.clone())
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
