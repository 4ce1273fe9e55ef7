//! [`FenceLayer`]: a client layer that refuses writes after the end of leadership.

use std::{
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use http::{Method, Request};
use tower::{BoxError, Layer, Service};

use crate::{Leadership, LeadershipLost, observer::Shared};

/// A layer for [`ClientBuilder`](kube_client::client::ClientBuilder) that refuses requests which change
/// objects, unless this process leads.
///
/// - A request that is neither GET, HEAD nor OPTIONS is sent only if the token is valid at that moment. Else it
///   fails with a [`FencedError`], and nothing is sent.
/// - A request whose response has not come at the end of the token is dropped, and with it every retry that
///   the client would make: put this layer around the client's own stack, as `with_layer` does. The error
///   says that the outcome is unknown. A response that has begun is read to its end.
/// - Reads and watches pass: informers live longer than a term.
///
/// A fence at the sender is not one at the receiver. A write that was in flight at the end of the token may still
/// be committed. It is refused by the server if it carries a precondition that the next leader's writes
/// break: the UID and the resource version of the object.
///
/// ```no_run
/// use kube_client::{Client, Config, client::ClientBuilder};
/// use trimtab_leaderelection::{LeaderElector, lease_client_config};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::infer().await?;
/// let lease_client = Client::try_from(lease_client_config(config.clone()))?;
/// let mut elector = LeaderElector::builder(lease_client, "kube-system", "my-controller").build()?;
/// let client = ClientBuilder::try_from(config)?.with_layer(&elector.fence()).build();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FenceLayer {
    leader: Leader,
}

#[derive(Clone)]
enum Leader {
    /// The present term of an elector, whichever it is.
    Elector(Arc<Shared>),
    /// One term.
    Token(Leadership),
}

impl Leader {
    fn token(&self) -> Option<Leadership> {
        match self {
            Self::Elector(shared) => shared.current.lock().clone(),
            Self::Token(token) => Some(token.clone()),
        }
    }

    fn names(&self) -> (String, String) {
        match self {
            Self::Elector(shared) => (shared.lease.clone(), shared.identity.clone()),
            Self::Token(token) => token.names(),
        }
    }
}

impl FenceLayer {
    /// Creates a fence that opens for one term only. [`LeaderElector::fence`](crate::LeaderElector::fence)
    /// makes one that opens for each term of an elector.
    pub fn new(token: Leadership) -> Self {
        Self { leader: Leader::Token(token) }
    }

    pub(crate) fn of_elector(shared: Arc<Shared>) -> Self {
        Self { leader: Leader::Elector(shared) }
    }
}

impl<S> Layer<S> for FenceLayer {
    type Service = Fence<S>;

    fn layer(&self, inner: S) -> Fence<S> {
        Fence { inner, leader: self.leader.clone() }
    }
}

impl fmt::Debug for FenceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FenceLayer").field("lease", &self.leader.names().0).finish()
    }
}

/// The service of a [`FenceLayer`].
#[derive(Clone)]
pub struct Fence<S> {
    inner: S,
    leader: Leader,
}

impl<S: fmt::Debug> fmt::Debug for Fence<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lease = self.leader.names().0;
        f.debug_struct("Fence").field("lease", &lease).field("inner", &self.inner).finish()
    }
}

impl<S, B> Service<Request<B>> for Fence<S>
where
    S: Service<Request<B>>,
    S::Future: Send + 'static,
    S::Response: 'static,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
            let response = self.inner.call(request);
            return Box::pin(async move { response.await.map_err(Into::into) });
        }
        let error = |unsent| {
            let (lease, identity) = self.leader.names();
            FencedError { lost: LeadershipLost::new(lease, identity), unsent }
        };
        let Some(token) = self.leader.token().filter(Leadership::is_valid) else {
            let error = error(true);
            return Box::pin(async move { Err(error.into()) });
        };
        let (unsent, unknown, response) = (error(true), error(false), self.inner.call(request));
        Box::pin(async move {
            let (mut response, mut ended) = (pin!(response), pin!(token.ended()));
            let mut errors = Some((unsent, unknown));
            let mut sent = false;
            poll_fn(|context| {
                // Asked at each poll: a request may wait for a connection, or for its next retry, and after a
                // stall of the task it would be sent now. The timer of `ended` only makes sure of a poll.
                if token.is_valid() {
                    sent = true;
                    if let Poll::Ready(response) = response.as_mut().poll(context) {
                        return Poll::Ready(response.map_err(Into::into));
                    }
                    if ended.as_mut().poll(context).is_pending() {
                        return Poll::Pending;
                    }
                }
                let (unsent, unknown) = errors.take().expect("a future that is ready is not polled again");
                Poll::Ready(Err(if sent { unknown } else { unsent }.into()))
            })
            .await
        })
    }
}

/// The error of a write that a [`FenceLayer`] has refused or cut off.
///
/// kube-client hands it out as [`kube_client::Error::Service`]; [`FencedError::find`] gets it back.
#[derive(Debug, thiserror::Error)]
#[error("{}", if *unsent { "not sent" } else { "cut off at the end of leadership, with an unknown outcome" })]
pub struct FencedError {
    #[source]
    lost: LeadershipLost,
    unsent: bool,
}

impl FencedError {
    /// Returns the error of a fence among the causes of `error`.
    pub fn find<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(fenced) = error.downcast_ref() {
                return Some(fenced);
            }
            // The box of kube-client's error is transparent for `source`, which skips its content.
            if let Some(kube_client::Error::Service(inner)) = error.downcast_ref()
                && let Some(fenced) = inner.downcast_ref()
            {
                return Some(fenced);
            }
            cause = error.source();
        }
        None
    }

    /// Returns whether nothing was sent. `false`: the outcome of the write is unknown.
    pub fn is_unsent(&self) -> bool {
        self.unsent
    }
}
