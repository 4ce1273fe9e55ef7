//! [`ManagerBuilder`]: the settings of a manager.

use std::{fmt, sync::Arc, time::Duration};

use kube_client::{Client, Config};
use trimtab_admin::AdminBuilder;
use trimtab_controller::{
    featuregate::FeatureGates,
    gates,
    informer::InformerFactoryBuilder,
    leaderelection::{Candidacy, LeaderElector, LeaderElectorBuilder, LeaderEvent},
};
use trimtab_events::{EventRecorder, EventRecorderBuilder, NewEvent};

use crate::{
    Manager, ManagerError,
    client::{Clients, Rate},
    error::Kind,
    led::MARGIN,
};

/// The default of [`ManagerBuilder::request_deadline`].
const REQUEST_DEADLINE: Duration = Duration::from_secs(30);

/// The settings of a [`Manager`].
#[must_use]
pub struct ManagerBuilder {
    name: String,
    version: String,
    connection: Connection,
    request_deadline: Option<Duration>,
    rate: Option<(f64, u32)>,
    informers: Change<InformerFactoryBuilder>,
    events: Change<EventRecorderBuilder>,
    lease: Option<(String, String)>,
    election: Change<LeaderElectorBuilder>,
    admin: Option<(String, AdminBuilder)>,
    gates: Option<FeatureGates>,
    sync_timeout: Duration,
    grace_period: Duration,
}

enum Connection {
    Config(Box<Config>),
    Ready(Client),
}

/// A user's change of a part's settings.
type Change<B> = Box<dyn FnOnce(B) -> B + Send>;

impl Manager {
    /// Returns a builder of a manager whose client it makes from `config`.
    ///
    /// `name` is the program's name: that of its informers in metrics, and of the reporting controller in Events. The client
    /// sends each request once, unlike kube-client's own, which repeats a `POST` after 503 and 504, so that a create with a
    /// generated name makes a twin.
    pub fn builder(name: &str, config: Config) -> ManagerBuilder {
        ManagerBuilder::new(name, Connection::Config(Box::new(config)))
    }

    /// Returns a builder of a manager with a client that was made elsewhere, such as that of a test server.
    ///
    /// Nobody can look into a client. A client from `Client::try_default` or `Client::try_from` repeats writes after 503
    /// and 504, up to 15 times. If a lost reply must not make a twin, build it from a `Config` with
    /// `default_retry = false`, or use [`builder`](Self::builder). Deadlines, rate limit and fence apply to this client,
    /// too, around its own retries.
    pub fn with_client_that_may_retry(name: &str, client: Client) -> ManagerBuilder {
        ManagerBuilder::new(name, Connection::Ready(client))
    }
}

impl ManagerBuilder {
    fn new(name: &str, connection: Connection) -> Self {
        Self {
            name: name.to_owned(),
            version: "0.0.0".to_owned(),
            connection,
            request_deadline: Some(REQUEST_DEADLINE),
            rate: None,
            informers: Box::new(|informers| informers),
            events: Box::new(|events| events),
            lease: None,
            election: Box::new(|election| election),
            admin: None,
            gates: None,
            sync_timeout: Duration::from_secs(120),
            grace_period: Duration::from_secs(10),
        }
    }

    /// Sets the program's version, such as `env!("CARGO_PKG_VERSION")`, for a coordinated leader election.
    pub fn version(self, version: &str) -> Self {
        Self { version: version.to_owned(), ..self }
    }

    /// Sets the time that a request of [`Manager::client`] has for its complete response. The default is 30 s. Watches and
    /// logs that are followed have none, and informers have deadlines of their own.
    pub fn request_deadline(self, deadline: Option<Duration>) -> Self {
        Self { request_deadline: deadline, ..self }
    }

    /// Limits the requests of [`Manager::client`] to `qps` a second, with bursts of `burst`. The default is no limit.
    /// Informers, Events and the leader election are not limited.
    pub fn rate_limit(self, qps: f64, burst: u32) -> Self {
        Self { rate: Some((qps, burst)), ..self }
    }

    /// Changes the settings of the informer factory, for example its namespace.
    pub fn informers(
        self,
        change: impl FnOnce(InformerFactoryBuilder) -> InformerFactoryBuilder + Send + 'static,
    ) -> Self {
        Self { informers: Box::new(change), ..self }
    }

    /// Changes the settings of the event recorder.
    pub fn events(
        self,
        change: impl FnOnce(EventRecorderBuilder) -> EventRecorderBuilder + Send + 'static,
    ) -> Self {
        Self { events: Box::new(change), ..self }
    }

    /// Runs controllers and led runnables only while this process holds the Lease `name` in `namespace`.
    ///
    /// The Lease is released at the end, after led work has ended. This takes the verbs get, create and update on `leases`
    /// of `coordination.k8s.io` in that namespace.
    pub fn leader_election(self, namespace: &str, name: &str) -> Self {
        Self { lease: Some((namespace.to_owned(), name.to_owned())), ..self }
    }

    /// Changes the settings of the leader election, for example its durations. The elector's grace period is the manager's.
    pub fn election_settings(
        self,
        change: impl FnOnce(LeaderElectorBuilder) -> LeaderElectorBuilder + Send + 'static,
    ) -> Self {
        Self { election: Box::new(change), ..self }
    }

    /// Serves health checks, metrics and the debug page on `address`, such as `0.0.0.0:8080`. The manager adds its checks and
    /// sections to those of `admin`.
    pub fn admin(self, address: &str, admin: AdminBuilder) -> Self {
        Self { admin: Some((address.to_owned(), admin)), ..self }
    }

    /// Sets the feature gates that the debug page shows. The default is the registry with Trimtab's own gates.
    pub fn gates(self, gates: &FeatureGates) -> Self {
        Self { gates: Some(gates.clone()), ..self }
    }

    /// Sets the time that the first lists of all informers may take. The default is 2 minutes, as in controller-runtime.
    pub fn sync_timeout(self, timeout: Duration) -> Self {
        Self { sync_timeout: timeout, ..self }
    }

    /// Sets the time that each step of a shutdown has: first the parts on every replica, then led work. The default is
    /// 10 s, so that both and the last Events fit into the 30 s that a Pod has.
    pub fn grace_period(self, grace_period: Duration) -> Self {
        Self { grace_period, ..self }
    }

    /// Builds the manager. Nothing is sent before [`Manager::run`].
    ///
    /// # Errors
    ///
    /// The credentials cannot be used, the settings of the leader election contradict each other, the rate limit is
    /// invalid, or this is called outside a tokio runtime.
    pub fn build(self) -> Result<Manager, ManagerError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(ManagerError::new(Kind::NoRuntime));
        }
        let clients = match self.connection {
            Connection::Config(config) => Clients::connect(&self.name, *config, self.lease.is_some()),
            Connection::Ready(client) => Ok(Clients::ready(client)),
        };
        let clients = clients.map_err(|error| ManagerError::new(Kind::Client(error)))?;
        let rate = self.rate.map(|(qps, burst)| Rate::new(qps, burst)).transpose();
        let rate = rate.map_err(|error| ManagerError::new(Kind::Rate(error)))?.map(Arc::new);

        let recorder = EventRecorder::builder(&*self.name).client(clients.plain.clone());
        let recorder = match std::env::var("HOSTNAME") {
            Ok(host) if !host.is_empty() => recorder.instance(host), // in a Pod, its name
            _ => recorder,
        };
        let (events, publisher) = (self.events)(recorder).build();

        let elector = self.lease.zip(clients.lease.clone()).map(|((namespace, name), client)| {
            let candidacy = Candidacy::new(&*self.version);
            let elector = gates::leader_election(client, &namespace, &name, candidacy)
                .release_on_cancel(true) // led work is joined first
                .metrics_name(name)
                .on_event(on_event(&events));
            let grace_period = self.grace_period.saturating_add(2 * MARGIN);
            (self.election)(elector).grace_period(grace_period).build()
        });
        let elector: Option<LeaderElector> =
            elector.transpose().map_err(|error| ManagerError::new(Kind::Election(error)))?;

        let fence = elector.as_ref().map(LeaderElector::fence);
        let deadline = self.request_deadline;
        let informers = gates::informers(clients.plain.clone()).name(&self.name).start_new(true);
        Ok(Manager {
            client: clients.limited(deadline, rate.as_ref(), fence.as_ref()),
            unfenced: clients.limited(deadline, rate.as_ref(), None),
            informers: (self.informers)(informers).build(),
            events,
            publisher,
            elector,
            admin: self.admin,
            gates: self.gates,
            name: self.name,
            controllers: Vec::new(),
            runnables: Vec::new(),
            optional: Vec::new(),
            sync_timeout: self.sync_timeout,
            grace_period: self.grace_period,
        })
    }
}

/// Records an Event about the Lease when a term begins or ends.
fn on_event(events: &EventRecorder) -> impl Fn(&LeaderEvent) + Send + Sync + 'static {
    let events = events.clone();
    move |event| {
        let action = if event.became_leader { "AcquireLease" } else { "StopLeading" };
        events.record(&event.lease, NewEvent::normal(LeaderEvent::REASON, action, event.message()));
    }
}

impl fmt::Debug for ManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, lease, request_deadline, rate, sync_timeout, grace_period, .. } = self;
        f.debug_struct("ManagerBuilder")
            .field("name", name)
            .field("lease", lease)
            .field("request_deadline", request_deadline)
            .field("rate", rate)
            .field("sync_timeout", sync_timeout)
            .field("grace_period", grace_period)
            .finish_non_exhaustive()
    }
}
