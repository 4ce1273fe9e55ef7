//! The run of a [`Controller`]: from the start of its informers to the end of its last worker.

use std::pin::pin;

use tokio::time::timeout;
use trimtab_leaderelection::Leadership;

use crate::{
    action::Action,
    controller::Controller,
    error::{Kind, RunError},
    failure::Error,
    request::Request,
    running::Running,
    standby::{Standby, grace_period_in},
    status::Status,
    worker::Worker,
};

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
        grace_period_in(self.config.grace_period, Leadership::current().as_ref())?;
        let mut shutdown = pin!(shutdown);
        let standby = tokio::select! {
            biased; // in a fixed order, so that a simulation can be replayed
            standby = self.stand_by() => standby?,
            () = &mut shutdown => return Ok(()),
        };
        standby.run(shutdown).await
    }

    /// Begins a run without its workers: starts the informers, waits for their first lists, and queues every object.
    ///
    /// A candidate of a leader election does this before it leads, so that the led work, [`Standby::run`], begins at
    /// once.
    ///
    /// # Errors
    ///
    /// - The number of workers is 0.
    /// - An informer has no first list within the sync timeout. The error names the informer and its last error.
    /// - The controller runs already, or a task of an earlier run is left.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, it has started informers, which continue, and nothing else.
    pub async fn stand_by(&self) -> Result<Standby, RunError> {
        let config = &self.config;
        if config.workers == 0 {
            return Err(RunError(Kind::NoWorkers));
        }
        let queue = config.queue.build(&config.name, &config.reasons);
        let running = Running::begin(&config.name, &config.shared, &queue).ok_or(RunError(Kind::Running))?;
        config.sources.start();
        if timeout(config.sync_timeout, config.sources.wait_for_sync()).await != Ok(true) {
            return Err(RunError(Kind::NotSynced(config.sources.not_synced())));
        }
        let (connected, added) = config.sources.connect_all(&queue);
        let worker = Worker {
            controller: config.name.clone(),
            queue,
            reconciler: self.reconciler.clone(),
            limits: config.limits,
            shared: config.shared.clone(),
            sources: config.sources.clone(),
        };
        Ok(Standby {
            connected,
            added,
            running,
            worker,
            workers: config.workers,
            grace_period: config.grace_period,
            abort_timeout: config.abort_timeout,
            leadership: None,
        })
    }

    /// Calls the reconciler once, without the queue: no retry, no timeout, and a panic is not caught. For tests.
    ///
    /// # Errors
    ///
    /// Those of the reconciler.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the reconcile is dropped at its `.await`.
    pub async fn reconcile(&self, request: Request) -> Result<Action, Error> {
        self.reconciler.call(request).await
    }

    /// Returns the present state of the controller, and the counts of all its runs.
    pub fn status(&self) -> Status {
        self.handle().status()
    }
}
