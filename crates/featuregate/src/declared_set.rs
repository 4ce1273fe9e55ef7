//! [`DeclaredSet`]: the static part of a declared set. It holds the bytes that `MY_GATE.enabled()` loads, and the
//! registry that writes them.
//!
//! Generic over the registry's type, because a registry in turn refers to its sets.
//!
//! Lock order: a registry's lock, then a set's `installed`. In this file `installed` is never held while a
//! registry that others can reach is locked.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::{declaration::Declaration, slot::Slot};

/// The gates of one declared set, as this process reads them.
#[doc(hidden)]
#[derive(Debug)]
pub struct DeclaredSet<R> {
    pub(crate) name: &'static str,
    /// The prefix of the variables that set the gates of an implicit registry; empty or one element.
    pub(crate) environment: &'static [&'static str],
    pub(crate) declarations: &'static [Declaration],
    pub(crate) slots: &'static [Slot],
    installed: Mutex<Option<Installed<R>>>,
    /// Relaxed: a count, which orders nothing.
    pub(crate) early_reads: AtomicUsize,
}

/// The registry that writes a set's bytes.
#[derive(Debug, Clone)]
pub(crate) struct Installed<R> {
    pub(crate) registry: R,
    /// The set made the registry itself, because none was installed.
    pub(crate) implicit: bool,
}

impl<R> DeclaredSet<R> {
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
            installed: Mutex::new(None),
            early_reads: AtomicUsize::new(0),
        }
    }

    pub(crate) fn early_reads(&self) -> usize {
        self.early_reads.load(Ordering::Relaxed)
    }

    /// Installs `registry`, whose lock the caller holds. `write` writes the set's bytes.
    pub(crate) fn install(&self, registry: R, write: impl FnOnce(&[Slot])) {
        let mut installed = self.lock();
        let previous = installed.replace(Installed { registry, implicit: false });
        write(self.slots);
        drop(installed);
        drop(previous); // outside the lock: it may be the last handle of its registry
    }

    /// Writes the set's bytes if the installed registry is the one for which `is_own` returns true. The caller
    /// holds that registry's lock.
    pub(crate) fn write_if(&self, is_own: impl FnOnce(&R) -> bool, write: impl FnOnce(&[Slot])) {
        let installed = self.lock();
        if installed.as_ref().is_some_and(|installed| is_own(&installed.registry)) {
            write(self.slots);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Installed<R>>> {
        self.installed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Clone> DeclaredSet<R> {
    /// Returns the installed registry. If there is none, installs the implicit registry that `make` returns, with
    /// the values of the gates.
    pub(crate) fn installed_or(&self, make: impl FnOnce() -> (R, Vec<bool>)) -> Installed<R> {
        if let Some(installed) = &*self.lock() {
            return installed.clone();
        }
        // Called without the lock, because it reads the environment and may log. Of two registries, the first
        // is kept.
        let (registry, values) = make();
        let mut installed = self.lock();
        if installed.is_none() {
            for (slot, value) in self.slots.iter().zip(values) {
                slot.set(value);
            }
        }
        installed.get_or_insert(Installed { registry, implicit: true }).clone()
    }
}
