//! [`Direct`]: a service whose watches are read without a task in between.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, Uri, header, uri::PathAndQuery};
use hyper::{
    client::conn::http1,
    rt::{Read, Write},
};
use hyper_util::client::legacy::{
    Client as HttpClient,
    connect::{Connect, Connection},
};
use kube_client::client::Body;
use tower::{BoxError, Service};

use super::body::{DirectBody, Driven};

/// Sends watches over a connection each, which whoever reads the watch drives; other requests over pooled connections, each
/// of which has a task.
#[derive(Clone)]
pub(super) struct Direct<C> {
    connector: C,
    pooled: HttpClient<C, Body>,
}

impl<C> Direct<C> {
    pub(super) fn new(connector: C, pooled: HttpClient<C, Body>) -> Self {
        Self { connector, pooled }
    }
}

impl<C> Service<Request<Body>> for Direct<C>
where
    C: Connect + Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Error: Into<BoxError>,
    C::Future: Send,
{
    type Response = Response<DirectBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.pooled.poll_ready(cx).map_err(BoxError::from)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { connector, pooled } = self.clone();
        Box::pin(async move {
            if !is_watch(request.uri()) {
                return by_pool(&pooled, request).await;
            }
            let io = connect(connector, request.uri()).await?;
            let connected = io.connected();
            if connected.is_negotiated_h2() {
                // Its connection serves many requests, so that no single reader can drive it.
                drop(io);
                return by_pool(&pooled, request).await;
            }
            send(io, prepared(request, connected.is_proxied())?).await
        })
    }
}

async fn by_pool<C>(
    pooled: &HttpClient<C, Body>,
    request: Request<Body>,
) -> Result<Response<DirectBody>, BoxError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    Ok(pooled.request(request).await?.map(DirectBody::Pooled))
}

fn is_watch(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|one| matches!(one, "watch=true" | "watch=1")))
}

/// Connects to the server of `uri`.
async fn connect<C>(mut connector: C, uri: &Uri) -> Result<C::Response, BoxError>
where
    C: Service<Uri>,
    C::Error: Into<BoxError>,
{
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    let server = Uri::from_parts(parts)?;
    poll_fn(|cx| connector.poll_ready(cx)).await.map_err(Into::into)?;
    connector.call(server).await.map_err(Into::into)
}

/// Gives a request the header and the target that HTTP/1 needs.
fn prepared(mut request: Request<Body>, is_proxied: bool) -> Result<Request<Body>, BoxError> {
    let uri = request.uri();
    if !request.headers().contains_key(header::HOST) {
        let host = uri.host().ok_or("the URI of the request has no host")?;
        let is_default = matches!(
            (uri.scheme_str(), uri.port_u16()),
            (Some("http"), Some(80)) | (Some("https"), Some(443))
        );
        let host = match uri.port() {
            Some(port) if !is_default => HeaderValue::try_from(format!("{host}:{port}"))?,
            _ => HeaderValue::from_str(host)?,
        };
        request.headers_mut().insert(header::HOST, host);
    }
    if !is_proxied {
        let target = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        *request.uri_mut() = target.into();
    }
    Ok(request)
}

/// The most bytes of a watch's connection that are read at once. The buffer stays allocated as long as the watch; hyper's
/// default is 408 KiB.
const READ_BUFFER: usize = 64 * 1024;

/// Sends a request over a connection of its own, and drives the connection until the response begins.
async fn send<I>(io: I, request: Request<Body>) -> Result<Response<DirectBody>, BoxError>
where
    I: Read + Write + Send + Unpin + 'static,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(READ_BUFFER);
    let (mut sender, connection) = builder.handshake(io).await?;
    let mut connection: Option<Driven> = Some(Box::pin(connection));
    let mut response = pin!(sender.send_request(request));
    let response = poll_fn(|cx| {
        if let Poll::Ready(response) = response.as_mut().poll(cx) {
            return Poll::Ready(response);
        }
        if connection.as_mut().is_some_and(|connection| connection.as_mut().poll(cx).is_ready()) {
            connection = None; // a request that it has not answered fails when it is dropped
        }
        Pin::as_mut(&mut response).poll(cx)
    });
    let response = response.await?;
    Ok(response.map(|body| DirectBody::new(body, connection)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watches_are_told_from_other_requests() {
        for (uri, expected) in [
            ("/api/v1/pods?watch=true", true),
            ("/api/v1/pods?limit=5&watch=1", true),
            ("/api/v1/pods?watch=false", false),
            ("/api/v1/pods?labelSelector=watch%3Dtrue", false),
            ("/api/v1/pods", false),
        ] {
            assert_eq!(is_watch(&Uri::from_static(uri)), expected, "{uri}");
        }
    }

    #[test]
    fn a_request_has_its_host_and_the_target_that_a_server_or_a_proxy_needs() {
        for (uri, proxied, host, target) in [
            ("http://server:8080/api?watch=1", false, "server:8080", "/api?watch=1"),
            ("https://server:443/api", false, "server", "/api"),
            ("http://server:443/api", false, "server:443", "/api"),
            ("http://[::1]/api", true, "[::1]", "http://[::1]/api"),
        ] {
            let request = Request::get(uri).body(Body::empty()).expect("a request");
            let request = prepared(request, proxied).expect("prepared");
            assert_eq!(
                (request.headers()[header::HOST].as_bytes(), &*request.uri().to_string()),
                (host.as_bytes(), target)
            );
        }
        let error = prepared(Request::get("/api").body(Body::empty()).expect("a request"), false)
            .expect_err("no host");
        assert_eq!(error.to_string(), "the URI of the request has no host");
    }
}
