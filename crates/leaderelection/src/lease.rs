//! [`LeaseClient`]: the requests of an election, each with a time limit, and its watch; [`RequestError`].

mod changes;
mod record;

use std::{fmt, sync::Arc, time::Duration};

use http::Request;
use k8s_openapi::api::coordination::v1::Lease;
use kube_client::{
    Client, Resource,
    api::{GetParams, PostParams, WatchParams},
    core,
};

use crate::{
    clock::Timer,
    config::Config,
    lease_watcher::{Followed, LeaseWatcher},
};
pub(crate) use changes::{Change, Changes, LeaseEvent, NamedChange, events, of_list};
pub(crate) use record::{Hold, Record, is_later_version};

/// The reason for which a request has no result.
#[derive(Debug)]
pub(crate) enum RequestError {
    Api(Box<kube_client::Error>),
    Timeout(Duration),
    /// The response is not a Lease.
    Garbage(String),
    /// The request could not be built.
    Request(core::request::Error),
}

/// The kinds of [`RequestError`] that the log distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Conflict,
    NotFound,
    Forbidden,
    TooManyRequests,
    Status(u16),
    Unreachable,
    Timeout,
    Garbage,
}

impl RequestError {
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Timeout(_) => Reason::Timeout,
            Self::Garbage(_) => Reason::Garbage,
            Self::Request(_) => Reason::Unreachable,
            Self::Api(error) => match &**error {
                kube_client::Error::Api(status) => match status.code {
                    409 => Reason::Conflict,
                    404 => Reason::NotFound,
                    401 | 403 => Reason::Forbidden,
                    429 => Reason::TooManyRequests,
                    code => Reason::Status(code),
                },
                kube_client::Error::SerdeError(_) | kube_client::Error::FromUtf8(_) => Reason::Garbage,
                _ => Reason::Unreachable,
            },
        }
    }
}

impl From<kube_client::Error> for RequestError {
    fn from(error: kube_client::Error) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<core::request::Error> for RequestError {
    fn from(error: core::request::Error) -> Self {
        Self::Request(error)
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Api(error) => Some(&**error),
            Self::Request(error) => Some(error),
            Self::Timeout(_) | Self::Garbage(_) => None,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.reason()) {
            (Self::Timeout(limit), _) => write!(f, "no response within {limit:?}"),
            (Self::Garbage(problem), _) => write!(f, "the response is not what was requested: {problem}"),
            (Self::Request(_), _) => f.write_str("the request could not be built"),
            (_, Reason::Garbage) => f.write_str("the response cannot be read"),
            (_, Reason::Conflict) => f.write_str("another client wrote first (409)"),
            (_, Reason::NotFound) => f.write_str("the object is gone (404)"),
            (_, Reason::Forbidden) => {
                f.write_str("the API server denies access (401 or 403): check the Role of this process")
            }
            (_, Reason::TooManyRequests) => {
                f.write_str("the API server is overloaded (429); Retry-After does not delay the next attempt")
            }
            (_, Reason::Status(code)) => write!(f, "the API server responded with {code}"),
            (_, Reason::Unreachable | Reason::Timeout) => f.write_str("the API server cannot be reached"),
        }
    }
}

/// One Lease on the server.
///
/// A `kube_client::Client` retries 429 and 503 for minutes and waits for a silent server forever. So each
/// request here ends after half a renew deadline, which leaves time for a second one before leadership
/// ends. Dropping a request also ends the client's retries of it.
pub(crate) struct LeaseClient {
    client: Client,
    requests: core::Request,
    name: String,
    timeout: Duration,
    timer: Timer,
    watcher: Option<LeaseWatcher>,
}

impl LeaseClient {
    pub(crate) fn new(client: Client, config: &Config, timer: Timer) -> Self {
        Self {
            client,
            requests: core::Request::new(Lease::url_path(&(), Some(&config.namespace))),
            name: config.name.clone(),
            timeout: config.renew_deadline / 2,
            timer,
            watcher: config.watcher.clone(),
        }
    }

    /// Reads the Lease; `None` if there is none.
    pub(crate) async fn get(&self) -> Result<Option<Record>, RequestError> {
        match self.send(self.requests.get(&self.name, &GetParams::default())?).await {
            Ok(lease) => Ok(Some(lease)),
            Err(error) if error.reason() == Reason::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn create(&self, lease: &Record) -> Result<Record, RequestError> {
        self.send(self.requests.create(&PostParams::default(), lease.to_json())?).await
    }

    /// Replaces the Lease; a conflict if it is not the state that `lease` was made from.
    pub(crate) async fn update(&self, lease: &Record) -> Result<Record, RequestError> {
        self.send(self.requests.replace(&self.name, &PostParams::default(), lease.to_json())?).await
    }

    /// The changes of the Lease after `version`. They have no time limit: a follower polls beside them.
    pub(crate) fn watch(&self, version: &str) -> Changes {
        let params = WatchParams::default().fields(&format!("metadata.name={}", self.name));
        changes::changes(self.client.clone(), self.requests.watch(&params.disable_bookmarks(), version))
    }

    /// The share of the watch of all electors, if they have one. An elector that knows `known` polls after `silence`.
    pub(crate) fn follow(&self, known: &Arc<Record>, silence: Duration) -> Option<Followed> {
        let watcher = self.watcher.as_ref()?;
        Some(watcher.follow_lease(&self.name, Arc::clone(known), self.timer.clone(), silence))
    }

    /// Reports that the watch has not shown a state that a read has found.
    pub(crate) fn watch_is_behind(&self) {
        self.watcher.iter().for_each(LeaseWatcher::is_behind);
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Record, RequestError> {
        let response = self.timer.timeout(self.timeout, self.client.request_text(request)).await;
        let body = response.ok_or(RequestError::Timeout(self.timeout))??;
        Record::parse(&body).map_err(RequestError::Garbage)
    }
}
