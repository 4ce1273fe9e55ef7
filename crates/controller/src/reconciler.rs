//! The types of a reconciler: its [`Request`], its [`Action`] or [`Error`], and the function itself.

use std::{any::Any, error::Error as StdError, fmt, pin::Pin, sync::Arc, time::Duration};

use trimtab_cache::ObjectKey;

/// The key of an object that needs work, and the number of consecutive failures.
///
/// Requests are level-triggered: a request does not say what happened. The reconciler reads the present state
/// from the cache; an object that is absent there was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The key of the primary object.
    pub key: ObjectKey,
    /// The number of consecutive failures before this attempt; 0 at first.
    pub attempt: u32,
}

impl Request {
    /// Returns the request of a first attempt. For tests that call a reconciler themselves.
    pub fn new(key: ObjectKey) -> Self {
        Self { key, attempt: 0 }
    }
}

/// The result of a successful reconcile: whether to requeue the key without an event.
///
/// The default is [`done`](Self::done).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct Action(pub(crate) Requeue);

/// The requeue of a key after a successful reconcile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Requeue {
    #[default]
    No,
    Now,
    After(Duration),
}

impl Action {
    /// The object is in its desired state: the next event adds the key again.
    pub fn done() -> Self {
        Self(Requeue::No)
    }

    /// There is more to do: the key goes to the end of the queue. This is not a failure.
    pub fn requeue() -> Self {
        Self(Requeue::Now)
    }

    /// The key is added again after `delay`, or earlier by an event. This is not a failure.
    pub fn requeue_after(delay: Duration) -> Self {
        Self(Requeue::After(delay))
    }
}

/// A failed reconcile: retried with backoff, or terminal.
///
/// Any [`std::error::Error`] converts to one that is retried, so `?` works in a reconciler. For other errors, such
/// as `anyhow::Error`, use `map_err(Error::new)`.
///
/// One error of kube-client is classified for all controllers: a write refused because its namespace is
/// terminating counts as done, because the namespace's deletion deletes the objects. Kubernetes' Deployment
/// controller does the same.
pub struct Error {
    terminal: bool,
    cause: Box<dyn StdError + Send + Sync>,
}

impl Error {
    /// Creates an error that is retried with backoff.
    ///
    /// `cause` is an error, a message, or anything else that converts to a boxed error: `anyhow::Error` does.
    pub fn new(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { terminal: false, cause: cause.into() }
    }

    /// Creates an error that a retry cannot fix, such as a spec that contradicts itself: only the next event adds
    /// the key again.
    ///
    /// `cause` is as for [`new`](Self::new).
    pub fn terminal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { terminal: true, cause: cause.into() }
    }

    /// Returns whether the error is terminal: the key is not retried without an event.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Returns the cause.
    pub fn cause(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.cause
    }

    /// Creates the error of a reconciler that panicked with `payload`.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let message = payload.downcast_ref::<&str>().copied();
        let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::new(Panicked(message.unwrap_or("no message").to_owned()))
    }

    pub(crate) fn is_panic(&self) -> bool {
        self.cause.is::<Panicked>()
    }

    /// Returns whether an error in the chain is the refusal of a write because its namespace is terminating.
    pub(crate) fn is_namespace_terminating(&self) -> bool {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(&*self.cause);
        while let Some(error) = cause {
            if let Some(kube_client::Error::Api(status)) = error.downcast_ref() {
                let causes = status.details.iter().flat_map(|details| &details.causes);
                return causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating");
            }
            cause = error.source();
        }
        false
    }
}

/// [`Error`] itself does not implement `std::error::Error`, because this conversion would then overlap with `From<T> for T`.
impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(cause: E) -> Self {
        Self::new(cause)
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

/// The boxed future of one reconcile.
pub(crate) type Reconciling = Pin<Box<dyn Future<Output = Result<Action, Error>> + Send>>;

/// The function that brings one object to its desired state:
/// [`Controller::reconciler`](crate::Controller::reconciler).
#[derive(Clone)]
pub struct Reconciler(Arc<dyn Fn(Request) -> Reconciling + Send + Sync>);

impl Reconciler {
    pub(crate) fn new<F, R>(reconcile: F) -> Self
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, Error>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(reconcile(request))))
    }

    pub(crate) fn call(&self, request: Request) -> Reconciling {
        (self.0)(request)
    }
}

impl fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reconciler")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube_client::core::Status;

    fn api_error(status: serde_json::Value) -> kube_client::Error {
        let status: Status = serde_json::from_value(status).expect("a status");
        kube_client::Error::Api(Box::new(status))
    }

    #[derive(Debug, thiserror::Error)]
    #[error("creating the Pod")]
    struct Wrapped(#[source] kube_client::Error);

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

    #[test]
    fn a_request_and_an_action_have_defaults_for_tests() {
        let key = ObjectKey::namespaced("default", "web");
        assert_eq!(Request::new(key.clone()), Request { key, attempt: 0 });
        assert_eq!(Action::default(), Action::done());
    }
}
