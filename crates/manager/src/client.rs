//! The clients of a manager: one stack of connections, with and without limits.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, header::USER_AGENT, uri::Scheme};
use kube_client::{Client, Config, client::Body};
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::{BoxError, Layer, Service};
use trimtab_controller::{
    leaderelection::{FenceLayer, lease_client_config},
    workqueue::limiter::{BucketConfigError, BucketLimiter, RateLimiter},
};
use trimtab_informer::connect;

use crate::deadline::{Deadline, DeadlineBody};

/// The clients without limits, from which the others are made.
pub(crate) struct Clients {
    /// For informers and Events.
    pub(crate) plain: Client,
    /// For the leader election, if there is one: its requests never wait for those of controllers.
    pub(crate) lease: Option<Client>,
}

impl Clients {
    /// Makes clients that send each request once: a failed write is retried by the work queue, which knows what is
    /// wanted then.
    ///
    /// They send `name` as their user agent, unless the config has one: audit logs show it, and it is the field manager of
    /// writes that name none. Without one, kube-client's writes are those of `unknown`.
    pub(crate) fn connect(
        name: &str,
        mut config: Config,
        is_elected: bool,
    ) -> Result<Self, kube_client::Error> {
        let is_named = config.headers.iter().any(|(header, _)| *header == USER_AGENT);
        if let (false, Ok(agent)) = (is_named, HeaderValue::from_str(name)) {
            config.headers.push((USER_AGENT, agent));
        }
        // Each client may read the system's certificates, which is most of the time that a start takes.
        let lease = is_elected.then(|| Client::try_from(lease_client_config(config.clone()))).transpose()?;
        config.default_retry = false;
        Ok(Self { plain: connect(config)?, lease })
    }

    /// Takes a client as it is.
    pub(crate) fn ready(client: Client) -> Self {
        Self { plain: client.clone(), lease: Some(client) }
    }

    /// Returns a client for controllers.
    ///
    /// A request waits for its turn first, is checked against the token then, and its deadline counts from there.
    pub(crate) fn limited(
        &self,
        deadline: Option<Duration>,
        rate: Option<&Arc<Rate>>,
        fence: Option<&FenceLayer>,
    ) -> Client {
        let namespace = self.plain.default_namespace();
        let limited = Limited { client: self.plain.clone(), deadline };
        let rate = rate.cloned();
        match fence {
            Some(fence) => Client::new(Paced { inner: fence.layer(limited), rate }, namespace),
            None => Client::new(Paced { inner: limited, rate }, namespace),
        }
    }
}

/// Makes a client whose watches are read without a task in between, if it can reach the cluster so: over HTTP, or over TLS with
/// rustls, and through no proxy.
fn connect(config: Config) -> Result<Client, kube_client::Error> {
    if config.proxy_url.is_some() {
        return Client::try_from(config);
    }
    if config.cluster_url.scheme() == Some(&Scheme::HTTP) {
        return connect::direct_client(config, connect::connector());
    }
    #[cfg(feature = "rustls-tls")]
    {
        use kube_client::client::ConfigExt;

        let connector = config.rustls_https_connector_with_connector(connect::connector())?;
        connect::direct_client(config, connector)
    }
    #[cfg(not(feature = "rustls-tls"))]
    Client::try_from(config)
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

/// A token bucket for requests.
#[derive(Debug)]
pub(crate) struct Rate(Mutex<BucketLimiter>);

impl Rate {
    pub(crate) fn new(qps: f64, burst: u32) -> Result<Self, BucketConfigError> {
        Ok(Self(Mutex::new(BucketLimiter::new(qps, burst)?)))
    }

    /// Takes a token, and returns the wait until it exists. Requests go out in the order of their calls.
    fn take(&self) -> Option<Sleep> {
        let now = Instant::now();
        let wait = RateLimiter::<()>::when(&mut *self.0.lock(), &(), now);
        (!wait.is_zero()).then(|| sleep_until(now + wait))
    }
}

/// Sends requests after they have waited for their turn.
#[derive(Debug, Clone)]
struct Paced<S> {
    inner: S,
    rate: Option<Arc<Rate>>,
}

impl<S> Service<Request<Body>> for Paced<S>
where
    S: Service<Request<Body>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut inner = self.inner.clone(); // always ready: neither a fence nor `Limited` has a queue
        let turn = self.rate.as_ref().and_then(|rate| rate.take());
        Box::pin(async move {
            if let Some(turn) = turn {
                turn.await;
            }
            inner.call(request).await
        })
    }
}

/// Sends requests through a client, each with a deadline.
#[derive(Clone)]
struct Limited {
    client: Client,
    deadline: Option<Duration>,
}

impl Service<Request<Body>> for Limited {
    type Response = Response<DeadlineBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let client = self.client.clone();
        let deadline = Deadline::of(&request, self.deadline);
        Box::pin(async move {
            let response = deadline.apply(client.send(request)).await??;
            Ok(response.map(|body| deadline.body(body)))
        })
    }
}

#[cfg(test)]
mod tests;
