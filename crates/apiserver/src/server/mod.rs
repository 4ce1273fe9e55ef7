//! [`ApiServer`]: starts a server, hands out clients to it, and stops it.

mod builder;
mod connection;
mod guard;
mod listen;
mod load;
mod pipeline;
mod spawn;
#[cfg(feature = "tls")]
mod tls;

use std::{io, sync::Arc, task, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use k8s_openapi::jiff::Timestamp;
use kube_client::{Client, client::Body};
use parking_lot::Mutex;
use tokio::{sync::Semaphore, task::JoinSet};

use self::pipeline::Pipeline;
pub use self::{builder::ApiServerBuilder, load::LoadError};
use crate::{
    Faults, RequestLog, ResponseBody, User,
    auth::Secret,
    handlers::{core::Core, workers::Workers},
    store::commits::Commits,
};

/// How many requests with large bodies are served at once: 3 MiB each is 192 MiB.
const LARGE_BODIES: usize = 64;

/// A Kubernetes API server in this process.
///
/// It lives on the runtime that it was started on. Dropping it ends everything that it spawned: watches
/// end, connections close, [`Commits`] end, and clients get an error from then on.
#[derive(Debug)]
pub struct ApiServer {
    pipeline: Arc<Pipeline>,
    /// Controllers and listeners. A panic in one of them ends that task alone.
    tasks: Mutex<JoinSet<()>>,
    /// An administrator's bearer token, where tokens are asked for.
    admin_token: Secret,
    /// How long connections may be idle, and bodies may take.
    connection_timeout: Duration,
    /// A permit for each connection of all listeners.
    connections: Arc<Semaphore>,
    /// A permit for each request with a large body.
    large_bodies: Arc<Semaphore>,
    /// Threads for what takes long.
    workers: Workers,
    #[cfg(feature = "tls")]
    identity: std::sync::OnceLock<tls::Identity>,
    /// Where TLS is spoken.
    #[cfg(feature = "tls")]
    secured: Mutex<Vec<std::net::SocketAddr>>,
}

impl ApiServer {
    /// Starts a server with the defaults of [`ApiServerBuilder`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start() -> Self {
        Self::builder().start()
    }

    fn new(
        pipeline: Pipeline,
        admin_token: Secret,
        connection_timeout: Duration,
        max_connections: usize,
    ) -> Self {
        Self {
            pipeline: Arc::new(pipeline),
            tasks: Mutex::default(),
            admin_token,
            connection_timeout,
            connections: Arc::new(Semaphore::new(max_connections)),
            large_bodies: Arc::new(Semaphore::new(LARGE_BODIES)),
            workers: Workers::apart(),
            #[cfg(feature = "tls")]
            identity: std::sync::OnceLock::new(),
            #[cfg(feature = "tls")]
            secured: Mutex::default(),
        }
    }

    /// Settings to start from.
    pub fn builder() -> ApiServerBuilder {
        ApiServerBuilder::default()
    }

    /// A client that reaches the server without a socket.
    pub fn client(&self) -> Client {
        self.client_as("trimtab")
    }

    /// A client with this `User-Agent`, by which [`Faults`] can tell it from others.
    ///
    /// Characters that cannot stand in a header are left out.
    pub fn client_as(&self, user_agent: &str) -> Client {
        self.client_of(user_agent, User::admin())
    }

    /// A client that acts as `user`: what RBAC looks at, if [`rbac`](ApiServerBuilder::rbac) is on. Its
    /// `User-Agent` is the user's name.
    pub fn client_for(&self, user: User) -> Client {
        let user_agent = user.name().to_owned();
        self.client_of(&user_agent, user)
    }

    fn client_of(&self, user_agent: &str, user: User) -> Client {
        let user_agent: String = user_agent.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
        let user_agent = HeaderValue::from_str(&user_agent).expect("only printable characters are left");
        let client = Some(Arc::new((user_agent, user)));
        Client::new(
            Service { pipeline: self.pipeline.clone(), client, workers: Workers::default() },
            "default",
        )
    }

    /// The server as a [`tower::Service`], for any other client: who sends a request, its headers tell.
    pub fn service(&self) -> Service {
        Service { pipeline: self.pipeline.clone(), client: None, workers: Workers::default() }
    }

    /// The same for clients on sockets, whose requests hold nobody else's up.
    fn remote_service(&self) -> Service {
        Service { workers: self.workers.clone(), ..self.service() }
    }

    /// The version of the newest commit: what a list would carry now.
    pub fn resource_version(&self) -> u64 {
        self.core().registry.store.version()
    }

    /// All commits from now on.
    pub fn commits(&self) -> Commits {
        Commits::new(self.core().registry.store.follow())
    }

    /// The shared state of all front ends.
    fn core(&self) -> &Arc<Core> {
        &self.pipeline.core
    }

    /// The requests that were answered, if the builder asked for them to be written down.
    pub fn request_log(&self) -> &RequestLog {
        &self.core().request_log
    }

    /// The faults that a test can inject.
    pub fn faults(&self) -> &Faults {
        &self.pipeline.faults
    }

    /// The server's clock: the wall clock when it was started, advanced by the runtime's clock.
    pub fn now(&self) -> Timestamp {
        self.core().registry.clock.now()
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.core().registry.store.close(); // the tasks are aborted by their set
    }
}

/// The server as a service: one more front end over the same objects for each clone.
#[derive(Debug, Clone)]
pub struct Service {
    pipeline: Arc<Pipeline>,
    /// The `User-Agent` and the user of a client in this process.
    client: Option<Arc<(HeaderValue, User)>>,
    /// Where long work runs.
    workers: Workers,
}

impl<B> tower::Service<Request<B>> for Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<ResponseBody>;
    /// The connection broke: there is no answer.
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Response<ResponseBody>>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<io::Result<()>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some((user_agent, user)) = self.client.as_deref() {
            request.headers_mut().entry(header::USER_AGENT).or_insert_with(|| user_agent.clone());
            request.extensions_mut().insert(user.clone());
        }
        request.extensions_mut().insert(self.workers.clone());
        Box::pin(self.pipeline.clone().handle(request))
    }
}

impl tower::Service<Request<Body>> for ApiServer {
    type Response = Response<ResponseBody>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Response<ResponseBody>>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<io::Result<()>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.pipeline.clone().handle(request))
    }
}
