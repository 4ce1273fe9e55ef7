//! [`Controller`]: what wakes a reconciler, and how hard it works. The work itself is in `worker`.

use std::{fmt, hash::Hash, num::NonZeroUsize, panic::resume_unwind, sync::Arc, time::Duration};

use kube_client::Resource;
use serde::de::DeserializeOwned;
use tokio::{sync::watch, task::JoinSet, time::timeout};
use trimtab_cache::{Object, ObjectKey};
use trimtab_expectations::Ledger;
use trimtab_informer::{Event, Informer};
use trimtab_workqueue::WorkQueue;

use crate::{
    reconciler::{Action, Error, Reconciler, Request},
    source::{Mapped, Owners, Source, Wakes},
    worker::{Shared, Status, Worker},
};

/// How long [`Controller::run`] waits for its informers' first lists, as controller-runtime does.
const SYNC_TIMEOUT: Duration = Duration::from_secs(120);

/// How long reconciles that are running may go on after the shutdown, as controller-runtime does.
const GRACE: Duration = Duration::from_secs(30);

/// A reconciler, what wakes it, and how hard it works.
///
/// Nothing is spawned before [`run`](Controller::run). A controller can run again after it has
/// stopped, for example at each term of a leader: informers, and whatever the reconciler keeps,
/// live on; the queue is new, and every object that exists is queued once.
///
/// `R` is `()` until [`reconciler`](Controller::reconciler) is given: one without cannot be run.
#[must_use]
pub struct Controller<R = Reconciler> {
    plan: Plan,
    reconciler: R,
}

struct Plan {
    name: Arc<str>,
    owners: Owners,
    sources: Vec<Box<dyn Source>>,
    workers: NonZeroUsize,
    max_retries: Option<u32>,
    sync_timeout: Duration,
    grace: Duration,
    shared: Arc<Shared>,
}

impl Controller<()> {
    /// A controller of the objects of `primary`, with one worker and unlimited retries.
    ///
    /// Every event of a primary object queues its key. `name` is for logs, and for the metrics of the
    /// controller's queue: two controllers of a process have two names.
    pub fn new<T: Object + DeserializeOwned>(name: &str, primary: &Informer<T>) -> Self
    where
        <T::Kind as Resource>::DynamicType: Default,
    {
        let keys = |event: &Event<T>| [event.key()];
        let plan = Plan {
            name: name.into(),
            owners: Owners::of(primary),
            sources: vec![Box::new(Mapped::new(primary, keys))],
            workers: NonZeroUsize::MIN,
            max_retries: None,
            sync_timeout: SYNC_TIMEOUT,
            grace: GRACE,
            shared: Arc::default(),
        };
        Self { plan, reconciler: () }
    }

    /// Sets the function that brings one object to its desired state.
    ///
    /// Each worker calls it for one key at a time, and never two of them for the same key. A panic
    /// is contained: it counts as a failure of that key.
    pub fn reconciler<F, R>(self, reconcile: F) -> Controller
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, Error>> + Send + 'static,
    {
        Controller { plan: self.plan, reconciler: Reconciler::new(reconcile) }
    }
}

impl<R> Controller<R> {
    /// An event of an object of `dependents` queues the key of its controller, if that is of the
    /// primary kind: the owner reference with `controller: true`, whatever version of the group it
    /// was written in. When the controller changes, both are queued.
    pub fn owns<T: Object + DeserializeOwned>(mut self, dependents: &Informer<T>) -> Self {
        let owners = self.plan.owners.clone();
        self.plan.sources.push(Box::new(Mapped::new(dependents, move |event| owners.concerned(event))));
        self
    }

    /// An event of an object of `others` queues the keys that `keys` returns.
    ///
    /// `keys` runs inside the informer: it reads caches and returns, it does not wait. At the start
    /// of each run it is called for every object that exists, with `initial` events.
    pub fn watches<T, F, I>(mut self, others: &Informer<T>, keys: F) -> Self
    where
        T: Object + DeserializeOwned,
        F: Fn(&Event<T>) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = ObjectKey>,
    {
        self.plan.sources.push(Box::new(Mapped::new(others, keys)));
        self
    }

    /// A key that waited in `ledger` for its own writes is queued when the event comes that ends the wait.
    ///
    /// Beside it, an informer's [`on_progress`](Informer::on_progress) tells the ledger how far its cache is.
    pub fn woken_by<N, V>(mut self, ledger: &Ledger<ObjectKey, N, V>) -> Self
    where
        N: Hash + Eq + Clone + Send + Sync + 'static,
        V: Ord + Clone + Send + Sync + 'static,
    {
        self.plan.sources.push(Box::new(Wakes(ledger.clone())));
        self
    }

    /// How many keys are worked on at once; 1 unless set. Never unbounded.
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.plan.workers = workers;
        self
    }

    /// How many retries a key gets in a row before it waits for its next event; unlimited unless
    /// set. Deployment's controller allows 15, which takes about three minutes.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.plan.max_retries = Some(retries);
        self
    }

    /// How long a run waits for the first lists of its informers; 2 minutes unless set.
    pub fn sync_timeout(mut self, timeout: Duration) -> Self {
        self.plan.sync_timeout = timeout;
        self
    }

    /// How long reconciles that are running at the shutdown may go on; 30 seconds unless set. Then
    /// they are dropped where they wait.
    pub fn grace_period(mut self, grace: Duration) -> Self {
        self.plan.grace = grace;
        self
    }
}

impl Controller {
    /// Works until `shutdown` resolves.
    ///
    /// Starts the informers, waits for their first lists, queues every object, and reconciles. On
    /// shutdown no further key is started, and reconciles that are running get the grace period.
    /// Keys that are still queued are dropped: the next run queues every object anyway.
    ///
    /// The informers go on, as others may share them.
    ///
    /// # Errors
    ///
    /// When an informer has no first list within the sync timeout, with its name; when a reconcile
    /// outlasts the grace period; when the controller runs already.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops at once: reconciles that are running are dropped where they wait.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let plan = &self.plan;
        let queue = WorkQueue::builder().name(&*plan.name).build();
        let _running = plan.shared.begin(&queue).ok_or(RunError(Kind::Running))?;
        tokio::pin!(shutdown);
        plan.sources.iter().for_each(|source| source.start());
        tokio::select! {
            synced = timeout(plan.sync_timeout, self.wait_for_sync()) => if synced != Ok(true) {
                return Err(RunError(Kind::NotSynced(self.not_synced())));
            },
            () = &mut shutdown => return Ok(()),
        }
        tracing::info!(controller = %plan.name, workers = plan.workers, "starting workers");
        let handlers: Vec<_> = plan.sources.iter().map(|source| source.connect(&queue)).collect();
        let (stop, stopped) = watch::channel(());
        let mut workers = JoinSet::new(); // dropped with this future, which aborts them
        for _ in 0..plan.workers.get() {
            let worker = Worker {
                controller: plan.name.clone(),
                queue: queue.clone(),
                reconciler: self.reconciler.clone(),
                max_retries: plan.max_retries,
                shared: plan.shared.clone(),
            };
            workers.spawn(worker.run(stopped.clone()));
        }
        tokio::select! {
            () = shutdown => {}
            // Not a reconciler's panic, which is contained: a broken invariant of ours, or a user's `Display`.
            Some(Err(worker)) = workers.join_next() => resume_unwind(worker.into_panic()),
        }
        drop((handlers, stop));
        // `timeout` takes any duration, where adding one to now could overflow.
        let ended = timeout(plan.grace, async { while workers.join_next().await.is_some() {} }).await;
        queue.shut_down();
        tracing::info!(controller = %plan.name, "stopped");
        ended.map_err(|_| RunError(Kind::Outlasted(queue.processing())))
    }

    /// What the controller is doing now, and what it has done over all its runs.
    pub fn status(&self) -> Status {
        self.plan.shared.status()
    }

    async fn wait_for_sync(&self) -> bool {
        for source in &self.plan.sources {
            if !source.wait_for_sync().await {
                return false;
            }
        }
        true
    }

    fn not_synced(&self) -> Vec<String> {
        let missing = self.plan.sources.iter().filter(|source| !source.has_synced());
        let mut names: Vec<_> = missing.map(|source| source.name()).collect();
        names.dedup();
        names
    }
}

impl<R> fmt::Debug for Controller<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller").field("name", &self.plan.name).finish_non_exhaustive()
    }
}

/// Why a run ended otherwise than by its shutdown.
#[derive(Debug)]
pub struct RunError(Kind);

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Running,
    NotSynced(Vec<String>),
    Outlasted(usize),
}

impl RunError {
    /// Some informer had no first list in time: its kind may not be served, or not be readable.
    pub fn is_not_synced(&self) -> bool {
        matches!(self.0, Kind::NotSynced(_))
    }

    /// Reconciles were still running at the end of the grace period, and were dropped.
    pub fn is_outlasted(&self) -> bool {
        matches!(self.0, Kind::Outlasted(_))
    }
}

impl std::error::Error for RunError {}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Running => f.write_str("the controller is running already"),
            Kind::NotSynced(kinds) => write!(f, "no first list in time of {}", kinds.join(", ")),
            Kind::Outlasted(count) => {
                write!(f, "{count} reconciles outlasted the grace period and were dropped")
            }
        }
    }
}
