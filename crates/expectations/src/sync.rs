//! The locks that threads share: the real ones, or loom's in a model. Chosen in this one place.

#[cfg(all(test, trimtab_loom))]
pub(crate) use model::{Mutex, RwLock, RwLockWriteGuard};
#[cfg(not(all(test, trimtab_loom)))]
pub(crate) use parking_lot::{Mutex, RwLock, RwLockWriteGuard};

#[cfg(all(test, trimtab_loom))]
mod model {
    use loom::sync::{MutexGuard, RwLockReadGuard};

    pub(crate) use loom::sync::RwLockWriteGuard;

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

    /// loom's lock with `parking_lot`'s signatures.
    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(loom::sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::RwLock::new(value))
        }

        pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
            self.0.read().expect("no model panics while it holds the lock")
        }

        pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
            self.0.write().expect("no model panics while it holds the lock")
        }
    }
}
