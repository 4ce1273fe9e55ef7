//! [`Controller`]: the wiring of informers, a queue and a reconciler. Its options are in `options`, its run in `run`.

use std::{fmt, hash::Hash, sync::Arc, time::Duration};

use kube_client::Resource;
use serde::de::DeserializeOwned;
use trimtab_cache::{Object, ObjectKey};
use trimtab_expectations::Ledger;
use trimtab_informer::Event;

use crate::{
    action::Action,
    failure::Error,
    handle::ControllerHandle,
    queue::QueueOptions,
    reason_table::ReasonTable,
    reconciler::{Reconcile, Reconciler},
    request::Request,
    running::Shared,
    source::{
        external::ExternalSource,
        ledger::LedgerSource,
        owner::OwnerLookup,
        set::SourceSet,
        watch::{MappedInformer, Watch},
    },
    worker::Limits,
};

/// The default of [`Controller::sync_timeout`], as in controller-runtime.
const SYNC_TIMEOUT: Duration = Duration::from_secs(120);

/// The default of [`Controller::abort_timeout`].
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);

/// The default of [`Controller::reconcile_timeout`].
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(120);

/// The default of [`Controller::log_slower_than`].
const SLOW: Duration = Duration::from_secs(10);

/// A reconciler, the informers whose events it handles, and its options.
///
/// Nothing is spawned before [`run`](Controller::run). A controller can run again after it has stopped, for
/// example each time its process becomes the leader. The informers, and the state that the reconciler keeps,
/// outlive a run; each run has a new queue, to which it adds every existing object.
///
/// `R` is `()` until [`reconciler`](Controller::reconciler) is called; a controller without a reconciler has no
/// `run`:
///
/// ```compile_fail
/// # use k8s_openapi::api::core::v1::Pod;
/// # use trimtab_controller::{Controller, informer::Informer};
/// # async fn run(pods: Informer<Pod>) {
/// Controller::new("pods", &pods).run(std::future::pending()).await;
/// # }
/// ```
#[must_use]
pub struct Controller<R = Reconciler> {
    pub(crate) config: Config,
    pub(crate) reconciler: R,
}

pub(crate) struct Config {
    pub(crate) name: Arc<str>,
    pub(crate) owners: OwnerLookup,
    pub(crate) sources: Arc<SourceSet>,
    pub(crate) queue: QueueOptions,
    pub(crate) workers: usize,
    pub(crate) limits: Limits,
    pub(crate) sync_timeout: Duration,
    pub(crate) grace_period: Option<Duration>,
    pub(crate) abort_timeout: Duration,
    pub(crate) reasons: Arc<ReasonTable>,
    pub(crate) shared: Arc<Shared>,
}

impl Controller<()> {
    /// Creates a controller of the objects of `primary`, with one worker and unlimited retries.
    ///
    /// Every event of a primary object queues its key; a [`Watch`] with a predicate filters the events. `name` appears in
    /// logs and in the metrics of the controller and its queue; each controller of a process needs a name of its own.
    pub fn new<T: Object + DeserializeOwned>(name: &str, primary: impl Into<Watch<T>>) -> Self
    where
        <T::Kind as Resource>::DynamicType: Default + Clone,
    {
        Self::new_with(name, primary, &Default::default())
    }

    /// Creates a controller as [`new`](Self::new) does, for a kind that is known at run time: `dyntype` describes the
    /// kind of `primary`, for example an `ApiResource` for `DynamicObject`.
    pub fn new_with<T: Object + DeserializeOwned>(
        name: &str,
        primary: impl Into<Watch<T>>,
        dyntype: &<T::Kind as Resource>::DynamicType,
    ) -> Self
    where
        <T::Kind as Resource>::DynamicType: Clone,
    {
        let primary = primary.into();
        let config = Config {
            name: name.into(),
            owners: OwnerLookup::new_with(&primary.informer, dyntype),
            sources: Arc::default(),
            queue: QueueOptions::default(),
            workers: 1,
            limits: Limits {
                max_retries: None,
                timeout: Some(RECONCILE_TIMEOUT),
                slow: Some(SLOW),
                lag: None,
            },
            sync_timeout: SYNC_TIMEOUT,
            grace_period: None,
            abort_timeout: ABORT_TIMEOUT,
            reasons: Arc::default(),
            shared: Arc::new(Shared::new(name)),
        };
        let optional = primary.optional;
        config.sources.add(MappedInformer::new(primary, |event: &Event<T>| [event.key()]), optional);
        Self { config, reconciler: () }
    }

    /// Sets the function that brings one object to its desired state.
    ///
    /// Each worker calls it for one key at a time; no two workers call it for the same key. A panic counts as a failure
    /// of the key, and the worker continues.
    pub fn reconciler<F, R>(self, reconcile: F) -> Controller
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, Error>> + Send + 'static,
    {
        Controller { config: self.config, reconciler: Reconciler::new(reconcile) }
    }

    /// Sets the reconciler, as [`reconciler`](Self::reconciler) does, for a struct.
    pub fn reconcile_by(self, reconcile: impl Reconcile) -> Controller {
        Controller { config: self.config, reconciler: Reconciler::of(reconcile) }
    }
}

impl<R> Controller<R> {
    /// Adds the informer of a dependent kind. An event of a dependent queues the key of its controller, if that is a
    /// primary object.
    ///
    /// The controller is the owner reference with `controller: true`, in any version of its API group. If an event
    /// changes the controller, both keys are queued.
    pub fn owns<T: Object + DeserializeOwned>(self, dependents: impl Into<Watch<T>>) -> Self {
        self.handle().owns(dependents);
        self
    }

    /// Adds the informer of another kind. An event of its objects queues the keys that `keys` returns.
    ///
    /// `keys` runs in the informer's task: it may read caches and must not block. At the start of each run it is
    /// called for every existing object, with `initial` events. [`keys_by_index`](crate::keys_by_index) makes such a
    /// function of an index.
    pub fn watches<T, F, I>(self, others: impl Into<Watch<T>>, keys: F) -> Self
    where
        T: Object + DeserializeOwned,
        F: Fn(&Event<T>) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = ObjectKey>,
    {
        self.handle().watches(others, keys);
        self
    }

    /// Adds a source of keys outside of the cluster.
    pub fn external(self, source: ExternalSource) -> Self {
        self.handle().external(source);
        self
    }

    /// Queues a key that waits in `ledger` for the controller's own writes when the event comes that ends the wait.
    ///
    /// Also let each informer's [`on_progress`](trimtab_informer::Informer::on_progress) report the version of its cache
    /// to the ledger; [`OwnWrites`](crate::OwnWrites) does.
    pub fn woken_by<N, V>(self, ledger: &Ledger<ObjectKey, N, V>) -> Self
    where
        N: Hash + Eq + Clone + Send + Sync + 'static,
        V: Ord + Clone + Send + Sync + 'static,
    {
        self.config.sources.add(LedgerSource(ledger.clone()), false);
        self
    }

    /// Returns the controller's name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Returns a handle, with which sources are added and removed and the state is read while the controller runs.
    pub fn handle(&self) -> ControllerHandle {
        let Config { name, owners, sources, shared, .. } = &self.config;
        ControllerHandle {
            name: name.clone(),
            owners: owners.clone(),
            sources: sources.clone(),
            shared: shared.clone(),
        }
    }
}

impl<R> fmt::Debug for Controller<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller").field("name", &self.config.name).finish_non_exhaustive()
    }
}
