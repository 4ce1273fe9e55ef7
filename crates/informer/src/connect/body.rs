//! [`DirectBody`]: the body of a response that drives its own connection.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::waking::Waking;

/// A connection that is driven where its response is read.
pub(super) type Driven = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// The body of a response.
pub(super) enum DirectBody {
    /// A task drives the connection.
    Pooled(Incoming),
    /// Reading the body drives the connection.
    Direct {
        body: Incoming,
        /// `None` once it has ended. Dropping it closes it.
        connection: Option<Driven>,
        waking: Arc<Waking>,
    },
}

impl DirectBody {
    pub(super) fn new(body: Incoming, connection: Option<Driven>) -> Self {
        Self::Direct { body, connection, waking: Arc::new(Waking::new()) }
    }

    fn incoming(&self) -> &Incoming {
        match self {
            Self::Pooled(body) | Self::Direct { body, .. } => body,
        }
    }
}

impl Body for DirectBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Pooled(body) => Pin::new(body).poll_frame(cx),
            Self::Direct { body, connection, waking } => {
                waking.poll(cx, |cx| poll_direct(body, connection, cx))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming().size_hint()
    }
}

fn poll_direct(
    body: &mut Incoming,
    connection: &mut Option<Driven>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
    // First what the connection has read already. This also tells the connection that the body is wanted: a connection
    // does not read before.
    if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
        return Poll::Ready(frame);
    }
    let Some(Poll::Ready(ended)) = connection.as_mut().map(|connection| connection.as_mut().poll(cx)) else {
        return Pin::new(body).poll_frame(cx);
    };
    *connection = None;
    match (Pin::new(body).poll_frame(cx), ended) {
        // The body never ends in order if its connection did not.
        (Poll::Ready(None) | Poll::Pending, Err(error)) => Poll::Ready(Some(Err(error))),
        (frame, _) => frame,
    }
}
