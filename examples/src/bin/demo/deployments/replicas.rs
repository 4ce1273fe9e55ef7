//! [`Replicas`]: processes with both controllers, of which one leads.

use std::{future::pending, time::Duration};

use tokio::task::{AbortHandle, JoinSet};
use trimtab_apiserver::ApiServer;
use trimtab_controller::leaderelection::Observer;
use trimtab_examples::controller_manager::{Selected, add_to};
use trimtab_manager::Manager;

use crate::failure::Failure;

/// The user agent of every replica, for faults.
pub(crate) const USER_AGENT: &str = "controllers";

/// The replicas that run.
#[derive(Default)]
pub(crate) struct Replicas {
    tasks: JoinSet<Result<(), Failure>>,
    running: Vec<(Observer, AbortHandle)>,
}

impl Replicas {
    /// Starts one more replica.
    pub(crate) fn start(&mut self, server: &ApiServer, identity: &'static str) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Cluster(error.to_string());
        let manager = Manager::with_client_that_may_retry("trimtab-demo", server.client_as(USER_AGENT))
            .leader_election("kube-system", "trimtab-deployments")
            .election_settings(move |elector| {
                let elector = elector.identity(identity).lease_duration(Duration::from_millis(1500));
                elector.renew_deadline(Duration::from_millis(1000)).retry_period(Duration::from_millis(250))
            });
        let mut manager = manager.build().map_err(|error| failed(&error))?;
        let all: Selected = "*".parse().map_err(|error| failed(&error))?;
        add_to(&mut manager, &all, [5, 5]);
        let observer = manager.observer().ok_or_else(|| failed(&"no leader election"))?;
        let task = self.tasks.spawn(async move {
            let ended = manager.run_until(pending()).await;
            ended.map_err(|error| Failure::Cluster(format!("the controllers stopped: {error}")))
        });
        self.running.push((observer, task));
        Ok(())
    }

    /// Ends the leader in the middle of its work; its Lease is not released. Returns its identity.
    pub(crate) fn kill_leader(&mut self) -> Option<String> {
        let leader = self.running.iter().position(|(observer, _)| observer.is_leader())?;
        let (observer, task) = self.running.remove(leader);
        task.abort();
        Some(observer.identity().to_owned())
    }

    /// Waits until a replica fails.
    pub(crate) async fn failed(&mut self) -> Failure {
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(Err(failure)) => return failure,
                Err(error) if error.is_panic() => {
                    return Failure::Cluster(format!("the controllers panicked: {error}"));
                }
                Ok(Ok(())) | Err(_) => {} // killed
            }
        }
        pending().await
    }
}
