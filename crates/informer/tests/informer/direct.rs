//! The direct client: watches are read without a task in between. The connections are pipes in memory.

use std::{
    error::Error,
    future::{Ready, ready},
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use http::{Request, Uri};
use http_body_util::BodyExt;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{Client, Config, client::Body};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    runtime::Handle,
    sync::mpsc,
    time::Duration,
};
use tower::{Service, service_fn};
use trimtab_informer::{Informer, Phase, connect};
use trimtab_test_support::settle;

use crate::fixtures::object;

/// The client's end of a connection.
struct Pipe {
    io: TokioIo<DuplexStream>,
    negotiated_h2: bool,
}

impl Connection for Pipe {
    fn connected(&self) -> Connected {
        if self.negotiated_h2 { Connected::new().negotiated_h2() } else { Connected::new() }
    }
}

impl Read for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The server's end of a connection.
struct Served(DuplexStream);

impl Served {
    /// Reads a request's head.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("a request"));
        }
        String::from_utf8(head).expect("UTF-8")
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("the client reads");
    }

    async fn begin(&mut self) {
        self.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
    }

    async fn chunk(&mut self, text: &str) {
        self.send(&format!("{:x}\r\n{text}\r\n", text.len())).await;
    }

    async fn event(&mut self, kind: &str, object: &serde_json::Value) {
        self.chunk(&format!("{}\n", serde_json::json!({"type": kind, "object": object}))).await;
    }

    async fn is_closed(&mut self) -> bool {
        self.0.read(&mut [0]).await.is_ok_and(|length| length == 0)
    }
}

struct Server(mpsc::UnboundedReceiver<DuplexStream>);

impl Server {
    async fn accept(&mut self) -> Served {
        Served(self.0.recv().await.expect("a connection"))
    }
}

type Pipes = mpsc::UnboundedSender<DuplexStream>;

/// A connector whose first `h2` connections negotiate HTTP/2.
fn connector(
    pipes: Pipes,
    h2: usize,
) -> impl Service<Uri, Response = Pipe, Error = io::Error, Future = Ready<io::Result<Pipe>>>
+ Clone
+ Send
+ Sync
+ 'static {
    let connections = Arc::new(AtomicUsize::new(0));
    service_fn(move |uri: Uri| {
        assert_eq!(uri, "http://server:8080/");
        let (ours, theirs) = duplex(1 << 16);
        let negotiated_h2 = connections.fetch_add(1, Ordering::SeqCst) < h2;
        ready(match pipes.send(theirs) {
            Ok(()) => Ok(Pipe { io: TokioIo::new(ours), negotiated_h2 }),
            Err(_) => Err(io::Error::other("the server is gone")),
        })
    })
}

fn config() -> Config {
    Config::new(Uri::from_static("http://server:8080"))
}

fn direct(h2: usize) -> (Server, Client) {
    let (pipes, server) = mpsc::unbounded_channel();
    (Server(server), connect::direct_client(config(), connector(pipes, h2)).expect("a client"))
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a request")
}

const WATCH: &str = "/api/v1/configmaps?watch=true";

/// Opens a watch, and reads its first part.
async fn watch(server: &mut Server, client: &Client) -> (Served, Body) {
    let serve = async {
        let mut served = server.accept().await;
        let head = served.head().await;
        assert!(head.starts_with(&format!("GET {WATCH} HTTP/1.1\r\n")), "{head}");
        assert!(head.contains("host: server:8080\r\n"), "{head}");
        served.begin().await;
        served.chunk("first").await;
        served
    };
    let (mut served, response) = tokio::join!(serve, client.send(get(WATCH)));
    let mut body = response.expect("a response").into_body();
    assert_eq!(part(&mut body).await.expect("a part"), "first");
    served.chunk("second").await;
    assert_eq!(part(&mut body).await.expect("a part"), "second");
    (served, body)
}

async fn part(body: &mut Body) -> Result<String, kube_client::Error> {
    let frame = body.frame().await.expect("no end")?;
    Ok(String::from_utf8(frame.into_data().expect("data").to_vec()).expect("UTF-8"))
}

/// The number of tasks beside those that there were.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn no_task_stands_between_a_watch_and_its_reader() {
    let (pipes, server) = mpsc::unbounded_channel();
    let pooled = connect::client(config(), connector(pipes, 0)).expect("a client");
    let before = tasks();
    let _pooled = watch(&mut Server(server), &pooled).await;
    assert!(tasks() > before, "a pooled connection has a task");

    let (mut server, client) = direct(0);
    let before = tasks();
    let _direct = watch(&mut server, &client).await;
    assert_eq!(tasks(), before);
}

#[tokio::test(start_paused = true)]
async fn a_watch_closes_its_connection_when_it_is_dropped_and_when_it_ends() {
    let (mut server, client) = direct(0);
    let (mut served, body) = watch(&mut server, &client).await;
    drop(body);
    assert!(served.is_closed().await);

    let (mut served, mut body) = watch(&mut server, &client).await;
    served.send("0\r\n\r\n").await;
    assert!(body.frame().await.is_none(), "it ends in order");
    assert!(served.is_closed().await);
    assert!(body.frame().await.is_none(), "it stays at its end");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_ends_its_watch_with_an_error() {
    for rest in ["", "5", "5\r\nhal", "nonsense\r\n"] {
        let (mut server, client) = direct(0);
        let (mut served, mut body) = watch(&mut server, &client).await;
        served.send(rest).await;
        drop(served);
        let mut error = None;
        while let Some(frame) = body.frame().await {
            error = frame.err();
        }
        let error = error.unwrap_or_else(|| panic!("no error after {rest:?}"));
        assert!(error.source().is_some(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_without_a_response_and_one_that_is_gone_fail_the_request() {
    let (mut server, client) = direct(0);
    let serve = async {
        let mut served = server.accept().await;
        served.head().await;
    };
    let ((), response) = tokio::join!(serve, client.send(get(WATCH)));
    assert!(
        chain(&response.expect_err("no response")).contains("connection closed before message completed")
    );
    drop(server);
    let response = client.send(get(WATCH)).await;
    assert!(chain(&response.expect_err("no connection")).contains("the server is gone"));
}

/// The error and its causes.
fn chain(error: &dyn Error) -> String {
    let cause = error.source().map(chain).unwrap_or_default();
    format!("{error}: {cause}")
}

#[tokio::test(start_paused = true)]
async fn other_requests_share_a_connection() {
    let (mut server, client) = direct(0);
    let (_watch, _body) = watch(&mut server, &client).await;
    let mut shared = None;
    for number in 0..3 {
        let serve = async {
            let mut served = match shared.take() {
                Some(served) => served,
                None => server.accept().await,
            };
            assert!(served.head().await.starts_with("GET /version HTTP/1.1\r\n"));
            served.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
            served
        };
        let text = async {
            client.request_text(Request::get("/version").body(Vec::new()).expect("a request")).await
        };
        let (served, text) = tokio::join!(serve, text);
        assert_eq!(text.expect("a response"), "{}", "{number}");
        shared = Some(served);
        settle(Duration::from_millis(1)).await; // the connection returns to the pool
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_over_the_shared_connection_if_the_connector_negotiates_http_2() {
    let (mut server, client) = direct(1);
    let before = tasks();
    let serve = async {
        let mut first = server.accept().await;
        assert!(first.is_closed().await, "it is not used");
        let mut second = server.accept().await;
        second.head().await;
        second.begin().await;
        second
    };
    let (_served, response) = tokio::join!(serve, client.send(get(WATCH)));
    response.expect("a response");
    assert!(tasks() > before, "a pooled connection has a task");
}

#[tokio::test(start_paused = true)]
async fn an_informer_follows_its_kind_over_direct_connections() {
    let (mut server, client) = direct(0);
    let informer = Informer::builder(client).build::<ConfigMap>();
    informer.start();
    let mut served = server.accept().await;
    assert!(served.head().await.contains("sendInitialEvents=true"));
    served.begin().await;
    served.event("ADDED", &object("a", "1")).await;
    let end = serde_json::json!({"k8s.io/initial-events-end": "true"});
    let bookmark = serde_json::json!({"metadata": {"resourceVersion": "5", "annotations": end}});
    served.event("BOOKMARK", &bookmark).await;
    assert!(informer.wait_for_sync().await);
    for number in 0..1_000 {
        served.event("MODIFIED", &object("a", &(6 + number).to_string())).await;
    }
    settle(Duration::from_millis(1)).await;
    assert_eq!(informer.store().resource_version().as_deref(), Some("1005"));

    served.send("5\r\nhal").await;
    drop(served);
    settle(Duration::from_millis(1)).await;
    let status = informer.status();
    assert!(matches!(status.phase, Phase::Waiting { .. }), "{status:?}");
    assert_eq!(status.last_error.expect("an error").to_string(), "the connection was cut");
    let mut served = server.accept().await;
    assert!(served.head().await.contains("resourceVersion=1005"), "it resumes");
    informer.stop().await;
    assert!(served.is_closed().await);
}
