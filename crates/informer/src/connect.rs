//! A client whose dead connections are noticed within half a minute.
//!
//! An informer gives up a watch that is silent for 70 s, whatever the client. The system can know sooner: it
//! probes a connection on which nothing comes, and counts what was sent and not acknowledged. The
//! [`connector`] asks it to; TLS is laid over it by whoever chooses TLS:
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

use hyper_util::{
    client::legacy::{
        Client as HttpClient,
        connect::{Connect, HttpConnector},
    },
    rt::TokioExecutor,
};
use kube_client::{
    Client, Config,
    client::{Body, ConfigExt, retry::RetryPolicy},
};
use tokio::time::Duration;
use tower::{BoxError, ServiceBuilder, retry::RetryLayer};

/// A connection on which nothing came for so long is probed,
const IDLE: Duration = Duration::from_secs(10);
/// again each time that so long has passed,
const BETWEEN: Duration = Duration::from_secs(5);
/// and given up when this many probes were not answered,
const PROBES: u32 = 3;
/// or, on Linux, when anything that was sent was not acknowledged for so long.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);
/// So long an address is tried.
const CONNECT: Duration = Duration::from_secs(10);

/// Connects so that the system notices within 25 s when the other end is gone, or the way to it.
pub fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false); // TLS may lie above it
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_keepalive(Some(IDLE));
    connector.set_keepalive_interval(Some(BETWEEN));
    connector.set_keepalive_retries(Some(PROBES));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    connector
}

/// A client of `config`'s cluster, with its credentials, that connects by `connector`: [`connector`] itself, or
/// TLS above it.
///
/// The connector decides on proxies and timeouts: those that `config` names are not looked at.
///
/// # Errors
///
/// The credentials cannot be used.
///
/// # Panics
///
/// Outside of a tokio runtime.
pub fn client<C>(config: Config, connector: C) -> Result<Client, kube_client::Error>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let http = HttpClient::builder(TokioExecutor::new()).build::<_, Body>(connector);
    let retries = config.default_retry.then(|| RetryLayer::new(RetryPolicy::server_retry()));
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(retries)
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace))
}
