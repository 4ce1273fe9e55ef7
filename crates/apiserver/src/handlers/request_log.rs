//! [`RequestLog`]: every request and its response, for assertions on a controller's traffic.

use std::sync::Arc;

use http::Response;
use k8s_openapi::jiff::Timestamp;
use parking_lot::Mutex;

use crate::{
    api::{
        filter::{Filter, Origin},
        key::Key,
        status::Status,
        verb::Verb,
    },
    wire::body::ResponseBody,
};

/// A request about objects, with the response or the loss of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// The time of the response, by the server's clock.
    pub at: Timestamp,
    /// The verb.
    pub verb: Verb,
    /// The plural name and the group, such as `pods` or `replicasets.apps`.
    pub resource: String,
    /// The API group in its path; empty for the core group. That of the kind, except for Events: they are one kind with
    /// paths in two groups.
    pub group: String,
    /// The subresource, such as `status`; empty for the object itself.
    pub subresource: String,
    /// The namespace in its path; empty for all namespaces and for cluster-scoped kinds.
    pub namespace: String,
    /// The name in its path; empty for a collection.
    pub name: String,
    /// The `User-Agent` of the client.
    pub user_agent: String,
    /// The parameters as they were sent, such as `watch=true&resourceVersion=7`.
    pub query: String,
    /// The HTTP code of the answer; `None` if a fault broke the connection in its place.
    pub code: Option<u16>,
    /// The resource version that the answer carried: of the list, of the object, or where a watch begins.
    pub version: Option<u64>,
}

/// An event that a watch was sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivery {
    /// The time when it was sent, by the server's clock.
    pub at: Timestamp,
    /// The plural name and the group, such as `pods` or `replicasets.apps`.
    pub resource: String,
    /// The `User-Agent` of the watching client.
    pub user_agent: String,
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK`, or `ERROR` if the watch ends because its version is too old.
    pub word: &'static str,
    /// The object's namespace; empty for a cluster-scoped object, a bookmark and an error.
    pub namespace: String,
    /// The object's name; empty for a bookmark and an error.
    pub name: String,
    /// The version that the event carries; of an error, the version up to which the watch was sent everything, and 0 if it
    /// never began.
    pub version: u64,
}

/// The resource version of a response, beside its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown(pub(crate) u64);

/// The requests that a server has answered and the events that it has sent, in order; empty unless
/// [`ApiServerBuilder::request_log`](crate::ApiServerBuilder::request_log) asked for it.
///
/// A watch is recorded when it is opened. Requests for discovery and health are not recorded.
#[derive(Debug)]
pub struct RequestLog {
    entries: Option<Mutex<Entries>>,
}

#[derive(Debug, Default)]
struct Entries {
    exchanges: Vec<(Origin, Exchange)>,
    deliveries: Vec<(Arc<Origin>, Delivery)>,
}

impl RequestLog {
    pub(crate) fn new(is_kept: bool) -> Self {
        Self { entries: is_kept.then(Mutex::default) }
    }

    /// The exchanges that match, the oldest first.
    pub fn matching(&self, filter: &Filter) -> Vec<Exchange> {
        let Some(entries) = &self.entries else { return Vec::new() };
        let entries = entries.lock();
        let matching = entries.exchanges.iter().filter(|(origin, _)| filter.matches(origin));
        matching.map(|(_, exchange)| exchange.clone()).collect()
    }

    /// The events that matching watches were sent, the oldest first.
    pub fn deliveries(&self, filter: &Filter) -> Vec<Delivery> {
        let Some(entries) = &self.entries else { return Vec::new() };
        let entries = entries.lock();
        let matching = entries.deliveries.iter().filter(|(origin, _)| filter.matches(origin));
        matching.map(|(_, delivery)| delivery.clone()).collect()
    }

    /// Forgets everything so far.
    pub fn clear(&self) {
        if let Some(entries) = &self.entries {
            *entries.lock() = Entries::default();
        }
    }

    /// Records a request and its outcome.
    pub(crate) fn record(
        &self,
        at: Timestamp,
        origin: Origin,
        (group, subresource): (&str, &str),
        query: &str,
        outcome: &Result<std::io::Result<Response<ResponseBody>>, Status>,
    ) {
        let Some(entries) = &self.entries else { return };
        let version = match outcome {
            Ok(Ok(answer)) => answer.extensions().get::<Shown>().map(|shown| shown.0),
            _ => None,
        };
        let code = match outcome {
            Ok(Ok(answer)) => Some(answer.status()),
            Ok(Err(_)) => None,
            Err(status) => Some(status.code()),
        };
        let exchange = Exchange {
            at,
            verb: origin.verb,
            resource: origin.resource.clone(),
            group: group.to_owned(),
            subresource: subresource.to_owned(),
            namespace: origin.namespace.clone(),
            name: origin.name.clone(),
            user_agent: origin.user_agent.clone(),
            query: query.to_owned(),
            code: code.map(|code| code.as_u16()),
            version,
        };
        entries.lock().exchanges.push((origin, exchange));
    }

    /// Whether the log is kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.entries.is_some()
    }

    /// Records an event that a watch is sent; `key` is `None` for a bookmark.
    pub(crate) fn delivered(
        &self,
        at: Timestamp,
        origin: &Arc<Origin>,
        word: &'static str,
        key: Option<&Key>,
        version: u64,
    ) {
        let Some(entries) = &self.entries else { return };
        let delivery = Delivery {
            at,
            resource: origin.resource.clone(),
            user_agent: origin.user_agent.clone(),
            word,
            namespace: key.and_then(Key::namespace).unwrap_or_default().to_owned(),
            name: key.map(Key::name).unwrap_or_default().to_owned(),
            version,
        };
        entries.lock().deliveries.push((origin.clone(), delivery));
    }
}
