//! [`LedWork`]: the parts that run only while this process leads.

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use trimtab_controller::{
    Controller, Standby,
    leaderelection::{LeaderElector, Leadership, Observer, Outcome, WorkGuard},
};

use crate::{Runnable, Shutdown, failures::Failures, stage::Stage};

/// The time that a controller's run may take beyond its grace period: to abort its reconciles, and to say so.
pub(crate) const MARGIN: Duration = Duration::from_secs(6);

/// The parts that run only while this process leads, or always if there is no leader election.
#[derive(Debug)]
pub(crate) struct LedWork {
    pub(crate) controllers: Vec<Arc<Controller>>,
    pub(crate) runnables: Vec<Runnable>,
    pub(crate) failures: Failures,
    pub(crate) grace_period: Duration,
}

impl LedWork {
    /// Runs the parts in each term of leadership until `shutdown`, and stands by between the terms.
    pub(crate) async fn elect(self, mut elector: LeaderElector, shutdown: Shutdown) {
        loop {
            // Before each candidacy: at the beginning of a term the queues are full and the workers start at once.
            let Some(standbys) = self.stand_by(shutdown.clone()).await else { return };
            let observer = elector.observer();
            let outcome = tokio::select! {
                biased;
                outcome = elector.run(shutdown.clone(), |leadership| self.lead(standbys, leadership)) => outcome,
                never = log_holders(&observer) => match never {},
            };
            match outcome {
                Outcome::Lost(_) => tracing::warn!("the Lease was lost: standing by"),
                Outcome::Unfinished { tasks, .. } => return self.failures.blocked(tasks),
                _ => return, // a shutdown
            }
        }
    }

    /// Runs the parts without a leader election.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        if let Some(standbys) = self.stand_by(shutdown.clone()).await {
            let mut stage = self.start(standbys, None);
            shutdown.await;
            stage.stop(self.grace_period.saturating_add(MARGIN)).await;
        }
    }

    /// Fills the queues of all controllers; `None` after a failure, which is reported, or after a shutdown.
    async fn stand_by(&self, shutdown: Shutdown) -> Option<Vec<Standby>> {
        let standbys = self.controllers.iter().map(|controller| async move {
            let standby = controller.stand_by().await;
            standby.map_err(|error| (controller.name(), error))
        });
        tokio::select! {
            biased;
            standbys = try_join_all(standbys) => match standbys {
                Ok(standbys) => Some(standbys),
                Err((name, error)) => {
                    self.failures.failed(&controller_part(name), error.into());
                    None
                }
            },
            () = shutdown => None,
        }
    }

    /// Runs the parts for one term.
    async fn lead(&self, standbys: Vec<Standby>, leadership: Leadership) {
        let mut stage = self.start(standbys, Some(&leadership));
        leadership.lost().await;
        stage.stop(self.grace_period.saturating_add(MARGIN)).await;
    }

    fn start(&self, standbys: Vec<Standby>, leadership: Option<&Leadership>) -> Stage {
        let mut stage = Stage::new(&self.failures);
        let shutdown = stage.shutdown().led_by(leadership.cloned());
        for (controller, standby) in self.controllers.iter().zip(standbys) {
            let standby = standby.grace_period(self.grace_period);
            let standby = match leadership {
                Some(leadership) => standby.led_by(leadership.clone()),
                None => standby,
            };
            let run = standby.run(shutdown.clone());
            stage.spawn(controller_part(controller.name()), async move { Ok(run.await?) });
        }
        for runnable in &self.runnables {
            let name = runnable_part(&runnable.name);
            let guard = leadership.map(|leadership| leadership.work_guard(name.clone()));
            let guard: Option<WorkGuard> = match guard.transpose() {
                Ok(guard) => guard,
                Err(_) => continue, // the term is over already
            };
            let (runnable, shutdown, grace_period) = (runnable.clone(), shutdown.clone(), self.grace_period);
            let failures = self.failures.clone();
            stage.spawn(name.clone(), async move {
                let _guard = guard; // the Lease is not released before the end of this task
                limited(&runnable, &name, shutdown, grace_period, &failures).await
            });
        }
        stage
    }
}

/// Logs each holder of the Lease, so that the log of a process that stands by says for whom.
async fn log_holders(observer: &Observer) -> Infallible {
    let mut holders = observer.changes();
    while let Some(holder) = holders.next().await {
        let lease = observer.lease();
        match &*holder {
            "" => tracing::info!(lease, "the Lease has no holder"),
            own if own == observer.identity() => tracing::info!(lease, "this process leads"),
            _ => tracing::info!(lease, holder, "another process leads: standing by"),
        }
    }
    pending().await
}

/// Runs a runnable until `grace_period` after the shutdown; then drops and reports it.
pub(crate) async fn limited(
    runnable: &Runnable,
    name: &str,
    shutdown: Shutdown,
    grace_period: Duration,
    failures: &Failures,
) -> Result<(), crate::runnable::BoxError> {
    let exceeded = async {
        shutdown.clone().await;
        tokio::time::sleep(grace_period).await;
    };
    tokio::select! {
        biased;
        ended = runnable.start(shutdown.clone()) => ended,
        () = exceeded => {
            failures.unfinished(name.to_owned(), grace_period);
            Ok(())
        }
    }
}

pub(crate) fn controller_part(name: &str) -> String {
    format!("controller {name}")
}

pub(crate) fn runnable_part(name: &str) -> String {
    format!("runnable {name}")
}
