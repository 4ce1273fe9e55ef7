//! [`InformerBuilder`]: what an informer follows, and how.

use std::{any::type_name, fmt, sync::Arc};

use kube_client::{Client, Resource};
use serde::de::DeserializeOwned;
use tokio::time::Duration;
use trimtab_cache::{ManagedFields, Object};

use crate::{
    Informer, InformerError, Selection,
    error::{Callback, Reporter},
    metrics::Metrics,
    reflector::ReflectorConfig,
    shared::Shared,
    source::Source,
};

/// What an [`Informer`] follows, and how.
#[derive(Clone)]
#[must_use]
pub struct InformerBuilder {
    client: Client,
    pub(crate) selection: Selection,
    config: ReflectorConfig,
    gzip_lists: bool,
    resync: Option<Duration>,
    name: Option<String>,
    callbacks: Vec<Callback>,
}

/// Of resyncs and audits.
pub(crate) const LEAST_PERIOD: Duration = Duration::from_secs(1);

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
        self.config.streaming_lists = streaming;
        self
    }

    /// Asks for so many objects at a time in a first list that is no stream; 0 asks for all at once. The default is
    /// 500, as in client-go: few enough for the server, enough for the way.
    pub fn page_size(mut self, objects: u32) -> Self {
        self.config.page_size = (objects > 0).then_some(objects);
        self
    }

    /// Whether to ask for lists packed with gzip, which saves nine tenths of the way and costs both ends
    /// CPU; by default it does, as client-go. Watches and streaming lists are never asked for so.
    pub fn gzip_lists(mut self, packed: bool) -> Self {
        self.gzip_lists = packed;
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
    /// [`InformerError::Inconsistent`], and a relist repairs it. By default this is not done: it costs the
    /// server a list, and is a net below the net. A period under a second counts as one.
    pub fn audit(mut self, period: Duration) -> Self {
        self.config.audit = Some(period.max(LEAST_PERIOD));
        self
    }

    /// Seeds everything that the informer draws: pauses after failures, and how long its watches last. By default the
    /// machine is asked for a seed, so that replicas do not reconnect in step. With a paused clock, two informers with
    /// the same seed do the same.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = Some(seed);
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
    pub fn on_error(mut self, callback: impl Fn(&str, &InformerError) + Send + Sync + 'static) -> Self {
        self.callbacks.push(Arc::new(callback));
        self
    }

    /// Whether whole and packed objects keep their `managedFields`. By default they are dropped: they are a
    /// quarter of an object's text, and hardly any controller reads them. A view
    /// has what it names.
    pub fn managed_fields(mut self, managed_fields: ManagedFields) -> Self {
        self.config.managed_fields = managed_fields;
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
        let sources = self.sources::<T>(resource);
        let metrics = self.name.as_ref().map(|name| Metrics::new::<T>(name, resource));
        let reporter = Reporter { name, callbacks: self.callbacks };
        let mut namespaces: Vec<_> = self.selection.namespaces.into_iter().map(Some).collect();
        if namespaces.is_empty() {
            namespaces.push(None);
        }
        let shared = Shared::new(reporter, metrics, self.selection.shard, self.resync, namespaces);
        Informer::new(shared, sources, self.config)
    }

    /// One source for each namespace that is followed, or one for all.
    fn sources<T: Object>(&self, resource: &<T::Kind as Resource>::DynamicType) -> Vec<Source> {
        let source = |namespace: Option<&str>| {
            Source::new::<T>(self.client.clone(), resource, &self.selection, namespace, self.gzip_lists)
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
            config: ReflectorConfig {
                streaming_lists: true,
                page_size: Some(500),
                audit: None,
                managed_fields: ManagedFields::Dropped,
                seed: None,
            },
            gzip_lists: true,
            resync: None,
            name: None,
            callbacks: Vec::new(),
        }
    }
}
/// The name of a type without the modules that it and its parameters are in.
fn short_name(full: &str) -> String {
    let is_separator = |next: char| !next.is_alphanumeric() && !"_:".contains(next);
    let words = full.split_inclusive(is_separator);
    words.filter_map(|word| word.rsplit("::").next()).collect()
}
