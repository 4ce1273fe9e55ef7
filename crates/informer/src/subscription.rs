//! [`Subscription`]: a stream of events for a subscriber that may be slow.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use parking_lot::Mutex;
use trimtab_cache::Object;

use crate::{event::Event, handler::Handler, pending::Pending};

/// The changes of an informer's store, as a [`Stream`].
///
/// It begins with all objects of the store. Several changes of an object that were not taken yet become one
/// change, so a slow subscriber never has more changes to take than there are objects, and delays no other reader.
/// A subscriber that has taken all changes knows the last state of every object; at any time before, it
/// knows a state of each object that was true.
pub struct Subscription<T> {
    feed: Arc<Feed<T>>,
    handler: Handler,
}

struct Feed<T> {
    /// Not held while a waker runs.
    state: Mutex<State<T>>,
}

struct State<T> {
    pending: Pending<T>,
    /// Whether the informer is gone.
    closed: bool,
    /// The task that waits for a change; there is at most one, as `next` takes `&mut self`.
    waiting: Option<Waker>,
}

/// The handler function's end of the feed. It is dropped with the informer.
struct Feeder<T>(Arc<Feed<T>>);

impl<T: Object> Subscription<T> {
    pub(crate) fn new(register: impl FnOnce(Box<dyn Fn(&Event<T>) + Send + Sync>) -> Handler) -> Self {
        let state = Mutex::new(State { pending: Pending::new(), closed: false, waiting: None });
        let feed = Arc::new(Feed { state });
        let feeder = Feeder(feed.clone());
        let handler =
            register(Box::new(move |event| feeder.0.change(|state| state.pending.add(event.clone()))));
        Self { feed, handler }
    }

    /// Takes the oldest pending change, waiting until there is one.
    ///
    /// `None` means that the informer is gone and every change was taken.
    ///
    /// # Cancel safety
    ///
    /// A `next` dropped before it completes has taken nothing.
    pub async fn next(&mut self) -> Option<Event<T>> {
        poll_fn(|cx| self.feed.poll(cx)).await
    }

    /// Takes the oldest pending change, if there is one.
    pub fn try_next(&mut self) -> Option<Event<T>> {
        self.feed.state.lock().pending.take()
    }

    /// Returns the number of pending changes.
    pub fn pending(&self) -> usize {
        self.feed.state.lock().pending.len()
    }

    /// Returns whether the informer has synced and every object of that first state is pending or was taken.
    pub fn has_synced(&self) -> bool {
        self.handler.has_synced()
    }
}

impl<T: Object> Stream for Subscription<T> {
    type Item = Event<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        self.feed.poll(cx)
    }
}

impl<T> Feed<T> {
    /// Changes the state, then wakes the waiting task outside the lock.
    fn change(&self, change: impl FnOnce(&mut State<T>)) {
        let mut state = self.state.lock();
        change(&mut state);
        let waiting = state.waiting.take();
        drop(state);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

impl<T: Object> Feed<T> {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        let mut state = self.state.lock();
        let next = state.pending.take();
        if next.is_some() || state.closed {
            return Poll::Ready(next);
        }
        // Under the same lock as the check: a change that comes after it finds the waker.
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Feeder<T> {
    fn drop(&mut self) {
        self.0.change(|state| state.closed = true);
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
