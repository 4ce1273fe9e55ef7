//! The run of a [`Controller`]: from the start of its informers to the end of its last worker.

use std::{panic::resume_unwind, sync::Arc, time::Duration};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::timeout,
};
use trimtab_leaderelection::Leadership;

use crate::{
    controller::{Config, Controller},
    error::{Kind, RunError},
    queue::KeyQueue,
    running::Running,
    source::Driver,
    status::Status,
    worker::Worker,
};

/// The default of [`Controller::grace_period`], as in controller-runtime.
const GRACE_PERIOD: Duration = Duration::from_secs(30);

impl Controller {
    /// Runs the controller until `shutdown` completes, and returns once every task of the run has ended.
    ///
    /// Starts the informers, waits for the first lists of those that are not
    /// [optional](crate::Watch::optional), queues every object, and reconciles. After the shutdown no further key is
    /// started. Running reconciles get the grace period, then they are aborted. Keys that are still queued are dropped:
    /// the next run queues every object anyway.
    ///
    /// The informers continue, as others may share them. One that fails during the run delays no other.
    ///
    /// In led work (a future that a [`LeaderElector`](trimtab_leaderelection::LeaderElector) runs), each
    /// worker holds a [`WorkGuard`](trimtab_leaderelection::WorkGuard) of the term. The elector does not
    /// release the Lease while a worker is alive, even if this future was dropped.
    ///
    /// # Errors
    ///
    /// - The number of workers is 0.
    /// - An informer has no first list within the sync timeout. The error names the informer and its last error.
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
        let queue = config.queue.build(&config.name, &config.reasons);
        let running = Running::begin(&config.name, &config.shared, &queue).ok_or(RunError(Kind::Running))?;
        let running = match &leadership {
            Some(leadership) => match running.led_by(leadership) {
                Ok(running) => Arc::new(running),
                Err(_) => return Ok(()), // the term is over, which is a shutdown
            },
            None => Arc::new(running),
        };
        tokio::pin!(shutdown);
        config.sources.start();
        tokio::select! {
            biased; // in a fixed order, so that a simulation can be replayed
            synced = timeout(config.sync_timeout, config.sources.wait_for_sync()) => if synced != Ok(true) {
                return Err(RunError(Kind::NotSynced(config.sources.not_synced())));
            },
            () = &mut shutdown => return Ok(()),
        }
        tracing::info!(controller = %config.name, workers = config.workers, "starting workers");
        let (connected, mut added) = config.sources.connect_all(&queue);
        let mut drivers = FuturesUnordered::<Driver>::new();
        let (stop, stopped) = watch::channel(());
        let mut workers = self.spawn_workers(&queue, &running, &stopped);
        let failed = loop {
            tokio::select! {
                biased; // a shutdown is no failure, even if a worker fails at the same moment
                () = &mut shutdown => break None,
                // Not a reconciler's panic, which is contained: a broken invariant of ours, or a user's `Display`.
                Some(Err(worker)) = workers.join_next() => break Some(worker),
                Some(driver) = added.recv() => drivers.push(driver),
                Some(()) = drivers.next(), if !drivers.is_empty() => {}
            }
        };
        drop((connected, drivers, stop));
        let grace_period = if failed.is_some() { Duration::ZERO } else { grace_period };
        let joined = self.join(&mut workers, &running, grace_period).await;
        queue.queue.shut_down();
        tracing::info!(controller = %config.name, "stopped");
        match failed.map(JoinError::try_into_panic) {
            Some(Ok(panic)) => resume_unwind(panic),
            _ => joined,
        }
    }

    /// Spawns the workers. Dropping the set aborts them.
    fn spawn_workers(
        &self,
        queue: &KeyQueue,
        running: &Arc<Running>,
        stopped: &watch::Receiver<()>,
    ) -> JoinSet<()> {
        let config = &self.config;
        config.shared.metrics.began(config.workers);
        let mut workers = JoinSet::new();
        for _ in 0..config.workers {
            let worker = Worker {
                controller: config.name.clone(),
                queue: queue.clone(),
                reconciler: self.reconciler.clone(),
                limits: config.limits,
                shared: config.shared.clone(),
            };
            let (running, stopped) = (running.clone(), stopped.clone());
            workers.spawn(async move {
                let _running = running; // dropped after the reconcile, also when the task is aborted
                worker.run(stopped).await;
            });
        }
        workers
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

    /// Returns the present state of the controller, and the counts of all its runs.
    pub fn status(&self) -> Status {
        self.handle().status()
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
