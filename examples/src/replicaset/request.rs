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
    /// There was no reply in time. The request may have been carried out.
    #[error("no reply within {} seconds", DEADLINE.as_secs())]
    Deadline,
}

/// Awaits the reply to a request, with a deadline.
pub(super) async fn within_deadline<T>(
    request: impl Future<Output = kube_client::Result<T>>,
) -> Result<T, RequestError> {
    timeout(DEADLINE, request).await.map_err(|_| RequestError::Deadline)?.map_err(RequestError::Client)
}

impl RequestError {
    /// Returns the HTTP status code of the reply, if there was one.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Client(kube_client::Error::Api(status)) => Some(status.code),
            _ => None,
        }
    }

    /// Returns whether the server refused the request, so that nothing has changed. After a 5xx, a timeout or a broken
    /// connection, the request may have been carried out.
    pub(super) fn is_refusal(&self) -> bool {
        self.code().is_some_and(|code| (400..500).contains(&code) && code != 408)
    }

    /// Returns whether the object does not exist.
    pub(super) fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Returns whether the object has another version or another UID than the request.
    pub(super) fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    /// Returns whether the request failed because the namespace is being deleted.
    pub(super) fn is_namespace_terminating(&self) -> bool {
        let Self::Client(kube_client::Error::Api(status)) = self else { return false };
        let mut causes = status.details.iter().flat_map(|details| &details.causes);
        causes.any(|cause| cause.reason == "NamespaceTerminating")
    }
}
