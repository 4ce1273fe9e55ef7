//! [`InformerError`]: what goes wrong with an informer, and who is told.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::time::Duration;
use trimtab_cache::ObjectKey;

use crate::{Inconsistency, SourceError};

/// Something went wrong with an informer. It goes on all the same.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum InformerError {
    /// A list or a watch failed, and is tried again.
    Source {
        /// In which namespace; `None` for an informer of all, or where there are none.
        namespace: Option<String>,
        /// What failed.
        error: Arc<SourceError>,
        /// When it is tried again.
        retry_in: Duration,
    },
    /// An object cannot be decoded. The store keeps the last state of it that could, if there was one.
    Undecodable {
        /// Which object.
        key: ObjectKey,
        /// What is wrong with it.
        reason: String,
    },
    /// A handler panicked at an event of this object. It is called again for the next.
    Panicked {
        /// Which object.
        key: ObjectKey,
    },
    /// The store was found to differ from the server. A relist follows, which repairs it.
    Inconsistent(Arc<Inconsistency>),
}

impl fmt::Display for InformerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { namespace: None, error, .. } => error.fmt(f),
            Self::Source { namespace: Some(namespace), error, .. } => write!(f, "in {namespace}: {error}"),
            Self::Undecodable { key, reason } => write!(f, "{key} cannot be decoded: {reason}"),
            Self::Panicked { key } => write!(f, "a handler panicked at an event of {key}"),
            Self::Inconsistent(found) => found.fmt(f),
        }
    }
}

/// What is called with the informer's name and what went wrong.
pub(crate) type Callback = Arc<dyn Fn(&str, &InformerError) + Send + Sync>;

/// Logs an informer's trouble and tells those who asked to be told. Never called under a lock.
pub(crate) struct Reporter {
    /// The informer's: which kind, in which form, which part of it.
    pub(crate) name: Arc<str>,
    pub(crate) callbacks: Vec<Callback>,
}

impl Reporter {
    pub(crate) fn report(&self, trouble: &InformerError) {
        let informer = &*self.name;
        match trouble {
            InformerError::Source { error, .. } if error.is_expired() => {
                tracing::debug!(informer, %error, "relisting");
            }
            InformerError::Source { namespace, error, retry_in } => {
                let cause = std::error::Error::source(error);
                tracing::warn!(informer, namespace, %error, cause, ?retry_in, "cannot follow the server");
            }
            InformerError::Undecodable { key, reason } => {
                tracing::warn!(informer, %key, error = reason, "object cannot be decoded");
            }
            InformerError::Panicked { key } => tracing::error!(informer, %key, "handler panicked"),
            InformerError::Inconsistent(found) => {
                tracing::error!(informer, ?found, "the store differs from the server");
            }
        }
        for callback in &self.callbacks {
            if catch_unwind(AssertUnwindSafe(|| callback(informer, trouble))).is_err() {
                tracing::error!(informer, %trouble, "the callback for trouble panicked");
            }
        }
    }
}
