//! The primitives that threads share: real, or loom's in the models. Chosen in this one place.

#[cfg(not(all(test, trimtab_loom)))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU8, AtomicUsize, Ordering},
};

#[cfg(all(test, trimtab_loom))]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU8, AtomicUsize, Ordering},
};

/// Locks, whoever panicked: every change under the crate's locks is made in one step, after all checks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
