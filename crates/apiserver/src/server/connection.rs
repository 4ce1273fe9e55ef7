//! One connection: it ends when its client does nothing with it, takes nothing from it, or never finishes a body.

use std::{
    io,
    pin::{Pin, pin},
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Sleep, sleep, timeout},
};

use super::{Service, guard::Guard};
use crate::{ResponseBody, wire::body::BodyError};

/// How many requests one HTTP/2 connection may have open: upstream's default.
const STREAMS: u32 = 250;
/// How long a connection that is ended has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// The bodies up to this size need no permit.
const SMALL_BODY: usize = 64 * 1024;

/// The shared state of a server's connections.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// How long a connection may be idle, a body may take, and a client may leave unread what it was sent.
    pub(super) timeout: Duration,
    /// A permit for each request whose body is larger than [`SMALL_BODY`].
    pub(super) large_bodies: Arc<Semaphore>,
    /// The guard against requests that a browser was tricked into sending; `None` behind TLS.
    pub(super) guard: Option<Guard>,
}

/// Serves one connection until it ends.
pub(super) async fn serve<S>(stream: S, service: Service, limits: Limits)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let requests = Requests::default();
    let within = limits.timeout;
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    protocol.http1().timer(TokioTimer::new()).header_read_timeout(within);
    // A client whose machine is gone answers no ping: its watches end.
    let mut http2 = protocol.http2();
    http2.timer(TokioTimer::new()).max_concurrent_streams(STREAMS);
    http2.keep_alive_interval(within).keep_alive_timeout(within);
    let stream = TokioIo::new(Stalling { stream, limit: within, stalled: None });
    let service = TowerToHyperService::new(Counted { service, requests: requests.clone(), limits });
    let mut connection = pin!(protocol.serve_connection(stream, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = requests.idle_for(within) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            timeout(GOODBYE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended");
    }
}

/// How many requests of a connection have not been answered to the end.
#[derive(Debug, Clone, Default)]
struct Requests(watch::Sender<usize>);

impl Requests {
    fn begin(&self) -> InFlight {
        self.0.send_modify(|count| *count += 1);
        InFlight(self.clone())
    }

    /// Waits until there has been no request for so long.
    async fn idle_for(&self, duration: Duration) {
        let mut count = self.0.subscribe();
        loop {
            let is_idle = *count.borrow_and_update() == 0;
            tokio::select! {
                changed = count.changed() => changed.expect("this value has a sender"),
                () = sleep(duration), if is_idle => return,
            }
        }
    }
}

/// A request until its answer is sent.
#[derive(Debug)]
struct InFlight(Requests);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

/// The service of one connection.
#[derive(Debug, Clone)]
struct Counted {
    service: Service,
    requests: Requests,
    limits: Limits,
}

impl tower::Service<Request<hyper::body::Incoming>> for Counted {
    type Response = Response<Answered>;
    type Error = io::Error;
    type Future = futures_util::future::BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<hyper::body::Incoming>) -> Self::Future {
        let in_flight = self.requests.begin();
        if let Some(refusal) = self.limits.guard.as_ref().and_then(|guard| guard.refuses(&request)) {
            let answer = crate::wire::body::refusal(&refusal);
            return Box::pin(async move { Ok(answer.map(|body| Answered { body, _in_flight: in_flight })) });
        }
        // Held until the request is answered: its body is in memory until then.
        let permit = Arc::new(OnceLock::new());
        let request = request.map(|body| Received {
            body,
            read: 0,
            time: Box::pin(sleep(self.limits.timeout)),
            large_bodies: self.limits.large_bodies.clone(),
            permit: permit.clone(),
        });
        let answer = self.service.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(permit);
            Ok(answer?.map(|body| Answered { body, _in_flight: in_flight }))
        })
    }
}

/// The body of an answer, during which its request is in flight.
struct Answered {
    body: ResponseBody,
    _in_flight: InFlight,
}

impl Body for Answered {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a request, which has to come in time.
struct Received {
    body: hyper::body::Incoming,
    /// How many bytes of it have come.
    read: usize,
    time: Pin<Box<Sleep>>,
    large_bodies: Arc<Semaphore>,
    permit: Arc<OnceLock<OwnedSemaphorePermit>>,
}

impl Body for Received {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            // Only what is not there is late: a request may have waited for its turn.
            Poll::Pending => {
                ready!(self.time.as_mut().poll(cx));
                return Poll::Ready(Some(Err(BodyError::TooSlow)));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(BodyError::Broken(error.into())))),
            Poll::Ready(Some(Ok(frame))) => frame,
        };
        self.read += frame.data_ref().map_or(0, Bytes::len);
        if self.read > SMALL_BODY && self.permit.get().is_none() {
            match self.large_bodies.clone().try_acquire_owned() {
                Ok(permit) => drop(self.permit.set(permit)),
                Err(_) => return Poll::Ready(Some(Err(BodyError::TooMany))),
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that breaks if its peer takes nothing for too long.
struct Stalling<S> {
    stream: S,
    limit: Duration,
    /// Since something is waiting to be written.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Stalling<S> {
    fn watched<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.limit;
        ready!(self.stalled.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, data);
        self.watched(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, data);
        self.watched(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watched(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watched(cx, shut)
    }
}
