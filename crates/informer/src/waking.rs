//! [`Waking`]: the waker of a connection and of its body, which one task polls.

use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use crate::sync::{AtomicU8, Mutex, Ordering};

/// The two are polled right now.
const POLLING: u8 = 1;
/// One was woken since the poll began.
const WOKEN: u8 = 2;

/// Wakes the task that polls a connection and its body.
///
/// The two wake each other while they are polled: the connection when it passes a frame on, the body when it wants one. A
/// task that wakes itself is scheduled once more, for nothing, and its runtime wakes another thread to take it, which is
/// the dearest step between a frame and its handler. So a wake-up during a poll only repeats the poll.
#[derive(Debug)]
pub(crate) struct Waking {
    task: Mutex<Option<Waker>>,
    /// [`POLLING`] and [`WOKEN`].
    state: AtomicU8,
}

impl Waking {
    pub(crate) fn new() -> Self {
        Self { task: Mutex::new(None), state: AtomicU8::new(0) }
    }

    /// Calls `poll` until it is ready, or until it is pending and nothing has woken it meanwhile.
    ///
    /// The second call is the last: a future that wakes itself so that others run (tokio's budget, hyper's loop) gets its
    /// turn from the task.
    pub(crate) fn poll<T>(
        self: &Arc<Self>,
        cx: &Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.set_task(cx.waker());
        let waker = Waker::from(Arc::clone(self));
        let mut inner = Context::from_waker(&waker);
        for _ in 0..2 {
            self.state.store(POLLING, Ordering::SeqCst);
            let polled = poll(&mut inner);
            // One step: a wake-up sees that the poll goes on, and this sees the wake-up; or neither.
            let was_woken = self.state.swap(0, Ordering::SeqCst) & WOKEN != 0;
            if polled.is_ready() || !was_woken {
                return polled;
            }
        }
        self.wake_task();
        Poll::Pending
    }

    fn set_task(&self, waker: &Waker) {
        let mut task = self.task.lock();
        if !task.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }

    fn wake_task(&self) {
        let task = self.task.lock().clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(WOKEN, Ordering::SeqCst) & POLLING == 0 {
            self.wake_task();
        }
    }
}

#[cfg(all(test, not(trimtab_loom)))]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Counts the wake-ups of a task.
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Polls once with a future that wakes itself in its first `wakes` polls, and is ready after `ready`. Returns the
    /// answer, the polls and the wake-ups of the task.
    fn polled(wakes: usize, ready: usize) -> (Poll<()>, usize, usize) {
        let (waking, task) = (Arc::new(Waking::new()), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&task));
        let mut polls = 0;
        let answer = waking.poll(&Context::from_waker(&waker), |cx| {
            polls += 1;
            if polls <= wakes {
                cx.waker().wake_by_ref();
            }
            if polls < ready { Poll::Pending } else { Poll::Ready(()) }
        });
        (answer, polls, task.0.load(Ordering::Relaxed))
    }

    #[test]
    fn a_wake_up_during_the_poll_repeats_it_and_leaves_the_task_alone() {
        assert_eq!(polled(1, 2), (Poll::Ready(()), 2, 0), "the connection has passed a frame on");
        assert_eq!(polled(1, 9), (Poll::Pending, 2, 0), "there was nothing to pass on");
        assert_eq!(polled(0, 9), (Poll::Pending, 1, 0), "no wake-up");
        assert_eq!(polled(1, 1), (Poll::Ready(()), 1, 0), "the reader polls again anyway");
    }

    #[test]
    fn a_future_that_goes_on_waking_itself_gets_its_turn_from_the_task() {
        assert_eq!(polled(9, 9), (Poll::Pending, 2, 1));
    }

    #[test]
    fn a_wake_up_after_the_poll_wakes_the_task() {
        let (waking, task) = (Arc::new(Waking::new()), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&task));
        let mut kept = None;
        let answer = waking.poll(&Context::from_waker(&waker), |cx| {
            kept = Some(cx.waker().clone());
            Poll::<()>::Pending
        });
        assert_eq!((answer, task.0.load(Ordering::Relaxed)), (Poll::Pending, 0));
        kept.expect("the waker").wake();
        assert_eq!(task.0.load(Ordering::Relaxed), 1);
    }
}
