//! [`Order`]: starts the parts of a process in order and stops them in the reverse order.

use std::{sync::Arc, time::Duration};

use tokio::net::TcpListener;
use trimtab_admin::Admin;
use trimtab_controller::{Controller, leaderelection::LeaderElector};
use trimtab_events::EventPublisher;

use crate::{
    ManagerHandle, Runnable,
    failures::Failures,
    led::{LedWork, MARGIN, controller_part, limited, runnable_part},
    runnable::{BoxError, Place},
    stage::Stage,
};

/// The time that open requests to the admin server get at the end.
const ADMIN_GRACE: Duration = Duration::from_secs(1);
/// The time that an elector needs after its led work, to release the Lease.
const RELEASE: Duration = Duration::from_secs(10);

/// The parts of a process, by the stage in which they start.
///
/// Start: admin server, runnables before informers, informers (awaited), parts on every replica, led work. Stop: parts on
/// every replica, led work and then the Lease, Events, informers, runnables before informers, admin server.
#[derive(Debug)]
pub(crate) struct Order {
    parts: Parts,
    /// The flush timeout of the publisher of Events.
    flush_timeout: Duration,
    failures: Failures,
    admin: Stage,
    servers: Stage,
    events: Stage,
    replicas: Stage,
    led: Stage,
}

/// The parts and limits that an [`Order`] is made from.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) admin: Option<(String, Admin)>,
    pub(crate) publisher: Option<EventPublisher>,
    pub(crate) process: ManagerHandle,
    /// Controllers that run on every replica.
    pub(crate) unled: Vec<Arc<Controller>>,
    pub(crate) led: Vec<Arc<Controller>>,
    pub(crate) runnables: Vec<Runnable>,
    pub(crate) elector: Option<LeaderElector>,
    pub(crate) sync_timeout: Duration,
    pub(crate) grace_period: Duration,
}

impl Order {
    pub(crate) fn new(parts: Parts, failures: &Failures) -> Self {
        let stage = || Stage::new(failures);
        Self {
            flush_timeout: parts.publisher.as_ref().map_or(Duration::ZERO, EventPublisher::flush_timeout),
            parts,
            failures: failures.clone(),
            admin: stage(),
            servers: stage(),
            events: stage(),
            replicas: stage(),
            led: stage(),
        }
    }

    /// Starts all parts. A failure is reported, and ends the start.
    ///
    /// Dropped early, some stages have started; [`stop`](Self::stop) stops those.
    pub(crate) async fn start(&mut self) {
        if let Err((part, cause)) = self.start_stages().await {
            self.failures.failed(part, cause);
        }
    }

    async fn start_stages(&mut self) -> Result<(), (&'static str, BoxError)> {
        if let Some((address, admin)) = self.parts.admin.take() {
            let listener = TcpListener::bind(&address).await;
            let listener =
                listener.map_err(|cause| ("admin server", ListenError { address, cause }.into()))?;
            let shutdown = self.admin.shutdown();
            let serve = async move { Ok(admin.serve(listener, shutdown).await?) };
            self.admin.spawn("admin server".to_owned(), serve);
        }
        self.start_runnables(Place::BeforeInformers);
        if let Some(publisher) = self.parts.publisher.take() {
            let shutdown = self.events.shutdown();
            let publish = async move {
                let unsent = publisher.run(shutdown).await.0;
                if unsent > 0 {
                    tracing::warn!(unsent, "Events were not sent before the end");
                }
                Ok(())
            };
            self.events.spawn("event publisher".to_owned(), publish);
        }
        let Parts { process, sync_timeout, .. } = &self.parts;
        process.informers.start();
        let is_needed = |description: &str| process.is_needed(description);
        let synced = process.informers.wait_for_sync_of(*sync_timeout, is_needed).await;
        synced.map_err(|error| ("informers", error.into()))?;
        self.start_runnables(Place::OnEveryReplica);
        self.start_unled();
        self.start_led();
        Ok(())
    }

    fn start_runnables(&mut self, place: Place) {
        let stage = if place == Place::BeforeInformers { &mut self.servers } else { &mut self.replicas };
        for runnable in self.parts.runnables.iter().filter(|runnable| runnable.place == place) {
            let name = runnable_part(&runnable.name);
            let (runnable, shutdown) = (runnable.clone(), stage.shutdown());
            let (grace_period, failures) = (self.parts.grace_period, self.failures.clone());
            stage.spawn(name.clone(), async move {
                limited(&runnable, &name, shutdown, grace_period, &failures).await
            });
        }
    }

    fn start_unled(&mut self) {
        for controller in self.parts.unled.clone() {
            let (shutdown, grace_period) = (self.replicas.shutdown(), self.parts.grace_period);
            self.replicas.spawn(controller_part(controller.name()), async move {
                let standby = tokio::select! {
                    biased;
                    standby = controller.stand_by() => standby?,
                    () = shutdown.clone() => return Ok(()),
                };
                Ok(standby.grace_period(grace_period).run(shutdown).await?)
            });
        }
    }

    fn start_led(&mut self) {
        let led = |runnable: &&Runnable| runnable.place == Place::Led;
        let work = LedWork {
            controllers: self.parts.led.clone(),
            runnables: self.parts.runnables.iter().filter(led).cloned().collect(),
            failures: self.failures.clone(),
            grace_period: self.parts.grace_period,
        };
        let (elector, shutdown) = (self.parts.elector.take(), self.led.shutdown());
        self.led.spawn("leader election".to_owned(), async move {
            match elector {
                Some(elector) => work.elect(elector, shutdown).await,
                None => work.run(shutdown).await,
            }
            Ok(())
        });
    }

    /// Stops all parts in the reverse order, and waits for each stage.
    pub(crate) async fn stop(mut self) {
        let grace_period = self.parts.grace_period;
        self.replicas.stop(grace_period.saturating_add(MARGIN)).await;
        self.led.stop(grace_period.saturating_add(MARGIN + RELEASE)).await;
        self.events.stop(self.flush_timeout.saturating_add(MARGIN)).await;
        self.parts.process.informers.shut_down().await;
        self.servers.stop(grace_period.saturating_add(MARGIN)).await;
        self.admin.stop_quietly(ADMIN_GRACE).await;
    }
}

/// The address of the admin server could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("listening on {address}")]
struct ListenError {
    address: String,
    #[source]
    cause: std::io::Error,
}
