//! [`Handler`]: a registered handler, and how events reach it.
//!
//! - H1: a handler is told one event after the other, in the order of the store's changes.
//! - H2: whoever adds events to a handler's queue delivers them before going on, unless somebody else
//!   is delivering to it just then, who will deliver these too.

use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Weak},
};

use tokio::{
    sync::Notify,
    time::{Duration, Instant},
};
use trimtab_cache::Object;

use crate::{
    Event, InformerError,
    error::Reporter,
    shared::Shared,
    sync::{AtomicBool, Mutex, Ordering},
};

/// A handler's registration. Dropping it leaves the handler registered.
#[derive(Clone)]
pub struct Handler {
    registration: Arc<dyn Registration>,
    flags: Arc<Flags>,
}

impl Handler {
    pub(crate) fn new<T: Object>(shared: &Arc<Shared<T>>, registered: &Arc<Registered<T>>) -> Self {
        Self {
            registration: Arc::new(RegistrationOf {
                shared: Arc::downgrade(shared),
                registered: Arc::downgrade(registered),
            }),
            flags: registered.flags.clone(),
        }
    }

    /// Whether the informer has synced and this handler was told all objects that were there then.
    pub fn has_synced(&self) -> bool {
        self.flags.synced.load(Ordering::SeqCst)
    }

    /// Removes the handler: from now on no call of it begins. A second call does nothing.
    ///
    /// Does not wait: a call that is under way on another thread may still be running. A handler may
    /// remove itself.
    pub fn remove(&self) {
        self.flags.removed.store(true, Ordering::SeqCst);
        self.registration.remove();
    }

    /// [Removes](Self::remove) the handler and waits until no call of it is under way: what it uses may go
    /// from then on. A handler that waits for its own end waits for ever.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, it has removed the handler, but not waited.
    pub async fn shut_down(&self) {
        self.remove();
        loop {
            let mut idle = pin!(self.flags.idle.notified());
            // Enlisted before the look: a call that ends between the two is not missed.
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

trait Registration: Send + Sync {
    fn remove(&self);
    /// Whether somebody is calling the handler, or about to.
    fn is_busy(&self) -> bool;
}

/// Keeps neither the informer nor the handler function alive.
struct RegistrationOf<T> {
    shared: Weak<Shared<T>>,
    registered: Weak<Registered<T>>,
}

impl<T: Object> Registration for RegistrationOf<T> {
    fn remove(&self) {
        if let (Some(shared), Some(registered)) = (self.shared.upgrade(), self.registered.upgrade()) {
            shared.remove_handler(&registered);
        }
    }

    fn is_busy(&self) -> bool {
        self.registered.upgrade().is_some_and(|registered| registered.queue.lock().busy)
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
    resync: Option<Duration>,
}

struct Flags {
    removed: AtomicBool,
    synced: AtomicBool,
    /// Told whenever the handler is no longer busy.
    idle: Notify,
}

struct Queue<T> {
    batches: VecDeque<Arc<Batch<T>>>,
    /// Somebody is delivering.
    busy: bool,
    /// When the handler is to be told every object again.
    next_resync: Option<Instant>,
}

impl<T: Object> Registered<T> {
    pub(crate) fn new(
        function: impl Fn(&Event<T>) + Send + Sync + 'static,
        resync: Option<Duration>,
    ) -> Self {
        let next_resync = resync.map(|period| Instant::now() + period);
        let (removed, synced) = (AtomicBool::new(false), AtomicBool::new(false));
        Self {
            function: Box::new(function),
            // Busy until `deliver_initial`: nobody else may tell it the first events. Modelled by
            // `loom_tests::a_handler_that_joins_is_told_everything_in_order`.
            queue: Mutex::new(Queue { batches: VecDeque::new(), busy: true, next_resync }),
            flags: Arc::new(Flags { removed, synced, idle: Notify::new() }),
            resync,
        }
    }

    /// When the handler is to be told every object again.
    pub(crate) fn next_resync(&self) -> Option<Instant> {
        self.queue.lock().next_resync
    }

    /// Whether it is time for that; if so, the next time is a period from now.
    pub(crate) fn takes_resync(&self, now: Instant) -> bool {
        let mut queue = self.queue.lock();
        let is_due = queue.next_resync.is_some_and(|next| next <= now);
        if is_due {
            queue.next_resync = self.resync.map(|period| now + period);
        }
        is_due
    }

    /// To be called in the order of the store's changes; `deliver` follows.
    pub(crate) fn enqueue(&self, batch: Arc<Batch<T>>) {
        self.queue.lock().batches.push_back(batch);
    }

    /// Calls the handler for all that is queued, unless somebody is doing so already (H2).
    pub(crate) fn deliver(&self, reporter: &Reporter) {
        {
            let mut queue = self.queue.lock();
            if queue.busy {
                return; // H1: two callers would overtake each other
            }
            queue.busy = true;
        }
        self.drain(reporter);
    }

    /// The first delivery, by who registers the handler.
    pub(crate) fn deliver_initial(&self, reporter: &Reporter) {
        self.drain(reporter);
    }

    fn drain(&self, reporter: &Reporter) {
        while let Some(batch) = self.next() {
            for event in &batch.events {
                self.call(event, reporter);
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
        drop(queue);
        if next.is_none() {
            self.flags.idle.notify_waiters();
        }
        next
    }

    /// A panic is the handler's own: it is reported, and the next event is told as if nothing were.
    fn call(&self, event: &Event<T>, reporter: &Reporter) {
        if self.flags.removed.load(Ordering::SeqCst) {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| (self.function)(event))).is_err() {
            reporter.report(&InformerError::Panicked { key: event.key() });
        }
    }
}
