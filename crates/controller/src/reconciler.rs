//! What a reconciler gets, and what it answers.

use std::{any::Any, error::Error as StdError, fmt, pin::Pin, sync::Arc, time::Duration};

use trimtab_cache::ObjectKey;

/// One key that needs work: which one, and for the how-manieth time in a row it is tried.
///
/// Level-triggered: it does not say what happened. The reconciler reads the present state from the
/// cache; an object that is not there was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The key of the primary object.
    pub key: ObjectKey,
    /// How many attempts in a row have failed before this one; 0 at first.
    pub attempt: u32,
}

/// When to look at the key again, apart from the next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Action(pub(crate) Again);

/// The three answers of an [`Action`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    OnEvent,
    Now,
    After(Duration),
}

impl Action {
    /// The state is as wanted: the key comes back with its next event.
    pub fn done() -> Self {
        Self(Again::OnEvent)
    }

    /// There is more to do: the key goes to the end of the queue. Not a failure.
    pub fn requeue() -> Self {
        Self(Again::Now)
    }

    /// The key comes back after `delay`, or earlier with an event. Not a failure.
    pub fn requeue_after(delay: Duration) -> Self {
        Self(Again::After(delay))
    }
}

/// Why a reconcile did not succeed: to be tried again with backoff, or not.
///
/// Any error becomes one that is retried, so `?` works on whatever a reconciler calls. Of
/// kube-client's errors one is classified here, once for all controllers: a write that is refused
/// because its namespace is terminating counts as done, since the objects go with the namespace.
/// Kubernetes' Deployment controller does the same.
pub struct Error {
    terminal: bool,
    cause: Box<dyn StdError + Send + Sync>,
}

impl Error {
    /// An error that no retry can cure, such as a spec that contradicts itself: the key comes back
    /// with its next event only.
    pub fn terminal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { terminal: true, cause: cause.into() }
    }

    /// Whether the key is to be tried again without an event.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// What went wrong.
    pub fn cause(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.cause
    }

    /// A reconciler that panicked, with what it said.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let said = payload.downcast_ref::<&str>().copied();
        let said = said.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self { terminal: false, cause: Panicked(said.unwrap_or("no message").to_owned()).into() }
    }

    pub(crate) fn is_panic(&self) -> bool {
        self.cause.is::<Panicked>()
    }

    /// Whether some cause in the chain is a refusal to create in a namespace that is terminating.
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

/// Not an `std::error::Error` itself, as that would forbid this conversion.
impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(cause: E) -> Self {
        Self { terminal: false, cause: cause.into() }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("terminal", &self.terminal).field("cause", &self.cause).finish()
    }
}

/// The whole chain on one line, for the log. A cause whose text its effect has already printed, as
/// kube-client's errors do, is not said twice.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chain = self.cause.to_string();
        let mut cause = self.cause.source();
        while let Some(error) = cause {
            let said = error.to_string();
            if !chain.contains(&said) {
                chain = chain + ": " + &said;
            }
            cause = error.source();
        }
        f.write_str(&chain)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the reconciler panicked: {0}")]
struct Panicked(String);

/// A boxed reconcile in flight.
pub(crate) type Reconciling = Pin<Box<dyn Future<Output = Result<Action, Error>> + Send>>;

/// The function that brings one object to its desired state; see
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
        assert_eq!(error.to_string(), "creating the Pod: Error reading events stream: connection refused");
    }
}
