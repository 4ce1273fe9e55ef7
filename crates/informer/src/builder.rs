//! [`InformerBuilder`]: the settings of an informer.

use std::{any::type_name, fmt, sync::Arc};

use kube_client::{Client, Resource};
use serde::de::DeserializeOwned;
use tokio::time::Duration;
use trimtab_cache::{ManagedFields, Object};

use crate::{
    config::{self, ReflectorConfig},
    error::{Callback, InformerError, Reporter},
    informer::{Informer, Target},
    metrics::Metrics,
    selection::Selection,
    shared::Shared,
    source::Source,
};

/// The shortest limit of the delays after failures.
const SHORTEST_BACKOFF: Duration = Duration::from_millis(10);

/// Builds an [`Informer`].
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

impl InformerBuilder {
    /// Follows only the selected objects. The default is all objects.
    pub fn selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Sets whether to request streaming lists, which cost a server least and need no pages. The default is `true`,
    /// with a fallback to plain lists for servers that refuse or ignore the request. A server is taken to ignore it if
    /// a stream is silent for 10 s without the bookmark that completes the list.
    pub fn streaming_lists(mut self, streaming: bool) -> Self {
        self.config.streaming_lists = streaming;
        self
    }

    /// Sets the number of objects in a page of a first list that is not a stream; 0 requests all objects at once. The
    /// default is 500, as in client-go.
    pub fn page_size(mut self, objects: u32) -> Self {
        self.config.page_size = (objects > 0).then_some(objects);
        self
    }

    /// Sets whether to request lists compressed with gzip, which saves nine tenths of the bytes and costs both ends
    /// CPU. The default is `true`, as in client-go. Watches and streaming lists are never compressed.
    pub fn gzip_lists(mut self, gzip: bool) -> Self {
        self.gzip_lists = gzip;
        self
    }

    /// Delivers every object to each handler again after each `period`. The default is no resync: handlers miss
    /// no change without it. The shortest period is one second. A handler can have a period of its own:
    /// [`Informer::handler`].
    pub fn resync(mut self, period: Duration) -> Self {
        self.resync = Some(config::period(period));
        self
    }

    /// Compares the store with the server about once in each `period`: with the metadata of all objects at
    /// exactly the store's resource version. A difference is reported as [`InformerError::Inconsistent`], and
    /// a relist repairs it. The default is no audit, because each one costs the server a list. The shortest
    /// period is one second.
    pub fn audit(mut self, period: Duration) -> Self {
        self.config.audit = Some(config::period(period));
        self
    }

    /// Limits the delays after failures: each is drawn from one to two times a base that begins with 800 ms and doubles
    /// up to `longest`. Default: 30 seconds, as client-go's. A shorter limit makes the cache current sooner after an
    /// outage of the server, and costs the server more requests during it.
    /// The shortest limit is 10 ms.
    pub fn max_backoff(mut self, longest: Duration) -> Self {
        self.config.max_backoff = longest.max(SHORTEST_BACKOFF);
        self
    }

    /// Sets the seed of the informer's random numbers: the delays after failures and the timeouts of watches. By
    /// default the operating system gives the seed, so that replicas do not reconnect together. With the same seed
    /// and a paused clock, two informers behave alike.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = Some(seed);
        self
    }

    /// Sets the informer's name in its [`metrics`](crate::metrics). An informer without a name emits no metrics.
    pub fn name(mut self, name: &str) -> Self {
        self.name = (!name.is_empty()).then(|| name.to_owned());
        self
    }

    /// Calls `callback` with the informer's [`description`](Informer::description) for each error, which is
    /// also logged. Several callbacks are all called. A callback that panics is logged and called again for
    /// the next error. It runs on the informer's task and must return quickly.
    pub fn on_error(mut self, callback: impl Fn(&str, &InformerError) + Send + Sync + 'static) -> Self {
        self.callbacks.push(Arc::new(callback));
        self
    }

    /// Sets whether whole and packed objects keep their `managedFields`. The default is to drop them: they are a
    /// quarter of an object's text, and hardly any controller reads them. A view has the fields that it names.
    pub fn managed_fields(mut self, managed_fields: ManagedFields) -> Self {
        self.config.managed_fields = managed_fields;
        self
    }

    /// Builds an informer of `T`. It does nothing before [`start`](Informer::start).
    pub fn build<T>(self) -> Informer<T>
    where
        T: Object + DeserializeOwned,
        <T::Kind as Resource>::DynamicType: Default,
    {
        self.build_with(&Default::default())
    }

    /// Builds an informer of a kind that is known at run time, such as `DynamicObject` with its `ApiResource`.
    pub fn build_with<T: Object + DeserializeOwned>(
        self,
        dyntype: &<T::Kind as Resource>::DynamicType,
    ) -> Informer<T> {
        let this = Self { selection: self.selection.clone().of_kind::<T::Kind>(), ..self };
        this.build_selected(dyntype)
    }

    fn build_selected<T: Object + DeserializeOwned>(
        self,
        dyntype: &<T::Kind as Resource>::DynamicType,
    ) -> Informer<T> {
        let description: Arc<str> = self.describe::<T>(dyntype).into();
        let sources = self.sources::<T>(dyntype);
        let metrics = self.name.as_ref().map(|name| Metrics::new::<T>(name, dyntype));
        let reporter = Reporter { description, callbacks: self.callbacks };
        let target = Target { resource: resource_name::<T>(dyntype), selection: self.selection.clone() };
        let mut namespaces: Vec<_> = self.selection.namespaces.into_iter().map(Some).collect();
        if namespaces.is_empty() {
            namespaces.push(None);
        }
        let shared = Shared::new(reporter, metrics, self.selection.shard, self.resync, namespaces);
        Informer::new(shared, sources, target, self.config)
    }

    /// Returns one source for each followed namespace, or one for all namespaces.
    fn sources<T: Object>(&self, resource: &<T::Kind as Resource>::DynamicType) -> Vec<Source> {
        let source = |namespace: Option<&str>| {
            Source::new::<T>(self.client.clone(), resource, &self.selection, namespace, self.gzip_lists)
        };
        if self.selection.namespaces.is_empty() {
            return vec![source(None)];
        }
        self.selection.namespaces.iter().map(|namespace| source(Some(namespace))).collect()
    }

    /// Gives an informer of a factory a name of its own, if others of its kind may have the factory's name: it has another
    /// form than the whole object, or another selection than `usual`.
    pub(crate) fn distinguished<T: Object>(
        mut self,
        resource: &<T::Kind as Resource>::DynamicType,
        usual: &Selection,
    ) -> Self {
        let Some(name) = &self.name else { return self };
        let form = short_name(type_name::<T>());
        let is_whole = form == T::Kind::kind(resource);
        let mut parts = if is_whole { Vec::new() } else { vec![form] };
        let (own, usual) = (self.selection.clone(), usual.clone());
        parts.extend(own.of_kind::<T::Kind>().differences(&usual.of_kind::<T::Kind>()));
        if !parts.is_empty() {
            self.name = Some(format!("{name}/{}", parts.join(";")));
        }
        self
    }

    /// Returns the paths and selectors, by which a factory distinguishes informers of one type.
    pub(crate) fn identity<T: Object>(&self, resource: &<T::Kind as Resource>::DynamicType) -> String {
        let this = Self { selection: self.selection.clone().of_kind::<T::Kind>(), ..self.clone() };
        let sources = this.sources::<T>(resource);
        sources.iter().map(Source::identity).collect::<Vec<_>>().join("\n")
    }

    /// `replicasets.apps (SetView) in default`. The form is left out if it is the kind itself.
    fn describe<T: Object>(&self, resource: &<T::Kind as Resource>::DynamicType) -> String {
        let mut name = resource_name::<T>(resource);
        let form = short_name(type_name::<T>());
        if form != T::Kind::kind(resource) {
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
    /// Returns a builder with the defaults. [`build`](InformerBuilder::build) chooses the type.
    pub fn builder(client: Client) -> InformerBuilder {
        InformerBuilder {
            client,
            selection: Selection::all(),
            config: ReflectorConfig::default(),
            gzip_lists: true,
            resync: None,
            name: None,
            callbacks: Vec::new(),
        }
    }
}

/// Returns the plural name and the group, such as `pods` or `replicasets.apps`.
fn resource_name<T: Object>(resource: &<T::Kind as Resource>::DynamicType) -> String {
    let (plural, group) = (T::Kind::plural(resource), T::Kind::group(resource));
    if group.is_empty() { plural.into_owned() } else { [&*plural, ".", &*group].concat() }
}

/// Returns the name of a type without the modules of the type and its parameters.
fn short_name(full: &str) -> String {
    let is_separator = |next: char| !next.is_alphanumeric() && !"_:".contains(next);
    let words = full.split_inclusive(is_separator);
    words.filter_map(|word| word.rsplit("::").next()).collect()
}
