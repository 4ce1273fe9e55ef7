//! [`Events`]: a watch that is being read.

use crate::answer::Mismatch;
use http_body_util::BodyExt as _;
use kube_client::client::Body;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// How long an event may take to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// The events of one watch.
#[derive(Debug)]
pub(crate) struct Events {
    request: String,
    body: Body,
    read: Vec<u8>,
}

/// One line of a watch.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) object: Value,
}

impl Event {
    pub(crate) fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn version(&self) -> &str {
        self.object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
    }

    /// Whether it is the bookmark that ends the initial events.
    pub(crate) fn ends_initial_events(&self) -> bool {
        self.kind == "BOOKMARK"
            && self.object["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true"
    }
}

impl Events {
    pub(crate) fn new(request: String, body: Body) -> Self {
        Self { request, body, read: Vec::new() }
    }

    /// The next event; `None` once the server has ended the watch.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Mismatch> {
        timeout(PATIENCE, self.line())
            .await
            .map_err(|_| Mismatch::new(&self.request, "an event", "nothing for 20 s"))?
    }

    async fn line(&mut self) -> Result<Option<Event>, Mismatch> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                let text = String::from_utf8_lossy(&line).into_owned();
                let mut event: Value = serde_json::from_slice(&line)
                    .map_err(|error| Mismatch::new(&self.request, "an event", format!("{error}: {text}")))?;
                let kind = event["type"].as_str().unwrap_or_default().to_owned();
                return Ok(Some(Event { kind, object: event["object"].take() }));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => {
                    return Err(Mismatch::new(&self.request, "a clean end", error.to_string()));
                }
                Some(Ok(frame)) => {
                    self.read.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]))
                }
            }
        }
    }

    /// The next event, which must be of this type.
    pub(crate) async fn expect(&mut self, kind: &str) -> Result<Event, Mismatch> {
        match self.next().await? {
            Some(event) if event.kind == kind => Ok(event),
            other => Err(self.mismatch(kind, other)),
        }
    }

    /// The next event, which must be of this type and about this object.
    pub(crate) async fn expect_of(&mut self, kind: &str, name: &str) -> Result<Event, Mismatch> {
        match self.next().await? {
            Some(event) if event.kind == kind && event.name() == name => Ok(event),
            other => Err(self.mismatch(&format!("{kind} of {name}"), other)),
        }
    }

    /// The end of the watch, with nothing before it.
    pub(crate) async fn expect_end(&mut self) -> Result<(), Mismatch> {
        match self.next().await? {
            None => Ok(()),
            other => Err(self.mismatch("the end of the watch", other)),
        }
    }

    /// Everything up to the end, bookmarks left out.
    pub(crate) async fn rest(&mut self) -> Result<Vec<Event>, Mismatch> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await? {
            if event.kind != "BOOKMARK" {
                events.push(event);
            }
        }
        Ok(events)
    }

    /// Whatever else a rule asks for, in words.
    pub(crate) fn check(&self, holds: bool, expected: &str, event: &Event) -> Result<(), Mismatch> {
        if holds { Ok(()) } else { Err(self.mismatch(expected, Some(event.clone()))) }
    }

    fn mismatch(&self, expected: &str, found: Option<Event>) -> Mismatch {
        let found =
            found.map_or_else(|| "the end".to_owned(), |event| format!("{} {}", event.kind, event.object));
        Mismatch::new(&self.request, expected, found)
    }
}
