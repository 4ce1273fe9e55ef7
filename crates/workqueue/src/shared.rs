//! [`Shared`]: the rules behind their lock, with those who wait. The only place that locks.

use std::{fmt, task::Waker};

use hashbrown::DefaultHashBuilder;

use crate::{
    limiter::RateLimiter,
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
}

/// What the lock protects.
struct Guarded<K> {
    state: State<K>,
    workers: Waiters,
    drainers: Waiters,
    /// How often [`Shared::shut_down`] was called: each call ends the drains that began before it.
    shut_downs: u64,
}

/// A worker fell asleep.
#[derive(Debug)]
pub(crate) struct Asleep {
    /// When it must look again if nobody wakes it before: it keeps the time.
    pub(crate) alarm: Option<Time>,
}

impl<K> Shared<K> {
    pub(crate) fn new(
        state: State<K>,
        limiter: Box<dyn RateLimiter<K>>,
        group_of: Option<GroupOf<K>>,
    ) -> Self {
        let guarded = Guarded {
            state,
            workers: Waiters::default(),
            drainers: Waiters::default(),
            shut_downs: 0,
        };
        Self {
            guarded: Mutex::new(guarded),
            limiter: Mutex::new(limiter),
            hasher: DefaultHashBuilder::default(),
            group_of,
            clock: Clock::starting_now(),
        }
    }

    /// Applies a rule, then wakes whom it concerns, after unlocking.
    pub(crate) fn with<R>(&self, rule: impl FnOnce(&mut State<K>, Time) -> R) -> R {
        let mut guarded = self.guarded.lock();
        let now = guarded.now(self.clock);
        let result = rule(&mut guarded.state, now);
        let woken = guarded.wake_ups();
        drop(guarded);
        woken.wake();
        result
    }

    pub(crate) fn done(&self, slot: SlotId) {
        let Done { forgotten, .. } = self.with(|state, now| state.done(slot, now));
        drop(forgotten); // the user's `Drop`, where no lock is held
    }

    /// Starts the shutdown and returns the delayed keys, which will not come.
    ///
    /// Ends the drains that wait, unless this is one that begins: then the second value is its number.
    pub(crate) fn shut_down(&self, drain: bool) -> (Vec<K>, u64) {
        let mut guarded = self.guarded.lock();
        let dropped = guarded.state.shut_down();
        let mut woken = WakeUps::default();
        std::iter::from_fn(|| guarded.workers.next_of_all()).for_each(|waker| woken.push(waker));
        if !drain {
            guarded.shut_downs += 1;
            std::iter::from_fn(|| guarded.drainers.next_of_all()).for_each(|waker| woken.push(waker));
        }
        let number = guarded.shut_downs;
        drop(guarded);
        woken.wake();
        (dropped, number)
    }

    /// Whether a drain of this number has ended; else it sleeps.
    pub(crate) fn poll_drained(&self, number: u64, ticket: &mut Option<Ticket>, waker: Waker) -> bool {
        let mut guarded = self.guarded.lock();
        if guarded.state.is_drained() || guarded.shut_downs != number {
            return true;
        }
        let (place, replaced) = guarded.drainers.sleep(*ticket, waker);
        *ticket = Some(place);
        drop(guarded);
        drop(replaced);
        false
    }

    pub(crate) fn stop_draining(&self, ticket: Ticket) {
        let left = self.guarded.lock().drainers.leave(ticket);
        drop(left);
    }

    /// A worker that slept gives up.
    pub(crate) fn stop_waiting(&self, ticket: Ticket) {
        let mut guarded = self.guarded.lock();
        let left = guarded.workers.leave(ticket);
        let woken = guarded.wake_ups(); // the key or the timer that was meant for this one
        drop(guarded);
        drop(left);
        woken.wake();
    }
}

impl<K: Clone> Shared<K> {
    /// Takes a key for a worker that waits if there is none, as far as it can without a waker.
    pub(crate) fn take(&self, ticket: &mut Option<Ticket>) -> Take<K> {
        let mut guarded = self.guarded.lock();
        let now = guarded.now(self.clock);
        let take = guarded.state.take(now);
        let left = match take {
            Take::Key(_) | Take::ShutDown => ticket.take().and_then(|ticket| guarded.workers.leave(ticket)),
            Take::Wait(_) => None,
        };
        let woken = guarded.wake_ups();
        drop(guarded);
        drop(left);
        woken.wake();
        take
    }

    /// Takes as many more keys as are ready, at most `room`, and wakes whom they leave a key.
    pub(crate) fn take_more(&self, room: usize) -> Vec<Taken<K>> {
        self.with(|state, now| {
            let next = || match state.take(now) {
                Take::Key(taken) => Some(taken),
                Take::Wait(_) | Take::ShutDown => None,
            };
            std::iter::from_fn(next).take(room).collect()
        })
    }

    /// Takes a key, or falls asleep in the same step: no key can become ready in between.
    pub(crate) fn take_or_sleep(
        &self,
        ticket: &mut Option<Ticket>,
        waker: Waker,
    ) -> Result<Option<Taken<K>>, Asleep> {
        let mut guarded = self.guarded.lock();
        let now = guarded.now(self.clock);
        let taken = match guarded.state.take(now) {
            Take::Key(taken) => Ok(Some(taken)),
            Take::ShutDown => Ok(None),
            Take::Wait(soonest) => Err(soonest),
        };
        let (result, unused) = match taken {
            Ok(taken) => {
                let left = ticket.take().and_then(|ticket| guarded.workers.leave(ticket));
                (Ok(taken), left)
            }
            Err(soonest) => {
                let (place, replaced) = guarded.workers.sleep(*ticket, waker);
                *ticket = Some(place);
                let alarm = guarded.workers.keep_time(place, soonest);
                (Err(Asleep { alarm }), replaced)
            }
        };
        let woken = guarded.wake_ups();
        drop(guarded);
        drop(unused);
        woken.wake();
        result
    }
}

impl<K> Guarded<K> {
    fn now(&self, clock: Clock) -> Time {
        if self.state.wants_time() {
            clock.now()
        } else {
            Time::ZERO
        }
    }

    fn wake_ups(&mut self) -> WakeUps {
        let Self {
            state,
            workers,
            drainers,
            ..
        } = self;
        let mut woken = WakeUps::default();
        if !workers.is_empty() {
            let (ready, soonest) = (state.ready(), state.next_due());
            std::iter::from_fn(|| workers.next_to_wake(ready, soonest)).for_each(|waker| woken.push(waker));
        }
        if state.is_shutting_down() && state.is_drained() {
            std::iter::from_fn(|| drainers.next_of_all()).for_each(|waker| woken.push(waker));
        }
        woken
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
        self.first.into_iter().chain(self.others).for_each(Waker::wake);
    }
}
