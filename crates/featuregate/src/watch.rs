//! [`Watch`]: waiting for a gate to change, with any executor.

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crate::{FeatureGates, registry::Locked, state::Phase};

/// A gate that changed while it was watched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateChange {
    /// The gate's name.
    pub gate: Arc<str>,
    /// Whether it is on now.
    pub enabled: bool,
}

/// Tells what changed since it was made, or since it told last: [`FeatureGates::watch`].
///
/// It waits with any executor, and keeps no backlog: a gate that changed and changed back while nobody
/// looked has not changed.
pub struct Watch {
    gates: FeatureGates,
    id: usize,
    seen: Vec<bool>,
}

impl FeatureGates {
    /// Watches all gates, from their values at this moment on.
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
    /// Waits until a gate differs from when this was made or told last, and tells all that do.
    ///
    /// `None` means that the gates are frozen: nothing will change any more.
    ///
    /// # Cancel safety
    ///
    /// A `changed` dropped before it completes has told nothing: the next one tells it.
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
        // Under the same lock as the look above: a change is either seen or finds this waker. Modelled
        // by `loom_tests::a_change_wakes_who_watches`.
        enlist(&mut locked, self.id, context.waker());
        Poll::Pending
    }
}

fn enlist(locked: &mut Locked, id: usize, waker: &Waker) {
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
        drop(waker); // outside the lock: it may run its owner's code
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("gates", &self.gates).finish_non_exhaustive()
    }
}
