//! [`Controller`]: its configuration and its run. The loop of a worker is in `worker`.

use std::{fmt, hash::Hash, panic::resume_unwind, sync::Arc, time::Duration};

use kube_client::Resource;
use serde::de::DeserializeOwned;
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::timeout,
};
use trimtab_cache::{Object, ObjectKey};
use trimtab_expectations::Ledger;
use trimtab_informer::{Event, Informer};
use trimtab_leaderelection::Leadership;
use trimtab_workqueue::{
    WorkQueue,
    limiter::{MaxWaitLimiter, default_controller},
};

use crate::{
    error::{Kind, RunError},
    reconciler::{Action, Error, Reconciler, Request},
    running::{Running, Shared, Status},
    source::{LedgerSource, MappedInformer, OwnerLookup, Source},
    worker::Worker,
};

/// The default of [`Controller::sync_timeout`], as in controller-runtime.
const SYNC_TIMEOUT: Duration = Duration::from_secs(120);

/// The default of [`Controller::grace_period`], as in controller-runtime.
const GRACE_PERIOD: Duration = Duration::from_secs(30);

/// The default of [`Controller::abort_timeout`].
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);

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
    max_backoff: Duration,
    sync_timeout: Duration,
    grace_period: Option<Duration>,
    abort_timeout: Duration,
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
            max_backoff: Duration::MAX,
            sync_timeout: SYNC_TIMEOUT,
            grace_period: None,
            abort_timeout: ABORT_TIMEOUT,
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

    /// Sets the longest delay of a retry. The default is that of client-go's queues: 1000 s for a key, reached after 18
    /// failures in a row, and longer if many keys fail.
    pub fn max_backoff(mut self, delay: Duration) -> Self {
        self.config.max_backoff = delay;
        self
    }

    /// Sets the time that a run waits for the first lists of its informers. The default is 2 minutes.
    pub fn sync_timeout(mut self, timeout: Duration) -> Self {
        self.config.sync_timeout = timeout;
        self
    }

    /// Sets the time that running reconciles get to finish after the shutdown. After it they are aborted: their
    /// futures are dropped at the `.await` where they wait.
    ///
    /// Default: 30 seconds. In led work it is the grace period of the elector, which is the one budget of
    /// the whole term; a longer one that is set here is an error of [`run`](Controller::run).
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.config.grace_period = Some(grace_period);
        self
    }

    /// Sets the time that aborted reconciles get to reach an `.await`; 5 seconds unless set.
    ///
    /// A reconcile that blocks its thread for longer ends the run with an error whose
    /// [`must_exit`](RunError::must_exit) is `true`.
    pub fn abort_timeout(mut self, timeout: Duration) -> Self {
        self.config.abort_timeout = timeout;
        self
    }
}

impl Controller {
    /// Runs the controller until `shutdown` completes, and returns once every task of the run has ended.
    ///
    /// Starts the informers, waits for their first lists, queues every object, and reconciles. After the
    /// shutdown no further key is started. Running reconciles get the grace period, then they are aborted.
    /// Keys that are still queued are dropped: the next run queues every object anyway.
    ///
    /// The informers continue, as others may share them.
    ///
    /// In led work (a future that a [`LeaderElector`](trimtab_leaderelection::LeaderElector) runs), each
    /// worker holds a [`WorkGuard`](trimtab_leaderelection::WorkGuard) of the term. The elector does not
    /// release the Lease while a worker is alive, even if this future was dropped.
    ///
    /// # Errors
    ///
    /// - The number of workers is 0.
    /// - An informer has no first list within the sync timeout. The error names the informer.
    /// - Reconciles exceeded the grace period and were aborted. The error names their keys.
    /// - Reconciles blocked their threads for the abort timeout, too. The error names their keys, and
    ///   [`RunError::must_exit`] is `true`: no task can be ended from outside while it blocks.
    /// - The controller runs already, or a task of an earlier run is left.
    /// - The grace period is longer than that of the elector.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future aborts the workers and does not wait for them. A reconcile is dropped at its
    /// next `.await`: at once when it waits there, later when it is being polled on another thread.
    /// Until the last one is gone, another run of this controller is refused.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let config = &self.config;
        if config.workers == 0 {
            return Err(RunError(Kind::NoWorkers));
        }
        let leadership = Leadership::current();
        let grace_period = config.grace_period_in(leadership.as_ref())?;
        let limiter = MaxWaitLimiter::new(default_controller(), config.max_backoff);
        let queue = WorkQueue::builder().name(&*config.name).limiter(limiter).build();
        let running = Running::begin(&config.name, &config.shared, &queue).ok_or(RunError(Kind::Running))?;
        let running = match &leadership {
            Some(leadership) => match running.led_by(leadership) {
                Ok(running) => Arc::new(running),
                Err(_) => return Ok(()), // the term is over, which is a shutdown
            },
            None => Arc::new(running),
        };
        tokio::pin!(shutdown);
        config.sources.iter().for_each(|source| source.start());
        tokio::select! {
            biased; // in a fixed order, so that a simulation can be replayed
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
            let (running, stopped) = (running.clone(), stopped.clone());
            workers.spawn(async move {
                let _running = running; // dropped after the reconcile, also when the task is aborted
                worker.run(stopped).await;
            });
        }
        let failed = tokio::select! {
            biased; // a shutdown is no failure, even if a worker fails at the same moment
            () = shutdown => None,
            // Not a reconciler's panic, which is contained: a broken invariant of ours, or a user's `Display`.
            Some(Err(worker)) = workers.join_next() => Some(worker),
        };
        drop((handlers, stop));
        let grace_period = if failed.is_some() { Duration::ZERO } else { grace_period };
        let joined = self.join(&mut workers, &running, grace_period).await;
        queue.shut_down();
        tracing::info!(controller = %config.name, "stopped");
        match failed.map(JoinError::try_into_panic) {
            Some(Ok(panic)) => resume_unwind(panic),
            _ => joined,
        }
    }

    /// Waits for the workers, for the grace period; then aborts them and waits for that.
    async fn join(
        &self,
        workers: &mut JoinSet<()>,
        running: &Running,
        grace_period: Duration,
    ) -> Result<(), RunError> {
        let controller = &*self.config.name;
        if timeout(grace_period, ended(workers)).await.is_ok() {
            return Ok(());
        }
        let keys = running.keys();
        tracing::warn!(controller, ?keys, "reconciles exceeded the grace period and are aborted");
        workers.abort_all();
        if timeout(self.config.abort_timeout, ended(workers)).await.is_ok() {
            return Err(RunError(Kind::GracePeriodExceeded(keys)));
        }
        let keys = running.keys();
        tracing::error!(controller, ?keys, "reconciles block their threads: the process must exit");
        Err(RunError(Kind::Blocked(keys)))
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

impl Config {
    /// Returns the grace period of a run: that of the term in led work.
    fn grace_period_in(&self, leadership: Option<&Leadership>) -> Result<Duration, RunError> {
        match (self.grace_period, leadership.map(Leadership::grace_period)) {
            (Some(own), Some(term)) if own > term => Err(RunError(Kind::GracePeriod { own, term })),
            (own, term) => Ok(own.or(term).unwrap_or(GRACE_PERIOD)),
        }
    }
}

async fn ended(workers: &mut JoinSet<()>) {
    while workers.join_next().await.is_some() {}
}
