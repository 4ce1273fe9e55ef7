//! [`Subscription`]: events to be awaited, by somebody who may be slow.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;
use trimtab_cache::Object;

use crate::{Event, Handler, pending::Pending};

/// The changes of an informer's store, to be taken one by one.
///
/// Begins with all objects that are there. What changes again before it was taken is told once, so a
/// slow subscriber never has more to take than there are objects, and delays nobody. Whoever takes all
/// events and stops at any time knows a state of each object that was true, and in the end the last.
pub struct Subscription<T> {
    feed: Arc<Feed<T>>,
    handler: Handler,
}

struct Feed<T> {
    state: Mutex<State<T>>,
    wake: Notify,
}

struct State<T> {
    pending: Pending<T>,
    /// The informer is gone.
    closed: bool,
}

/// Held by the handler function: it goes when the informer does.
struct Feeder<T>(Arc<Feed<T>>);

impl<T: Object> Subscription<T> {
    pub(crate) fn new(register: impl FnOnce(Box<dyn Fn(&Event<T>) + Send + Sync>) -> Handler) -> Self {
        let state = Mutex::new(State { pending: Pending::new(), closed: false });
        let feed = Arc::new(Feed { state, wake: Notify::new() });
        let feeder = Feeder(feed.clone());
        let handler = register(Box::new(move |event| {
            feeder.0.state.lock().pending.add(event.clone());
            feeder.0.wake.notify_one();
        }));
        Self { feed, handler }
    }

    /// Takes the change that has been pending longest, waiting until there is one.
    ///
    /// `None` means that the informer is gone, and everything was taken.
    ///
    /// # Cancel safety
    ///
    /// A `next` dropped before it completes has taken nothing.
    pub async fn next(&mut self) -> Option<Event<T>> {
        loop {
            {
                let mut state = self.feed.state.lock();
                let next = state.pending.take();
                if next.is_some() || state.closed {
                    return next;
                }
            }
            // A change that comes between the look above and this wait has left a permit; there is
            // one waiter, so one permit is enough.
            self.feed.wake.notified().await;
        }
    }

    /// Takes the change that has been pending longest, if there is one.
    pub fn try_next(&mut self) -> Option<Event<T>> {
        self.feed.state.lock().pending.take()
    }

    /// How many changes there are to take.
    pub fn pending(&self) -> usize {
        self.feed.state.lock().pending.len()
    }

    /// Whether the informer has synced and all objects that were there then can be, or have been, taken.
    pub fn has_synced(&self) -> bool {
        self.handler.has_synced()
    }
}

impl<T> Drop for Feeder<T> {
    fn drop(&mut self) {
        self.0.state.lock().closed = true;
        self.0.wake.notify_one();
    }
}

impl<T> Drop for Subscription<T> {
    fn drop(&mut self) {
        self.handler.remove();
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("handler", &self.handler).finish_non_exhaustive()
    }
}
