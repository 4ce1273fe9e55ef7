//! [`Get`]: the future that waits for a key. One waiting `Get` owns the queue's timer, so no task is needed.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::Sleep;

use crate::{
    shared::{Shared, SleepOutcome},
    state::{Take, Taken},
    waiters::Ticket,
};

/// Waits for a key. Returns `None` once the queue has shut down and no key is ready.
#[derive(Debug)]
pub(crate) struct Get<'a, K> {
    shared: &'a Arc<Shared<K>>,
    /// `Some` while this waits, asleep or just woken.
    ticket: Option<Ticket>,
    /// The queue's only timer, while this waiter owns it.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<'a, K> Get<'a, K> {
    #[inline]
    pub(crate) fn new(shared: &'a Arc<Shared<K>>) -> Self {
        Self { shared, ticket: None, timer: None }
    }
}

impl<K: Clone> Future for Get<'_, K> {
    type Output = Option<Taken<K>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut awaited = false;
        loop {
            match this.shared.take(&mut this.ticket) {
                Take::Key(taken) => return Poll::Ready(Some(taken)),
                Take::ShutDown => return Poll::Ready(None),
                Take::Wait => {}
            }
            if !std::mem::replace(&mut awaited, true) && this.shared.await_add() {
                continue;
            }
            // The waker is cloned only here, outside the lock: most calls find a key at once.
            let timer = match this.shared.sleep(&mut this.ticket, cx.waker().clone()) {
                SleepOutcome::Retry => continue,
                SleepOutcome::Asleep(timer) => timer,
            };
            let Some(time) = timer else {
                this.timer = None; // another waiter owns the timer, or no key is delayed
                return Poll::Pending;
            };
            let deadline = this.shared.clock.instant(time);
            let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl<K> Drop for Get<'_, K> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.stop_waiting(ticket);
        }
    }
}
