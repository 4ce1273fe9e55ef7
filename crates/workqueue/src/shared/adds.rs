//! The adds: into the state, into the intake while several threads use the queue, or into a batch while it is large.

use std::ops::DerefMut;

use super::{ClockRead, Guarded, Shared};
use crate::{
    index::IN_FLIGHT,
    intake::{Arrival, Pushed},
    key_source::KeySource,
    state::{AddParams, Added},
    time::Time,
};

impl<K: Eq> Shared<K> {
    /// Adds a key now. Returns whether the queue still accepts keys.
    ///
    /// The key goes into the state if no other thread works on it, or if it has to wake a worker, and otherwise into the
    /// intake.
    #[inline]
    pub(crate) fn add_now(&self, hash: u32, source: &mut impl KeySource<K>, params: AddParams) -> bool {
        let handed_over = self.intake.0.is_contended() && self.metrics.is_none();
        let free = if handed_over { None } else { self.guarded.0.try_lock() };
        match free {
            Some(guarded) => self.add_by(guarded, ClockRead::IfMeasured, hash, source, params),
            None => {
                self.intake.0.set_contended(true);
                self.hand_over(Arrival { key: Some(source.take()), hash, params })
            }
        }
    }

    /// Adds a key with a delay. Returns whether the queue still accepts keys.
    pub(crate) fn add_delayed(
        &self,
        now: Time,
        hash: u32,
        source: &mut impl KeySource<K>,
        params: AddParams,
    ) -> bool {
        let guarded = self.guarded.0.lock_after(Self::PAUSES);
        self.add_by(guarded, ClockRead::Known(now), hash, source, params)
    }

    /// Adds a key to the locked state, or to the keys that wait for a batch.
    ///
    /// In a queue of many keys, an add waits for memory most of the time: for the index's cache line of its key. A batch of
    /// adds waits for all of their lines at the same time. Adds of keys that the queue holds already do not wait for a batch,
    /// because the batch would have to keep the keys and drop them later.
    #[inline]
    fn add_by(
        &self,
        mut guarded: impl DerefMut<Target = Guarded<K>>,
        clock: ClockRead,
        hash: u32,
        source: &mut impl KeySource<K>,
        params: AddParams,
    ) -> bool {
        if self.is_quiet(&guarded) {
            if guarded.state.is_far()
                && guarded.received.are_new()
                && !guarded.state.is_shutting_down()
                && let Some(key) = source.take_owned()
            {
                let held = guarded.add_later(Arrival { key: Some(key), hash, params });
                drop(guarded);
                drop(held); // runs the user's `Drop`, so no lock may be held
                return true;
            }
            if guarded.received.is_empty() {
                let now = if let ClockRead::Known(now) = clock { now } else { Time::ZERO };
                let added = guarded.state.add(hash, source, params, now);
                guarded.received.set_new(added == Added::New);
                return added != Added::Refused;
            }
        }
        let add = |guarded: &mut Guarded<K>, now| guarded.state.add(hash, source, params, now);
        self.locked_by(guarded, clock, add) != Added::Refused
    }
}

impl<K> Shared<K> {
    /// Leaves a key in the intake. Returns whether the queue still accepts keys.
    #[inline]
    fn hand_over(&self, arrival: Arrival<K>) -> bool {
        match self.intake.0.push(arrival) {
            Pushed::Left => {}
            Pushed::Urgent => self.locked(ClockRead::IfMeasured, |_, _| {}), // receives the key, and wakes a worker for it
            Pushed::Many => {
                if let Some(guarded) = self.guarded.0.try_lock() {
                    self.locked_by(guarded, ClockRead::IfMeasured, |_, _| {});
                    self.intake.0.set_contended(false);
                }
            }
            Pushed::Refused(_) => return false,
        }
        true
    }
}

impl<K> Guarded<K> {
    /// Leaves a key for a batch. Receives the keys that wait if they are one, and returns those that the state held already,
    /// to be dropped outside the lock.
    #[inline]
    fn add_later(&mut self, arrival: Arrival<K>) -> Vec<Arrival<K>> {
        if self.received.push(arrival) < IN_FLIGHT {
            return Vec::new();
        }
        (self.receive)(&mut self.state, &mut self.received, Time::ZERO)
    }
}
