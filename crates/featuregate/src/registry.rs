//! [`FeatureGates`]: the registry. It locks the rules of `state`, and writes what they say to the bytes
//! that gates are read from.
//!
//! - R1: the bytes are written only under the lock, so that they follow the state in one order.
//! - R2: nothing is logged and nobody woken under the lock.

use std::{fmt, sync::Arc, task::Waker};

use crate::{
    FeatureGatesBuilder, Gate, GateSet, SetError, Version,
    error::Problem,
    live::LiveSet,
    scope,
    slot::Slot,
    state::{Phase, State},
    sync::{AtomicUsize, Mutex, MutexGuard, Ordering, lock},
    test_guards::Everywhere,
};

/// The gates of one component: their values, and everything that decides them.
///
/// A handle: clones share one registry. Reading never waits; setting does, briefly, for other setters.
/// Inside a test's scope ([`TestGates`](crate::TestGates)) all methods act on the scope's own copy.
///
/// # Examples
///
/// ```
/// # mod features {
/// #     trimtab_featuregate::gates! {
/// #         /// The gates of the example.
/// #         pub set Features;
/// #         /// Reads long lists as a stream.
/// #         pub STREAMING_LISTS = "StreamingLists" { 1.33 => Alpha, off; 1.35 => Beta, on }
/// #     }
/// # }
/// use trimtab_featuregate::{FeatureGates, Version};
///
/// let gates = FeatureGates::builder("web", Version::new(1, 35)).gates::<features::Features>().build()?;
/// gates.install(); // from here on `features::STREAMING_LISTS.enabled()` reads this registry
/// gates.set_from_flag("StreamingLists=false")?;
/// assert!(!features::STREAMING_LISTS.enabled());
///
/// // Another registry, to see whether a change would be accepted:
/// let copy = gates.deep_copy();
/// copy.set_emulation_version(Version::new(1, 33))?;
/// assert!(!copy.enabled(features::STREAMING_LISTS));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FeatureGates {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) name: Box<str>,
    pub(crate) environment_prefix: Option<Box<str>>,
    sets: Vec<Bound>,
    /// One byte per row of the state.
    pub(crate) slots: Box<[Slot]>,
    /// How many scopes of tests are live; changed under the lock. Relaxed loads: whoever is in a scope
    /// got there after it was counted.
    pub(crate) scopes: AtomicUsize,
    locked: Mutex<Locked>,
}

/// A declared set, and the row of each of its gates.
#[derive(Clone)]
struct Bound {
    set: &'static LiveSet,
    rows: Box<[usize]>,
}

pub(crate) struct Locked {
    pub(crate) state: State,
    pub(crate) watchers: Vec<(usize, Waker)>,
    pub(crate) watches_made: usize,
    pub(crate) everywhere: Vec<Everywhere>,
}

impl FeatureGates {
    /// A builder for the gates of the component `name`, whose binary has the version `binary`.
    pub fn builder(name: &str, binary: Version) -> FeatureGatesBuilder {
        FeatureGatesBuilder::new(name, binary)
    }

    pub(crate) fn new(
        name: Box<str>,
        environment_prefix: Option<Box<str>>,
        sets: &[&'static LiveSet],
        state: State,
    ) -> Self {
        let bound = |set: &&'static LiveSet| Bound {
            rows: set.declarations.iter().filter_map(|gate| state.find(gate.name)).collect(),
            set,
        };
        let sets = sets.iter().map(bound).collect();
        Self::with_sets(name, environment_prefix, sets, state)
    }

    fn with_sets(
        name: Box<str>,
        environment_prefix: Option<Box<str>>,
        sets: Vec<Bound>,
        state: State,
    ) -> Self {
        let slots = (0..state.rows.len()).map(|row| Slot::new(state.enabled(row))).collect();
        let locked = Locked { state, watchers: Vec::new(), watches_made: 0, everywhere: Vec::new() };
        let shared = Shared {
            name,
            environment_prefix,
            sets,
            slots,
            scopes: AtomicUsize::new(0),
            locked: Mutex::new(locked),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The component's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Makes this the registry that `MY_GATE.enabled()` reads, for all gates of its declared sets.
    ///
    /// Do it first in `main`, before anything reads a gate: one that has been read already may not
    /// have had the value that it gets now, which is logged. A registry installed earlier no longer
    /// writes these gates.
    pub fn install(&self) {
        let mut early = Vec::new();
        let locked = self.lock();
        let scoped = self.shared.scopes.load(Ordering::Relaxed) > 0;
        for Bound { set, rows } in &self.shared.sets {
            set.adopt(self, |slots| {
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

    /// Whether `gate` is on in this registry. One atomic load, once the gate's place was found.
    ///
    /// # Panics
    ///
    /// If the gate's set was not added to this registry: nobody decided what it is.
    pub fn enabled<S: GateSet>(&self, gate: Gate<S>) -> bool {
        self.read(self.row_of(S::live(), gate.index()))
    }

    /// Whether the gate called `name` is on; `None` if there is none. For gates that the code does not
    /// declare; slower than a [`Gate`].
    pub fn is_enabled(&self, name: &str) -> Option<bool> {
        let row = self.lock().state.find(name)?;
        Some(self.read(row))
    }

    /// From here on defaults cannot be overridden: the help of the flag, which tells them, was made.
    pub fn close(&self) {
        self.scoped().lock().advance(Phase::Closed);
    }

    /// From here on nothing changes a gate, short of a test's scope. A change that is under way is
    /// either done when this returns, or refused.
    pub fn freeze(&self) {
        let gates = self.scoped();
        let mut locked = gates.lock();
        locked.advance(Phase::Frozen);
        let watchers = locked.take_watchers();
        drop(locked);
        wake(watchers); // no change will come: they end
    }

    /// Whether the gates are frozen.
    pub fn is_frozen(&self) -> bool {
        self.scoped().lock().state.phase == Phase::Frozen
    }

    /// A registry of its own with the same gates, versions, defaults and values: to try a change out.
    /// Nobody reads it unless asked to: [`enabled`](Self::enabled).
    #[must_use]
    pub fn deep_copy(&self) -> Self {
        self.copy(|_| ())
    }

    /// As [`deep_copy`](Self::deep_copy), with nothing set, closed or frozen. What gates need is kept,
    /// which upstream drops.
    #[must_use]
    pub fn deep_copy_and_reset(&self) -> Self {
        self.copy(State::forget_requests)
    }

    pub(crate) fn copy(&self, change: impl FnOnce(&mut State)) -> Self {
        let gates = self.scoped();
        let mut state = gates.lock().state.clone();
        change(&mut state);
        let Shared { name, environment_prefix, sets, .. } = &*gates.shared;
        Self::with_sets(name.clone(), environment_prefix.clone(), sets.clone(), state)
    }

    /// Changes the state by its own rules, writes the bytes and wakes who watches.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, Vec<Problem>>,
    ) -> Result<T, SetError> {
        let gates = self.scoped();
        let mut locked = gates.lock();
        let outcome = change(&mut locked.state).map_err(SetError::new)?;
        gates.write(&locked);
        let watchers = locked.take_watchers();
        drop(locked);
        wake(watchers);
        Ok(outcome)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Locked> {
        lock(&self.shared.locked)
    }

    /// This registry, or the copy that stands in for it in the scope of a test.
    pub(crate) fn scoped(&self) -> Self {
        scope::copy_of(self).unwrap_or_else(|| self.clone())
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// The row of the gate `index` of `set`.
    pub(crate) fn row_of(&self, set: &'static LiveSet, index: usize) -> usize {
        match self.shared.sets.iter().find(|bound| std::ptr::eq(bound.set, set)) {
            Some(bound) => bound.rows[index],
            None => panic!(
                "gate {} of {} is read in the feature gates of {}, to which that set was not added",
                set.declarations[index].name,
                set.name,
                self.name()
            ),
        }
    }

    pub(crate) fn read(&self, row: usize) -> bool {
        let slot = &self.shared.slots[row];
        slot.fast().unwrap_or_else(|| scope::read(self, row).unwrap_or_else(|| slot.read().enabled()))
    }

    /// The value, whoever's scope this is, and without counting as a read.
    pub(crate) fn value(&self, row: usize) -> bool {
        self.lock().state.enabled(row)
    }

    /// R1. Writes every gate's value.
    fn write(&self, locked: &Locked) {
        self.for_each_slot(|slot, row| slot.set(locked.state.enabled(row)));
    }

    /// R1. Writes every gate's value at another version, and names those that change after a read.
    pub(crate) fn write_unread(&self, locked: &Locked) -> Vec<Arc<str>> {
        let scoped = self.shared.scopes.load(Ordering::Relaxed) > 0;
        let mut changed = Vec::new();
        self.for_each_slot(|slot, row| {
            let enabled = locked.state.enabled(row);
            let before = slot.reset(enabled, scoped);
            if !before.was_unread() && before.enabled() != enabled {
                changed.push(locked.state.rows[row].name.clone());
            }
        });
        changed.sort_unstable(); // a declared gate has two bytes
        changed.dedup();
        changed
    }

    /// One more scope of a test is live, or one less.
    pub(crate) fn count_scope(&self, enter: bool) {
        let _locked = self.lock(); // R1
        let scopes = self.shared.scopes.load(Ordering::Relaxed);
        let now = if enter { scopes + 1 } else { scopes - 1 };
        self.shared.scopes.store(now, Ordering::Relaxed);
        self.for_each_slot(|slot, _| slot.set_scoped(now > 0));
    }

    fn for_each_slot(&self, mut write: impl FnMut(&Slot, usize)) {
        for (row, slot) in self.shared.slots.iter().enumerate() {
            write(slot, row);
        }
        for Bound { set, rows } in &self.shared.sets {
            set.write_as(self, |slots| {
                for (slot, row) in slots.iter().zip(rows) {
                    write(slot, *row);
                }
            });
        }
    }
}

impl Locked {
    fn advance(&mut self, phase: Phase) {
        self.state.phase = self.state.phase.max(phase);
    }

    pub(crate) fn take_watchers(&mut self) -> Vec<(usize, Waker)> {
        std::mem::take(&mut self.watchers)
    }
}

pub(crate) fn wake(watchers: Vec<(usize, Waker)>) {
    for (_, waker) in watchers {
        waker.wake();
    }
}

/// What was set, explicitly or through `AllAlpha` and `AllBeta`, sorted: `A=true,B=false`.
impl fmt::Display for FeatureGates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gates = self.scoped();
        let locked = gates.lock();
        let accepted = locked.state.rows.iter().filter_map(|row| Some((&row.name, row.accepted?.value)));
        let mut pairs: Vec<String> = accepted.map(|(name, value)| format!("{name}={value}")).collect();
        pairs.sort_unstable(); // as texts, like upstream: `A1=true` comes before `A=true`
        f.write_str(&pairs.join(","))
    }
}

impl fmt::Debug for FeatureGates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeatureGates").field("name", &self.shared.name).finish_non_exhaustive()
    }
}
