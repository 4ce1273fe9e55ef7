//! [`Unstarted`]: warns once when the store of an informer that was never started is read.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Remembers whether an informer was started. All orderings are relaxed: they decide about a line of log only.
pub(crate) struct Unstarted {
    /// The informer's description.
    description: Arc<str>,
    /// Whether a warning is pointless: the informer was started, or the warning was given.
    settled: AtomicBool,
}

impl Unstarted {
    pub(crate) fn new(description: Arc<str>) -> Self {
        Self { description, settled: AtomicBool::new(false) }
    }

    pub(crate) fn started(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }

    /// Reports a read of the store while it is empty.
    pub(crate) fn read(&self) {
        if !self.settled.swap(true, Ordering::Relaxed) {
            let informer = &*self.description;
            tracing::warn!(informer, "the store is read, but its informer was never started: it stays empty");
        }
    }
}
