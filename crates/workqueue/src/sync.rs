//! The synchronization primitives: `parking_lot`'s, or loom's in models. Chosen in this file only.
//!
//! All shared data, the wakers included, is behind one lock, so a model over loom's `Mutex` sees every step
//! that matters.

#[cfg(all(test, trimtab_loom))]
pub(crate) use model::Mutex;
#[cfg(not(all(test, trimtab_loom)))]
pub(crate) use parking_lot::Mutex;

#[cfg(all(test, trimtab_loom))]
mod model {
    use loom::sync::MutexGuard;

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
