//! [`Shared`]: the rules behind their lock, with those who wait. The only place that locks.

use std::{fmt, task::Waker};

use hashbrown::DefaultHashBuilder;

use crate::{
    limiter::RateLimiter,
    metrics::{self, Metrics, Refresh},
    slots::SlotId,
    state::{Done, State, Take, Taken},
    sync::Mutex,
    time::{Clock, Time},
    wait::{Ticket, Waiters},
};

/// What a fair queue's `group_by` became: a key's group, hashed.
pub(crate) type GroupOf<K> = Box<dyn Fn(&K) -> u64 + Send + Sync>;

/// What the handles of one queue share.
///
/// No two locks are held together, and none while a waker, a limiter or `group_by` runs.
pub(crate) struct Shared<K> {
    guarded: Mutex<Guarded<K>>,
    pub(crate) limiter: Mutex<Box<dyn RateLimiter<K>>>,
    pub(crate) hasher: DefaultHashBuilder,
    pub(crate) group_of: Option<GroupOf<K>>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Option<Metrics>,
}

/// What the lock protects.
struct Guarded<K> {
    state: State<K>,
    workers: Waiters,
    drainers: Waiters,
    /// How often [`Shared::shut_down`] was called plainly: each call ends the drains that began before it.
    shut_downs: u64,
}

/// What a step needs to know of the time: reading a clock takes as long as the rest of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    /// It looks for delays that are over.
    Now,
    /// It does not, unless the queue measures itself.
    Whenever,
    /// The caller has read the clock.
    At(Time),
}

/// What became of a worker that wants to sleep.
#[derive(Debug)]
pub(crate) enum Slept {
    /// It must look again: there is something.
    Not,
    /// It sleeps. If there is a time, it keeps the time for all, and must look again then.
    Until(Option<Time>),
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

    /// Applies a rule.
    #[inline]
    pub(crate) fn with<R>(&self, when: When, rule: impl FnOnce(&mut State<K>, Time) -> R) -> R {
        self.turn(when, |guarded, now| rule(&mut guarded.state, now))
    }

    /// Takes the lock for one step, releases it, and wakes whom the step concerns.
    #[inline]
    fn turn<R>(&self, when: When, step: impl FnOnce(&mut Guarded<K>, Time) -> R) -> R {
        let mut guarded = self.guarded.lock();
        let now = match when {
            When::At(time) => time,
            When::Whenever if !guarded.state.is_timed() => Time::ZERO,
            When::Now if !guarded.state.is_timed() && guarded.state.delayed() == 0 => Time::ZERO,
            When::Whenever | When::Now => self.clock.now(),
        };
        let before = self.metrics.as_ref().map(|_| guarded.state.tally());
        let result = step(&mut guarded, now);
        let woken = guarded.wake_ups();
        let tallies = before.map(|before| (before, guarded.state.tally()));
        drop(guarded);
        if let Some(woken) = woken {
            woken.wake();
        }
        if let (Some(metrics), Some((before, after))) = (&self.metrics, tallies) {
            metrics.turned(before, after);
        }
        result
    }

    #[inline]
    pub(crate) fn done(&self, slot: SlotId) {
        self.finish(self.with(When::Whenever, |state, now| state.done(slot, now)));
    }

    #[inline]
    fn finish(&self, Done { forgotten, worked }: Done<K>) {
        drop(forgotten); // the user's `Drop`, where no lock is held
        if let Some(metrics) = &self.metrics {
            metrics.done(worked.into());
        }
    }

    /// Starts the shutdown and returns the delayed keys, which will not come, and the number of the drain
    /// that it may begin. A plain shutdown ends the drains that wait.
    pub(crate) fn shut_down(&self, drain: bool) -> (Vec<K>, u64) {
        let (dropped, number, woken) = self.turn(When::Whenever, |guarded, _| {
            let dropped = guarded.state.shut_down();
            let mut woken = WakeUps::default();
            std::iter::from_fn(|| guarded.workers.next_of_all()).for_each(|waker| woken.push(waker));
            if !drain {
                guarded.shut_downs += 1;
                std::iter::from_fn(|| guarded.drainers.next_of_all()).for_each(|waker| woken.push(waker));
            }
            (dropped, guarded.shut_downs, woken)
        });
        woken.wake();
        if self.metrics.is_some() {
            metrics::refreshed();
        }
        (dropped, number)
    }

    /// Whether a drain of this number has ended; else it sleeps.
    pub(crate) fn poll_drained(&self, number: u64, ticket: &mut Option<Ticket>, waker: Waker) -> bool {
        let (ended, unused) = self.turn(When::Whenever, |guarded, _| {
            if guarded.state.is_drained() || guarded.shut_downs != number {
                return (true, Some(waker));
            }
            let (place, replaced) = guarded.drainers.sleep(*ticket, waker);
            *ticket = Some(place);
            (false, replaced)
        });
        drop(unused); // a waker is the user's code: dropped where no lock is held
        ended
    }

    pub(crate) fn stop_draining(&self, ticket: Ticket) {
        drop(self.turn(When::Whenever, |guarded, _| guarded.drainers.leave(ticket)));
    }

    /// A worker that slept gives up; the key or the timer that was meant for it goes to another.
    pub(crate) fn stop_waiting(&self, ticket: Ticket) {
        drop(self.turn(When::Whenever, |guarded, _| guarded.workers.leave(ticket)));
    }

    /// Falls asleep, unless something became ready since the worker looked. In one step: no key can
    /// become ready between the look and the sleep.
    pub(crate) fn sleep(&self, ticket: &mut Option<Ticket>, waker: Waker) -> Slept {
        let (slept, unused) = self.turn(When::Now, |guarded, now| {
            guarded.state.fire(now);
            if guarded.state.ready() > 0 || guarded.state.is_shutting_down() {
                return (Slept::Not, Some(waker));
            }
            let soonest = guarded.state.next_due();
            let (place, replaced) = guarded.workers.sleep(*ticket, waker);
            *ticket = Some(place);
            (Slept::Until(guarded.workers.keep_time(place, soonest)), replaced)
        });
        drop(unused); // where no lock is held
        slept
    }
}

impl<K: Clone> Shared<K> {
    /// Takes a key, if one is ready, for a worker that may have slept.
    #[inline]
    pub(crate) fn take(&self, ticket: &mut Option<Ticket>) -> Take<K> {
        let (take, unused) = self.turn(When::Now, |guarded, now| {
            let take = guarded.state.take(now);
            let leaves = match take {
                Take::Wait => None,
                Take::Key(_) | Take::ShutDown => ticket.take(),
            };
            (take, leaves.and_then(|ticket| guarded.workers.leave(ticket)))
        });
        drop(unused); // where no lock is held
        self.report_taken(&take);
        take
    }

    /// Takes a key, if one is ready, for a worker that has not slept.
    #[inline]
    pub(crate) fn take_now(&self) -> Take<K> {
        let take = self.with(When::Now, State::take);
        self.report_taken(&take);
        take
    }

    /// A worker is done with a slot, and takes a key if one is ready: both in one turn.
    #[inline]
    pub(crate) fn done_and_take(&self, slot: SlotId) -> Take<K> {
        let mut done = None;
        let take = self.with(When::Now, |state, now| {
            done = Some(state.done(slot, now));
            state.take(now)
        });
        if let Some(done) = done {
            self.finish(done);
        }
        self.report_taken(&take);
        take
    }

    #[inline]
    fn report_taken(&self, take: &Take<K>) {
        if let (Take::Key(taken), Some(metrics)) = (take, &self.metrics) {
            metrics.taken(taken.waited.into());
        }
    }

    /// Takes as many keys as are ready, at most `room`.
    pub(crate) fn take_many(&self, room: usize) -> Vec<Taken<K>> {
        let keys: Vec<_> = self.with(When::Now, |state, now| {
            let next = || match state.take(now) {
                Take::Key(taken) => Some(taken),
                Take::Wait | Take::ShutDown => None,
            };
            std::iter::from_fn(next).take(room).collect()
        });
        if let Some(metrics) = &self.metrics {
            keys.iter().for_each(|taken| metrics.taken(taken.waited.into()));
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
        let (ready, soonest) = (state.ready(), state.next_due());
        std::iter::from_fn(|| workers.next_to_wake(ready, soonest)).for_each(|waker| woken.push(waker));
        if drained {
            std::iter::from_fn(|| drainers.next_of_all()).for_each(|waker| woken.push(waker));
        }
        woken
    }
}

impl<K: Send> Refresh for Shared<K> {
    fn refresh(&self) -> bool {
        let unfinished = self
            .with(When::Whenever, |state, now| (!state.is_shutting_down()).then(|| state.unfinished(now)));
        if let (Some(metrics), Some((together, longest))) = (&self.metrics, unfinished) {
            metrics.unfinished(together, longest);
        }
        unfinished.is_some()
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

/// Wakers to call once the lock is released. One costs no memory, and mostly there is at most one.
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
