//! [`Handler`]: the registration of a handler function.

use std::{fmt, pin::pin, sync::Arc};

use tokio::sync::Notify;

use crate::sync::{AtomicBool, Ordering};

/// The registration of a handler. Dropping it leaves the handler registered.
#[derive(Clone)]
pub struct Handler {
    registration: Arc<dyn Registration>,
    flags: Arc<Flags>,
}

impl Handler {
    pub(crate) fn new(registration: Arc<dyn Registration>, flags: Arc<Flags>) -> Self {
        Self { registration, flags }
    }

    /// Returns whether the informer has synced and this handler has received every object of that first state.
    pub fn has_synced(&self) -> bool {
        self.flags.synced.load(Ordering::SeqCst)
    }

    /// Removes the handler: no further call of it begins. A second `remove` does nothing.
    ///
    /// Does not wait for a call that is running on another thread. A handler may remove itself.
    pub fn remove(&self) {
        self.flags.removed.store(true, Ordering::SeqCst);
        self.registration.remove();
    }

    /// [Removes](Self::remove) the handler and waits until no call of it is running. After that, everything
    /// that the handler uses may be dropped. A handler that waits for its own end waits forever.
    ///
    /// # Cancel safety
    ///
    /// A `shut_down` dropped before it completes has removed the handler but has not waited.
    pub async fn shut_down(&self) {
        self.remove();
        loop {
            let mut idle = pin!(self.flags.idle.notified());
            // Enlisted before the check: a call that ends between the two is not missed.
            idle.as_mut().enable();
            if !self.registration.is_busy() {
                return;
            }
            idle.await;
        }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("has_synced", &self.has_synced()).finish_non_exhaustive()
    }
}

/// The informer's side of a registration. Keeps neither the informer nor the handler function alive.
pub(crate) trait Registration: Send + Sync {
    fn remove(&self);
    /// Returns whether a thread is calling the handler or about to.
    fn is_busy(&self) -> bool;
}

/// State that a registration and its handler's queue share.
pub(crate) struct Flags {
    pub(crate) removed: AtomicBool,
    pub(crate) synced: AtomicBool,
    /// Notified whenever the handler is no longer busy.
    pub(crate) idle: Notify,
}

impl Flags {
    pub(crate) fn new() -> Self {
        Self { removed: AtomicBool::new(false), synced: AtomicBool::new(false), idle: Notify::new() }
    }
}
