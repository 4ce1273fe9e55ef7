//! [`Waiters`]: who sleeps until there is a key, and who of them keeps the time.
//!
//! A plain value under the queue's lock, so that "nothing is ready" and "I sleep" are one step.

use std::{collections::VecDeque, task::Waker};

use crate::time::Time;

/// A waiter's place: the smaller, the longer it has waited. Kept while it sleeps and wakes in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// The waiting workers.
///
/// - W1: while one sleeps, at least as many are awake and on their way as there are ready keys.
/// - W2: while one sleeps and a key is delayed, one of them keeps the time with its alarm set no later
///   than the soonest key, or one is awake and on its way.
///
/// "On its way" is who was woken and has not looked yet. It takes a key, sleeps again, or leaves; in
/// each case the caller asks [`Waiters::next_to_wake`] again, which restores W1 and W2.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    /// By ticket: who waited longest is woken first.
    sleeping: VecDeque<(Ticket, Waker)>,
    on_their_way: usize,
    tickets: u64,
    keeper: Option<Keeper>,
}

/// The one waiter that has a timer.
#[derive(Debug)]
struct Keeper {
    ticket: Ticket,
    alarm: Time,
}

impl Waiters {
    /// Falls asleep, for the first time or again, and says its ticket. The caller found nothing ready.
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
                self.on_their_way -= 1;
                (ticket, None)
            }
        }
    }

    /// Leaves for good, with a key or without. Whoever else should be awake now is the caller's to wake.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<Waker> {
        if self.keeper.as_ref().is_some_and(|keeper| keeper.ticket == ticket) {
            self.keeper = None;
        }
        match self.position(ticket) {
            Ok(at) => self.sleeping.remove(at).map(|(_, waker)| waker),
            Err(_) => {
                self.on_their_way -= 1;
                None
            }
        }
    }

    /// Asks a sleeper to keep the time. Returns when its alarm must ring, if it is the keeper.
    pub(crate) fn keep_time(&mut self, ticket: Ticket, soonest: Option<Time>) -> Option<Time> {
        match &mut self.keeper {
            Some(keeper) if keeper.ticket != ticket => return None,
            keeper => *keeper = soonest.map(|alarm| Keeper { ticket, alarm }),
        }
        soonest
    }

    /// Who must be woken for W1 and W2 to hold, one at a time, until there is nobody.
    pub(crate) fn next_to_wake(&mut self, ready: usize, soonest: Option<Time>) -> Option<Waker> {
        if self.sleeping.is_empty() {
            return None;
        }
        if ready > self.on_their_way {
            return self.wake_at(0); // W1
        }
        let soonest = soonest.filter(|_| self.on_their_way == 0)?;
        match &self.keeper {
            None => self.wake_at(0), // W2: to become the keeper
            Some(keeper) if soonest < keeper.alarm => {
                let at = self.position(keeper.ticket).ok()?;
                self.wake_at(at) // W2: to set its alarm earlier
            }
            Some(_) => None,
        }
    }

    /// The next of all sleepers, until there is none: there is news for everybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.sleeping.is_empty()
    }

    pub(crate) fn next_of_all(&mut self) -> Option<Waker> {
        self.wake_at(0)
    }

    fn wake_at(&mut self, at: usize) -> Option<Waker> {
        let (_, waker) = self.sleeping.remove(at)?;
        self.on_their_way += 1;
        Some(waker)
    }

    fn position(&self, ticket: Ticket) -> Result<usize, usize> {
        self.sleeping.binary_search_by_key(&ticket, |(ticket, _)| *ticket)
    }
}
