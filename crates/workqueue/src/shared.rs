//! [`Shared`]: the state of a queue behind its lock, with the waiters. Only this file and its parts
//! take the lock of the state.

mod adds;
mod takes;

use std::{fmt, ops::DerefMut, task::Waker};

use hashbrown::DefaultHashBuilder;

use crate::{
    intake::{Arrival, Intake, Received},
    limiter::RateLimiter,
    metrics::{Metrics, Refresh},
    slot_id::SlotId,
    state::{Done, State},
    sync::{Apart, Mutex},
    time::{Clock, Time},
    waiters::{Ticket, Waiters},
    wake_ups::WakeUps,
};

/// The function of `group_by`: returns the hash of a key's group.
pub(crate) type GroupOf<K> = Box<dyn Fn(&K) -> u64 + Send + Sync>;

/// The data that all handles of a queue share.
///
/// No two locks are held at once, with two exceptions: that of the intake's inbox is taken while the state is locked, and
/// that of an update of the metrics is taken first. No lock is held while a waker or `group_by` runs, but the latter; the
/// limiter runs under its own lock only.
pub(crate) struct Shared<K> {
    guarded: Apart<Mutex<Guarded<K>>>,
    intake: Apart<Intake<K>>,
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
    received: Received<K>,
    receive: Receive<K>,
}

/// [`State::receive`]. A pointer, because the drop of an `Item` does not know that its key is `Eq`.
type Receive<K> = fn(&mut State<K>, &mut Received<K>, Time) -> Vec<Arrival<K>>;

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
    /// The pauses for which a thread leaves the state to the thread that holds it: about three microseconds.
    const PAUSES: u32 = 128;

    pub(crate) fn new(
        state: State<K>,
        limiter: Box<dyn RateLimiter<K>>,
        group_of: Option<GroupOf<K>>,
        metrics: Option<Metrics>,
    ) -> Self
    where
        K: Eq,
    {
        let guarded = Guarded {
            state,
            workers: Waiters::default(),
            drainers: Waiters::default(),
            shut_downs: 0,
            received: Received::EMPTY,
            receive: State::receive,
        };
        Self {
            guarded: Apart(Mutex::new(guarded)),
            intake: Apart(Intake::new()),
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
        self.locked_by(self.guarded.0.lock_after(Self::PAUSES), when, step)
    }

    #[inline]
    fn locked_by<R>(
        &self,
        mut guarded: impl DerefMut<Target = Guarded<K>>,
        when: ClockRead,
        step: impl FnOnce(&mut Guarded<K>, Time) -> R,
    ) -> R {
        let all_received = self.intake.0.is_empty() && guarded.received.is_empty();
        let none_delayed = guarded.state.delayed() == 0 && guarded.received.is_empty();
        let now = match when {
            ClockRead::Known(time) => time,
            ClockRead::IfMeasured if !guarded.state.is_timed() => Time::ZERO,
            ClockRead::IfDelayed if !guarded.state.is_timed() && none_delayed => Time::ZERO,
            ClockRead::IfMeasured | ClockRead::IfDelayed => self.clock.now(),
        };
        let before = self.metrics.as_ref().map(|_| guarded.state.counts());
        let held = if all_received { Vec::new() } else { guarded.receive(&self.intake.0, now) };
        let result = step(&mut guarded, now);
        let woken = guarded.wake_ups(&self.intake.0);
        let counts = before.map(|before| (before, guarded.state.counts()));
        drop(guarded);
        if let Some(woken) = woken {
            woken.wake();
        }
        drop(held); // runs the user's `Drop`, so no lock may be held
        if let (Some(metrics), Some((before, after))) = (&self.metrics, counts) {
            metrics.report_changes(before, after);
        }
        result
    }

    /// Returns whether a step does nothing but its work on the state: the intake is empty (B1), no worker sleeps (B2), and
    /// there are no metrics to report. A step that may end a drain looks for that itself.
    #[inline]
    fn is_quiet(&self, guarded: &Guarded<K>) -> bool {
        self.metrics.is_none() && guarded.workers.is_empty() && self.intake.0.is_empty()
    }

    /// As [`is_quiet`](Self::is_quiet), and there are no keys to receive.
    #[inline]
    fn is_quiet_and_received(&self, guarded: &Guarded<K>) -> bool {
        self.is_quiet(guarded) && guarded.received.is_empty()
    }

    /// Looks for an add for a moment, if another thread adds keys. Returns whether there was one.
    ///
    /// A worker that is faster than the producers would otherwise sleep and be woken again and again.
    pub(crate) fn await_add(&self) -> bool {
        self.intake.0.is_contended() && !self.intake.0.is_attended() && self.intake.0.watch()
    }

    #[inline]
    pub(crate) fn done(&self, slot: SlotId) {
        let mut guarded = self.guarded.0.lock_after(Self::PAUSES);
        if self.is_quiet_and_received(&guarded) && !guarded.state.is_shutting_down() {
            let done = guarded.state.done(slot, Time::ZERO);
            drop(guarded);
            drop(done); // runs the user's `Drop`, so no lock may be held
            return;
        }
        let done = |guarded: &mut Guarded<K>, now| guarded.state.done(slot, now);
        self.report_done(self.locked_by(guarded, ClockRead::IfMeasured, done));
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
        let (dropped, number, woken) = self.locked(ClockRead::IfMeasured, |guarded, now| {
            self.intake.0.close();
            let held = guarded.receive(&self.intake.0, now);
            let dropped = guarded.state.shut_down();
            let mut woken = WakeUps::default();
            std::iter::from_fn(|| guarded.workers.wake_oldest()).for_each(|waker| woken.push(waker));
            if !drain {
                guarded.shut_downs += 1;
                std::iter::from_fn(|| guarded.drainers.wake_oldest()).for_each(|waker| woken.push(waker));
            }
            ((dropped, held), guarded.shut_downs, woken)
        });
        let (dropped, held) = dropped;
        woken.wake();
        drop(held); // runs the user's `Drop`, so no lock may be held
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
            let ready = guarded.state.takeable() > 0 || guarded.state.is_shutting_down();
            if ready || !self.intake.0.attend() {
                return (SleepOutcome::Retry, Some(waker));
            }
            guarded.state.rest();
            let next_due = guarded.state.next_due();
            let (place, replaced) = guarded.workers.sleep(*ticket, waker);
            *ticket = Some(place);
            (SleepOutcome::Asleep(guarded.workers.claim_timer(place, next_due)), replaced)
        });
        drop(unused); // dropping a waker runs user code, so no lock may be held
        outcome
    }
}

impl<K> Guarded<K> {
    /// Moves the keys of the intake into the state. Returns those that the state held already, to be dropped outside the
    /// lock.
    #[inline(never)]
    fn receive(&mut self, intake: &Intake<K>, now: Time) -> Vec<Arrival<K>> {
        intake.take(&mut self.received);
        (self.receive)(&mut self.state, &mut self.received, now)
    }

    #[inline]
    fn wake_ups(&mut self, intake: &Intake<K>) -> Option<WakeUps> {
        let drained = self.state.is_shutting_down() && self.state.is_drained();
        let woken = (drained || !self.workers.is_empty()).then(|| self.collect_wake_ups(drained));
        if self.workers.is_empty() && intake.is_attended() {
            intake.stop_attending();
        }
        woken
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
        let (ready, processing, delayed, shutting_down) = self
            .with_state(ClockRead::IfMeasured, |state, _| {
                (state.ready(), state.processing(), state.delayed(), state.is_shutting_down())
            });
        f.debug_struct("WorkQueue")
            .field("ready", &ready)
            .field("processing", &processing)
            .field("delayed", &delayed)
            .field("shutting_down", &shutting_down)
            .finish_non_exhaustive()
    }
}
