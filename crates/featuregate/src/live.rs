//! [`LiveSet`]: the static half of a declared set. It holds the bytes that `MY_GATE.enabled()` loads,
//! and knows the registry that writes them.
//!
//! Lock order: a registry's lock, then a set's `adopter`. Here, `adopter` is never held while a
//! registry that others can reach is locked.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::{FeatureGates, Version, gate::Declaration, scope, slot::Slot};

/// The gates of one set, as they are read in this process.
#[doc(hidden)]
#[derive(Debug)]
pub struct LiveSet {
    pub(crate) name: &'static str,
    /// The prefix of the variables from which the set's own registry is set; empty or one.
    environment: &'static [&'static str],
    pub(crate) declarations: &'static [Declaration],
    pub(crate) slots: &'static [Slot],
    adopter: Mutex<Option<Adopter>>,
    /// Relaxed: a count, which orders nothing.
    early_reads: AtomicUsize,
}

#[derive(Debug, Clone)]
struct Adopter {
    gates: FeatureGates,
    /// The set's own registry: nobody has installed one.
    own: bool,
}

impl LiveSet {
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        environment: &'static [&'static str],
        declarations: &'static [Declaration],
        slots: &'static [Slot],
    ) -> Self {
        Declaration::assert_unique(declarations);
        Self {
            name,
            environment,
            declarations,
            slots,
            adopter: Mutex::new(None),
            early_reads: AtomicUsize::new(0),
        }
    }

    /// The registry that writes the set's bytes; its own, if nobody else does.
    pub(crate) fn registry(&'static self) -> FeatureGates {
        self.adopter().gates
    }

    pub(crate) fn early_reads(&self) -> usize {
        self.early_reads.load(Ordering::Relaxed)
    }

    /// The slow path of a read: the first of a gate, or one while a test's scope is live.
    #[cold]
    pub(crate) fn read_slowly(&'static self, index: usize) -> bool {
        let adopter = self.adopter();
        if let Some(enabled) = scope::read(&adopter.gates, adopter.gates.row_of(self, index)) {
            return enabled;
        }
        let seen = self.slots[index].read();
        if seen.was_unread() && adopter.own && self.environment.is_empty() {
            self.early_reads.fetch_add(1, Ordering::Relaxed);
        }
        seen.enabled()
    }

    /// Makes `gates`, whose lock the caller holds, the set's registry. `write` writes the set's bytes.
    pub(crate) fn adopt(&self, gates: &FeatureGates, write: impl FnOnce(&[Slot])) {
        let mut adopter = self.adopter.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = adopter.replace(Adopter { gates: gates.clone(), own: false });
        write(self.slots);
        drop(adopter);
        drop(previous); // not under this lock
    }

    /// Lets `gates`, whose lock the caller holds, write the set's bytes if it is the set's registry.
    pub(crate) fn write_as(&self, gates: &FeatureGates, write: impl FnOnce(&[Slot])) {
        let adopter = self.adopter.lock().unwrap_or_else(PoisonError::into_inner);
        if adopter.as_ref().is_some_and(|adopter| adopter.gates.is(gates)) {
            write(self.slots);
        }
    }

    fn adopter(&'static self) -> Adopter {
        let locked = || self.adopter.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(adopter) = &*locked() {
            return adopter.clone();
        }
        // Made without the lock: it reads the environment and may log. Of two, the first stays.
        let (gates, values) = self.own_registry();
        let mut adopter = locked();
        if adopter.is_none() {
            for (slot, value) in self.slots.iter().zip(values) {
                slot.set(value);
            }
        }
        adopter.get_or_insert(Adopter { gates, own: true }).clone()
    }

    /// Every gate at its newest version, as client-go flattens them for a program without a registry.
    fn own_registry(&'static self) -> (FeatureGates, Vec<bool>) {
        let mut builder = FeatureGates::builder(self.name, Version::ALWAYS).flattened(self);
        if let Some(prefix) = self.environment.first() {
            builder = builder.environment_prefix(*prefix);
        }
        let gates = builder.build_own();
        if !self.environment.is_empty()
            && let Err(error) = gates.set_from_env()
        {
            for problem in error.problems() {
                tracing::error!(gates = self.name, %problem, "ignoring a feature gate's variable");
            }
        }
        let values =
            (0..self.declarations.len()).map(|index| gates.value(gates.row_of(self, index))).collect();
        (gates, values)
    }
}
