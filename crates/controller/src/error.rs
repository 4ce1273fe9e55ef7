//! [`RunError`]: the reasons why a run ends otherwise than by its shutdown.

use std::{fmt, time::Duration};

use trimtab_cache::ObjectKey;

/// The reason why a run ended otherwise than by its shutdown.
pub struct RunError(pub(crate) Kind);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    NoWorkers,
    Running,
    GracePeriod { own: Duration, term: Duration },
    NotSynced(Vec<String>),
    GracePeriodExceeded(Vec<ObjectKey>),
    Blocked(Vec<ObjectKey>),
}

impl RunError {
    /// Returns whether an informer had no first list in time: its kind may not be served, or not be readable.
    pub fn is_not_synced(&self) -> bool {
        matches!(self.0, Kind::NotSynced(_))
    }

    /// Returns whether a run of this controller has not ended, or a task of a run that was dropped is left.
    pub fn is_running(&self) -> bool {
        matches!(self.0, Kind::Running)
    }

    /// Returns whether reconciles were still running at the end of the grace period.
    pub fn is_grace_period_exceeded(&self) -> bool {
        matches!(self.0, Kind::GracePeriodExceeded(_) | Kind::Blocked(_))
    }

    /// Returns whether reconciles block their threads and are still running.
    ///
    /// Nothing but the end of the process ends them. In led work the Lease is not released.
    pub fn must_exit(&self) -> bool {
        matches!(self.0, Kind::Blocked(_))
    }

    /// Returns the keys whose reconciles exceeded the grace period.
    pub fn keys(&self) -> &[ObjectKey] {
        match &self.0 {
            Kind::GracePeriodExceeded(keys) | Kind::Blocked(keys) => keys,
            Kind::NoWorkers | Kind::Running | Kind::GracePeriod { .. } | Kind::NotSynced(_) => &[],
        }
    }
}

impl std::error::Error for RunError {}

/// The sentence of `Display`: an error that `main` returns is printed by `Debug`.
impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |keys: &[ObjectKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match &self.0 {
            Kind::NoWorkers => f.write_str("the controller has 0 workers, but needs at least 1"),
            Kind::Running => f.write_str("the controller is running, or a task of an earlier run is left"),
            Kind::GracePeriod { own, term } => {
                write!(f, "grace_period of {own:?} is longer than the elector's grace_period of {term:?}")
            }
            Kind::NotSynced(informers) => {
                write!(f, "no first list within the sync timeout from informers: {}", informers.join(", "))
            }
            Kind::GracePeriodExceeded(keys) => {
                write!(f, "reconciles exceeded the grace period and were aborted: {}", list(keys))
            }
            Kind::Blocked(keys) => {
                write!(f, "reconciles block their threads, so the process must exit: {}", list(keys))
            }
        }
    }
}
