//! [`Manager`]: the parts of a process, and their run.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use kube_client::Client;
use trimtab_admin::AdminBuilder;
use trimtab_controller::{
    Controller,
    cache::Object,
    featuregate::FeatureGates,
    informer::{Informer, InformerFactory},
    leaderelection::{LeaderElector, Observer},
};
use trimtab_events::{EventPublisher, EventRecorder};

use crate::{
    ManagerError, ManagerHandle, Runnable,
    debug::Debugged,
    error::Kind,
    failures::Failures,
    order::{Order, Parts},
    runnable::Place,
    signals,
};

/// The parts of a process: controllers and runnables, and what they share.
///
/// Nothing runs before [`run`](Self::run).
#[must_use = "a manager does nothing before `run`"]
pub struct Manager {
    pub(crate) name: String,
    pub(crate) client: Client,
    pub(crate) unfenced: Client,
    pub(crate) informers: InformerFactory,
    pub(crate) events: EventRecorder,
    pub(crate) publisher: EventPublisher,
    pub(crate) elector: Option<LeaderElector>,
    pub(crate) admin: Option<(String, AdminBuilder)>,
    pub(crate) gates: Option<FeatureGates>,
    /// Each with whether it is led.
    pub(crate) controllers: Vec<(Arc<Controller>, bool)>,
    pub(crate) runnables: Vec<Runnable>,
    pub(crate) optional: Vec<String>,
    pub(crate) sync_timeout: Duration,
    pub(crate) grace_period: Duration,
}

impl Manager {
    /// Returns the client for controllers and led runnables. With a leader election, it refuses writes while this
    /// process does not lead.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Returns a client without the fence, for parts that run on every replica.
    pub fn unfenced_client(&self) -> Client {
        self.unfenced.clone()
    }

    /// Returns the factory that makes and shares the process's informers. The manager starts all of them, and waits for
    /// those that exist when it starts, whether a controller handles their events or only reads their stores.
    pub fn informers(&self) -> &InformerFactory {
        &self.informers
    }

    /// Returns the recorder of Events.
    pub fn events(&self) -> &EventRecorder {
        &self.events
    }

    /// Returns a view of the leader election, if there is one.
    pub fn observer(&self) -> Option<Observer> {
        self.elector.as_ref().map(LeaderElector::observer)
    }

    /// Returns a view of the process that stays when the manager runs, for tests and debug pages.
    pub fn handle(&self) -> ManagerHandle {
        ManagerHandle {
            name: self.name.as_str().into(),
            informers: self.informers.clone(),
            controllers: self.controllers.iter().map(|(one, is_led)| (one.handle(), *is_led)).collect(),
            observer: self.observer(),
            optional: self.optional.as_slice().into(),
        }
    }

    /// Starts without waiting for this informer, for example of a kind that some clusters do not serve.
    pub fn optional<T: Object>(&mut self, informer: &Informer<T>) -> &mut Self {
        self.optional.push(informer.description().to_owned());
        self
    }

    /// Adds a controller. With a leader election, it reconciles only while this process leads; its queue is filled before.
    pub fn controller(&mut self, controller: Controller) -> &mut Self {
        self.controllers.push((Arc::new(controller), true));
        self
    }

    /// Adds a controller that reconciles on every replica. Its writes go through
    /// [`unfenced_client`](Self::unfenced_client).
    pub fn controller_on_every_replica(&mut self, controller: Controller) -> &mut Self {
        self.controllers.push((Arc::new(controller), false));
        self
    }

    /// Adds a part that is no controller.
    pub fn runnable(&mut self, runnable: Runnable) -> &mut Self {
        self.runnables.push(runnable);
        self
    }

    /// Runs all parts until SIGTERM or SIGINT, and stops them in order. A second signal ends the process at once, with
    /// code 1.
    ///
    /// # Errors
    ///
    /// As [`run_until`](Self::run_until), and if signals cannot be received.
    ///
    /// # Cancel safety
    ///
    /// As [`run_until`](Self::run_until).
    pub async fn run(self) -> Result<(), ManagerError> {
        let signal = signals::first().map_err(|error| ManagerError::new(Kind::Signals(error)))?;
        self.run_until(signal).await
    }

    /// Runs all parts until `shutdown` completes or a part fails, and stops them in order.
    ///
    /// Start: admin server, runnables [before informers](Runnable::before_informers), informers, which are awaited, parts on
    /// every replica, led work. Stop: parts on every replica, led work and then the Lease, Events, informers, runnables
    /// before informers, admin server.
    ///
    /// # Errors
    ///
    /// - Two controllers or two runnables have the same name.
    /// - The first part that failed, by its name: the address of the admin server is in use, an informer has no first
    ///   list in time, a controller cannot run, a runnable failed or panicked.
    /// - A reconcile or a runnable exceeded the grace period. It is named, and was aborted.
    /// - A task blocks its thread: [`ManagerError::must_exit`].
    ///
    /// # Cancel safety
    ///
    /// Dropped early, all parts are aborted. Queued Events are lost, and the Lease is not released.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), ManagerError> {
        self.check_names()?;
        let failures = Failures::new();
        let mut order = Order::new(self.into_parts(), &failures);
        {
            let started = async {
                order.start().await;
                std::future::pending::<()>().await;
            };
            tokio::select! {
                biased; // in a fixed order, so that a simulation can be replayed
                () = shutdown => {}
                () = failures.first() => {}
                () = started => {}
            }
        }
        order.stop().await;
        failures.into_result()
    }

    fn check_names(&self) -> Result<(), ManagerError> {
        let controllers = self.controllers.iter().map(|(controller, _)| ("controller", controller.name()));
        let runnables = self.runnables.iter().map(|runnable| ("runnable", &*runnable.name));
        let mut names = BTreeSet::new();
        for (kind, name) in controllers.chain(runnables) {
            if !names.insert((kind, name)) {
                return Err(ManagerError::new(Kind::Duplicate { kind, name: name.to_owned() }));
            }
        }
        Ok(())
    }

    fn into_parts(self) -> Parts {
        let handle = self.handle();
        let debugged = Debugged { process: handle.clone(), gates: self.gates };
        let (mut led, mut unled) = (Vec::new(), Vec::new());
        for (controller, is_led) in self.controllers {
            if is_led { led.push(controller) } else { unled.push(controller) }
        }
        let mut runnables = self.runnables;
        let admin = self.admin.map(|(address, builder)| {
            let (builder, sampler) = debugged.add_to(builder);
            runnables.push(sampler);
            (address, builder.build())
        });
        Parts {
            admin,
            publisher: Some(self.publisher),
            process: handle,
            unled,
            led,
            runnables,
            elector: self.elector,
            sync_timeout: self.sync_timeout,
            grace_period: self.grace_period,
        }
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controllers: Vec<_> = self.controllers.iter().map(|(controller, _)| controller.name()).collect();
        let led: Vec<_> =
            self.runnables.iter().filter(|one| one.place == Place::Led).map(|one| &*one.name).collect();
        f.debug_struct("Manager")
            .field("name", &self.name)
            .field("controllers", &controllers)
            .field("led_runnables", &led)
            .field("informers", &self.informers)
            .finish_non_exhaustive()
    }
}
