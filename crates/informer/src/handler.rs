//! [`Handler`]: a registered handler, and how events reach it.
//!
//! - H1: a handler is told one event after the other, in the order of the store's changes.
//! - H2: whoever adds events to a handler's queue delivers them before going on, unless somebody else
//!   is delivering to it just then, who will deliver these too.

use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use trimtab_cache::Object;

use crate::{Event, shared::Shared};

/// A handler's registration. Dropping it leaves the handler registered.
#[derive(Clone)]
pub struct Handler {
    registration: Arc<dyn Registration>,
}

impl Handler {
    pub(crate) fn new<T: Object>(shared: &Arc<Shared<T>>, registered: &Arc<Registered<T>>) -> Self {
        Self {
            registration: Arc::new(RegistrationOf {
                shared: Arc::downgrade(shared),
                flags: registered.flags.clone(),
                registered: Arc::downgrade(registered),
            }),
        }
    }

    /// Whether the informer has synced and this handler was told all objects that were there then.
    pub fn has_synced(&self) -> bool {
        self.registration.has_synced()
    }

    /// Removes the handler: from now on no call of it begins. A second call does nothing.
    ///
    /// Does not wait: a call that is under way on another thread may still be running. A handler may
    /// remove itself.
    pub fn remove(&self) {
        self.registration.remove();
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("has_synced", &self.has_synced()).finish_non_exhaustive()
    }
}

trait Registration: Send + Sync {
    fn has_synced(&self) -> bool;
    fn remove(&self);
}

/// Keeps neither the informer nor the handler function alive.
struct RegistrationOf<T> {
    shared: Weak<Shared<T>>,
    registered: Weak<Registered<T>>,
    flags: Arc<Flags>,
}

impl<T: Object> Registration for RegistrationOf<T> {
    fn has_synced(&self) -> bool {
        self.flags.synced.load(Ordering::SeqCst)
    }

    fn remove(&self) {
        self.flags.removed.store(true, Ordering::SeqCst);
        if let (Some(shared), Some(registered)) = (self.shared.upgrade(), self.registered.upgrade()) {
            shared.remove_handler(&registered);
        }
    }
}

/// Events that belong together: one, or those of a whole list.
pub(crate) struct Batch<T> {
    pub(crate) events: Vec<Event<T>>,
    /// Behind these, the handler has synced.
    pub(crate) ends_initial: bool,
}

type Function<T> = dyn Fn(&Event<T>) + Send + Sync;

pub(crate) struct Registered<T> {
    function: Box<Function<T>>,
    queue: Mutex<Queue<T>>,
    flags: Arc<Flags>,
}

#[derive(Default)]
struct Flags {
    removed: AtomicBool,
    synced: AtomicBool,
}

struct Queue<T> {
    batches: VecDeque<Arc<Batch<T>>>,
    /// Somebody is delivering.
    busy: bool,
}

impl<T: Object> Registered<T> {
    pub(crate) fn new(function: impl Fn(&Event<T>) + Send + Sync + 'static) -> Self {
        Self {
            function: Box::new(function),
            // Busy until `deliver_initial`: nobody else may tell it the first events.
            queue: Mutex::new(Queue { batches: VecDeque::new(), busy: true }),
            flags: Arc::default(),
        }
    }

    /// To be called in the order of the store's changes; `deliver` follows.
    pub(crate) fn enqueue(&self, batch: Arc<Batch<T>>) {
        self.queue.lock().batches.push_back(batch);
    }

    /// Calls the handler for all that is queued, unless somebody is doing so already (H2).
    pub(crate) fn deliver(&self, informer: &str) {
        {
            let mut queue = self.queue.lock();
            if queue.busy {
                return; // H1: two callers would overtake each other
            }
            queue.busy = true;
        }
        self.drain(informer);
    }

    /// The first delivery, by who registers the handler.
    pub(crate) fn deliver_initial(&self, informer: &str) {
        self.drain(informer);
    }

    fn drain(&self, informer: &str) {
        while let Some(batch) = self.next() {
            for event in &batch.events {
                self.call(event, informer);
            }
            if batch.ends_initial {
                self.flags.synced.store(true, Ordering::SeqCst);
            }
        }
    }

    fn next(&self) -> Option<Arc<Batch<T>>> {
        let mut queue = self.queue.lock();
        let next = queue.batches.pop_front();
        // Under the same lock: whoever adds now finds either a deliverer that will come back, or none.
        queue.busy = next.is_some();
        next
    }

    /// A panic is the handler's own: it is reported, and the next event is told as if nothing were.
    fn call(&self, event: &Event<T>, informer: &str) {
        if self.flags.removed.load(Ordering::SeqCst) {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| (self.function)(event))).is_err() {
            tracing::error!(informer, ?event, "handler panicked");
        }
    }
}
