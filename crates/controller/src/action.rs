//! [`Action`]: the result of a successful reconcile.

use std::time::Duration;

/// The result of a successful reconcile: whether to queue the key again without an event.
///
/// The default is [`done`](Self::done).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct Action {
    pub(crate) requeue: Requeue,
    pub(crate) priority: Option<i16>,
}

/// The requeue of a key after a successful reconcile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Requeue {
    #[default]
    No,
    RateLimited,
    Now,
    After(Duration),
}

impl Action {
    /// The object is in its desired state: the next event adds the key again.
    pub fn done() -> Self {
        Self::of(Requeue::No)
    }

    /// There is more to do: the key is added again after the delay of the queue's rate limiter, which grows each time
    /// in a row: 5 ms, 10 ms, … by default. This is not a failure.
    ///
    /// controller-runtime's `Result{Requeue: true}`.
    pub fn requeue() -> Self {
        Self::of(Requeue::RateLimited)
    }

    /// The key is added again after `delay`, or earlier by an event. This is not a failure, and the rate limiter forgets
    /// the key.
    ///
    /// A delay of zero means [`done`](Self::done), as controller-runtime's `RequeueAfter: 0`.
    pub fn requeue_after(delay: Duration) -> Self {
        Self::of(if delay.is_zero() { Requeue::No } else { Requeue::After(delay) })
    }

    /// The key goes to the end of the queue without any delay. This is not a failure.
    ///
    /// A reconciler that always returns it keeps a worker busy for ever. For work that is done in steps, each of which
    /// ends; otherwise [`requeue`](Self::requeue).
    pub fn requeue_now() -> Self {
        Self::of(Requeue::Now)
    }

    /// Sets the priority of the requeued key. The default is the priority of the present request.
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = Some(priority);
        self
    }

    fn of(requeue: Requeue) -> Self {
        Self { requeue, priority: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_of_zero_is_done() {
        assert_eq!(Action::requeue_after(Duration::ZERO), Action::done());
        assert_eq!(Action::default(), Action::done());
        assert_ne!(Action::requeue_after(Duration::from_nanos(1)), Action::done());
    }
}
