//! [`Error`]: a failed reconcile, and its class.

use std::{any::Any, error::Error as StdError, fmt, time::Duration};

use trimtab_cache::ResourceVersion;
use trimtab_expectations::NotReady;

/// A failed reconcile: retried with backoff, retried after a delay, or terminal. Or a reconcile that could not begin,
/// because the cache lacks the controller's own writes.
///
/// Any [`std::error::Error`] converts to one that is retried, so `?` works in a reconciler. For other errors, such
/// as `anyhow::Error`, use `map_err(Error::new)`. The error of
/// [`Ledger::ready`](trimtab_expectations::Ledger::ready) converts to one that [waits](Self::waiting).
///
/// One error of kube-client is classified for all controllers: a write refused because its namespace is
/// terminating counts as done, because the namespace's deletion deletes the objects. Kubernetes' Deployment
/// controller does the same.
pub struct Error {
    class: Class,
    cause: Box<dyn StdError + Send + Sync>,
}

/// The next step after a failed reconcile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Retryable,
    RetryAfter(Duration),
    Terminal,
    Waiting(Duration),
}

impl Error {
    /// Creates an error that is retried with backoff.
    ///
    /// `cause` is an error, a message, or anything else that converts to a boxed error: `anyhow::Error` does.
    pub fn new(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of(Class::Retryable, cause)
    }

    /// Creates an error that a retry cannot fix, such as a spec that contradicts itself: only the next event adds
    /// the key again. controller-runtime's `TerminalError`.
    ///
    /// `cause` is as for [`new`](Self::new).
    pub fn terminal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of(Class::Terminal, cause)
    }

    /// Creates an error that is retried after `delay`, or earlier by an event, instead of the backoff. For a server that
    /// said when to come back.
    ///
    /// `cause` is as for [`new`](Self::new).
    pub fn retry_after(delay: Duration, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of(Class::RetryAfter(delay), cause)
    }

    /// Creates the error of a reconcile that waits for the controller's own writes to appear in the cache. The key is
    /// parked: an event wakes it ([`Controller::woken_by`](crate::Controller::woken_by)), at the latest after `limit`.
    ///
    /// It is neither a failure nor a success: no backoff is counted, and none is forgotten. `on` names the missing write
    /// for logs and status.
    pub fn waiting(limit: Duration, on: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of(Class::Waiting(limit), on)
    }

    /// Returns whether the error is terminal: the key is not retried without an event.
    pub fn is_terminal(&self) -> bool {
        self.class == Class::Terminal
    }

    /// Returns whether the reconcile waits for the controller's own writes.
    pub fn is_waiting(&self) -> bool {
        matches!(self.class, Class::Waiting(_))
    }

    /// Returns whether the reconcile was given up because it exceeded
    /// [`Controller::reconcile_timeout`](crate::Controller::reconcile_timeout).
    pub fn is_timeout(&self) -> bool {
        self.cause.is::<TimedOut>()
    }

    /// Returns the cause.
    pub fn cause(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.cause
    }

    fn of(class: Class, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { class, cause: cause.into() }
    }

    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// Creates the error of a reconciler that panicked with `payload`.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let message = payload.downcast_ref::<&str>().copied();
        let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::new(Panicked(message.unwrap_or("no message").to_owned()))
    }

    /// Creates the error of a reconciler that did not end within `limit`.
    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self::new(TimedOut(limit))
    }

    pub(crate) fn is_panic(&self) -> bool {
        self.cause.is::<Panicked>()
    }

    /// Returns whether an error in the chain is the refusal of a write because its namespace is terminating.
    pub(crate) fn is_namespace_terminating(&self) -> bool {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(&*self.cause);
        while let Some(error) = cause {
            if let Some(kube_client::Error::Api(status)) = error.downcast_ref() {
                return has_terminating_cause(status);
            }
            if let Some(crate::RequestError::Client(kube_client::Error::Api(status))) = error.downcast_ref() {
                return has_terminating_cause(status);
            }
            cause = error.source();
        }
        false
    }
}

fn has_terminating_cause(status: &kube_client::core::Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    causes.any(|cause| cause.reason == "NamespaceTerminating")
}

/// [`Error`] itself does not implement `std::error::Error`, because this conversion would then overlap with `From<T> for T`.
impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(cause: E) -> Self {
        let wait = (&cause as &dyn Any).downcast_ref::<NotReady<&'static str, ResourceVersion>>();
        match wait.map(NotReady::expires_in) {
            Some(limit) => Self::waiting(limit, cause),
            None => Self::new(cause),
        }
    }
}

/// Prints the message, so that a test or a `main` that returns the error with `?` is readable.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Prints the chain of causes on one line. A cause whose text is already part of the line, as with
/// kube-client's errors, is not repeated.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chain = self.cause.to_string();
        let mut cause = self.cause.source();
        while let Some(error) = cause {
            let message = error.to_string();
            if !chain.contains(&message) {
                chain = chain + ": " + &message;
            }
            cause = error.source();
        }
        f.write_str(&chain)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the reconciler panicked: {0}")]
struct Panicked(String);

#[derive(Debug, thiserror::Error)]
#[error("the reconcile did not end within the timeout of {0:?}")]
struct TimedOut(Duration);

#[cfg(test)]
mod tests {
    use super::*;
    use kube_client::core::Status;
    use trimtab_cache::ObjectKey;

    fn api_error(status: serde_json::Value) -> kube_client::Error {
        let status: Status = serde_json::from_value(status).expect("a status");
        kube_client::Error::Api(Box::new(status))
    }

    #[derive(Debug, thiserror::Error)]
    #[error("creating the Pod")]
    struct Wrapped<E: StdError + 'static>(#[source] E);

    #[test]
    fn terminating_namespaces_are_recognised_through_wrapping_errors() {
        let terminating = || {
            api_error(serde_json::json!({
                "status": "Failure", "code": 403, "reason": "Forbidden",
                "details": {"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]},
            }))
        };
        assert!(Error::from(terminating()).is_namespace_terminating());
        assert!(Error::from(Wrapped(terminating())).is_namespace_terminating());
        let request = crate::RequestError::Client(terminating());
        assert!(Error::from(Wrapped(request)).is_namespace_terminating());
        let forbidden =
            api_error(serde_json::json!({"status": "Failure", "code": 403, "reason": "Forbidden"}));
        assert!(!Error::from(forbidden).is_namespace_terminating());
    }

    #[test]
    fn errors_print_their_whole_chain_once() {
        let refused = std::io::Error::other("connection refused");
        let error = Error::from(Wrapped(kube_client::Error::ReadEvents(refused)));
        let message = "creating the Pod: Error reading events stream: connection refused";
        assert_eq!((error.to_string(), format!("{error:?}")), (message.to_owned(), message.to_owned()));
    }

    /// `anyhow::Error` converts to a boxed error as well.
    #[test]
    fn an_error_is_made_from_a_message_an_error_or_a_boxed_error() {
        let boxed: Box<dyn StdError + Send + Sync> = "boxed".into();
        let errors = [Error::new("text"), Error::new(std::io::Error::other("io")), Error::new(boxed)];
        assert_eq!(
            errors.map(|error| (error.is_terminal(), error.to_string())),
            [(false, "text".to_owned()), (false, "io".to_owned()), (false, "boxed".to_owned()),]
        );
        assert!(Error::terminal("text").is_terminal());
    }

    /// `ledger.ready(&key, …)?` in a reconciler parks the key.
    #[test]
    fn the_error_of_a_ledger_waits() {
        let ledger = crate::Ledger::new();
        let key = ObjectKey::namespaced("default", "web");
        let write = ledger.expect_creation(&key, "uid", "pods");
        let error = Error::from(ledger.ready(&key, |_| None).expect_err("a write in flight"));
        assert!(error.is_waiting() && !error.is_terminal(), "{error}");
        assert!(matches!(error.class(), Class::Waiting(limit) if limit <= Duration::from_secs(300)));
        drop(write);
    }
}
