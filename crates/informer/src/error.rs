//! [`InformerError`]: an error that an informer reports and survives.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::time::Duration;
use trimtab_cache::ObjectKey;

use crate::{inconsistency::Inconsistency, source::error::SourceError};

/// An error of a running informer. The informer reports it and continues.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum InformerError {
    /// A list or a watch failed. The informer tries again.
    Source {
        /// The namespace that was listed or watched; `None` for all namespaces and for cluster-scoped kinds.
        namespace: Option<String>,
        /// The cause.
        error: Arc<SourceError>,
        /// The time until the next attempt.
        retry_in: Duration,
    },
    /// An object could not be decoded. The store keeps the object's metadata, and its last decoded state if there was
    /// one. Handlers receive [`Change::Undecodable`](trimtab_cache::Change::Undecodable).
    Undecodable {
        /// The object's key.
        key: ObjectKey,
        /// The decode error.
        reason: String,
    },
    /// An item of a list or an event of a watch has metadata without a readable name and namespace, or a bookmark has
    /// no readable version. It was skipped: it is unknown which object it is.
    ///
    /// An object whose UID the store knows is not among them: it is `Undecodable`. Any other is as good as absent: an
    /// event changes nothing, and a list deletes what it does not name.
    Malformed {
        /// The namespace that was listed or watched; `None` for all namespaces and for cluster-scoped kinds.
        namespace: Option<String>,
        /// The item's number in its list or the type of the event, with the UID and the resource version if they can
        /// be read.
        place: String,
        /// The decode error.
        reason: String,
    },
    /// A handler panicked. The informer calls it again for the next event.
    Panicked {
        /// The key of the event's object.
        key: ObjectKey,
    },
    /// An audit found that the store differs from the server. A relist follows and repairs the store.
    Inconsistent(Arc<Inconsistency>),
}

impl fmt::Display for InformerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { namespace: None, error, .. } => error.fmt(f),
            Self::Source { namespace: Some(namespace), error, .. } => write!(f, "in {namespace}: {error}"),
            Self::Undecodable { key, reason } => write!(f, "{key} cannot be decoded: {reason}"),
            Self::Malformed { namespace: None, place, reason } => {
                write!(f, "malformed metadata was skipped: {place}: {reason}")
            }
            Self::Malformed { namespace: Some(namespace), place, reason } => {
                write!(f, "in {namespace}: malformed metadata was skipped: {place}: {reason}")
            }
            Self::Panicked { key } => write!(f, "a handler panicked at an event of {key}"),
            Self::Inconsistent(found) => found.fmt(f),
        }
    }
}

/// A user's function for errors, called with the informer's description and the error.
pub(crate) type Callback = Arc<dyn Fn(&str, &InformerError) + Send + Sync>;

/// Logs an informer's errors and passes them to the callbacks. Never called under a lock.
pub(crate) struct Reporter {
    /// The informer's kind, form and namespaces, for logs.
    pub(crate) description: Arc<str>,
    pub(crate) callbacks: Vec<Callback>,
}

impl Reporter {
    pub(crate) fn report(&self, error: &InformerError) {
        self.report_repeated(error, false);
    }

    /// Reports an error. An error that does not pass by itself is one line of log, not one for each attempt: one that
    /// `is_repeated` is logged for debugging only. Callbacks receive every error.
    pub(crate) fn report_repeated(&self, error: &InformerError, is_repeated: bool) {
        let informer = &*self.description;
        match error {
            InformerError::Source { error, .. } if error.is_expired() => {
                tracing::debug!(informer, %error, "relisting");
            }
            InformerError::Source { namespace, error, retry_in } if is_repeated => {
                tracing::debug!(informer, namespace, %error, ?retry_in, "list or watch failed again");
            }
            InformerError::Source { namespace, error, retry_in } => {
                let (cause, hint) = (std::error::Error::source(error), error.hint());
                tracing::warn!(informer, namespace, %error, cause, ?retry_in, hint, "list or watch failed");
            }
            InformerError::Undecodable { key, reason } if is_repeated => {
                tracing::debug!(informer, %key, error = reason, "object still cannot be decoded");
            }
            InformerError::Undecodable { key, reason } => {
                tracing::warn!(informer, %key, error = reason, "object cannot be decoded");
            }
            InformerError::Malformed { namespace, place, reason } if is_repeated => {
                tracing::debug!(
                    informer,
                    namespace,
                    place,
                    error = reason,
                    "malformed metadata skipped again"
                );
            }
            InformerError::Malformed { namespace, place, reason } => {
                tracing::warn!(informer, namespace, place, error = reason, "malformed metadata skipped");
            }
            InformerError::Panicked { key } => tracing::error!(informer, %key, "handler panicked"),
            InformerError::Inconsistent(found) => {
                tracing::error!(informer, ?found, "the store differs from the server");
            }
        }
        for callback in &self.callbacks {
            if catch_unwind(AssertUnwindSafe(|| callback(informer, error))).is_err() {
                tracing::error!(informer, %error, "the callback for errors panicked");
            }
        }
    }
}
