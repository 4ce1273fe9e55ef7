//! API servers whose responses the test writes: in the process, without sockets, in virtual time.
//!
//! [`ScriptedServer`] passes each request to the test, which responds at any time. [`answering`] takes a function from
//! requests to responses and records the requests. Both use [`client`].

mod answering;
mod scripted;

use std::{collections::BTreeMap, future::Future};

use http::{HeaderMap, Method, Request, Response};
use kube_client::{Client, client::Body};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::{BoxError, service_fn};

pub use self::{
    answering::{Requests, answering},
    scripted::{PendingRequest, ScriptedServer, WatchBody},
};

/// A request as the server received it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiRequest {
    /// The HTTP method.
    pub method: Method,
    /// The path, without the query.
    pub path: String,
    /// The query's parameters, decoded.
    pub query: BTreeMap<String, String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; `null` if it is empty or not JSON.
    pub body: Value,
    /// The time at which the request arrived.
    pub at: Instant,
}

impl ApiRequest {
    async fn read(request: Request<Body>) -> Result<Self, BoxError> {
        let at = Instant::now();
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await?;
        let pairs = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let query = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').expect("a parameter has a value");
            (name.to_owned(), decode(value))
        });
        Ok(Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: query.collect(),
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
            at,
        })
    }

    /// Returns the value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

/// Creates a client whose responses come from `respond`. An error looks like a broken connection.
pub fn client<F, R, B>(respond: F) -> Client
where
    F: Fn(ApiRequest) -> R + Clone + Send + 'static,
    R: Future<Output = Result<Response<B>, BoxError>> + Send + 'static,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let service = service_fn(move |request: Request<Body>| {
        let respond = respond.clone();
        async move {
            let request = ApiRequest::read(request).await?;
            let response = respond(request);
            response.await
        }
    });
    Client::new(service, "default")
}

/// Returns a response with a JSON body.
pub fn json_response(code: u16, body: &Value) -> Response<Body> {
    let body = Body::from(body.to_string().into_bytes());
    Response::builder().status(code).body(body).expect("a valid status code")
}

/// Returns the `Status` object that an API server sends with an error, without a message.
pub fn failure(code: u16, reason: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {},
        "status": "Failure", "code": code, "reason": reason,
    })
}
