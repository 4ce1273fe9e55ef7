//! [`Controller`]: its configuration and its run. The loop of a worker is in `worker`.

use std::{fmt, hash::Hash, panic::resume_unwind, sync::Arc, time::Duration};

use kube_client::Resource;
use serde::de::DeserializeOwned;
use tokio::{sync::watch, task::JoinSet, time::timeout};
use trimtab_cache::{Object, ObjectKey};
use trimtab_expectations::Ledger;
use trimtab_informer::{Event, Informer};
use trimtab_workqueue::WorkQueue;

use crate::{
    reconciler::{Action, Error, Reconciler, Request},
    source::{LedgerSource, MappedInformer, OwnerLookup, Source},
    worker::{Shared, Status, Worker},
};

/// The default of [`Controller::sync_timeout`], as in controller-runtime.
const SYNC_TIMEOUT: Duration = Duration::from_secs(120);

/// The default of [`Controller::grace_period`], as in controller-runtime.
const GRACE_PERIOD: Duration = Duration::from_secs(30);

/// A reconciler, the informers whose events it handles, and its options.
///
/// Nothing is spawned before [`run`](Controller::run). A controller can run again after it has stopped, for
/// example each time its process becomes the leader. The informers, and the state that the reconciler keeps,
/// outlive a run; each run has a new queue, to which it adds every existing object.
///
/// `R` is `()` until [`reconciler`](Controller::reconciler) is called; a controller without a reconciler has no
/// `run`.
#[must_use]
pub struct Controller<R = Reconciler> {
    config: Config,
    reconciler: R,
}

struct Config {
    name: Arc<str>,
    owners: OwnerLookup,
    sources: Vec<Box<dyn Source>>,
    workers: usize,
    max_retries: Option<u32>,
    sync_timeout: Duration,
    grace_period: Duration,
    shared: Arc<Shared>,
}

impl Controller<()> {
    /// Creates a controller of the objects of `primary`, with one worker and unlimited retries.
    ///
    /// Every event of a primary object queues its key. `name` appears in logs and in the metrics of the
    /// controller's queue; each controller of a process needs a name of its own.
    pub fn new<T: Object + DeserializeOwned>(name: &str, primary: &Informer<T>) -> Self
    where
        <T::Kind as Resource>::DynamicType: Default + Clone,
    {
        Self::new_with(name, primary, &Default::default())
    }

    /// Creates a controller as [`new`](Self::new) does, for a kind that is known at run time: `dyntype` describes the
    /// kind of `primary`, for example an `ApiResource` for `DynamicObject`.
    pub fn new_with<T: Object + DeserializeOwned>(
        name: &str,
        primary: &Informer<T>,
        dyntype: &<T::Kind as Resource>::DynamicType,
    ) -> Self
    where
        <T::Kind as Resource>::DynamicType: Clone,
    {
        let keys = |event: &Event<T>| [event.key()];
        let config = Config {
            name: name.into(),
            owners: OwnerLookup::new_with(primary, dyntype),
            sources: vec![Box::new(MappedInformer::new(primary, keys))],
            workers: 1,
            max_retries: None,
            sync_timeout: SYNC_TIMEOUT,
            grace_period: GRACE_PERIOD,
            shared: Arc::default(),
        };
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
}

impl<R> Controller<R> {
    /// Adds the informer of a dependent kind. An event of a dependent queues the key of its controller, if that is a
    /// primary object.
    ///
    /// The controller is the owner reference with `controller: true`, in any version of its API group. If an event
    /// changes the controller, both keys are queued.
    pub fn owns<T: Object + DeserializeOwned>(mut self, dependents: &Informer<T>) -> Self {
        let owners = self.config.owners.clone();
        self.config
            .sources
            .push(Box::new(MappedInformer::new(dependents, move |event| owners.controllers_of(event))));
        self
    }

    /// Adds the informer of another kind. An event of its objects queues the keys that `keys` returns.
    ///
    /// `keys` runs in the informer's task: it may read caches and must not block. At the start of each run it is
    /// called for every existing object, with `initial` events.
    pub fn watches<T, F, I>(mut self, others: &Informer<T>, keys: F) -> Self
    where
        T: Object + DeserializeOwned,
        F: Fn(&Event<T>) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = ObjectKey>,
    {
        self.config.sources.push(Box::new(MappedInformer::new(others, keys)));
        self
    }

    /// Queues a key that waits in `ledger` for the controller's own writes when the event comes that ends the wait.
    ///
    /// Also let each informer's [`on_progress`](Informer::on_progress) report the version of its cache to the ledger.
    pub fn woken_by<N, V>(mut self, ledger: &Ledger<ObjectKey, N, V>) -> Self
    where
        N: Hash + Eq + Clone + Send + Sync + 'static,
        V: Ord + Clone + Send + Sync + 'static,
    {
        self.config.sources.push(Box::new(LedgerSource(ledger.clone())));
        self
    }

    /// Sets the number of keys that are reconciled at the same time. The default is 1; [`run`](Controller::run) returns an
    /// error for 0.
    pub fn workers(mut self, workers: usize) -> Self {
        self.config.workers = workers;
        self
    }

    /// Sets the number of consecutive retries of a key, after which it waits for its next event. The default is
    /// unlimited. Kubernetes' Deployment controller has 15, which take about three minutes.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.config.max_retries = Some(retries);
        self
    }

    /// Sets the time that a run waits for the first lists of its informers. The default is 2 minutes.
    pub fn sync_timeout(mut self, timeout: Duration) -> Self {
        self.config.sync_timeout = timeout;
        self
    }

    /// Sets the time that running reconciles have to finish after the shutdown. The default is 30 seconds. Then
    /// they are cancelled at their present `.await`.
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.config.grace_period = grace_period;
        self
    }
}

impl Controller {
    /// Runs the controller until `shutdown` completes.
    ///
    /// Starts the informers, waits for their first lists, queues every object, and reconciles. After the shutdown
    /// no further key is started, and running reconciles have the grace period to finish. Keys that are still
    /// queued are dropped, because the next run queues every object.
    ///
    /// The informers are not stopped, because other controllers may share them.
    ///
    /// # Errors
    ///
    /// If the number of workers is 0; if the controller is running already; if an informer has no first list within
    /// the sync timeout (the error names it); if a reconcile exceeds the grace period.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the run at once: running reconciles are cancelled at their present `.await`.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let config = &self.config;
        if config.workers == 0 {
            return Err(RunError(Kind::NoWorkers));
        }
        let queue = WorkQueue::builder().name(&*config.name).build();
        let _running = config.shared.start_run(&queue).ok_or(RunError(Kind::Running))?;
        tokio::pin!(shutdown);
        config.sources.iter().for_each(|source| source.start());
        tokio::select! {
            synced = timeout(config.sync_timeout, self.wait_for_sync()) => if synced != Ok(true) {
                return Err(RunError(Kind::NotSynced(self.not_synced())));
            },
            () = &mut shutdown => return Ok(()),
        }
        tracing::info!(controller = %config.name, workers = config.workers, "starting workers");
        let handlers: Vec<_> = config.sources.iter().map(|source| source.connect(&queue)).collect();
        let (stop, stopped) = watch::channel(());
        let mut workers = JoinSet::new(); // dropped with this future, which aborts them
        for _ in 0..config.workers {
            let worker = Worker {
                controller: config.name.clone(),
                queue: queue.clone(),
                reconciler: self.reconciler.clone(),
                max_retries: config.max_retries,
                shared: config.shared.clone(),
            };
            workers.spawn(worker.run(stopped.clone()));
        }
        tokio::select! {
            () = shutdown => {}
            // Not a panic of the reconciler, which is caught: a broken invariant, or a panic in an error's `Display`.
            Some(Err(worker)) = workers.join_next() => resume_unwind(worker.into_panic()),
        }
        drop((handlers, stop));
        // `timeout` takes any duration; adding one to the present time could overflow.
        let ended =
            timeout(config.grace_period, async { while workers.join_next().await.is_some() {} }).await;
        queue.shut_down();
        tracing::info!(controller = %config.name, "stopped");
        ended.map_err(|_| RunError(Kind::GracePeriodExceeded(queue.processing())))
    }

    /// Returns the present state of the controller, and the counters of all its runs.
    pub fn status(&self) -> Status {
        self.config.shared.status()
    }

    async fn wait_for_sync(&self) -> bool {
        for source in &self.config.sources {
            if !source.wait_for_sync().await {
                return false;
            }
        }
        true
    }

    fn not_synced(&self) -> Vec<String> {
        let missing = self.config.sources.iter().filter(|source| !source.has_synced());
        let mut names: Vec<_> = missing.map(|source| source.name()).collect();
        names.dedup();
        names
    }
}

impl<R> fmt::Debug for Controller<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller").field("name", &self.config.name).finish_non_exhaustive()
    }
}

/// A run could not start, or did not end cleanly.
pub struct RunError(Kind);

enum Kind {
    NoWorkers,
    Running,
    NotSynced(Vec<String>),
    GracePeriodExceeded(usize),
}

impl RunError {
    /// Returns whether an informer had no first list within the sync timeout. Its kind may not be served, or the
    /// client may not be allowed to list it.
    pub fn is_not_synced(&self) -> bool {
        matches!(self.0, Kind::NotSynced(_))
    }

    /// Returns whether reconciles were still running at the end of the grace period, and were cancelled.
    pub fn is_grace_period_exceeded(&self) -> bool {
        matches!(self.0, Kind::GracePeriodExceeded(_))
    }
}

impl std::error::Error for RunError {}

/// Prints the message, so that a `main` that returns the error with `?` is readable.
impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Running => f.write_str("the controller is running already"),
            Kind::NoWorkers => f.write_str("the controller has 0 workers, but needs at least 1"),
            Kind::NotSynced(informers) => {
                write!(f, "no first list within the sync timeout from informers: {}", informers.join(", "))
            }
            Kind::GracePeriodExceeded(count) => {
                write!(f, "{count} reconciles exceeded the grace period and were cancelled")
            }
        }
    }
}
