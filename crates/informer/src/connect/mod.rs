//! A client that detects dead connections within 25 s.
//!
//! With any client, an informer abandons a watch that is silent for 70 s. The operating system can detect a dead
//! connection sooner: it probes an idle connection, and it knows which bytes were not acknowledged. The
//! [`connector`] turns this on. TLS is a layer above it, which the program chooses:
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use trimtab_informer::connect;
//!
//! let config = kube_client::Config::infer().await?;
//! let tcp = connect::connector(); // for TLS: config.rustls_https_connector_with_connector(tcp)?
//! let client = connect::client(config, tcp)?;
//! # Ok(())
//! # }
//! ```
//!
//! [`direct_client`] is a client whose watches cost less: they are read without a task in between.

mod body;
mod direct;

use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use hyper::rt::{Read, Write};
use hyper_util::{
    client::legacy::{
        Client as HttpClient,
        connect::{Connect, Connection, HttpConnector},
    },
    rt::TokioExecutor,
};
use kube_client::{
    Client, Config,
    client::{Body, ConfigExt, retry::RetryPolicy},
};
use tokio::time::Duration;
use tower::{
    BoxError, Service, ServiceBuilder,
    retry::{Policy, RetryLayer},
};

use self::direct::Direct;

/// The idle time before the first probe of a connection.
const IDLE: Duration = Duration::from_secs(10);
/// The time between probes.
const BETWEEN: Duration = Duration::from_secs(5);
/// The number of unanswered probes after which the connection is closed.
const PROBES: u32 = 3;
/// On Linux: the time without an acknowledgement after which the connection is closed.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);
/// The timeout of a connection attempt.
const CONNECT: Duration = Duration::from_secs(10);

/// Returns a connector whose connections are closed within 25 s if the server or the network is gone.
pub fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false); // a TLS layer may be above it
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_keepalive(Some(IDLE));
    connector.set_keepalive_interval(Some(BETWEEN));
    connector.set_keepalive_retries(Some(PROBES));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    connector
}

/// Returns a client of `config`'s cluster, with its credentials. It connects by `connector`: [`connector`] itself, or
/// a TLS layer above it.
///
/// The connector decides on proxies and timeouts; those of `config` are ignored.
///
/// If [`Config::default_retry`] is on, which is kube-client's default, reads are repeated after 429, 503 and 504.
/// Writes never are, unlike with kube-client's own client: a create with a generated name that is repeated after 504
/// makes two objects.
///
/// # Errors
///
/// The credentials cannot be used.
///
/// # Panics
///
/// Outside a tokio runtime.
pub fn client<C>(config: Config, connector: C) -> Result<Client, kube_client::Error>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let http = HttpClient::builder(TokioExecutor::new()).build::<_, Body>(connector);
    client_of(config, http)
}

/// Returns a client as [`client`] does, whose watches are read without a task in between.
///
/// Each watch has an HTTP/1 connection of its own. Whoever reads the watch drives the connection: a part of the body goes
/// from the socket to the reader in one poll, and no other task or thread has to run. Nothing is read while the reader does
/// not read. Dropping the body closes the connection, and a connection that breaks ends its body with the error.
///
/// Other requests share connections that tasks drive, and so does a watch if the connector negotiates HTTP/2.
///
/// # Errors
///
/// The credentials cannot be used.
///
/// # Panics
///
/// Outside a tokio runtime.
pub fn direct_client<C>(config: Config, connector: C) -> Result<Client, kube_client::Error>
where
    C: Connect + Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Error: Into<BoxError>,
    C::Future: Send,
{
    let pooled = HttpClient::builder(TokioExecutor::new()).build::<_, Body>(connector.clone());
    client_of(config, Direct::new(connector, pooled))
}

/// Puts the layers of a client around `service`.
fn client_of<S, B>(config: Config, service: S) -> Result<Client, kube_client::Error>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let retries = config.default_retry.then(|| RetryLayer::new(ReadRetries(RetryPolicy::server_retry())));
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(retries)
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(Into::<BoxError>::into)
        .service(service);
    Ok(Client::new(service, config.default_namespace))
}

/// kube-client's retries, for reads alone.
#[derive(Clone)]
struct ReadRetries(RetryPolicy);

/// The signature that [`RetryPolicy`] implements.
type Inner<B> = dyn Policy<Request<Body>, Response<B>, BoxError, Future = tokio::time::Sleep>;

impl<B: 'static> Policy<Request<Body>, Response<B>, BoxError> for ReadRetries {
    type Future = tokio::time::Sleep;

    fn retry(
        &mut self,
        request: &mut Request<Body>,
        result: &mut Result<Response<B>, BoxError>,
    ) -> Option<Self::Future> {
        let inner: &mut Inner<B> = &mut self.0;
        inner.retry(request, result)
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        let inner: &mut Inner<B> = &mut self.0;
        // A request that cannot be cloned is not repeated.
        (request.method() == Method::GET).then(|| inner.clone_request(request)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_are_repeated_and_writes_never() {
        for (method, repeated) in [
            (Method::GET, true),
            (Method::POST, false),
            (Method::PUT, false),
            (Method::PATCH, false),
            (Method::DELETE, false),
        ] {
            let mut policy = ReadRetries(RetryPolicy::server_retry());
            let policy: &mut Inner<Body> = &mut policy;
            let request = Request::builder().method(method.clone()).body(Body::empty()).expect("a request");
            assert_eq!(policy.clone_request(&request).is_some(), repeated, "{method}");
        }
    }
}
