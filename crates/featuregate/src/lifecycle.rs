//! The life of a registry: install, copy, close, freeze.

use crate::{
    registry::{BoundSet, FeatureGates, wake},
    state::{Phase, State},
    sync::Ordering,
};

impl FeatureGates {
    /// Makes this the registry that `MY_GATE.enabled()` reads, for all gates of its sets.
    ///
    /// Call it first in `main`, before any gate is read. A gate that was read before may have had another
    /// value; this is logged. A registry that was installed earlier no longer writes these gates.
    pub fn install(&self) {
        let mut early = Vec::new();
        let locked = self.lock();
        let scoped = self.shared.scopes.load(Ordering::Relaxed) > 0;
        for BoundSet { set, rows } in &self.shared.sets {
            set.install(self.clone(), |slots| {
                for ((slot, row), gate) in slots.iter().zip(rows).zip(set.declarations) {
                    if !slot.reset(locked.state.enabled(*row), scoped).was_unread() {
                        early.push(gate.name);
                    }
                }
            });
        }
        drop(locked);
        if !early.is_empty() {
            tracing::warn!(
                component = self.name(),
                gates = ?early,
                "feature gates were read before these were installed: check the order of initialisation"
            );
        }
    }

    /// Closes the defaults: they cannot be overridden any more, because the flag's help has shown them.
    pub fn close(&self) {
        self.scoped().lock().advance(Phase::Closed);
    }

    /// Freezes the gates: from now on only a test's scope can change them. A concurrent change has either
    /// been made when this returns, or is refused.
    pub fn freeze(&self) {
        let gates = self.scoped();
        let mut locked = gates.lock();
        locked.advance(Phase::Frozen);
        let watchers = locked.take_watchers();
        drop(locked);
        wake(watchers); // no change will come, so the watches end
    }

    /// Returns whether the gates are frozen.
    pub fn is_frozen(&self) -> bool {
        self.scoped().lock().state.phase == Phase::Frozen
    }

    /// Returns a separate registry with the same gates, versions, defaults and values, to try a change. Only
    /// [`enabled`](Self::enabled) of the copy reads it.
    #[must_use]
    pub fn deep_copy(&self) -> Self {
        self.copy(|_| ())
    }

    /// Returns a copy as [`deep_copy`](Self::deep_copy) does, but with nothing set, closed or frozen. It
    /// keeps the dependencies, which upstream's copy drops.
    #[must_use]
    pub fn deep_copy_and_reset(&self) -> Self {
        self.copy(State::clear_requests)
    }
}
