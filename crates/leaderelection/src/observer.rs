//! [`Observer`]: what health checks and diagnostics may ask an elector while it runs.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::state::Election;

/// What an elector shares with its observers.
pub(crate) struct Shared {
    pub(crate) election: Mutex<Election>,
    /// Between the start of led work and its end.
    pub(crate) leading: AtomicBool,
    pub(crate) lease: String,
    pub(crate) identity: String,
    pub(crate) lease_duration: Duration,
}

/// A view of an elector: a handle that can be cloned, and asked from any task.
#[derive(Clone)]
pub struct Observer {
    pub(crate) shared: Arc<Shared>,
}

/// A leader that has not renewed its lease for too long and still believes to be the leader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("leader of lease {lease} has not renewed it for {since:?}")]
pub struct StaleLeader {
    lease: String,
    since: Duration,
}

impl Observer {
    /// The identity under which the elector stands.
    pub fn identity(&self) -> &str {
        &self.shared.identity
    }

    /// The holder of the lease that the elector has seen last, if it has seen one.
    ///
    /// It is nobody's right to act: only a [`Leadership`](crate::Leadership) token is.
    pub fn leader(&self) -> Option<String> {
        let election = self.shared.election.lock();
        election.holder().filter(|holder| !holder.is_empty()).map(ToOwned::to_owned)
    }

    /// Whether led work runs at this moment, winding up included.
    pub fn is_leader(&self) -> bool {
        self.shared.leading.load(Ordering::SeqCst)
    }

    /// Fails if this process leads though its lease has been expired for longer than `tolerance`.
    ///
    /// That means that the election's task is stuck, usually behind led work that blocks its thread.
    /// Report it as a failed liveness check, so that the process is restarted.
    ///
    /// # Errors
    ///
    /// If led work runs, and its lease was last renewed longer ago than the lease duration and `tolerance`.
    pub fn check(&self, tolerance: Duration) -> Result<(), StaleLeader> {
        if !self.is_leader() {
            return Ok(());
        }
        let since = self.shared.election.lock().unchanged_for(Instant::now());
        match since {
            Some(since) if since > self.shared.lease_duration + tolerance => {
                Err(StaleLeader { lease: self.shared.lease.clone(), since })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("lease", &self.shared.lease)
            .field("identity", &self.shared.identity)
            .field("leader", &self.leader())
            .finish()
    }
}
