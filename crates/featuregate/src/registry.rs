//! [`FeatureGates`]: the registry. It guards the state with a lock, and writes the values to the bytes that
//! gates are read from.
//!
//! The types in this file refer to each other: a registry has sets and scopes, a set has a registry, and a
//! scope has two.
//!
//! - R1: the bytes are written only under the lock, so that they follow the state in one order.
//! - R2: nothing is logged and no waker is called under the lock.

use std::{cell::RefCell, fmt, sync::Arc, task::Waker};

use crate::{
    declared_set::DeclaredSet,
    error::{Problem, SetError},
    slot::Slot,
    state::{Phase, State},
    sync::{AtomicUsize, Mutex, MutexGuard, Ordering, lock},
};

/// The feature gates of one component: their values, and everything that decides them.
///
/// A clone is another handle of the same registry. Reading a gate never waits; setting gates takes a lock for
/// a short time. Inside a test's scope (`test`, feature `test-util`) all methods act on the scope's own copy.
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
/// // A copy, to try whether a change is accepted:
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
    pub(crate) sets: Vec<BoundSet>,
    /// One byte per row of the state.
    pub(crate) slots: Box<[Slot]>,
    /// The number of active test scopes; changed under the lock. Relaxed loads, because a scope is counted
    /// before a thread or task enters it.
    pub(crate) scopes: AtomicUsize,
    locked: Mutex<Guarded>,
}

/// A declared set, and the row of each of its gates.
#[derive(Clone)]
pub(crate) struct BoundSet {
    pub(crate) set: &'static StaticSet,
    pub(crate) rows: Box<[usize]>,
}

/// A declared set. Its bytes are written by a [`FeatureGates`].
#[doc(hidden)]
pub type StaticSet = DeclaredSet<FeatureGates>;

pub(crate) struct Guarded {
    pub(crate) state: State,
    pub(crate) watchers: Vec<(usize, Waker)>,
    pub(crate) watches_made: usize,
    pub(crate) global_scopes: Vec<GlobalScope>,
}

impl FeatureGates {
    pub(crate) fn new(
        name: Box<str>,
        environment_prefix: Option<Box<str>>,
        sets: &[&'static StaticSet],
        state: State,
    ) -> Self {
        let bound = |set: &&'static StaticSet| BoundSet {
            rows: set.declarations.iter().filter_map(|gate| state.find(gate.name)).collect(),
            set,
        };
        let sets = sets.iter().map(bound).collect();
        Self::with_sets(name, environment_prefix, sets, state)
    }

    fn with_sets(
        name: Box<str>,
        environment_prefix: Option<Box<str>>,
        sets: Vec<BoundSet>,
        state: State,
    ) -> Self {
        let slots = (0..state.rows.len()).map(|row| Slot::new(state.enabled(row))).collect();
        let locked = Guarded { state, watchers: Vec::new(), watches_made: 0, global_scopes: Vec::new() };
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

    /// Returns the component's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Returns whether the gate called `name` is on; `None` if there is none. For gates that the code does
    /// not declare; slower than reading a [`Gate`](crate::Gate).
    pub fn is_enabled(&self, name: &str) -> Option<bool> {
        let row = self.lock().state.find(name)?;
        Some(self.read(row))
    }

    pub(crate) fn copy(&self, change: impl FnOnce(&mut State)) -> Self {
        let gates = self.scoped();
        let mut state = gates.lock().state.clone();
        change(&mut state);
        let Shared { name, environment_prefix, sets, .. } = &*gates.shared;
        Self::with_sets(name.clone(), environment_prefix.clone(), sets.clone(), state)
    }

    /// Changes the state, writes the bytes and wakes the watches.
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

    pub(crate) fn lock(&self) -> MutexGuard<'_, Guarded> {
        lock(&self.shared.locked)
    }

    /// Returns this registry, or the copy that stands in for it in a test's scope.
    pub(crate) fn scoped(&self) -> Self {
        self.active_copy().unwrap_or_else(|| self.clone())
    }

    /// Returns the copy that stands in for this registry: in this thread's innermost scope, otherwise in a
    /// global scope.
    fn active_copy(&self) -> Option<Self> {
        if self.shared.scopes.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let here = SCOPES.try_with(|scopes| {
            let scopes = scopes.borrow();
            scopes.iter().rev().find(|scope| scope.original.is_same(self)).map(|scope| scope.copy.clone())
        });
        here.ok().flatten().or_else(|| self.lock().global_scopes.last().map(GlobalScope::copy))
    }

    /// Returns the value of a gate in the copy that stands in for this registry, if there is one.
    pub(crate) fn read_in_scope(&self, row: usize) -> Option<bool> {
        self.active_copy().map(|copy| copy.value(row))
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Returns the row of the gate `index` of `set`.
    pub(crate) fn row_of(&self, set: &'static StaticSet, index: usize) -> usize {
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
        slot.fast().unwrap_or_else(|| self.read_in_scope(row).unwrap_or_else(|| slot.read().enabled()))
    }

    /// Returns the value in this registry itself, whatever scope is active, without recording a read.
    pub(crate) fn value(&self, row: usize) -> bool {
        self.lock().state.enabled(row)
    }

    /// R1. Writes every gate's value.
    fn write(&self, locked: &Guarded) {
        self.for_each_slot(|slot, row| slot.set(locked.state.enabled(row)));
    }

    /// R1. Writes every gate's value at another version. Returns the gates that were read before and change
    /// their value.
    pub(crate) fn write_unread(&self, locked: &Guarded) -> Vec<Arc<str>> {
        let scoped = self.shared.scopes.load(Ordering::Relaxed) > 0;
        let mut changed = Vec::new();
        self.for_each_slot(|slot, row| {
            let enabled = locked.state.enabled(row);
            let before = slot.reset(enabled, scoped);
            if !before.was_unread() && before.enabled() != enabled {
                changed.push(locked.state.rows[row].name.clone());
            }
        });
        changed.sort_unstable(); // a declared gate has two bytes: the registry's and the set's
        changed.dedup();
        changed
    }

    /// Counts a scope that becomes active or ends.
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
        for BoundSet { set, rows } in &self.shared.sets {
            set.write_if(
                |other| other.is_same(self),
                |slots| {
                    for (slot, row) in slots.iter().zip(rows) {
                        write(slot, *row);
                    }
                },
            );
        }
    }
}

impl Guarded {
    pub(crate) fn advance(&mut self, phase: Phase) {
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

thread_local! {
    /// The scopes of this thread, the innermost last.
    pub(crate) static SCOPES: RefCell<Vec<Arc<Scope>>> = const { RefCell::new(Vec::new()) };
}

/// A copy that stands in for a registry while this value lives.
#[derive(Debug)]
pub(crate) struct Scope {
    original: FeatureGates,
    copy: FeatureGates,
}

impl Scope {
    #[cfg(feature = "test-util")]
    pub(crate) fn new(original: FeatureGates, copy: FeatureGates) -> Arc<Self> {
        original.count_scope(true);
        Arc::new(Self { original, copy })
    }

    pub(crate) fn copy(&self) -> &FeatureGates {
        &self.copy
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.original.count_scope(false);
    }
}

/// A scope of all threads, with the name of the test that entered it.
#[cfg_attr(not(feature = "test-util"), expect(dead_code, reason = "only tests enter scopes"))]
pub(crate) struct GlobalScope {
    pub(crate) test: Box<str>,
    pub(crate) scope: Arc<Scope>,
}

impl GlobalScope {
    pub(crate) fn copy(&self) -> FeatureGates {
        self.scope.copy().clone()
    }
}

/// Prints the requested values, explicit ones and those through `AllAlpha` and `AllBeta`, sorted:
/// `A=true,B=false`.
impl fmt::Display for FeatureGates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gates = self.scoped();
        let locked = gates.lock();
        let accepted = locked.state.rows.iter().filter_map(|row| Some((&row.name, row.accepted?.value)));
        let mut pairs: Vec<String> = accepted.map(|(name, value)| format!("{name}={value}")).collect();
        pairs.sort_unstable(); // sorted as text, like upstream: `A1=true` comes before `A=true`
        f.write_str(&pairs.join(","))
    }
}

impl fmt::Debug for FeatureGates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeatureGates").field("name", &self.shared.name).finish_non_exhaustive()
    }
}
