//! [`Standby`]: a run whose queue is filled and whose workers have not started.

use std::{fmt, panic::resume_unwind, pin::pin, sync::Arc, time::Duration};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinSet},
    time::timeout,
};
use trimtab_leaderelection::Leadership;

use crate::{
    error::{Kind, RunError},
    running::Running,
    source::{Driver, set::Connected},
    worker::Worker,
};

/// The default of [`Controller::grace_period`](crate::Controller::grace_period), as in controller-runtime.
const GRACE_PERIOD: Duration = Duration::from_secs(30);

/// A run whose informers have synced and whose queue is filled, but whose workers have not started:
/// [`Controller::stand_by`](crate::Controller::stand_by).
///
/// Events add keys to the queue meanwhile, each key once. External sources wait for [`run`](Self::run). Dropping it ends the
/// run.
#[must_use = "no key is reconciled before `run`"]
pub struct Standby {
    // In this order: the sources are disconnected before the run ends.
    pub(crate) connected: Connected,
    pub(crate) added: mpsc::UnboundedReceiver<Driver>,
    pub(crate) running: Running,
    /// The worker of which each task gets a copy.
    pub(crate) worker: Worker,
    pub(crate) workers: usize,
    pub(crate) grace_period: Option<Duration>,
    pub(crate) abort_timeout: Duration,
    pub(crate) leadership: Option<Leadership>,
}

impl Standby {
    /// Makes the run part of the led work of `leadership`. By default it is part of the term whose led work awaits
    /// [`run`](Self::run); a task that led work has spawned passes its token here.
    pub fn led_by(self, leadership: Leadership) -> Self {
        Self { leadership: Some(leadership), ..self }
    }

    /// Sets the time that running reconciles get after the shutdown, unless the controller has a
    /// [grace period](crate::Controller::grace_period) of its own.
    pub fn grace_period(self, grace_period: Duration) -> Self {
        Self { grace_period: self.grace_period.or(Some(grace_period)), ..self }
    }

    /// Starts the workers, and returns once `shutdown` has completed and every task of the run has ended, as
    /// [`Controller::run`](crate::Controller::run) does.
    ///
    /// # Errors
    ///
    /// As those of [`Controller::run`](crate::Controller::run) after the informers have synced.
    ///
    /// # Cancel safety
    ///
    /// As that of [`Controller::run`](crate::Controller::run).
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let Self { connected, mut added, running, worker, workers, grace_period, abort_timeout, leadership } =
            self;
        let leadership = leadership.or_else(Leadership::current);
        let grace_period = grace_period_in(grace_period, leadership.as_ref())?;
        let running = match &leadership {
            Some(leadership) => match running.led_by(leadership) {
                Ok(running) => Arc::new(running),
                Err(_) => return Ok(()), // the term is over, which is a shutdown
            },
            None => Arc::new(running),
        };
        tracing::info!(controller = %worker.controller, workers, "starting workers");
        let mut shutdown = pin!(shutdown);
        let mut drivers = FuturesUnordered::<Driver>::new();
        let (stop, stopped) = watch::channel(());
        let mut tasks = spawn(workers, &worker, &running, &stopped);
        let failed = loop {
            tokio::select! {
                biased; // a shutdown is no failure, even if a worker fails at the same moment
                () = &mut shutdown => break None,
                // Not a reconciler's panic, which is contained: a broken invariant of ours, or a user's `Display`.
                Some(Err(worker)) = tasks.join_next() => break Some(worker),
                Some(driver) = added.recv() => drivers.push(driver),
                Some(()) = drivers.next(), if !drivers.is_empty() => {}
            }
        };
        drop((connected, drivers, stop));
        let grace_period = if failed.is_some() { Duration::ZERO } else { grace_period };
        let joined = join(&mut tasks, &worker.controller, &running, grace_period, abort_timeout).await;
        worker.queue.queue.shut_down();
        tracing::info!(controller = %worker.controller, "stopped");
        match failed.map(JoinError::try_into_panic) {
            Some(Ok(panic)) => resume_unwind(panic),
            _ => joined,
        }
    }
}

/// Spawns the workers. Dropping the set aborts them.
fn spawn(
    workers: usize,
    worker: &Worker,
    running: &Arc<Running>,
    stopped: &watch::Receiver<()>,
) -> JoinSet<()> {
    worker.shared.metrics.began(workers);
    let mut tasks = JoinSet::new();
    for _ in 0..workers {
        let (running, stopped, worker) = (running.clone(), stopped.clone(), worker.clone());
        tasks.spawn(async move {
            let _running = running; // dropped after the reconcile, also when the task is aborted
            worker.run(stopped).await;
        });
    }
    tasks
}

/// Waits for the workers, for the grace period; then aborts them and waits for that.
async fn join(
    tasks: &mut JoinSet<()>,
    controller: &str,
    running: &Running,
    grace_period: Duration,
    abort_timeout: Duration,
) -> Result<(), RunError> {
    if timeout(grace_period, ended(tasks)).await.is_ok() {
        return Ok(());
    }
    let keys = running.keys();
    tracing::warn!(controller, ?keys, "reconciles exceeded the grace period and are aborted");
    tasks.abort_all();
    if timeout(abort_timeout, ended(tasks)).await.is_ok() {
        return Err(RunError(Kind::GracePeriodExceeded(keys)));
    }
    let keys = running.keys();
    tracing::error!(controller, ?keys, "reconciles block their threads: the process must exit");
    Err(RunError(Kind::Blocked(keys)))
}

async fn ended(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// Returns the grace period of a run: that of the term in led work.
pub(crate) fn grace_period_in(
    own: Option<Duration>,
    leadership: Option<&Leadership>,
) -> Result<Duration, RunError> {
    match (own, leadership.map(Leadership::grace_period)) {
        (Some(own), Some(term)) if own > term => Err(RunError(Kind::GracePeriod { own, term })),
        (own, term) => Ok(own.or(term).unwrap_or(GRACE_PERIOD)),
    }
}

impl fmt::Debug for Standby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standby")
            .field("controller", &self.worker.controller)
            .field("queued", &self.worker.queue.queue.len())
            .finish_non_exhaustive()
    }
}
