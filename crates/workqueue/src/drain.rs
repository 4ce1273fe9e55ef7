//! [`Drain`]: the future that waits for the end of a shutdown.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

use crate::{
    shared::{ClockRead, Shared},
    waiters::Ticket,
};

/// Waits until no key is ready and none is processing.
/// [`WorkQueue::shut_down_with_drain`](crate::WorkQueue::shut_down_with_drain) returns one.
///
/// The shutdown has already begun when the drain is returned. Dropping the drain stops the waiting and
/// nothing else: the queue stays shut down. Several drains may wait at once; all of them end.
#[must_use = "the queue is shutting down already, but nothing waits for its workers"]
#[derive(Debug)]
pub struct Drain<K> {
    shared: Arc<Shared<K>>,
    delayed: Vec<K>,
    number: u64,
    ticket: Option<Ticket>,
    deadline: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// The result of a drain: the keys that were dropped and those that are unfinished.
///
/// `waiting` and `processing` are empty unless the drain reached its deadline or
/// [`WorkQueue::shut_down`](crate::WorkQueue::shut_down) ended it early.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained<K> {
    /// Keys that were delayed and not ready or processing. The shutdown dropped them.
    pub delayed: Vec<K>,
    /// Keys that are ready, and keys that become ready once they are done.
    pub waiting: Vec<K>,
    /// Keys that workers still hold, the longest-held first.
    pub processing: Vec<K>,
}

impl<K> Drain<K> {
    pub(crate) fn new(shared: &Arc<Shared<K>>) -> Self {
        let (delayed, number) = shared.shut_down(true);
        Self { shared: Arc::clone(shared), delayed, number, ticket: None, deadline: None, timer: None }
    }

    /// Limits the wait to `timeout` from now. After that the workers continue, and the queue stays shut down.
    pub fn within(mut self, timeout: Duration) -> Self {
        self.deadline = Instant::now().checked_add(timeout);
        self
    }

    /// Returns the number of keys that workers hold.
    pub fn processing(&self) -> usize {
        self.shared.with_state(ClockRead::IfMeasured, |state, _| state.processing())
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        timer.as_mut().poll(cx)
    }
}

/// No key is pinned: the keys are moved out when the drain ends.
impl<K> Unpin for Drain<K> {}

impl<K: Clone> Future for Drain<K> {
    type Output = Drained<K>;

    /// # Cancel safety
    ///
    /// Dropping a drain only ends the waiting. The queue stays shut down, and its workers finish their keys.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Drained<K>> {
        let this = self.get_mut();
        let drained = this.shared.poll_drained(this.number, &mut this.ticket, cx.waker().clone());
        if !drained && this.poll_deadline(cx).is_pending() {
            return Poll::Pending;
        }
        let delayed = std::mem::take(&mut this.delayed);
        let (waiting, processing) = this
            .shared
            .with_state(ClockRead::IfMeasured, |state, _| (state.waiting_keys(), state.processing_keys()));
        Poll::Ready(Drained { delayed, waiting, processing })
    }
}

impl<K> Drop for Drain<K> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.stop_draining(ticket);
        }
    }
}
