//! [`NotReady`] and [`Reason`]: the reason, the begin and the limit of a key's wait.

use std::{fmt, time::Duration};

use tokio::time::Instant;

/// A key that must not act yet, because its caches may lack its own writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady<R, V>(pub(crate) Pending<R, V>);

/// A wait: its reason, its begin, and the time that is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending<R, V> {
    pub(crate) reason: Reason<R, V>,
    pub(crate) since: Instant,
    pub(crate) remaining: Duration,
}

/// The reason for which a key must wait.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason<R, V> {
    /// The gate was closed for `resource` (after a restart, or with a new leader), and the version from
    /// which the cache can be trusted is not known yet.
    Closed {
        /// The resource.
        resource: R,
    },
    /// The gate was closed for `resource` until its cache reaches `version`.
    Restoring {
        /// The resource.
        resource: R,
        /// The version that the cache must reach.
        version: V,
    },
    /// A write to `resource` ended without a reply.
    Unknown {
        /// The resource.
        resource: R,
    },
    /// Writes to `resource` have been sent and not ended.
    InFlight {
        /// The resource.
        resource: R,
        /// The number of these writes.
        writes: usize,
    },
    /// The cache of `resource` has not reached the version `written`.
    Behind {
        /// The resource.
        resource: R,
        /// The highest version that the key has written.
        written: V,
    },
    /// Events of `resource` are awaited. Without a version, missed events cannot be detected.
    Expecting {
        /// The resource.
        resource: R,
        /// Creations that were not observed.
        creations: usize,
        /// Deletions that were not observed.
        deletions: usize,
    },
}

impl<R, V> Reason<R, V> {
    /// Returns the resource that the key waits for.
    pub fn resource(&self) -> &R {
        match self {
            Self::Closed { resource }
            | Self::Restoring { resource, .. }
            | Self::Unknown { resource }
            | Self::InFlight { resource, .. }
            | Self::Behind { resource, .. }
            | Self::Expecting { resource, .. } => resource,
        }
    }

    /// Returns the value of the metric label `reason`.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Restoring { .. } => "restoring",
            Self::Unknown { .. } => "unknown",
            Self::InFlight { .. } => "in_flight",
            Self::Behind { .. } => "behind",
            Self::Expecting { .. } => "expecting",
        }
    }

    /// Returns the rank in which reasons are reported. An unknown outcome comes first, because the
    /// reconciler can resolve it; a count must not hide it.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Closed { .. } => 0,
            Self::Unknown { .. } => 1,
            Self::Restoring { .. } => 2,
            Self::InFlight { .. } => 3,
            Self::Behind { .. } => 4,
            Self::Expecting { .. } => 5,
        }
    }
}

impl<R, V> NotReady<R, V> {
    /// Returns the reason.
    pub fn reason(&self) -> &Reason<R, V> {
        &self.0.reason
    }

    /// Returns the moment at which the wait began: that of the last write concerned, or of the closing of
    /// the gate.
    pub fn since(&self) -> Instant {
        self.0.since
    }

    /// Returns the time from now after which the key may act even if no event comes.
    ///
    /// Enqueue the key after this time. It is a safety net for an event that never comes: such a pass is
    /// counted ([`Status::expired`](crate::Status::expired)).
    pub fn expires_in(&self) -> Duration {
        self.0.remaining
    }

    /// Returns the resource to read from the server: its version is needed for
    /// [`Ledger::resolve`](crate::Ledger::resolve).
    ///
    /// `None` if there is nothing to do but wait.
    pub fn unknown(&self) -> Option<&R> {
        match &self.0.reason {
            Reason::Unknown { resource } | Reason::Closed { resource } => Some(resource),
            _ => None,
        }
    }
}

impl<R: fmt::Debug, V: fmt::Display> fmt::Display for NotReady<R, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.reason {
            Reason::Closed { resource } => {
                write!(
                    f,
                    "the version that the cache of {resource:?} must reach after the start is not known"
                )
            }
            Reason::Restoring { resource, version } => {
                write!(f, "the cache of {resource:?} has not reached version {version} since the start")
            }
            Reason::Unknown { resource } => write!(f, "the outcome of a write to {resource:?} is unknown"),
            Reason::InFlight { resource, writes } => {
                write!(f, "{writes} writes to {resource:?} have not ended")
            }
            Reason::Behind { resource, written } => {
                write!(f, "the cache of {resource:?} is behind version {written}")
            }
            Reason::Expecting { resource, creations, deletions } => {
                write!(
                    f,
                    "{creations} creations and {deletions} deletions of {resource:?} are not observed yet"
                )
            }
        }
    }
}

impl<R: fmt::Debug, V: fmt::Debug + fmt::Display> std::error::Error for NotReady<R, V> {}
