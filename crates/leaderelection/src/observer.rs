//! [`Observer`]: the state of an elector for health checks and diagnostics; [`LeaderChanges`].

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock, atomic::AtomicU64},
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{clock::Timer, config::Config, leadership::Leadership, state::Election};

/// The state that an elector shares with its observers and fences.
///
/// The two locks are never held together.
pub(crate) struct Shared {
    pub(crate) election: Mutex<Election>,
    /// The token of the present term, from the start of led work to its end.
    pub(crate) current: Mutex<Option<Leadership>>,
    /// The holders, once somebody has asked for them.
    changes: OnceLock<watch::Sender<Option<String>>>,
    pub(crate) terms: AtomicU64,
    pub(crate) lease: String,
    pub(crate) identity: String,
    lease_duration: Duration,
    timer: Timer,
}

impl Shared {
    pub(crate) fn new(config: &Config, timer: Timer) -> Self {
        Self {
            election: Mutex::new(Election::new(config)),
            current: Mutex::new(None),
            changes: OnceLock::new(),
            terms: AtomicU64::new(0),
            lease: format!("{}/{}", config.namespace, config.name),
            identity: config.identity.clone(),
            lease_duration: config.lease_duration,
            timer,
        }
    }

    /// Updates the known state. Returns the holder if it is another than before.
    pub(crate) fn note(&self, learn: impl FnOnce(&mut Election) -> Option<String>) -> Option<String> {
        let mut election = self.election.lock();
        let holder = learn(&mut election);
        if let (Some(holder), Some(changes)) = (&holder, self.changes.get()) {
            changes.send_replace(Some(holder.clone()));
        }
        holder
    }

    fn holders(&self) -> watch::Receiver<Option<String>> {
        let election = self.election.lock(); // so that no change comes between the first holder and the subscription
        self.changes.get_or_init(|| watch::Sender::new(election.holder())).subscribe()
    }
}

/// A view of an elector: a handle that can be cloned, and asked from any task.
#[derive(Clone)]
pub struct Observer {
    pub(crate) shared: Arc<Shared>,
}

/// The error of a leader that has not renewed its Lease for too long and still believes to be the leader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("leader of lease {lease} has not renewed it for {since:?}")]
pub struct StaleLeader {
    lease: String,
    since: Duration,
}

impl Observer {
    /// Returns the identity under which the elector stands.
    pub fn identity(&self) -> &str {
        &self.shared.identity
    }

    /// Returns the last known holder of the Lease; `None` without one.
    ///
    /// It does not permit the holder to act: only a [`Leadership`] token does.
    pub fn leader(&self) -> Option<String> {
        self.shared.election.lock().holder().filter(|holder| !holder.is_empty())
    }

    /// Returns the number of changes of the Lease's holder, as of the last known state.
    pub fn transitions(&self) -> Option<u32> {
        let election = self.shared.election.lock();
        Some(election.lease()?.transitions().unsigned_abs())
    }

    /// Returns the changes of the holder, beginning with the present one.
    pub fn changes(&self) -> LeaderChanges {
        let mut changes = self.shared.holders();
        changes.mark_changed();
        LeaderChanges { waiting: wait(changes) }
    }

    /// Returns whether led work runs at this moment, stopping included.
    pub fn is_leader(&self) -> bool {
        self.shared.current.lock().is_some()
    }

    /// Returns the time for which this process may act as the leader if no renewal succeeds from now on; `None` if it does
    /// not lead.
    pub fn remaining(&self) -> Option<Duration> {
        self.shared.current.lock().as_ref().map(Leadership::remaining)
    }

    /// Returns the Lease as `namespace/name`.
    pub fn lease(&self) -> &str {
        &self.shared.lease
    }

    /// Fails if this process leads though its Lease has been expired for longer than `tolerance`.
    ///
    /// That means that the election's task is stuck, usually behind led work that blocks its thread.
    /// Report it as a failed liveness check, so that the process is restarted.
    ///
    /// # Errors
    ///
    /// If led work runs, and its Lease was last renewed longer ago than the lease duration and `tolerance`.
    pub fn check(&self, tolerance: Duration) -> Result<(), StaleLeader> {
        if !self.is_leader() {
            return Ok(());
        }
        let since = self.shared.election.lock().unchanged_for(self.shared.timer.now());
        match since {
            Some(since) if since > self.shared.lease_duration.saturating_add(tolerance) => {
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

type Changes = watch::Receiver<Option<String>>;
/// The wait for the next holder, which hands the receiver back.
type NextHolder = Pin<Box<dyn Future<Output = Option<(String, Changes)>> + Send>>;

/// The holders of the Lease, one after the other, as an elector sees them.
///
/// A holder is the identity in the Lease; empty after a release. A slow reader skips holders that were
/// followed by others meanwhile. The stream ends with the elector.
pub struct LeaderChanges {
    waiting: NextHolder,
}

impl LeaderChanges {
    /// Waits for the next holder; `None` once the elector and its observers are gone.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped early has taken no change.
    pub async fn next(&mut self) -> Option<String> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for LeaderChanges {
    type Item = String;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<String>> {
        let Poll::Ready(change) = self.waiting.as_mut().poll(context) else {
            return Poll::Pending;
        };
        Poll::Ready(match change {
            Some((holder, changes)) => {
                self.waiting = wait(changes);
                Some(holder)
            }
            None => {
                self.waiting = Box::pin(std::future::ready(None)); // fused
                None
            }
        })
    }
}

impl fmt::Debug for LeaderChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaderChanges")
    }
}

fn wait(mut changes: Changes) -> NextHolder {
    Box::pin(async move {
        loop {
            changes.changed().await.ok()?;
            let holder = changes.borrow_and_update().clone();
            if let Some(holder) = holder {
                return Some((holder, changes));
            }
        }
    })
}
