//! The rules of the queue as a plain value: no lock, clock, task or I/O; `now` is an argument.
//!
//! Invariants, checked after every step of `tests/workqueue/model.rs`:
//!
//! - I1: a key has one slot while it is ready, processing or delayed, and none otherwise.
//! - I2: a ready key is in exactly one priority queue and is not processing.
//! - I3: a processing key is in `processing`, in the order of the takes. However often it is added meanwhile,
//!   it becomes ready once, on `done`.
//! - I4: a delayed key has the earliest time and the highest priority of all adds since its delay last ended.
//! - I5: after shutdown no key is delayed, and only `done` makes a key ready.

mod outcome;
mod shrink;
#[cfg(test)]
mod tests;

use std::{num::NonZeroUsize, time::Duration};

use crate::{
    column::Column,
    delay::Delays,
    index::{IN_FLIGHT, VacantEntry},
    intake::{Arrival, Received},
    key_source::KeySource,
    list::List,
    rank::Step,
    ready::Ready,
    slot_id::SlotId,
    slots::{Phase, Slot, Slots},
    time::{Span, Time},
};

pub(crate) use self::outcome::{AddParams, Added, Counts, Done, KeyState, Take, Taken};

/// The most delayed keys that one call makes ready. The next call continues, so that a million due keys do
/// not hold the lock for a second.
pub(crate) const FIRING_BATCH: usize = 64;

/// The times of a slot. Recorded only if the queue has metrics.
#[derive(Debug, Clone, Copy, Default)]
struct Timestamps {
    /// The time of the first add since the key was last taken.
    added: Time,
    /// The time at which a worker took the key.
    taken: Time,
}

#[derive(Debug)]
pub(crate) struct State<K> {
    slots: Slots<K>,
    ready: Ready,
    delays: Delays,
    processing: List,
    processing_again: usize,
    timestamps: Option<Column<Timestamps>>,
    adds: u64,
    shutting_down: bool,
}

impl<K> State<K> {
    pub(crate) fn new(step: Step, fair: bool, timed: bool) -> Self {
        Self {
            slots: Slots::new(),
            ready: Ready::new(step, fair),
            delays: Delays::EMPTY,
            processing: List::EMPTY,
            processing_again: 0,
            timestamps: timed.then_some(Column::EMPTY),
            adds: 0,
            shutting_down: false,
        }
    }

    /// Returns whether times are recorded: every call then needs `now`, otherwise only calls that look for ended delays
    /// do.
    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        self.timestamps.is_some()
    }

    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Returns whether there are so many keys that most adds wait for memory. They are then faster in batches.
    #[inline]
    pub(crate) fn is_far(&self) -> bool {
        self.slots.is_far()
    }

    /// Loads the memory that adds of keys with these hashes need first, if there are many keys. The processor then waits
    /// for all of them at the same time.
    #[inline]
    pub(crate) fn preload(&self, hashes: impl Iterator<Item = u32>) {
        if self.is_far() {
            self.slots.preload(hashes);
        }
    }

    /// Returns the number of ready keys that a worker can take now.
    pub(crate) fn takeable(&self) -> usize {
        self.ready.takeable()
    }

    /// Limits the keys of each group that are processed at the same time.
    pub(crate) fn limit_groups(&mut self, limit: NonZeroUsize) {
        self.ready.limit_groups(limit);
    }

    pub(crate) fn processing(&self) -> usize {
        self.processing.len()
    }

    pub(crate) fn delayed(&self) -> usize {
        self.delays.len()
    }

    /// Returns the number of adds of keys that did not need work already, and the number of keys that need
    /// work: ready, or ready again once they are done.
    #[inline]
    pub(crate) fn counts(&self) -> Counts {
        Counts { adds: self.adds, depth: self.ready.len() + self.processing_again }
    }

    /// Returns how long the processing keys have been processed so far: the total and the longest. Zero if
    /// times are not recorded.
    pub(crate) fn unfinished(&self, now: Time) -> (Duration, Duration) {
        let Some(timestamps) = &self.timestamps else {
            return Default::default();
        };
        let ages = self.processing.iter(&self.slots).map(|id| now.since(timestamps.get(id).taken));
        ages.fold(Default::default(), |(sum, longest), age| (sum + age, longest.max(age)))
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        self.shutting_down
    }

    /// Returns whether a drain may end: no key is ready and none is processing.
    pub(crate) fn is_drained(&self) -> bool {
        self.ready.len() == 0 && self.processing.len() == 0
    }

    /// Returns the earliest due time.
    pub(crate) fn next_due(&mut self) -> Option<Time> {
        self.delays.next(&self.slots)
    }

    /// Makes due keys ready, at most [`FIRING_BATCH`] of them.
    pub(crate) fn fire(&mut self, now: Time) {
        for _ in 0..FIRING_BATCH {
            let Some((id, priority)) = self.delays.pop(&mut self.slots, now) else {
                return;
            };
            self.make_ready(id, priority, now);
        }
    }

    /// Completes the key that a worker took.
    #[inline]
    pub(crate) fn done(&mut self, id: SlotId, now: Time) -> Done<K> {
        self.processing.unlink(&mut self.slots, id);
        self.ready.done(id);
        let worked =
            self.timestamps.as_ref().map_or(Span::ZERO, |timestamps| now.span(timestamps.get(id).taken));
        let phase = std::mem::replace(&mut self.slots[id].phase, Phase::Idle);
        if phase == Phase::ProcessingAgain {
            self.processing_again -= 1;
            self.ready.push(&mut self.slots, id); // I3
        }
        Done { removed: self.remove_if_idle(id), worked }
    }

    /// Refuses all adds from now on. Drops and returns the keys that are only delayed; all other keys stay.
    pub(crate) fn shut_down(&mut self) -> Vec<K> {
        self.shutting_down = true;
        let mut dropped = Vec::with_capacity(self.delays.len());
        while let Some((id, _)) = self.delays.pop(&mut self.slots, Time::MAX) {
            dropped.extend(self.remove_if_idle(id)); // I5
        }
        dropped
    }

    /// Returns the bytes that its tables, columns and heaps take.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        let since = self.timestamps.as_ref().map_or(0, Column::memory);
        self.slots.memory() + self.ready.memory() + self.delays.memory() + since
    }

    #[inline]
    fn make_ready(&mut self, id: SlotId, priority: i16, now: Time) {
        let slot = &mut self.slots[id];
        match slot.phase {
            Phase::Idle => {
                slot.priority = priority;
                self.ready.push(&mut self.slots, id);
                self.count_add(id, now);
            }
            Phase::InLane | Phase::InHeap => {
                if priority > slot.priority {
                    self.ready.raise(&mut self.slots, id, priority);
                }
            }
            Phase::Processing => {
                slot.phase = Phase::ProcessingAgain; // I2, I3: `done` makes it ready
                slot.priority = priority;
                self.processing_again += 1;
                self.count_add(id, now);
            }
            Phase::ProcessingAgain => slot.priority = slot.priority.max(priority),
        }
    }

    #[inline]
    fn count_add(&mut self, id: SlotId, now: Time) {
        self.adds += 1;
        if self.is_timed() {
            self.record_add(id, now);
        }
    }

    #[inline(never)]
    fn record_add(&mut self, id: SlotId, now: Time) {
        if let Some(timestamps) = &mut self.timestamps {
            timestamps.set(id, Timestamps { added: now, ..timestamps.get(id) });
        }
    }

    /// I1: removes a slot that is idle and not delayed, and returns its key.
    #[inline]
    fn remove_if_idle(&mut self, id: SlotId) -> Option<K> {
        let slot = &self.slots[id];
        if slot.phase != Phase::Idle || slot.delayed {
            return None;
        }
        let key = self.slots.remove(id);
        if self.slots.is_oversized() {
            self.reset();
        } else if self.slots.is_sparse() {
            self.compact();
        }
        key
    }
}

impl<K: Eq> State<K> {
    #[inline]
    pub(crate) fn add(
        &mut self,
        hash: u32,
        source: &mut impl KeySource<K>,
        params: AddParams,
        now: Time,
    ) -> Added {
        if self.shutting_down {
            return Added::Refused; // I5
        }
        match self.slots.lookup(hash, source.key()) {
            Ok(id) => {
                let slot = &self.slots[id];
                if params.due.is_some() || !slot.phase.is_ready() || params.priority > slot.priority {
                    self.add_to(id, params, now);
                }
                Added::Existing
            }
            Err(vacancy) => {
                self.add_new(vacancy, hash, source.take(), params, now);
                Added::New
            }
        }
    }

    /// Adds a key that has no slot. Apart from `add`, so that an add of a key that is ready is short.
    #[inline(never)]
    fn add_new(&mut self, vacancy: VacantEntry, hash: u32, key: K, params: AddParams, now: Time) {
        let id = self.slots.insert(vacancy, hash, key);
        self.ready.assign(id, params.group);
        self.add_to(id, params, now);
    }

    #[inline]
    fn add_to(&mut self, id: SlotId, AddParams { priority, due, .. }: AddParams, now: Time) {
        match due {
            Some(due) if due > now => self.delays.insert(&mut self.slots, id, due, priority),
            _ => self.make_ready(id, priority, now),
        }
    }

    /// Adds the keys of the intake. Returns those that are here already.
    #[inline(never)]
    pub(crate) fn receive(&mut self, received: &mut Received<K>, now: Time) -> Vec<Arrival<K>> {
        loop {
            let batch = received.upcoming(IN_FLIGHT);
            if batch.is_empty() {
                return received.finish();
            }
            self.preload(batch.iter().map(|arrival| arrival.hash));
            for _ in 0..batch.len() {
                if let Some(Arrival { key, hash, params }) = received.next() {
                    // A delay that has ended since begins all the same: the delays end in their order.
                    let now = if params.due.is_some() { Time::ZERO } else { now };
                    self.add(*hash, key, *params, now);
                }
            }
        }
    }

    /// Removes a key from the ready and the delayed keys. If a worker holds it, earlier adds do not make it
    /// ready again. Returns whether it would have come out, and the key of its slot if the slot was removed.
    pub(crate) fn remove(&mut self, hash: u32, key: &K) -> (bool, Option<K>) {
        let Some(id) = self.slots.find(hash, key) else {
            return (false, None);
        };
        let phase = self.slots[id].phase;
        let waited = self.slots[id].delayed || phase.is_ready() || phase == Phase::ProcessingAgain;
        self.delays.remove(&mut self.slots, id);
        if phase.is_ready() {
            self.ready.remove(&mut self.slots, id);
        } else if phase == Phase::ProcessingAgain {
            self.slots[id].phase = Phase::Processing;
            self.processing_again -= 1;
        }
        (waited, self.remove_if_idle(id))
    }
}

impl<K: Clone> State<K> {
    /// Makes due keys ready, then takes the next ready key.
    #[inline]
    pub(crate) fn take(&mut self, now: Time) -> Take<K> {
        if self.delays.len() > 0 {
            self.fire(now);
        }
        let Some(slot) = self.ready.pop(&mut self.slots) else {
            return if self.shutting_down { Take::ShutDown } else { Take::Wait };
        };
        self.slots[slot].phase = Phase::Processing;
        self.processing.push(&mut self.slots, slot);
        let waited = match &mut self.timestamps {
            None => Span::ZERO,
            Some(timestamps) => {
                let Timestamps { added, .. } = timestamps.get(slot);
                timestamps.set(slot, Timestamps { added, taken: now });
                now.span(added)
            }
        };
        let Slot { priority, .. } = self.slots[slot];
        Take::Key(Taken { slot, key: self.slots[slot].key().clone(), priority, waited })
    }

    /// Returns the state of every key, in no order.
    pub(crate) fn key_states(&self) -> Vec<KeyState<K>> {
        let seen = |(id, slot): (SlotId, &Slot<K>)| {
            let since = self.timestamps.as_ref().map(|timestamps| timestamps.get(id));
            let since = match slot.phase {
                Phase::Idle => None,
                Phase::InLane | Phase::InHeap => since.map(|since| since.added),
                Phase::Processing | Phase::ProcessingAgain => since.map(|since| since.taken),
            };
            let due = self.delays.due(&self.slots, id);
            KeyState { key: slot.key().clone(), phase: slot.phase, priority: slot.priority, since, due }
        };
        self.slots.iter().map(seen).collect()
    }

    /// Returns the keys that are ready, or ready again once they are done.
    pub(crate) fn waiting_keys(&self) -> Vec<K> {
        let waits = |phase: Phase| phase.is_ready() || phase == Phase::ProcessingAgain;
        self.slots.iter().filter(|(_, slot)| waits(slot.phase)).map(|(_, slot)| slot.key().clone()).collect()
    }

    /// Returns the keys that workers hold, the longest-held first.
    pub(crate) fn processing_keys(&self) -> Vec<K> {
        self.processing.iter(&self.slots).map(|id| self.slots[id].key().clone()).collect()
    }
}
