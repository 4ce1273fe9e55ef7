//! An API server that does what a test tells it, request by request. In virtual time, without sockets.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, header};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use kube_client::{Client, client::Body};
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Duration, Instant, timeout},
};
use tower::{BoxError, service_fn};
use trimtab_informer::{Informer, InformerBuilder};

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// The test's end of a client.
#[derive(Debug)]
pub(crate) struct Server {
    calls: mpsc::UnboundedReceiver<Call>,
}

/// A request that waits for its answer. Dropped, it is answered with a connection error.
#[derive(Debug)]
pub(crate) struct Call {
    path: String,
    query: BTreeMap<String, String>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) at: Instant,
    reply: oneshot::Sender<Answer>,
}

/// A watch that has been accepted. Dropped, it ends in order.
#[derive(Debug)]
pub(crate) struct Watch {
    body: mpsc::UnboundedSender<Result<Bytes, BoxError>>,
}

impl Server {
    pub(crate) fn new() -> (Self, Client) {
        let (sender, calls) = mpsc::unbounded_channel();
        let service = service_fn(move |request: Request<Body>| {
            let (reply, answer) = oneshot::channel();
            let _ = sender.send(Call::new(&request, reply));
            async move { answer.await.map_err(|_| BoxError::from("connection refused")) }
        });
        (Self { calls }, Client::new(service, "default"))
    }

    /// The next request. One must come, though it may take long.
    pub(crate) async fn next(&mut self) -> Call {
        let call = timeout(Duration::from_secs(3_600), self.calls.recv()).await;
        call.expect("a request within an hour").expect("a client")
    }

    /// The next request, if there is one already.
    pub(crate) fn try_next(&mut self) -> Option<Call> {
        self.calls.try_recv().ok()
    }

    /// The next request, if one comes within so long.
    pub(crate) async fn within(&mut self, period: Duration) -> Option<Call> {
        timeout(period, self.calls.recv()).await.ok().flatten()
    }

    /// The next request, which must be this: see [`Call::describe`].
    pub(crate) async fn expect(&mut self, description: &str) -> Call {
        let call = self.next().await;
        assert_eq!(call.describe(), description);
        call
    }

    /// Checks that the client is gone, and that it never asked for anything.
    pub(crate) async fn expect_no_client(&mut self) {
        assert!(self.calls.recv().await.is_none());
    }

    /// Checks that no request comes for so long.
    pub(crate) async fn expect_silence(&mut self, period: Duration) {
        if let Ok(call) = timeout(period, self.calls.recv()).await {
            panic!("unexpected request: {:?}", call.map(|call| call.describe()));
        }
    }
}

impl Call {
    fn new(request: &Request<Body>, reply: oneshot::Sender<Answer>) -> Self {
        let pairs = request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let query = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').expect("name=value");
            (name.to_owned(), decode(value))
        });
        Self {
            path: request.uri().path().to_owned(),
            query: query.collect(),
            headers: request.headers().clone(),
            at: Instant::now(),
            reply,
        }
    }

    /// `LIST /api/v1/pods limit=500`, `WATCH /api/v1/pods resourceVersion=7`: what is the same for all
    /// watches is checked and left out.
    pub(crate) fn describe(&self) -> String {
        let mut query = self.query.clone();
        let verb = match query.remove("watch").as_deref() {
            None => "LIST",
            Some("true") => {
                assert_eq!(query.remove("allowWatchBookmarks").as_deref(), Some("true"));
                let seconds = query.remove("timeoutSeconds").expect("a watch has a timeout");
                assert!((300..=600).contains(&seconds.parse::<u32>().expect("seconds")));
                assert_eq!(self.headers[header::ACCEPT_ENCODING], "identity");
                if query.remove("sendInitialEvents").as_deref() == Some("true") {
                    assert_eq!(query.remove("resourceVersionMatch").as_deref(), Some("NotOlderThan"));
                    "STREAM"
                } else {
                    "WATCH"
                }
            }
            Some(other) => panic!("watch={other}"),
        };
        let mut text = format!("{verb} {}", self.path);
        for (name, value) in query {
            text.push_str(&format!(" {name}={value}"));
        }
        text
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub(crate) fn timeout_seconds(&self) -> u64 {
        self.query["timeoutSeconds"].parse().expect("seconds")
    }

    /// Answers with JSON.
    pub(crate) fn json(self, value: &Value) {
        self.raw(200, &[], value.to_string());
    }

    /// Answers with the whole list.
    pub(crate) fn list(self, version: &str, objects: &[Value]) {
        self.json(&json!({"kind": "List", "metadata": {"resourceVersion": version}, "items": objects}));
    }

    /// Answers with a page of a list, and the token of the next.
    pub(crate) fn page(self, version: &str, token: &str, objects: &[Value]) {
        self.json(&json!({"metadata": {"resourceVersion": version, "continue": token}, "items": objects}));
    }

    /// Answers with an error.
    pub(crate) fn status(self, code: u16, reason: &str) {
        self.raw(code, &[], status(code, reason).to_string());
    }

    pub(crate) fn raw(self, code: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) {
        let watch = self.open(code, headers);
        watch.text(body);
    }

    /// Accepts a watch.
    pub(crate) fn watch(self) -> Watch {
        self.open(200, &[])
    }

    pub(crate) fn open(self, code: u16, headers: &[(&str, &str)]) -> Watch {
        let (body, mut chunks) = mpsc::unbounded_channel::<Result<Bytes, BoxError>>();
        let frames = stream::poll_fn(move |cx| chunks.poll_recv(cx));
        let frames = futures_util::StreamExt::map(frames, |chunk| chunk.map(http_body::Frame::data));
        let mut answer = Response::builder().status(code);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        let answer = answer.body(StreamBody::new(frames).boxed_unsync()).expect("an answer");
        let _ = self.reply.send(answer);
        Watch { body }
    }
}

impl Watch {
    pub(crate) fn event(&self, kind: &str, object: &Value) {
        self.text(json!({"type": kind, "object": object}).to_string() + "\n");
    }

    pub(crate) fn bookmark(&self, version: &str) {
        self.event("BOOKMARK", &json!({"kind": "ConfigMap", "metadata": {"resourceVersion": version}}));
    }

    /// Says that a streaming list is complete.
    pub(crate) fn end_of_list(&self, version: &str) {
        let annotations = json!({"k8s.io/initial-events-end": "true"});
        let metadata = json!({"resourceVersion": version, "annotations": annotations});
        self.event("BOOKMARK", &json!({"kind": "ConfigMap", "metadata": metadata}));
    }

    /// Sends bytes as they are.
    pub(crate) fn text(&self, text: impl Into<Bytes>) {
        let _ = self.body.send(Ok(text.into()));
    }

    /// Ends with an error of the connection.
    pub(crate) fn cut(self) {
        let _ = self.body.send(Err("connection reset by peer".into()));
    }

    /// Waits until the client has hung up.
    pub(crate) async fn closed(&self) {
        self.body.closed().await;
    }
}

/// A builder of informers that list page by page, which is easier to read in a test.
pub(crate) fn lists(client: Client) -> InformerBuilder {
    Informer::builder(client).streaming_lists(false)
}

pub(crate) fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "metadata": {}, "status": "Failure", "code": code, "reason": reason})
}

/// A ConfigMap of that name and version, with one value of data.
pub(crate) fn object(name: &str, version: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "namespace": "default", "name": name, "uid": format!("uid-{name}"), "resourceVersion": version,
            "managedFields": [{"manager": "test"}],
        },
        "data": {"version": version},
    })
}

/// Lets the tasks run until all of them wait.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
