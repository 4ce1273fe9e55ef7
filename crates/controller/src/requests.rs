//! Requests with a deadline, and the meaning of their errors.

use std::{fmt, time::Duration};

use kube_client::api::{DeleteParams, Preconditions};
use tokio::time::timeout;
use trimtab_leaderelection::FencedError;
use trimtab_ownership::ReferenceError;

/// The time that a request may take unless set otherwise. kube-client sets no limit.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A request that failed, or got no reply in time.
///
/// `docs/status-codes.md` in the repository says what each part makes of each code.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// The server refused the request, or could not be reached.
    Client(kube_client::Error),
    /// There was no reply within this time. It is unknown whether the request was carried out.
    Deadline(Duration),
    /// The owner cannot be the controller of the object. Nothing was sent.
    Owner(ReferenceError),
}

/// Returns the parameters of a delete of exactly the object with this UID: a later object of its name stays, and the
/// server answers with a conflict (409).
pub fn delete_by_uid(uid: &str) -> DeleteParams {
    let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
    DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() }
}

/// Awaits the reply to a request for at most `deadline`.
///
/// kube-client sets no limit: a request that hangs occupies its worker for ever.
///
/// # Errors
///
/// The request failed, or there was no reply in time.
///
/// # Cancel safety
///
/// If this future is dropped or the deadline passes, it is unknown whether the request was carried out.
pub async fn within<T>(
    deadline: Duration,
    request: impl Future<Output = kube_client::Result<T>>,
) -> Result<T, RequestError> {
    let reply = timeout(deadline, request).await;
    reply.map_err(|_| RequestError::Deadline(deadline))?.map_err(RequestError::Client)
}

impl RequestError {
    /// The error for people: the server's own message if it refused the request, such as that of an exceeded quota, without
    /// the words that kube-client puts around it.
    pub fn message(&self) -> String {
        match self {
            Self::Client(kube_client::Error::Api(status)) => status.message.clone(),
            other => other.to_string(),
        }
    }

    /// The HTTP status code of the reply, if there was one.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Client(kube_client::Error::Api(status)) => Some(status.code),
            _ => None,
        }
    }

    /// Whether the server refused the request, so that nothing has changed: 4xx, except for 408. Or it was not sent: the
    /// leadership had ended, or the owner was refused. After a 5xx, a timeout or a broken connection the request may have
    /// been carried out.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Owner(_) => return true,
            Self::Client(error) if FencedError::find(error).is_some_and(FencedError::is_unsent) => {
                return true;
            }
            Self::Client(_) | Self::Deadline(_) => {}
        }
        self.code().is_some_and(|code| (400..500).contains(&code) && code != 408 && code != 499)
    }

    /// Whether the object does not exist (404).
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Whether the object is not in the state that the request named (409): another version, or another UID. It may
    /// still exist.
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    /// Whether the namespace is being deleted, so that nothing can be created in it.
    pub fn is_namespace_terminating(&self) -> bool {
        let Self::Client(kube_client::Error::Api(status)) = self else { return false };
        let mut causes = status.details.iter().flat_map(|details| &details.causes);
        causes.any(|cause| cause.reason == "NamespaceTerminating")
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => error.fmt(f),
            Self::Deadline(deadline) => write!(f, "no reply within {deadline:?}"),
            Self::Owner(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RequestError {
    /// The cause of the client's error, which `Display` prints itself.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Client(error) => error.source(),
            Self::Deadline(_) => None,
            Self::Owner(error) => error.source(),
        }
    }
}
