//! [`ApiServer`]: starts a server, hands out clients to it, and stops it.

use std::{io, net::SocketAddr, sync::Arc, task};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use k8s_openapi::jiff::Timestamp;
use kube_client::{Client, client::Body};
use parking_lot::Mutex;
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
};
use tracing::Instrument;

use crate::{
    Journal, Levers, ResponseBody,
    clock::Clock,
    commits::Commits,
    core::Core,
    kinds::Kinds,
    random::Random,
    storage::{Key, Store},
};

/// The namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// A Kubernetes API server in this process.
///
/// It lives on the runtime that it was started on. Dropping it ends everything that it spawned: watches
/// end, connections close, [`Commits`] end, and clients get an error from then on.
#[derive(Debug)]
pub struct ApiServer {
    core: Arc<Core>,
    /// Controllers and listeners. A panic in one of them ends that task alone.
    tasks: Mutex<JoinSet<()>>,
}

/// Settings of an [`ApiServer`] that is not started yet.
#[derive(Debug, Clone)]
#[must_use]
pub struct ApiServerBuilder {
    seed: u64,
    journal: bool,
    start_time: Option<Timestamp>,
    controllers: bool,
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

    /// Settings to start from.
    pub fn builder() -> ApiServerBuilder {
        ApiServerBuilder { seed: 0, journal: false, start_time: None, controllers: true }
    }

    /// A client that reaches the server without a socket.
    pub fn client(&self) -> Client {
        self.client_as("trimtab")
    }

    /// A client with this `User-Agent`, by which [`Levers`] can tell it from others.
    ///
    /// Characters that cannot stand in a header are left out.
    pub fn client_as(&self, user_agent: &str) -> Client {
        let user_agent: String = user_agent.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
        let user_agent = HeaderValue::from_str(&user_agent).expect("only printable characters are left");
        Client::new(Service { core: self.core.clone(), user_agent: Some(user_agent) }, "default")
    }

    /// The server as a [`tower::Service`], for any other client.
    pub fn service(&self) -> Service {
        Service { core: self.core.clone(), user_agent: None }
    }

    /// Listens for HTTP/1.1 on `address`; port 0 picks a free one. Returns the address in use.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, nothing listens.
    pub async fn listen(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        self.tasks.lock().spawn(accept(listener, self.service()));
        Ok(address)
    }

    /// The version of the newest commit: what a list would carry now.
    pub fn resource_version(&self) -> u64 {
        self.core.store.version()
    }

    /// All commits from now on.
    pub fn commits(&self) -> Commits {
        Commits::new(self.core.store.follow())
    }

    /// What all front ends share.
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The requests that were answered, if the builder asked for them to be written down.
    pub fn journal(&self) -> &Journal {
        &self.core.journal
    }

    /// The faults that can be pulled on the server.
    pub fn levers(&self) -> &Levers {
        &self.core.levers
    }

    /// The server's clock: the wall clock when it was started, advanced by the runtime's clock.
    pub fn now(&self) -> Timestamp {
        self.core.clock.now()
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.core.store.close(); // the tasks are aborted by their set
    }
}

impl ApiServerBuilder {
    /// Seeds UIDs and the suffixes of generated names; 0 by default. With a paused clock and a
    /// [`start_time`](Self::start_time), two servers with one seed do exactly the same.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// What the server's clock shows at the start; by default the wall clock's time.
    pub fn start_time(self, start_time: Timestamp) -> Self {
        Self { start_time: Some(start_time), ..self }
    }

    /// Whether every request is written down in the [`Journal`], which grows with each; not by default.
    pub fn journal(self, journal: bool) -> Self {
        Self { journal, ..self }
    }

    /// Whether the garbage collector and the namespace controller run; they do by default.
    ///
    /// They are clients like any other, so that levers reach them too: their user agents are
    /// `garbage-collector` and `namespace-controller`.
    pub fn controllers(self, controllers: bool) -> Self {
        Self { controllers, ..self }
    }

    /// Starts the server.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(self) -> ApiServer {
        let store = Store::new();
        let core = Core {
            levers: Levers::new(store.clone()),
            journal: Journal::new(self.journal),
            store,
            kinds: Kinds::built_in(),
            random: Random::seeded(self.seed),
            clock: Clock::starting_at(self.start_time.unwrap_or_else(Timestamp::now)),
        };
        NAMESPACES.iter().for_each(|name| make_namespace(&core, name));
        let server = ApiServer { core: Arc::new(core), tasks: Mutex::default() };
        crate::controllers::spawn_definitions(&server, &mut server.tasks.lock());
        if self.controllers {
            crate::controllers::spawn(&server, &mut server.tasks.lock());
        }
        server
    }
}

fn make_namespace(core: &Core, name: &str) {
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "uid": core.random.uid(),
            "creationTimestamp": core.clock.text(),
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    });
    core.store.put("namespaces", &Key::new("", name), None, namespace).expect("a new store is empty");
}

/// Accepts connections until it is aborted, which ends its connections, too.
async fn accept(listener: TcpListener, service: Service) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {} // a connection's panic ends that connection
        match listener.accept().await {
            Ok((stream, peer)) => {
                stream.set_nodelay(true).ok(); // without it, small watch events wait for acknowledgements
                connections
                    .spawn(serve(stream, service.clone()).instrument(tracing::debug_span!("http", %peer)));
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await; // out of file descriptors: wait
            }
        }
    }
}

/// Serves one connection until it ends.
async fn serve<S>(stream: S, service: Service)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended");
    }
}

/// The server as a service: one more front end over the same objects for each clone.
#[derive(Debug, Clone)]
pub struct Service {
    core: Arc<Core>,
    user_agent: Option<HeaderValue>,
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
        if let Some(user_agent) = &self.user_agent {
            request.headers_mut().entry(header::USER_AGENT).or_insert_with(|| user_agent.clone());
        }
        Box::pin(self.core.clone().handle(request))
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
        Box::pin(self.core.clone().handle(request))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::{Filter, Refusal, Verb};

    /// Sends a request's text over a connection, and reads until `end` was seen or the connection ends.
    async fn talk(client: &mut DuplexStream, request: &str, end: &str) -> String {
        client.write_all(request.as_bytes()).await.expect("the connection is open");
        let mut answer = Vec::new();
        while !String::from_utf8_lossy(&answer).contains(end) {
            if client.read_buf(&mut answer).await.expect("readable") == 0 {
                break;
            }
        }
        String::from_utf8(answer).expect("text")
    }

    fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: test\r\nUser-Agent: raw\r\n\r\n")
    }

    fn connect(server: &ApiServer) -> DuplexStream {
        let (client, stream) = duplex(64 * 1024);
        tokio::spawn(serve(stream, server.service()));
        client
    }

    #[tokio::test(start_paused = true)]
    async fn requests_and_watches_are_served_over_one_connection_each() {
        let server = ApiServer::start();
        let mut client = connect(&server);
        let answer = talk(&mut client, &get("/api/v1/namespaces/default"), "}}").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.contains("content-type: application/json"), "{answer}");
        let missing = talk(&mut client, &get("/api/v1/namespaces/none"), "Failure\"}").await;
        assert!(missing.starts_with("HTTP/1.1 404"), "{missing}");
        let watch = get("/api/v1/namespaces?watch=true&timeoutSeconds=5");
        let events = talk(&mut client, &watch, "\r\n0\r\n\r\n").await;
        assert!(events.contains("transfer-encoding: chunked"), "{events}");
        assert_eq!(events.matches(r#"{"type":"ADDED""#).count(), 4, "{events}");
    }

    #[tokio::test(start_paused = true)]
    async fn levers_refuse_with_a_header_and_break_connections() {
        let server = ApiServer::start();
        let filter = Filter::any().user_agent("raw").verb(Verb::Get);
        let refused = server.levers().refuse(filter.clone(), Refusal::too_many_requests(), 1);
        let mut client = connect(&server);
        let answer = talk(&mut client, &get("/api/v1/namespaces/default"), "Failure\"}").await;
        assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 1\r\n"), "{answer}");
        assert_eq!(refused.remaining(), 0);
        server.levers().lose_reply(filter, 1).leave();
        assert_eq!(talk(&mut client, &get("/api/v1/namespaces/default"), "}}").await, "");
    }
}
