//! [`SourceError`]: the error of a list or a watch, and its class for the list/watch state.

use std::fmt;

use serde::Deserialize;
use tokio::time::Duration;
use trimtab_cache::JsonError;

use crate::state::{Class, Failure};

/// The error of a list or a watch. The informer tries again.
///
/// `Debug` prints the same sentence as `Display`, and the causes.
pub struct SourceError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The server responded with an error, or ended a watch with one.
    Status {
        status: Status,
        within_watch: bool,
    },
    /// The request could not be built: a name or a selector is malformed.
    Request(http::Error),
    Connection(kube_client::Error),
    NoResponse(Duration),
    Idle(Duration),
    /// No event and no bookmark arrived on a watch.
    Silent(Duration),
    Cut(kube_client::Error),
    /// The body is not valid gzip.
    Gzip(std::io::Error),
    Truncated,
    List(JsonError),
    Event(JsonError),
    NoVersion,
    /// A streaming list without the bookmark that completes it, after this number of objects.
    Ignored(usize),
    EndedEarly,
    ShortWatch,
    /// A bookmark with an older version than the store: the server was restored from a backup.
    WentBack(String),
    Panicked,
    /// The number of objects that an audit found to differ.
    Inconsistent(usize),
}

impl SourceError {
    /// Returns the HTTP status code, if the server responded with an error.
    pub fn code(&self) -> Option<u16> {
        match &self.kind {
            Kind::Status { status, .. } => Some(status.code),
            _ => None,
        }
    }

    /// Returns whether the server does not serve the kind. Its CustomResourceDefinition may still be created.
    pub fn is_not_served(&self) -> bool {
        self.code() == Some(404)
    }

    /// Returns whether the server no longer has the requested version. A relist follows.
    pub fn is_expired(&self) -> bool {
        matches!(&self.kind, Kind::Status { status, .. } if status.is_expired())
    }

    /// Returns what an operator of the process can do about the error, if it does not pass by itself.
    pub fn hint(&self) -> Option<&'static str> {
        match self.code()? {
            401 => Some("are the credentials of this process valid?"),
            403 => Some("this process's account needs the verbs list and watch on the resource"),
            404 => Some("is the CustomResourceDefinition of this kind installed?"),
            _ => None,
        }
    }

    /// Returns whether a watch was silent for too long. Some servers are; silence alone is no failure.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self.kind, Kind::Silent(_))
    }

    /// Returns whether no part of a body arrived for too long.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.kind, Kind::Idle(_))
    }

    /// Returns the part of the error that decides the next step.
    pub(crate) fn failure(&self) -> Failure {
        let Kind::Status { status, within_watch } = &self.kind else {
            let class = match self.kind {
                Kind::Event(_) => Class::Broken,
                Kind::Ignored(_) => Class::Ignored,
                Kind::EndedEarly => Class::EndedEarly,
                Kind::Silent(_) => Class::Silent,
                Kind::NoResponse(_) => Class::Unanswered,
                Kind::WentBack(_) => Class::TooLarge,
                Kind::Inconsistent(_) => Class::Inconsistent,
                _ => Class::Passing,
            };
            return Failure { class, retry_after: Duration::ZERO };
        };
        let class = match status.code {
            _ if status.is_expired() => Class::Expired,
            _ if status.is_too_large() => Class::TooLarge,
            404 => Class::NotServed,
            401 | 403 => Class::Forbidden,
            429 | 503 | 504 => Class::Passing,
            _ if *within_watch => Class::Broken,
            400 | 405 | 406 | 415 | 422 | 501 => Class::Refused,
            _ => Class::Passing,
        };
        Failure { class, retry_after: status.retry_after() }
    }

    pub(crate) fn status(status: Status) -> Self {
        Self { kind: Kind::Status { status, within_watch: false } }
    }

    pub(crate) fn within_watch(status: Status) -> Self {
        Self { kind: Kind::Status { status, within_watch: true } }
    }

    pub(crate) fn request(error: http::Error) -> Self {
        Self { kind: Kind::Request(error) }
    }

    pub(crate) fn connection(error: kube_client::Error) -> Self {
        Self { kind: Kind::Connection(error) }
    }

    pub(crate) fn no_response(limit: Duration) -> Self {
        Self { kind: Kind::NoResponse(limit) }
    }

    pub(crate) fn idle(limit: Duration) -> Self {
        Self { kind: Kind::Idle(limit) }
    }

    /// Turns the idle timeout of a body into the silence of a watch.
    pub(crate) fn of_watch(self) -> Self {
        match self.kind {
            Kind::Idle(limit) => Self { kind: Kind::Silent(limit) },
            kind => Self { kind },
        }
    }

    pub(crate) fn gzip(error: std::io::Error) -> Self {
        Self { kind: Kind::Gzip(error) }
    }

    pub(crate) fn cut(error: kube_client::Error) -> Self {
        Self { kind: Kind::Cut(error) }
    }

    pub(crate) fn truncated() -> Self {
        Self { kind: Kind::Truncated }
    }

    pub(crate) fn list(error: JsonError) -> Self {
        Self { kind: Kind::List(error) }
    }

    pub(crate) fn event(error: JsonError) -> Self {
        Self { kind: Kind::Event(error) }
    }

    pub(crate) fn no_version() -> Self {
        Self { kind: Kind::NoVersion }
    }

    pub(crate) fn ignored(objects: usize) -> Self {
        Self { kind: Kind::Ignored(objects) }
    }

    pub(crate) fn ended_early() -> Self {
        Self { kind: Kind::EndedEarly }
    }

    pub(crate) fn short_watch() -> Self {
        Self { kind: Kind::ShortWatch }
    }

    pub(crate) fn went_back(version: String) -> Self {
        Self { kind: Kind::WentBack(version) }
    }

    pub(crate) fn inconsistent(objects: usize) -> Self {
        Self { kind: Kind::Inconsistent(objects) }
    }

    pub(crate) fn panicked() -> Self {
        Self { kind: Kind::Panicked }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Status { status, within_watch: false } => write!(f, "the server refused: {status}"),
            Kind::Status { status, within_watch: true } => write!(f, "the server ended the watch: {status}"),
            Kind::Request(_) => f.write_str("building the request"),
            Kind::Connection(_) => f.write_str("sending the request"),
            Kind::NoResponse(limit) => write!(f, "no response within {limit:?}"),
            Kind::Idle(limit) => write!(f, "the response stalled for {limit:?}"),
            Kind::Silent(limit) => write!(f, "the watch was silent for {limit:?}"),
            Kind::Gzip(_) => f.write_str("decompressing the response"),
            Kind::Cut(_) => f.write_str("the connection was cut"),
            Kind::Truncated => f.write_str("the connection ended within a line"),
            Kind::List(_) => f.write_str("reading the list"),
            Kind::Event(_) => f.write_str("reading a watch event"),
            Kind::NoVersion => f.write_str("the list has no resource version"),
            Kind::Ignored(objects) => {
                write!(
                    f,
                    "the server streamed {objects} objects without the bookmark that completes the list"
                )
            }
            Kind::EndedEarly => f.write_str("the streaming list ended before it was complete"),
            Kind::ShortWatch => f.write_str("the watch ended within a second"),
            Kind::WentBack(version) => write!(f, "the server went back to version {version}"),
            Kind::Inconsistent(objects) => {
                write!(f, "the store differs from the server by {objects} objects")
            }
            Kind::Panicked => f.write_str("handling an object panicked"),
        }
    }
}

impl fmt::Debug for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Request(error) => Some(error),
            Kind::Connection(error) | Kind::Cut(error) => Some(error),
            Kind::Gzip(error) => Some(error),
            Kind::List(error) | Kind::Event(error) => Some(error),
            _ => None,
        }
    }
}

/// The fields of a Kubernetes `Status` that decide the next step.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) code: u16,
    reason: String,
    message: String,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    retry_after_seconds: u64,
    causes: Option<Vec<Cause>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
    message: String,
}

/// The longest delay that a server can ask for. Servers ask for seconds; a proxy that asks for years is not obeyed,
/// and such a time would overflow.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(10 * 60);

/// The words of older servers, in a message or in a cause without a reason.
const TOO_LARGE: &str = "Too large resource version";

impl Status {
    /// Reads the status in the body of a response; if the body is not a status, one made from the headers.
    pub(crate) fn of_response(code: u16, retry_after: Option<u64>, body: &[u8]) -> Self {
        let mut status = serde_json::from_slice(body).unwrap_or_else(|_| Self {
            message: String::from_utf8_lossy(&body[..body.len().min(200)]).trim().to_owned(),
            ..Self::default()
        });
        status.code = code;
        if let Some(seconds) = retry_after {
            status.details.get_or_insert_default().retry_after_seconds = seconds;
        }
        status
    }

    /// Returns a status without a code, for one that cannot be read.
    pub(crate) fn unreadable(reason: &JsonError) -> Self {
        Self { message: format!("its status cannot be read: {reason}"), ..Self::default() }
    }

    fn is_expired(&self) -> bool {
        self.code == 410 || matches!(self.reason.as_str(), "Expired" | "Gone")
    }

    fn is_too_large(&self) -> bool {
        let causes = self.details.iter().flat_map(|details| details.causes.iter().flatten());
        let mut causes = causes.into_iter();
        causes.any(|cause| cause.reason == "ResourceVersionTooLarge" || cause.message == TOO_LARGE)
            || (self.reason == "Timeout" && self.message.contains(TOO_LARGE))
    }

    fn retry_after(&self) -> Duration {
        let asked = self.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        Duration::from_secs(asked).min(LONGEST_RETRY_AFTER)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        for part in [&self.reason, &self.message].into_iter().filter(|part| !part.is_empty()) {
            write!(f, " {part}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: &str) -> Class {
        SourceError::within_watch(serde_json::from_str(status).unwrap()).failure().class
    }

    /// RE-T22, with client-go's treatment of each: the words of old servers count beside reason and cause.
    #[test]
    fn each_status_is_classified() {
        for (status, expected) in [
            (r#"{"code":410,"reason":"Expired"}"#, Class::Expired),
            (r#"{"code":410,"reason":"Gone"}"#, Class::Expired),
            (r#"{"reason":"Expired"}"#, Class::Expired),
            (
                r#"{"code":504,"reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}}"#,
                Class::TooLarge,
            ),
            (
                r#"{"code":504,"details":{"causes":[{"message":"Too large resource version"}]}}"#,
                Class::TooLarge,
            ),
            (
                r#"{"code":504,"reason":"Timeout","message":"Too large resource version: 9, current: 7"}"#,
                Class::TooLarge,
            ),
            (r#"{"code":504,"reason":"Timeout"}"#, Class::Passing),
            (r#"{"code":429,"reason":"TooManyRequests","details":null}"#, Class::Passing),
            (r#"{"code":404,"reason":""}"#, Class::NotServed),
            (r#"{"code":403,"reason":"Forbidden"}"#, Class::Forbidden),
            (r#"{"code":500,"reason":"InternalError"}"#, Class::Broken),
        ] {
            assert_eq!(class(status), expected, "{status}");
        }
        let invalid = SourceError::status(Status::of_response(422, None, b""));
        assert_eq!(invalid.failure().class, Class::Refused);
        let refused = SourceError::status(Status::of_response(500, None, b"no JSON"));
        assert_eq!(refused.failure().class, Class::Passing);
        assert_eq!(refused.to_string(), "the server refused: 500 no JSON");
    }

    #[test]
    fn errors_that_last_have_a_hint() {
        let hint = |code: u16| SourceError::status(Status::of_response(code, None, b"")).hint();
        assert!(hint(404).is_some_and(|hint| hint.contains("CustomResourceDefinition")));
        assert!(hint(403).is_some_and(|hint| hint.contains("list and watch")));
        assert!(hint(401).is_some() && hint(500).is_none());
    }

    #[test]
    fn retry_after_is_read_from_header_and_body() {
        let body = br#"{"code":429,"details":{"retryAfterSeconds":3}}"#;
        for (header, expected) in [(None, 3), (Some(7), 7), (Some(u64::MAX), 600)] {
            let error = SourceError::status(Status::of_response(429, header, body));
            assert_eq!(error.failure().retry_after, Duration::from_secs(expected));
        }
    }
}
