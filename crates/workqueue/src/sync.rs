//! The primitives that threads meet at: real ones, or loom's, chosen in this one place.
//!
//! All that the queue shares is behind one lock, wake-ups included, so a model over loom's `Mutex`
//! sees every step that matters.

#[cfg(all(test, trimtab_loom))]
pub(crate) use self::model::Mutex;
#[cfg(not(all(test, trimtab_loom)))]
pub(crate) use self::patient::Mutex;

#[cfg(not(all(test, trimtab_loom)))]
mod patient {
    use std::hint::spin_loop;

    use parking_lot::MutexGuard;

    /// `parking_lot`'s mutex, for which a thread waits longer before it sleeps: what is done under the lock takes
    /// a tenth of a microsecond, and to sleep and be woken takes some.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(parking_lot::Mutex<T>);

    impl<T> Mutex<T> {
        /// How often a thread looks before it sleeps: for about as long as that would take. More would be wasted
        /// when the thread that holds the lock is not running.
        const LOOKS: usize = 200;

        pub(crate) fn new(value: T) -> Self {
            Self(parking_lot::Mutex::new(value))
        }

        #[inline]
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            match self.0.try_lock() {
                Some(guard) => guard,
                None => self.wait(),
            }
        }

        #[cold]
        fn wait(&self) -> MutexGuard<'_, T> {
            for _ in 0..Self::LOOKS {
                spin_loop();
                if !self.0.is_locked()
                    && let Some(guard) = self.0.try_lock()
                {
                    return guard;
                }
            }
            self.0.lock()
        }
    }
}

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
