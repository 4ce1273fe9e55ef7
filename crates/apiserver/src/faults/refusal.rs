//! [`Refusal`]: what a client gets in place of its answer.

use http::StatusCode;

use crate::api::status::Status;

/// A failure that a fault answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    code: StatusCode,
    reason: &'static str,
    retry_after: Option<u64>,
}

impl Refusal {
    /// Any code and reason.
    pub fn new(code: StatusCode, reason: &'static str) -> Self {
        Self { code, reason, retry_after: None }
    }

    /// 403 `Forbidden`.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden")
    }

    /// 409 `Conflict`.
    pub fn conflict() -> Self {
        Self::new(StatusCode::CONFLICT, "Conflict")
    }

    /// 410 `Expired`.
    pub fn expired() -> Self {
        Self::new(StatusCode::GONE, "Expired")
    }

    /// 429 `TooManyRequests`, to be tried again after a second.
    pub fn too_many_requests() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests").retry_after(1)
    }

    /// 500 `InternalError`.
    pub fn internal_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
    }

    /// 503 `ServiceUnavailable`.
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
    }

    /// 504 `Timeout`: nothing was done, but the client cannot know.
    pub fn timeout() -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout")
    }

    /// Asks the client to try again after `seconds`.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(super) fn status(&self) -> Status {
        let status = Status::new(self.code, self.reason, format!("{}: an injected fault", self.reason));
        match self.retry_after {
            Some(seconds) => status.retry_after(seconds),
            None => status,
        }
    }
}
