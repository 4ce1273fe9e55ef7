//! The lock that threads share: the real one, or loom's in a model. Chosen in this one place.

#[cfg(all(test, trimtab_loom))]
pub(crate) use model::{Mutex, MutexGuard};
#[cfg(not(all(test, trimtab_loom)))]
pub(crate) use parking_lot::{Mutex, MutexGuard};

#[cfg(all(test, trimtab_loom))]
mod model {
    pub(crate) use loom::sync::MutexGuard;

    /// loom's mutex with `parking_lot`'s signatures.
    #[derive(Debug, Default)]
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
