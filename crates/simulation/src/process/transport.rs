//! [`Transport`]: the connection of a process's requests to the simulation. No code of the server runs in a process's
//! runtime: a request is put into the outbox, and the simulation returns a response at any time, or never.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, request};
use http_body::Frame;
use http_body_util::BodyExt;
use kube_client::client::Body;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::runtime::Signal;

/// A response, or the end of the connection in its place.
pub(crate) type Reply = io::Result<Response<ReplyBody>>;

/// A request that a process has sent.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) parts: request::Parts,
    pub(crate) body: Bytes,
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// The requests that a process has sent and the simulation has not taken.
#[derive(Debug)]
pub(crate) struct Outbox {
    posted: Mutex<VecDeque<Posted>>,
    signal: Arc<Signal>,
}

impl Outbox {
    pub(crate) fn new(signal: Arc<Signal>) -> Arc<Self> {
        Arc::new(Self { posted: Mutex::default(), signal })
    }

    pub(crate) fn take(&self) -> VecDeque<Posted> {
        self.signal.taken();
        std::mem::take(&mut *self.posted.lock())
    }
}

/// The body of a response: the whole body at once, or the frames of a watch one by one.
#[derive(Debug)]
pub(crate) enum ReplyBody {
    Whole(Option<Bytes>),
    Frames(mpsc::UnboundedReceiver<io::Result<Bytes>>),
}

impl http_body::Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Frames(frames) => {
                frames.poll_recv(cx).map(|frame| frame.map(|frame| frame.map(Frame::data)))
            }
        }
    }
}

/// The service below a process's client.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    pub(crate) outbox: Arc<Outbox>,
}

impl tower::Service<Request<Body>> for Transport {
    type Response = Response<ReplyBody>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Reply>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let outbox = self.outbox.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let (reply, answer) = oneshot::channel();
            outbox.posted.lock().push_back(Posted { parts, body, reply });
            outbox.signal.put_out();
            // Dropped without a response: the simulation has ended.
            answer.await.unwrap_or_else(|_| Err(broken("the connection was lost")))
        })
    }
}

/// Returns the error of a broken connection.
pub(crate) fn broken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, why)
}
