//! [`Reply`]: what a server says to a probe, with masks.

use super::mask;
use super::probe::{Ask, Probe};
use crate::servers::Failure;
use http_body_util::BodyExt as _;
use kube_client::Client;
use kube_client::client::Body;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The code of a request whose connection was closed, or whose answer does not end.
const NO_ANSWER: u16 = 0;

/// An answer, as far as two servers must agree on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
    /// JSON, or a string of any other text.
    pub(crate) body: Value,
}

impl Reply {
    /// Whether the body is a `Status` that refuses.
    pub(crate) fn refusal(&self) -> Option<&Value> {
        (self.code >= 400 && self.body["kind"] == "Status").then_some(&self.body)
    }
}

/// Makes the objects of a probe, and sends its request.
pub(crate) async fn reply(client: &Client, probe: &Probe) -> Result<Reply, Failure> {
    for ask in &probe.given {
        let made = send(client, ask).await?;
        if !(200..300).contains(&made.0) {
            return Err(
                format!("{ask}: it has to be possible, and was refused: {} {}", made.0, made.2).into()
            );
        }
    }
    let (code, warnings, text) = send(client, &probe.ask).await?;
    release(client, probe).await?;
    let mut warnings: Vec<_> = warnings.iter().map(|warning| mask::text(probe, warning)).collect();
    warnings.sort();
    Ok(Reply { code, warnings, body: mask::body(probe, &text) })
}

/// Deletes a Service: there are 254 addresses for them.
async fn release(client: &Client, probe: &Probe) -> Result<(), Failure> {
    let asks = probe.given.iter().chain([&probe.ask]);
    let service = asks.map(|ask| &ask.path).find(|path| path.contains("/namespaces/differential/services"));
    if service.is_some() && probe.family != "read" {
        send(
            client,
            &Ask::bare("DELETE", format!("/api/v1/namespaces/differential/services/{}", probe.name)),
        )
        .await?;
    }
    Ok(())
}

/// The code, the warnings and the text of an answer.
pub(crate) async fn send(client: &Client, ask: &Ask) -> Result<(u16, Vec<String>, String), Failure> {
    let mut request = http::Request::builder().method(&*ask.method).uri(&ask.path);
    for (name, value) in [("content-type", &ask.content_type), ("accept", &ask.accept)] {
        if !value.is_empty() {
            request = request.header(name, value);
        }
    }
    let request =
        request.body(Body::from(ask.body.clone().into_bytes())).map_err(|error| format!("{ask}: {error}"))?;
    let answer = async {
        let answer = match client.send(request).await {
            Ok(answer) => answer,
            // A kube-apiserver that panics closes the connection.
            Err(_) => return Ok((NO_ANSWER, Vec::new(), String::new())),
        };
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| format!("{ask}: {error}"))?.to_bytes();
        let warnings = head.headers.get_all("warning").iter();
        let warnings = warnings.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
        Ok((head.status.as_u16(), warnings, String::from_utf8_lossy(&body).into_owned()))
    };
    // A watch without a timeout has no end.
    timeout(PATIENCE, answer).await.unwrap_or_else(|_| Ok((NO_ANSWER, Vec::new(), String::new())))
}
