//! [`Waiters`]: the workers that sleep until a key is ready, and the one of them that owns the timer.
//!
//! A plain value under the queue's lock, so that the check "no key is ready" and the sleep are one step.

use std::{collections::VecDeque, task::Waker};

use crate::time::Time;

/// A waiter's position; the smallest has waited longest. A waiter keeps it when it wakes and finds no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// The waiting workers.
///
/// - W1: while a worker sleeps, at least as many workers are awake as there are ready keys.
/// - W2: while a worker sleeps and a key is delayed, a worker owns the timer, set no later than the earliest
///   due key, or a worker is awake.
///
/// "Awake" is a worker that was woken and has not looked for a key yet. It then takes a key, sleeps again or
/// leaves. In each case the caller calls [`Waiters::next_to_wake`] again, which restores W1 and W2.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    /// In ticket order: the longest-waiting worker is woken first.
    sleeping: VecDeque<(Ticket, Waker)>,
    awake: usize,
    tickets: u64,
    timer_owner: Option<TimerOwner>,
}

/// The only waiter that has a timer.
#[derive(Debug)]
struct TimerOwner {
    ticket: Ticket,
    fires_at: Time,
}

impl Waiters {
    /// Puts a waiter to sleep, for the first time or again, and returns its ticket. The caller has found no
    /// ready key.
    pub(crate) fn sleep(&mut self, ticket: Option<Ticket>, waker: Waker) -> (Ticket, Option<Waker>) {
        let Some(ticket) = ticket else {
            self.tickets += 1;
            let ticket = Ticket(self.tickets);
            self.sleeping.push_back((ticket, waker));
            return (ticket, None);
        };
        match self.position(ticket) {
            Ok(at) => (ticket, Some(std::mem::replace(&mut self.sleeping[at].1, waker))),
            Err(at) => {
                self.sleeping.insert(at, (ticket, waker));
                self.awake -= 1;
                (ticket, None)
            }
        }
    }

    /// Removes a waiter, whether or not it got a key. The caller then wakes the waiters that have to be
    /// awake.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<Waker> {
        if self.timer_owner.as_ref().is_some_and(|timer_owner| timer_owner.ticket == ticket) {
            self.timer_owner = None;
        }
        match self.position(ticket) {
            Ok(at) => self.sleeping.remove(at).map(|(_, waker)| waker),
            Err(_) => {
                self.awake -= 1;
                None
            }
        }
    }

    /// Makes a sleeping waiter the timer's owner, unless another waiter owns it. Returns the time to set the
    /// timer to.
    pub(crate) fn claim_timer(&mut self, ticket: Ticket, next_due: Option<Time>) -> Option<Time> {
        match &mut self.timer_owner {
            Some(timer_owner) if timer_owner.ticket != ticket => return None,
            timer_owner => *timer_owner = next_due.map(|fires_at| TimerOwner { ticket, fires_at }),
        }
        next_due
    }

    /// Returns the next waiter that has to be woken for W1 and W2, or `None` if both hold.
    pub(crate) fn next_to_wake(&mut self, ready: usize, next_due: Option<Time>) -> Option<Waker> {
        if self.sleeping.is_empty() {
            return None;
        }
        if ready > self.awake {
            return self.wake_at(0); // W1
        }
        let next_due = next_due.filter(|_| self.awake == 0)?;
        match &self.timer_owner {
            None => self.wake_at(0), // W2: to own the timer
            Some(timer_owner) if next_due < timer_owner.fires_at => {
                let at = self.position(timer_owner.ticket).ok()?;
                self.wake_at(at) // W2: to set its timer earlier
            }
            Some(_) => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sleeping.is_empty()
    }

    pub(crate) fn wake_oldest(&mut self) -> Option<Waker> {
        self.wake_at(0)
    }

    fn wake_at(&mut self, at: usize) -> Option<Waker> {
        let (_, waker) = self.sleeping.remove(at)?;
        self.awake += 1;
        Some(waker)
    }

    fn position(&self, ticket: Ticket) -> Result<usize, usize> {
        self.sleeping.binary_search_by_key(&ticket, |(ticket, _)| *ticket)
    }
}
