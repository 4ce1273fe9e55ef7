//! A server that passes each request to the test, which responds at any time.

use std::ops::Deref;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Response, header};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use kube_client::Client;
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Duration, timeout},
};
use tower::BoxError;

use super::{ApiRequest, client, failure};

/// The test's end of a client.
#[derive(Debug)]
pub struct ScriptedServer {
    requests: mpsc::UnboundedReceiver<PendingRequest>,
}

/// A request that waits for its response. Dropped, it is answered with a connection error.
#[derive(Debug)]
pub struct PendingRequest {
    request: ApiRequest,
    reply: oneshot::Sender<Response<UnsyncBoxBody<Bytes, BoxError>>>,
}

/// The body of an accepted watch. Dropped, it ends in order.
#[derive(Debug)]
pub struct WatchBody {
    frames: mpsc::UnboundedSender<Result<Bytes, BoxError>>,
}

impl ScriptedServer {
    /// Returns a server, and a client of it.
    pub fn new() -> (Self, Client) {
        let (sender, requests) = mpsc::unbounded_channel();
        let client = client(move |request| {
            let (reply, response) = oneshot::channel();
            let _ = sender.send(PendingRequest { request, reply });
            async move { response.await.map_err(|_| BoxError::from("connection refused")) }
        });
        (Self { requests }, client)
    }

    /// Returns the next request, which comes within an hour.
    pub async fn next(&mut self) -> PendingRequest {
        let request = timeout(Duration::from_secs(3_600), self.requests.recv()).await;
        request.expect("a request within an hour").expect("a client")
    }

    /// Returns the next request, if it is there already.
    pub fn try_next(&mut self) -> Option<PendingRequest> {
        self.requests.try_recv().ok()
    }

    /// Returns the next request, if it comes within `period`.
    pub async fn within(&mut self, period: Duration) -> Option<PendingRequest> {
        timeout(period, self.requests.recv()).await.ok().flatten()
    }

    /// Returns the next request, whose [description](PendingRequest::describe) must be this.
    pub async fn expect(&mut self, description: &str) -> PendingRequest {
        let request = self.next().await;
        assert_eq!(request.describe(), description);
        request
    }

    /// Checks that the client is gone without another request.
    pub async fn expect_no_client(&mut self) {
        let request = self.requests.recv().await;
        assert!(request.is_none(), "unexpected request: {request:?}");
    }

    /// Checks that no request comes within `period`.
    pub async fn expect_silence(&mut self, period: Duration) {
        if let Ok(request) = timeout(period, self.requests.recv()).await {
            panic!("unexpected request: {:?}", request.map(|request| request.describe()));
        }
    }
}

impl Deref for PendingRequest {
    type Target = ApiRequest;

    fn deref(&self) -> &ApiRequest {
        &self.request
    }
}

impl PendingRequest {
    /// `LIST /api/v1/pods limit=500`, `WATCH /api/v1/pods resourceVersion=7` or `STREAM …`, a streaming list.
    ///
    /// Checks the parameters that all watches have in common, and leaves them out.
    pub fn describe(&self) -> String {
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

    /// Returns the timeout that a watch asks the server for.
    pub fn timeout_seconds(&self) -> u64 {
        self.query["timeoutSeconds"].parse().expect("seconds")
    }

    /// Answers with JSON.
    pub fn json(self, value: &Value) {
        self.raw(200, &[], value.to_string());
    }

    /// Answers with a whole list.
    pub fn list(self, version: &str, objects: &[Value]) {
        self.json(&json!({"kind": "List", "metadata": {"resourceVersion": version}, "items": objects}));
    }

    /// Answers with a page of a list and the token of the next page.
    pub fn page(self, version: &str, token: &str, objects: &[Value]) {
        self.json(&json!({"metadata": {"resourceVersion": version, "continue": token}, "items": objects}));
    }

    /// Answers with an error.
    pub fn fail(self, code: u16, reason: &str) {
        self.raw(code, &[], failure(code, reason).to_string());
    }

    /// Answers with these bytes.
    pub fn raw(self, code: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) {
        self.open(code, headers).text(body);
    }

    /// Accepts a watch.
    pub fn watch(self) -> WatchBody {
        self.open(200, &[])
    }

    /// Answers with a body that the test writes later.
    pub fn open(self, code: u16, headers: &[(&str, &str)]) -> WatchBody {
        let (frames, mut chunks) = mpsc::unbounded_channel::<Result<Bytes, BoxError>>();
        let body =
            stream::poll_fn(move |cx| chunks.poll_recv(cx)).map(|chunk| chunk.map(http_body::Frame::data));
        let mut response = Response::builder().status(code);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.body(StreamBody::new(body).boxed_unsync()).expect("valid headers");
        let _ = self.reply.send(response);
        WatchBody { frames }
    }
}

impl WatchBody {
    /// Sends an event of type `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    pub fn event(&self, kind: &str, object: &Value) {
        self.text(json!({"type": kind, "object": object}).to_string() + "\n");
    }

    /// Sends a bookmark of `ConfigMap`s.
    pub fn bookmark(&self, version: &str) {
        self.event("BOOKMARK", &json!({"kind": "ConfigMap", "metadata": {"resourceVersion": version}}));
    }

    /// Sends the bookmark that completes a streaming list.
    pub fn end_of_list(&self, version: &str) {
        let annotations = json!({"k8s.io/initial-events-end": "true"});
        let metadata = json!({"resourceVersion": version, "annotations": annotations});
        self.event("BOOKMARK", &json!({"kind": "ConfigMap", "metadata": metadata}));
    }

    /// Sends these bytes.
    pub fn text(&self, text: impl Into<Bytes>) {
        let _ = self.frames.send(Ok(text.into()));
    }

    /// Ends with a connection error.
    pub fn cut(self) {
        let _ = self.frames.send(Err("connection reset by peer".into()));
    }

    /// Waits until the client has hung up.
    pub async fn closed(&self) {
        self.frames.closed().await;
    }
}
