//! [`Watch`]: waits for changes of gates, on any executor.

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crate::{
    registry::{FeatureGates, Guarded},
    state::Phase,
};

/// A gate that changed while it was watched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateChange {
    /// The gate's name.
    pub gate: Arc<str>,
    /// Whether the gate is on now.
    pub enabled: bool,
}

/// Waits for changes of gates. [`FeatureGates::watch`] returns one.
///
/// It works on any executor and keeps no backlog: a gate that changed twice between two calls of
/// [`changed`](Self::changed), back to its old value, is not reported.
pub struct Watch {
    gates: FeatureGates,
    id: usize,
    seen: Vec<bool>,
}

impl FeatureGates {
    /// Watches all gates, from their present values on.
    pub fn watch(&self) -> Watch {
        let gates = self.scoped();
        let mut locked = gates.lock();
        locked.watches_made += 1;
        let (id, seen) = (locked.watches_made, locked.state.values());
        drop(locked);
        Watch { gates, id, seen }
    }
}

impl Watch {
    /// Waits until a gate differs from its value when the watch was created or last returned, and returns all
    /// such gates.
    ///
    /// `None` means that the gates are frozen: no change will come.
    ///
    /// # Cancel safety
    ///
    /// A `changed` dropped before it completes has returned nothing; the next one returns the changes.
    pub async fn changed(&mut self) -> Option<Vec<GateChange>> {
        poll_fn(|context| self.poll_changed(context)).await
    }

    pub(crate) fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<Option<Vec<GateChange>>> {
        let mut locked = self.gates.lock();
        let now = locked.state.values();
        if now != self.seen {
            let rows = locked.state.rows.iter().zip(&now).zip(&self.seen);
            let changes = rows
                .filter(|((_, now), seen)| now != seen)
                .map(|((row, now), _)| GateChange { gate: row.name.clone(), enabled: *now })
                .collect();
            self.seen = now;
            return Poll::Ready(Some(changes));
        }
        if locked.state.phase == Phase::Frozen {
            return Poll::Ready(None);
        }
        // Under the same lock as the comparison above: a change is either seen or wakes this waker. Modelled
        // by `loom_tests::a_change_wakes_a_watch`.
        enlist(&mut locked, self.id, context.waker());
        Poll::Pending
    }
}

fn enlist(locked: &mut Guarded, id: usize, waker: &Waker) {
    match locked.watchers.iter_mut().find(|(other, _)| *other == id) {
        Some((_, enlisted)) => enlisted.clone_from(waker),
        None => locked.watchers.push((id, waker.clone())),
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut locked = self.gates.lock();
        let own = locked.watchers.iter().position(|(other, _)| *other == self.id);
        let waker = own.map(|at| locked.watchers.swap_remove(at));
        drop(locked);
        drop(waker); // outside the lock, because it may run user code
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("gates", &self.gates).finish_non_exhaustive()
    }
}
