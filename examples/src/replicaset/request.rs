//! Requests with a deadline, and the meaning of their errors.

use std::time::Duration;

use tokio::time::timeout;

/// The time that a request may take. kube-client sets no limit of its own.
const DEADLINE: Duration = Duration::from_secs(30);

/// A request that failed, or got no reply in time.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The server refused the request, or could not be reached.
    #[error(transparent)]
    Client(#[from] kube_client::Error),
    /// There was no reply in time. Nobody knows whether the request was carried out.
    #[error("no reply within {} seconds", DEADLINE.as_secs())]
    Deadline,
}

/// Awaits the reply to a request, for as long as a request may take.
pub(super) async fn within_deadline<T>(
    request: impl Future<Output = kube_client::Result<T>>,
) -> Result<T, RequestError> {
    timeout(DEADLINE, request).await.map_err(|_| RequestError::Deadline)?.map_err(RequestError::Client)
}

impl RequestError {
    /// The HTTP status code of the reply, if there was one.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Client(kube_client::Error::Api(status)) => Some(status.code),
            _ => None,
        }
    }

    /// Whether the server refused the request, so that nothing has changed. A 5xx, a timeout or a broken
    /// connection says nothing: the request may have been carried out.
    pub(super) fn is_refusal(&self) -> bool {
        self.code().is_some_and(|code| (400..500).contains(&code) && code != 408)
    }

    /// Whether the object does not exist.
    pub(super) fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Whether the object is not in the state that the request named: another version, or another UID.
    pub(super) fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    /// Whether the namespace is being deleted, so that nothing can be created in it.
    pub(super) fn is_namespace_terminating(&self) -> bool {
        let Self::Client(kube_client::Error::Api(status)) = self else { return false };
        let mut causes = status.details.iter().flat_map(|details| &details.causes);
        causes.any(|cause| cause.reason == "NamespaceTerminating")
    }
}
