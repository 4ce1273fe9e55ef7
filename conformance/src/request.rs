//! [`Call`]: one request, as raw as a case needs it.

use crate::answer::{Answer, Mismatch};
use crate::events::Events;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube_client::Client;
use kube_client::client::Body;
use serde_json::Value;

/// A request that is being filled in.
pub(crate) struct Call {
    client: Client,
    method: Method,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
}

impl Call {
    pub(crate) fn new(client: Client, method: Method, path: String) -> Self {
        Self { client, method, path, headers: Vec::new(), body: Bytes::new() }
    }

    /// A header; one of the same name from before is replaced.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.retain(|(before, _)| before != name);
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn accept(self, value: &str) -> Self {
        self.header("accept", value)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// A body that may be anything.
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sends it and reads the whole answer.
    pub(crate) async fn send(self) -> Result<Answer, Mismatch> {
        let (request, response) = self.begin().await?;
        let (head, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| Mismatch::new(&request, "a body to its end", error.to_string()))?;
        let body = body.to_bytes();
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Answer { request, status: head.status.as_u16(), headers: head.headers, body, json })
    }

    /// Sends it and hands out the events of the answer one by one.
    pub(crate) async fn watch(self) -> Result<Events, Mismatch> {
        let (request, response) = self.begin().await?;
        if response.status() == 200 {
            return Ok(Events::new(request, response.into_body()));
        }
        let status = response.status();
        let body =
            response.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let found = format!("{status} {}", String::from_utf8_lossy(&body));
        Err(Mismatch::new(request, "a watch", found))
    }

    /// The request's line, and the answer as far as its head.
    async fn begin(self) -> Result<(String, Response<Body>), Mismatch> {
        let line = format!("{} {}", self.method, self.path);
        let broken = |error: String| Mismatch::new(&line, "an answer", error);
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(self.body)).map_err(|error| broken(error.to_string()))?;
        let response = self.client.send(request).await.map_err(|error| broken(error.to_string()))?;
        Ok((line, response))
    }
}
