//! [`Journal`]: who asked what, and what the answer was, for assertions on a controller's traffic.

use http::Response;
use k8s_openapi::jiff::Timestamp;
use parking_lot::Mutex;

use crate::{
    http::{body::ResponseBody, route::Verb, status::Status},
    levers::{Filter, Origin},
};

/// A request about objects that was answered, or whose answer was lost.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// When it was answered, by the server's clock.
    pub at: Timestamp,
    /// What it did.
    pub verb: Verb,
    /// The plural name and the group, such as `pods` or `replicasets.apps`.
    pub resource: String,
    /// The namespace in its path; empty for all namespaces and for cluster-scoped kinds.
    pub namespace: String,
    /// The name in its path; empty for a collection.
    pub name: String,
    /// Who asked.
    pub user_agent: String,
    /// The parameters as they were sent, such as `watch=true&resourceVersion=7`.
    pub query: String,
    /// The HTTP code of the answer; `None` if a lever broke the connection in its place.
    pub code: Option<u16>,
}

/// The requests that a server has answered, in order; empty unless
/// [`ApiServerBuilder::journal`](crate::ApiServerBuilder::journal) asked for it.
///
/// A watch is written down when it is opened. Requests for discovery and health are not.
#[derive(Debug)]
pub struct Journal {
    exchanges: Option<Mutex<Vec<(Origin, Exchange)>>>,
}

impl Journal {
    pub(crate) fn new(is_kept: bool) -> Self {
        Self { exchanges: is_kept.then(Mutex::default) }
    }

    /// The exchanges that match, the oldest first.
    pub fn matching(&self, filter: &Filter) -> Vec<Exchange> {
        let Some(exchanges) = &self.exchanges else { return Vec::new() };
        let exchanges = exchanges.lock();
        let matching = exchanges.iter().filter(|(origin, _)| filter.matches(origin));
        matching.map(|(_, exchange)| exchange.clone()).collect()
    }

    /// Forgets everything so far.
    pub fn clear(&self) {
        if let Some(exchanges) = &self.exchanges {
            exchanges.lock().clear();
        }
    }

    /// Writes down what a request came to.
    pub(crate) fn record(
        &self,
        at: Timestamp,
        origin: Origin,
        query: &str,
        outcome: &Result<std::io::Result<Response<ResponseBody>>, Status>,
    ) {
        let Some(exchanges) = &self.exchanges else { return };
        let code = match outcome {
            Ok(Ok(answer)) => Some(answer.status()),
            Ok(Err(_)) => None,
            Err(status) => Some(status.code()),
        };
        let exchange = Exchange {
            at,
            verb: origin.verb,
            resource: origin.resource.clone(),
            namespace: origin.namespace.clone(),
            name: origin.name.clone(),
            user_agent: origin.user_agent.clone(),
            query: query.to_owned(),
            code: code.map(|code| code.as_u16()),
        };
        exchanges.lock().push((origin, exchange));
    }
}
