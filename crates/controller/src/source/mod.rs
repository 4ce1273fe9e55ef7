//! The sources of keys: informers, a ledger, and sources outside of the cluster.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::queue::Inlet;

pub(crate) mod external;
pub(crate) mod ledger;
pub(crate) mod mapping;
pub(crate) mod owner;
pub(crate) mod set;
pub(crate) mod watch;

/// The identity of a source of a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub(crate) u64);

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "source-{}", self.0)
    }
}

/// A source of keys, without the type of its objects.
pub(crate) trait Source: Send + Sync {
    /// Returns the source's name, for messages, reasons and status.
    fn name(&self) -> Arc<str>;

    fn start(&self) {}

    /// Returns `false` if the source was stopped before it was synced.
    fn wait_for_sync(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(std::future::ready(true))
    }

    fn activity(&self) -> Activity;

    /// Queues the keys of the initial state and of all later events, until the connection is dropped.
    fn connect(&self, inlet: Inlet) -> Connection;

    /// Queues the keys of the present state once. Sources without a state queue nothing.
    fn requeue(&self, _inlet: Inlet) {}
}

/// The present state of a source.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) synced: bool,
    pub(crate) phase: String,
    pub(crate) last_error: Option<String>,
    pub(crate) failing_since: Option<Instant>,
    pub(crate) lag: Option<Duration>,
}

impl Activity {
    /// Returns the state of a source that cannot fail.
    pub(crate) fn healthy(phase: &str) -> Self {
        Self { synced: true, phase: phase.to_owned(), last_error: None, failing_since: None, lag: None }
    }
}

/// A future that the run of the controller polls for a source. It ends with the source.
pub(crate) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The connection of a source to the queue of a run.
pub(crate) struct Connection {
    /// Ends the connection when it is dropped.
    pub(crate) guard: Box<dyn Send + Sync>,
    pub(crate) driver: Option<Driver>,
}
