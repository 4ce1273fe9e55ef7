//! The functions that take keys which may act again.

use std::{fmt, sync::Arc};

use crate::sync::Mutex;

type Function<K> = dyn Fn(&K) + Send + Sync;

/// A list of functions that grows and shrinks while others call it.
pub(crate) struct Wakers<K>(Mutex<Arc<[Arc<Function<K>>]>>);

/// A registered function; dropping it removes the function.
#[must_use = "dropped at once, the function is never called"]
pub struct OnWake<K> {
    wakers: Arc<Wakers<K>>,
    function: Arc<Function<K>>,
}

impl<K> Wakers<K> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Arc::new([])))
    }

    pub(crate) fn add(self: &Arc<Self>, function: impl Fn(&K) + Send + Sync + 'static) -> OnWake<K> {
        let function: Arc<Function<K>> = Arc::new(function);
        let mut functions = self.0.lock();
        *functions = functions.iter().chain([&function]).cloned().collect();
        OnWake { wakers: Arc::clone(self), function }
    }

    /// Calls every function for each of `keys`. No lock is held meanwhile.
    pub(crate) fn wake(&self, keys: &[K]) {
        let functions = Arc::clone(&self.0.lock());
        for key in keys {
            functions.iter().for_each(|function| function(key));
        }
    }
}

impl<K> Drop for OnWake<K> {
    fn drop(&mut self) {
        let mut functions = self.wakers.0.lock();
        let others = functions.iter().filter(|other| !Arc::ptr_eq(other, &self.function));
        let others = others.cloned().collect();
        let before = std::mem::replace(&mut *functions, others);
        drop(functions);
        drop(before); // outside the lock: it may hold the last handle on something of the user's
    }
}

impl<K> fmt::Debug for OnWake<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnWake")
    }
}
