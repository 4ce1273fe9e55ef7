//! [`Shared`]: the state of a queue behind its lock, with the waiters. Only this file takes the lock of the state.

use std::{fmt, task::Waker};

use hashbrown::DefaultHashBuilder;

use crate::{
    limiter::RateLimiter,
    metrics::{Metrics, Refresh},
    slot_id::SlotId,
    state::{Done, State, Take, Taken},
    sync::Mutex,
    time::{Clock, Time},
    waiters::{Ticket, Waiters},
};

/// The function of `group_by`: returns the hash of a key's group.
pub(crate) type GroupOf<K> = Box<dyn Fn(&K) -> u64 + Send + Sync>;

/// The data that all handles of a queue share.
///
/// No two locks are held at once, but that of an update of the metrics, which is taken first. No lock is held while a
/// waker or `group_by` runs, but that one; the limiter runs under its own lock only.
pub(crate) struct Shared<K> {
    guarded: Mutex<Guarded<K>>,
    pub(crate) limiter: Mutex<Box<dyn RateLimiter<K>>>,
    pub(crate) hasher: DefaultHashBuilder,
    pub(crate) group_of: Option<GroupOf<K>>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Option<Metrics>,
}

/// The data behind the lock.
struct Guarded<K> {
    state: State<K>,
    workers: Waiters,
    drainers: Waiters,
    /// The number of calls of [`Shared::shut_down`] without a drain. Each of them ends the drains that began
    /// before it.
    shut_downs: u64,
}

/// Whether a step needs the current time. Reading the clock takes as long as the rest of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ClockRead {
    /// The step looks for ended delays: the clock is read if a key is delayed or the queue has metrics.
    IfDelayed,
    /// The clock is read only if the queue has metrics.
    IfMeasured,
    /// The caller has read the clock.
    Known(Time),
}

/// The result of an attempt to sleep.
#[derive(Debug)]
pub(crate) enum SleepOutcome {
    /// A key is ready or the queue has shut down: the worker must try again.
    Retry,
    /// The worker sleeps. With a time, it owns the timer and must try again at that time.
    Asleep(Option<Time>),
}

impl<K> Shared<K> {
    pub(crate) fn new(
        state: State<K>,
        limiter: Box<dyn RateLimiter<K>>,
        group_of: Option<GroupOf<K>>,
        metrics: Option<Metrics>,
    ) -> Self {
        let guarded =
            Guarded { state, workers: Waiters::default(), drainers: Waiters::default(), shut_downs: 0 };
        Self {
            guarded: Mutex::new(guarded),
            limiter: Mutex::new(limiter),
            hasher: DefaultHashBuilder::default(),
            group_of,
            clock: Clock::starting_now(),
            metrics,
        }
    }

    /// Runs a step on the state, under the lock.
    #[inline]
    pub(crate) fn with_state<R>(&self, when: ClockRead, rule: impl FnOnce(&mut State<K>, Time) -> R) -> R {
        self.locked(when, |guarded, now| rule(&mut guarded.state, now))
    }

    /// Runs a step under the lock, then wakes the waiters that the step concerns, after the lock is released.
    #[inline]
    fn locked<R>(&self, when: ClockRead, step: impl FnOnce(&mut Guarded<K>, Time) -> R) -> R {
        let mut guarded = self.guarded.lock();
        let now = match when {
            ClockRead::Known(time) => time,
            ClockRead::IfMeasured if !guarded.state.is_timed() => Time::ZERO,
            ClockRead::IfDelayed if !guarded.state.is_timed() && guarded.state.delayed() == 0 => Time::ZERO,
            ClockRead::IfMeasured | ClockRead::IfDelayed => self.clock.now(),
        };
        let before = self.metrics.as_ref().map(|_| guarded.state.counts());
        let result = step(&mut guarded, now);
        let woken = guarded.wake_ups();
        let counts = before.map(|before| (before, guarded.state.counts()));
        drop(guarded);
        if let Some(woken) = woken {
            woken.wake();
        }
        if let (Some(metrics), Some((before, after))) = (&self.metrics, counts) {
            metrics.report_changes(before, after);
        }
        result
    }

    #[inline]
    pub(crate) fn done(&self, slot: SlotId) {
        self.report_done(self.with_state(ClockRead::IfMeasured, |state, now| state.done(slot, now)));
    }

    #[inline]
    fn report_done(&self, Done { removed, worked }: Done<K>) {
        drop(removed); // runs the user's `Drop`, so no lock may be held
        if let Some(metrics) = &self.metrics {
            metrics.record_done(worked.into());
        }
    }

    /// Starts the shutdown. Returns the delayed keys, which are dropped, and the number for a drain that
    /// begins now. A shutdown without a drain ends the drains that wait.
    pub(crate) fn shut_down(&self, drain: bool) -> (Vec<K>, u64) {
        let (dropped, number, woken) = self.locked(ClockRead::IfMeasured, |guarded, _| {
            let dropped = guarded.state.shut_down();
            let mut woken = WakeUps::default();
            std::iter::from_fn(|| guarded.workers.wake_oldest()).for_each(|waker| woken.push(waker));
            if !drain {
                guarded.shut_downs += 1;
                std::iter::from_fn(|| guarded.drainers.wake_oldest()).for_each(|waker| woken.push(waker));
            }
            (dropped, guarded.shut_downs, woken)
        });
        woken.wake();
        if let Some(metrics) = &self.metrics {
            metrics.wait_for_refresh();
        }
        (dropped, number)
    }

    /// Returns whether the drain with this number has ended. If not, registers the waker.
    pub(crate) fn poll_drained(&self, number: u64, ticket: &mut Option<Ticket>, waker: Waker) -> bool {
        let (ended, unused) = self.locked(ClockRead::IfMeasured, |guarded, _| {
            if guarded.state.is_drained() || guarded.shut_downs != number {
                return (true, Some(waker));
            }
            let (place, replaced) = guarded.drainers.sleep(*ticket, waker);
            *ticket = Some(place);
            (false, replaced)
        });
        drop(unused); // dropping a waker runs user code, so no lock may be held
        ended
    }

    pub(crate) fn stop_draining(&self, ticket: Ticket) {
        drop(self.locked(ClockRead::IfMeasured, |guarded, _| guarded.drainers.leave(ticket)));
    }

    /// Removes a sleeping or woken worker. Another worker gets its key or its timer.
    pub(crate) fn stop_waiting(&self, ticket: Ticket) {
        drop(self.locked(ClockRead::IfMeasured, |guarded, _| guarded.workers.leave(ticket)));
    }

    /// Puts a worker to sleep, unless a key became ready since it last looked. One step: no key can become
    /// ready between the check and the sleep.
    pub(crate) fn sleep(&self, ticket: &mut Option<Ticket>, waker: Waker) -> SleepOutcome {
        let (outcome, unused) = self.locked(ClockRead::IfDelayed, |guarded, now| {
            guarded.state.fire(now);
            if guarded.state.takeable() > 0 || guarded.state.is_shutting_down() {
                return (SleepOutcome::Retry, Some(waker));
            }
            let next_due = guarded.state.next_due();
            let (place, replaced) = guarded.workers.sleep(*ticket, waker);
            *ticket = Some(place);
            (SleepOutcome::Asleep(guarded.workers.claim_timer(place, next_due)), replaced)
        });
        drop(unused); // dropping a waker runs user code, so no lock may be held
        outcome
    }
}

impl<K: Clone> Shared<K> {
    /// Takes a ready key for a worker that may have slept.
    #[inline]
    pub(crate) fn take(&self, ticket: &mut Option<Ticket>) -> Take<K> {
        let (take, unused) = self.locked(ClockRead::IfDelayed, |guarded, now| {
            let take = guarded.state.take(now);
            let leaves = match take {
                Take::Wait => None,
                Take::Key(_) | Take::ShutDown => ticket.take(),
            };
            (take, leaves.and_then(|ticket| guarded.workers.leave(ticket)))
        });
        drop(unused); // dropping a waker runs user code, so no lock may be held
        self.report_taken(&take);
        take
    }

    /// Takes a ready key for a worker that has not slept.
    #[inline]
    pub(crate) fn take_now(&self) -> Take<K> {
        let take = self.with_state(ClockRead::IfDelayed, State::take);
        self.report_taken(&take);
        take
    }

    /// Completes a key and takes a ready one, in one step.
    #[inline]
    pub(crate) fn done_and_take(&self, slot: SlotId) -> Take<K> {
        let mut done = None;
        let take = self.with_state(ClockRead::IfDelayed, |state, now| {
            done = Some(state.done(slot, now));
            state.take(now)
        });
        if let Some(done) = done {
            self.report_done(done);
        }
        self.report_taken(&take);
        take
    }

    #[inline]
    fn report_taken(&self, take: &Take<K>) {
        if let (Take::Key(taken), Some(metrics)) = (take, &self.metrics) {
            metrics.record_taken(taken.waited.into());
        }
    }

    /// Takes all ready keys, at most `room`.
    pub(crate) fn take_many(&self, room: usize) -> Vec<Taken<K>> {
        let keys: Vec<_> = self.with_state(ClockRead::IfDelayed, |state, now| {
            let next = || match state.take(now) {
                Take::Key(taken) => Some(taken),
                Take::Wait | Take::ShutDown => None,
            };
            std::iter::from_fn(next).take(room).collect()
        });
        if let Some(metrics) = &self.metrics {
            keys.iter().for_each(|taken| metrics.record_taken(taken.waited.into()));
        }
        keys
    }
}

impl<K> Guarded<K> {
    #[inline]
    fn wake_ups(&mut self) -> Option<WakeUps> {
        let drained = self.state.is_shutting_down() && self.state.is_drained();
        (drained || !self.workers.is_empty()).then(|| self.collect_wake_ups(drained))
    }

    #[cold]
    fn collect_wake_ups(&mut self, drained: bool) -> WakeUps {
        let Self { state, workers, drainers, .. } = self;
        let mut woken = WakeUps::default();
        let (takeable, next_due) = (state.takeable(), state.next_due());
        std::iter::from_fn(|| workers.next_to_wake(takeable, next_due)).for_each(|waker| woken.push(waker));
        if drained {
            std::iter::from_fn(|| drainers.wake_oldest()).for_each(|waker| woken.push(waker));
        }
        woken
    }
}

impl<K: Send> Refresh for Shared<K> {
    fn refresh(&self) -> bool {
        let Some(metrics) = &self.metrics else { return false };
        metrics.updating(|| {
            let unfinished = self.with_state(ClockRead::IfMeasured, |state, now| {
                (!state.is_shutting_down()).then(|| state.unfinished(now))
            });
            if let Some((together, longest)) = unfinished {
                metrics.set_unfinished(together, longest);
            }
            unfinished.is_some()
        })
    }
}

impl<K> fmt::Debug for Shared<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guarded = self.guarded.lock();
        f.debug_struct("WorkQueue")
            .field("ready", &guarded.state.ready())
            .field("processing", &guarded.state.processing())
            .field("delayed", &guarded.state.delayed())
            .field("shutting_down", &guarded.state.is_shutting_down())
            .finish_non_exhaustive()
    }
}

/// Wakers to call after the lock is released. One waker needs no allocation, and mostly there is at most one.
#[derive(Default)]
struct WakeUps {
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl WakeUps {
    fn push(&mut self, waker: Waker) {
        match &self.first {
            None => self.first = Some(waker),
            Some(_) => self.others.push(waker),
        }
    }

    fn wake(self) {
        if let Some(first) = self.first {
            first.wake();
            self.others.into_iter().for_each(Waker::wake);
        }
    }
}
