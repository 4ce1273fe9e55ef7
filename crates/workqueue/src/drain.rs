//! [`Drain`]: the end of a queue, awaited.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

use crate::{
    shared::{Shared, When},
    wait::Ticket,
};

/// Waits until nothing is ready and nothing is processing; made by
/// [`WorkQueue::shut_down_with_drain`](crate::WorkQueue::shut_down_with_drain).
///
/// The shutdown has begun when this is made. Awaiting it is waiting, nothing more, so dropping it
/// leaves the queue shutting down. Several drains may wait at once; each of them ends.
#[must_use = "the queue is shutting down already, but nobody waits for its workers"]
#[derive(Debug)]
pub struct Drain<K> {
    shared: Arc<Shared<K>>,
    delayed: Vec<K>,
    number: u64,
    ticket: Option<Ticket>,
    deadline: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

/// How a drain ended: what it dropped, and what was still to do.
///
/// `waiting` and `processing` are empty unless the drain ran into its deadline or was cut short by
/// [`WorkQueue::shut_down`](crate::WorkQueue::shut_down).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained<K> {
    /// The keys that were delayed and nothing else: dropped when the shutdown began.
    pub delayed: Vec<K>,
    /// The keys that are ready, or will be once they are done.
    pub waiting: Vec<K>,
    /// The keys that workers still have, longest first.
    pub processing: Vec<K>,
}

impl<K> Drain<K> {
    pub(crate) fn new(shared: &Arc<Shared<K>>) -> Self {
        let (delayed, number) = shared.shut_down(true);
        Self { shared: Arc::clone(shared), delayed, number, ticket: None, deadline: None, alarm: None }
    }

    /// Ends the wait `timeout` from now, done or not. The workers go on, and the queue stays shut.
    pub fn within(mut self, timeout: Duration) -> Self {
        self.deadline = Instant::now().checked_add(timeout);
        self
    }

    /// How many keys are with workers: what the drain waits for once no key is ready.
    pub fn processing(&self) -> usize {
        self.shared.with(When::Whenever, |state, _| state.processing())
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        alarm.as_mut().poll(cx)
    }
}

/// No key is pinned: they are moved out when the drain ends.
impl<K> Unpin for Drain<K> {}

impl<K: Clone> Future for Drain<K> {
    type Output = Drained<K>;

    /// # Cancel safety
    ///
    /// Dropping a drain ends the waiting only: the queue stays shut, its workers finish what is left.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Drained<K>> {
        let this = self.get_mut();
        let drained = this.shared.poll_drained(this.number, &mut this.ticket, cx.waker().clone());
        if !drained && this.poll_deadline(cx).is_pending() {
            return Poll::Pending;
        }
        let delayed = std::mem::take(&mut this.delayed);
        let (waiting, processing) =
            this.shared.with(When::Whenever, |state, _| (state.waiting_keys(), state.processing_keys()));
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
