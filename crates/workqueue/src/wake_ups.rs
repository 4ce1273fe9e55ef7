//! [`WakeUps`]: the wakers that a step collects.

use std::task::Waker;

/// Wakers to call after the lock is released. One waker needs no allocation, and mostly there is at most one.
#[derive(Default)]
pub(crate) struct WakeUps {
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl WakeUps {
    pub(crate) fn push(&mut self, waker: Waker) {
        match &self.first {
            None => self.first = Some(waker),
            Some(_) => self.others.push(waker),
        }
    }

    pub(crate) fn wake(self) {
        if let Some(first) = self.first {
            first.wake();
            self.others.into_iter().for_each(Waker::wake);
        }
    }
}
