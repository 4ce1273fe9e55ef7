//! Synchronization primitives: the real ones or loom's, chosen in this one place.

#[cfg(all(test, trimtab_loom))]
pub(crate) use loom::sync::{
    MutexGuard,
    atomic::{AtomicBool, AtomicU8, Ordering},
};
#[cfg(all(test, trimtab_loom))]
pub(crate) use model::Mutex;
#[cfg(not(all(test, trimtab_loom)))]
pub(crate) use parking_lot::{Mutex, MutexGuard};
#[cfg(all(feature = "connect", not(all(test, trimtab_loom))))]
pub(crate) use std::sync::atomic::AtomicU8;
#[cfg(not(all(test, trimtab_loom)))]
pub(crate) use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(all(test, trimtab_loom))]
mod model {
    use loom::sync::MutexGuard;

    /// loom's mutex with `parking_lot`'s signatures.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no model panics while it holds the lock")
        }
    }
}
