//! [`ApiServerBuilder`]: what a server is started with.

use std::{sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;

use super::{ApiServer, pipeline::Pipeline, spawn};
use crate::{
    Admission, Denied, Faults, User,
    admission::hooks::Hooks,
    api::{
        clock::Clock,
        random::{Random, Stream},
    },
    auth::{Access, Secret},
    bootstrap,
    controllers::Switches,
    handlers::{core::Core, request_log::RequestLog, watches::Watches},
    http::head::Marks,
    registry::Context,
    store::Store,
};

/// Settings of an [`ApiServer`] that is not started yet.
#[derive(Debug, Clone)]
#[must_use]
pub struct ApiServerBuilder {
    seed: u64,
    request_log: bool,
    start_time: Option<Timestamp>,
    bootstrap: bool,
    controllers: Switches,
    rbac: bool,
    tokens: Vec<(Secret, User)>,
    admin_token: Option<Secret>,
    hooks: Hooks,
    connection_timeout: Duration,
    max_connections: usize,
    history_bytes: usize,
}

impl Default for ApiServerBuilder {
    fn default() -> Self {
        Self {
            seed: 0,
            request_log: false,
            start_time: None,
            bootstrap: true,
            controllers: Switches {
                garbage_collector: true,
                namespaces: true,
                service_accounts: true,
                root_certificates: false,
                volume_protection: true,
            },
            rbac: false,
            tokens: Vec::new(),
            admin_token: None,
            hooks: Hooks::default(),
            connection_timeout: Duration::from_secs(30),
            max_connections: 1024,
            history_bytes: 128 * 1024 * 1024,
        }
    }
}

impl ApiServerBuilder {
    /// Seeds UIDs and the suffixes of generated names; 0 by default. With a paused clock and a
    /// [`start_time`](Self::start_time), two servers with one seed do exactly the same. Secrets do not follow from it:
    /// tokens and keys come from the operating system's randomness.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets the time of the server's clock at the start; by default the wall clock's.
    pub fn start_time(self, start_time: Timestamp) -> Self {
        Self { start_time: Some(start_time), ..self }
    }

    /// Whether every request is written down in the [`RequestLog`], which grows with each; not by default.
    pub fn request_log(self, request_log: bool) -> Self {
        Self { request_log, ..self }
    }

    /// Whether the server begins with what a new kube-apiserver holds, as it does by default: the Service
    /// `kubernetes`, RBAC's first roles and bindings, priority classes, flow control's levels, `APIService`s. A
    /// bare server has four namespaces and nothing in them.
    pub fn bootstrap(self, bootstrap: bool) -> Self {
        Self { bootstrap, ..self }
    }

    /// Whether the controllers of a cluster run: the garbage collector, the namespace controller and the one that
    /// gives each namespace its service account. They do by default, and each has a switch of its own.
    ///
    /// They are clients like any other, so that faults reach them too: their user agents are
    /// `garbage-collector`, `namespace-controller`, `namespaced-objects-controller` and
    /// `volume-protection-controller`.
    pub fn controllers(self, controllers: bool) -> Self {
        let controllers = if controllers { Self::default().controllers } else { Switches::OFF };
        Self { controllers, ..self }
    }

    /// Whether what nobody owns any more is deleted; it is by default.
    pub fn garbage_collector(mut self, runs: bool) -> Self {
        self.controllers.garbage_collector = runs;
        self
    }

    /// Whether namespaces that are being deleted are emptied, and then go; they do by default.
    pub fn namespace_controller(mut self, runs: bool) -> Self {
        self.controllers.namespaces = runs;
        self
    }

    /// Whether each namespace has the service account `default`; by default it has.
    pub fn service_accounts(mut self, runs: bool) -> Self {
        self.controllers.service_accounts = runs;
        self
    }

    /// Whether volumes and claims that are being deleted go as soon as no Pod uses them; they do by default. Without it,
    /// the finalizers that protect them hold them until somebody else takes those away.
    pub fn volume_protection(mut self, runs: bool) -> Self {
        self.controllers.volume_protection = runs;
        self
    }

    /// Whether each namespace has the `ConfigMap` `kube-root-ca.crt`. Not by default: it would stand in every list of
    /// `ConfigMap`s. It holds the certificate that TLS is served with, and nothing without the feature `tls`.
    pub fn root_certificates(mut self, runs: bool) -> Self {
        self.controllers.root_certificates = runs;
        self
    }

    /// Whether RBAC's objects decide who may do what; not by default. Then whoever sends no token over a socket is
    /// `system:anonymous`, and an unknown token is refused: 401. Clients in this process go by the [`User`] that
    /// they were made for, which is an administrator unless
    /// [`client_for`](ApiServer::client_for) says otherwise.
    ///
    /// A `ClusterRole` that aggregates others has their rules without a controller's help.
    pub fn rbac(self, rbac: bool) -> Self {
        Self { rbac, ..self }
    }

    /// Makes `token` a bearer token of `user`. As soon as there is one, tokens are asked for.
    pub fn token(mut self, token: impl Into<String>, user: User) -> Self {
        self.tokens.push((Secret::chosen(token), user));
        self
    }

    /// Makes `token` the administrator's token, for tests that compare whole kubeconfigs. By default it is new for each
    /// server, and nobody can guess it. Whoever can reach the server and knows the token may do everything.
    pub fn insecure_fixed_token(mut self, token: impl Into<String>) -> Self {
        self.admin_token = Some(Secret::chosen(token));
        self
    }

    /// How long a connection on a socket may be idle between requests, a body may take to come, and a client may leave
    /// unread what it is sent; 30 seconds by default. Then the connection ends. A watch is no idleness.
    pub fn connection_timeout(self, connection_timeout: Duration) -> Self {
        Self { connection_timeout, ..self }
    }

    /// How many connections all listeners together may have; 1,024 by default. Further ones are closed at once, and the log
    /// says so.
    pub fn max_connections(self, max_connections: usize) -> Self {
        Self { max_connections: max_connections.min(tokio::sync::Semaphore::MAX_PERMITS), ..self }
    }

    /// How many bytes of former states of objects are kept for watches and lists of older versions; 128 MiB by default.
    /// Whoever asks for what fell out gets 410, as where history is too old.
    pub fn history_bytes(self, history_bytes: usize) -> Self {
        Self { history_bytes, ..self }
    }

    /// Adds a hook that sees every object before it is written, and may change or refuse it.
    ///
    /// It runs before defaults are filled in and before the kind's rules look at the object, in the order in
    /// which hooks were added; a refusal is answered in a webhook's words. A hook that panics is answered
    /// with 500. It must not wait: it runs within the request.
    pub fn mutating(
        mut self,
        name: &str,
        hook: impl Fn(&mut Admission<'_>) -> Result<(), Denied> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.add_mutating(name, hook);
        self
    }

    /// Adds a hook that sees every object as it is about to be stored, and every deletion, and may refuse it.
    pub fn validating(
        mut self,
        name: &str,
        hook: impl Fn(&Admission<'_>) -> Result<(), Denied> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.add_validating(name, hook);
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(self) -> ApiServer {
        let store = Store::new(self.history_bytes);
        let random = Random::seeded(self.seed, Stream::Objects);
        let admin_token = self.admin_token.unwrap_or_else(Secret::new);
        let mut tokens = self.tokens;
        let are_tokens_asked_for = self.rbac || !tokens.is_empty();
        if are_tokens_asked_for {
            tokens.push((admin_token.clone(), User::admin()));
        }
        let clock = Clock::starting_at(self.start_time.unwrap_or_else(Timestamp::now));
        let watches = Arc::new(Watches::new(self.seed));
        let core = Core {
            registry: Context::new(store.clone(), clock, random),
            access: Access::new(self.rbac, tokens),
            hooks: self.hooks,
            watches: watches.clone(),
            request_log: RequestLog::new(self.request_log),
        };
        bootstrap::make_namespaces(&core.registry);
        let first = Random::seeded(self.seed, Stream::Bootstrap);
        if self.bootstrap {
            bootstrap::make_objects(&core.registry, &first);
        }
        let faults = Faults::new(store, watches, self.seed);
        let pipeline = Pipeline { core: Arc::new(core), faults, marks: Marks::default() };
        let server = ApiServer::new(pipeline, admin_token, self.connection_timeout, self.max_connections);
        spawn::spawn_definitions(&server, &mut server.tasks.lock());
        spawn::spawn(&server, self.controllers, &bootstrap::NAMESPACES, &first, &mut server.tasks.lock());
        server
    }
}
