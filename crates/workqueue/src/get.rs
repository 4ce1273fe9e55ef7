//! [`Get`]: a worker's wait for a key. Whoever waits keeps the time too: no task does.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::Sleep;

use crate::{
    shared::{Shared, Slept},
    state::{Take, Taken},
    wait::Ticket,
};

/// Waits for a key; `None` once the queue has shut down and nothing is ready.
#[derive(Debug)]
pub(crate) struct Get<'a, K> {
    shared: &'a Arc<Shared<K>>,
    /// Present while this waits, asleep or just woken.
    ticket: Option<Ticket>,
    /// The queue's one timer, while this waiter keeps it.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<'a, K> Get<'a, K> {
    #[inline]
    pub(crate) fn new(shared: &'a Arc<Shared<K>>) -> Self {
        Self { shared, ticket: None, alarm: None }
    }
}

impl<K: Clone> Future for Get<'_, K> {
    type Output = Option<Taken<K>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match this.shared.take(&mut this.ticket) {
                Take::Key(taken) => return Poll::Ready(Some(taken)),
                Take::ShutDown => return Poll::Ready(None),
                Take::Wait => {}
            }
            // The waker is cloned only now, and where no lock is held: most keys are there at once.
            let alarm = match this.shared.sleep(&mut this.ticket, cx.waker().clone()) {
                Slept::Not => continue,
                Slept::Until(alarm) => alarm,
            };
            let Some(time) = alarm else {
                this.alarm = None; // another waiter keeps the time, or there is nothing to keep
                return Poll::Pending;
            };
            let deadline = this.shared.clock.instant(time);
            let alarm = this.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            if alarm.deadline() != deadline {
                alarm.as_mut().reset(deadline);
            }
            if alarm.as_mut().poll(cx).is_pending() {
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
