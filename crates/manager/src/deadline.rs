//! [`Deadline`]: the time at which a request must have its whole response.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, header::UPGRADE};
use http_body::{Frame, SizeHint};
use kube_client::client::Body;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tower::BoxError;

/// The end of a request's time; none for a watch, a log that is followed, and a connection that is upgraded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<(Duration, Instant)>);

/// A request had no complete response in time. The outcome of a write is unknown.
#[derive(Debug, thiserror::Error)]
#[error("no complete response within {0:?}")]
pub(crate) struct DeadlineExceeded(Duration);

impl Deadline {
    /// Returns the deadline of a request that is sent now.
    pub(crate) fn of<B>(request: &Request<B>, limit: Option<Duration>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let is_open_ended = query
            .split('&')
            .any(|parameter| matches!(parameter, "watch=true" | "watch=1" | "follow=true" | "follow=1"));
        let limit = limit.filter(|_| !is_open_ended && !request.headers().contains_key(UPGRADE));
        Self(limit.and_then(|limit| Some((limit, Instant::now().checked_add(limit)?))))
    }

    /// Awaits the headers of the response.
    pub(crate) async fn apply<T>(&self, response: impl Future<Output = T>) -> Result<T, DeadlineExceeded> {
        match self.0 {
            None => Ok(response.await),
            Some((limit, end)) => timeout_at(end, response).await.map_err(|_| DeadlineExceeded(limit)),
        }
    }

    /// Limits the body of the response.
    pub(crate) fn body(&self, body: Body) -> DeadlineBody {
        let (limit, end) =
            self.0.map_or((Duration::MAX, None), |(limit, end)| (limit, Some(sleep_until(end))));
        DeadlineBody { body, end, limit }
    }
}

pin_project! {
    /// The body of a response that must end in time.
    pub(crate) struct DeadlineBody {
        #[pin]
        body: Body,
        #[pin]
        end: Option<Sleep>,
        limit: Duration,
    }
}

impl http_body::Body for DeadlineBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        match this.end.as_pin_mut().map(|end| end.poll(context)) {
            Some(Poll::Ready(())) => Poll::Ready(Some(Err(DeadlineExceeded(*this.limit).into()))),
            _ => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Debug for DeadlineBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineBody").field("limit", &self.limit).finish_non_exhaustive()
    }
}
