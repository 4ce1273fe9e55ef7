//! [`Cursor`]: a place in a resource's history. It owns no queue: a slow reader costs nothing but the
//! place, and is told that history has gone on without it.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use super::{Event, Expired, Store, state::Look};

/// How many events are taken under one lock.
const BATCH: usize = 64;

/// A reader of one resource's events.
#[derive(Debug)]
pub(crate) struct Cursor {
    store: Arc<Store>,
    resource: Arc<str>,
    waiter: u64,
    /// Every event up to this version was taken.
    seen: u64,
}

/// The next result of a cursor.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Events, oldest first; at least one.
    Events(Vec<Arc<Event>>),
    /// Events that were not taken are gone.
    Expired(Expired),
    /// The server shuts down.
    Closed,
}

impl Cursor {
    pub(super) fn new(store: Arc<Store>, resource: Arc<str>, waiter: u64, seen: u64) -> Self {
        Self { store, resource, waiter, seen }
    }

    /// The version up to which every event was taken.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes the next events, waiting until there are some.
    ///
    /// Cancel safe: dropped before it completes, it took nothing.
    pub(crate) async fn next(&mut self) -> Taken {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Taken> {
        let mut shared = self.store.shared.lock();
        if shared.closed {
            return Poll::Ready(Taken::Closed);
        }
        Poll::Ready(match shared.state.look(&self.resource, self.seen, BATCH, self.waiter, cx.waker()) {
            Look::Wait => return Poll::Pending,
            Look::Expired(expired) => Taken::Expired(expired),
            Look::Events(events) => {
                self.seen = events.last().map_or(self.seen, |event| event.version());
                Taken::Events(events)
            }
        })
    }

    /// The global version, if every event of the resource up to it was taken.
    pub(crate) fn caught_up_to(&self) -> Option<u64> {
        let shared = self.store.shared.lock();
        shared.state.has_seen_all(&self.resource, self.seen).then_some(shared.state.version)
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.store.shared.lock().state.forget_waiter(&self.resource, self.waiter);
    }
}
