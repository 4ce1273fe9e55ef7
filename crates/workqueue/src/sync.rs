//! The synchronization primitives: `parking_lot`'s, or loom's in models. Chosen in this file only.
//!
//! All data that several threads share, the wakers included, is behind the locks of the state and of the intake's inbox, or one of
//! the intake's atomics. loom's models see all of them, but not how long a thread waits for a lock.

#[cfg(all(test, trimtab_loom))]
pub(crate) use loom::hint::spin_loop;
#[cfg(all(test, trimtab_loom))]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
#[cfg(all(test, trimtab_loom))]
pub(crate) use model::Mutex;
#[cfg(not(all(test, trimtab_loom)))]
pub(crate) use real::Mutex;
#[cfg(not(all(test, trimtab_loom)))]
pub(crate) use std::hint::spin_loop;
#[cfg(not(all(test, trimtab_loom)))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A value on cache lines of its own: threads that write to it do not take the lines of its neighbours.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

#[cfg(not(all(test, trimtab_loom)))]
mod real {
    use std::{hint::spin_loop, sync::LazyLock, thread::available_parallelism};

    use parking_lot::MutexGuard;

    /// The pauses for which a thread waits for a lock before it sleeps: some tens of microseconds, which is what a sleep
    /// and a wake-up take.
    const PATIENCE: u32 = 2048;

    /// `parking_lot`'s mutex, and a way to wait for it without the operating system.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(parking_lot::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(parking_lot::Mutex::new(value))
        }

        #[inline]
        pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock()
        }

        #[inline]
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock()
        }

        /// Locks the mutex. A thread that finds it locked leaves it alone for `pauses`, then for twice as long, and so on,
        /// and sleeps in the end.
        ///
        /// The thread that holds the lock then works on undisturbed, with all that it needs in its processor's cache.
        #[inline]
        pub(crate) fn lock_after(&self, pauses: u32) -> MutexGuard<'_, T> {
            match self.0.try_lock() {
                Some(guard) => guard,
                None => self.wait(pauses),
            }
        }

        #[cold]
        fn wait(&self, mut pauses: u32) -> MutexGuard<'_, T> {
            /// With one processor, the thread that holds the lock does not run while this one waits.
            static ALONE: LazyLock<bool> =
                LazyLock::new(|| available_parallelism().is_ok_and(|processors| processors.get() == 1));
            while pauses < PATIENCE && !*ALONE {
                (0..pauses).for_each(|_| spin_loop());
                if let Some(guard) = self.0.try_lock() {
                    return guard;
                }
                pauses *= 2;
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

        pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok()
        }

        pub(crate) fn lock_after(&self, _pauses: u32) -> MutexGuard<'_, T> {
            self.lock()
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no model panics while it holds the lock")
        }
    }
}
