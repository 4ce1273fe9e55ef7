//! [`Registered`]: a handler function and the queue through which events reach it.
//!
//! - H1: a handler receives one event after the other, in the order of the store's changes.
//! - H2: the thread that adds events to a handler's queue delivers them before it continues, unless another
//!   thread is delivering to that handler: then the other thread delivers these events, too.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::time::{Duration, Instant};
use trimtab_cache::Object;

use crate::{
    error::{InformerError, Reporter},
    event::Event,
    handler::Flags,
    sync::{Mutex, Ordering},
};

/// Events that belong together: a single event, or those of a whole list.
pub(crate) struct Batch<T> {
    pub(crate) events: Vec<Event<T>>,
    /// Whether the handler has synced after these events.
    pub(crate) ends_initial: bool,
}

type Function<T> = dyn Fn(&Event<T>) + Send + Sync;

pub(crate) struct Registered<T> {
    function: Box<Function<T>>,
    queue: Mutex<Queue<T>>,
    pub(crate) flags: Arc<Flags>,
    resync: Option<Duration>,
}

struct Queue<T> {
    batches: VecDeque<Arc<Batch<T>>>,
    /// Whether a thread is delivering.
    busy: bool,
    next_resync: Option<Instant>,
}

impl<T: Object> Registered<T> {
    pub(crate) fn new(
        function: impl Fn(&Event<T>) + Send + Sync + 'static,
        resync: Option<Duration>,
    ) -> Self {
        let next_resync = resync.map(|period| Instant::now() + period);
        Self {
            function: Box::new(function),
            // Busy until `deliver_initial`: no other thread may deliver the first events. Modelled by
            // `loom_tests::a_handler_that_joins_receives_everything_in_order`.
            queue: Mutex::new(Queue { batches: VecDeque::new(), busy: true, next_resync }),
            flags: Arc::new(Flags::new()),
            resync,
        }
    }

    /// Returns whether a thread is calling the handler or about to.
    pub(crate) fn is_busy(&self) -> bool {
        self.queue.lock().busy
    }

    /// Returns the time of the handler's next resync.
    pub(crate) fn next_resync(&self) -> Option<Instant> {
        self.queue.lock().next_resync
    }

    /// Returns whether a resync is due; if so, the next one is a period from now.
    pub(crate) fn takes_resync(&self, now: Instant) -> bool {
        let mut queue = self.queue.lock();
        let is_due = queue.next_resync.is_some_and(|next| next <= now);
        if is_due {
            queue.next_resync = self.resync.map(|period| now + period);
        }
        is_due
    }

    /// Adds events to the queue, in the order of the store's changes; `deliver` follows.
    pub(crate) fn enqueue(&self, batch: Arc<Batch<T>>) {
        self.queue.lock().batches.push_back(batch);
    }

    /// Calls the handler for all queued events, unless another thread is doing so (H2).
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

    /// Delivers the first events, on the thread that registers the handler.
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
        // Under the same lock: a thread that adds events now finds either a deliverer that comes back
        // for them, or none.
        queue.busy = next.is_some();
        drop(queue);
        if next.is_none() {
            self.flags.idle.notify_waiters();
        }
        next
    }

    /// Calls the handler. Its panic is reported, and the next event is delivered as usual.
    fn call(&self, event: &Event<T>, reporter: &Reporter) {
        if self.flags.removed.load(Ordering::SeqCst) {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| (self.function)(event))).is_err() {
            reporter.report(&InformerError::Panicked { key: event.key() });
        }
    }
}
