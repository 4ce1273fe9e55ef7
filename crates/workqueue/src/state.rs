//! The queue's rules as a plain value: no lock, clock, task or I/O; `now` is an argument.
//!
//! Invariants, checked after every step of `tests/model.rs`:
//!
//! - I1: a key has one slot while it is ready, processing or delayed, and none otherwise.
//! - I2: a ready key is in exactly one line and is not processing.
//! - I3: a processing key is in `processing`, in the order in which the keys were taken; however
//!   often it is added meanwhile, it returns to its line once, when it is done.
//! - I4: a delayed key has the earliest time and the highest priority asked for since its last firing.
//! - I5: after shutdown no key is delayed, and only `done` makes one ready.

use std::time::Duration;

use crate::{
    column::Column,
    delay::Delays,
    list::List,
    metrics::Tally,
    offer::Offer,
    order::Step,
    ready::{GroupHash, Ready},
    slots::{Found, Phase, Slot, SlotId, Slots},
    time::{Span, Time},
};

/// The most delayed keys that one call makes ready. The others that are due wait for the next call,
/// so that a million of them do not hold the queue's lock for a second.
pub(crate) const FIRING_BATCH: usize = 64;

/// The most slots that one call gives back or moves, once a burst is over.
const SHRINKING_BATCH: usize = 256;

/// How a key is to be added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) priority: i16,
    /// Not before; the past is now.
    pub(crate) due: Option<Time>,
    pub(crate) group: GroupHash,
}

/// What became of an added key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// It has a slot of its own from now on.
    New,
    /// It had one.
    Known,
    /// The queue is shutting down.
    Refused,
}

/// A key on its way to a worker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken<K> {
    pub(crate) slot: SlotId,
    pub(crate) key: K,
    pub(crate) priority: i16,
    /// How long it was ready; zero where times are not kept.
    pub(crate) waited: Span,
}

/// What a worker that asks for a key gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Take<K> {
    Key(Taken<K>),
    /// Nothing is ready.
    Wait,
    /// Nothing is ready, and nothing will be.
    ShutDown,
}

/// What is left after a worker is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Done<K> {
    /// The slot's key, if the slot is gone.
    pub(crate) forgotten: Option<K>,
    /// How long the worker had it; zero where times are not kept.
    pub(crate) worked: Span,
}

/// A key as [`State::look`] finds it.
#[derive(Debug)]
pub(crate) struct Seen<K> {
    pub(crate) key: K,
    pub(crate) phase: Phase,
    pub(crate) priority: i16,
    /// Since when it is ready, or with a worker; where times are kept.
    pub(crate) since: Option<Time>,
    pub(crate) due: Option<Time>,
}

/// Since when; kept only where somebody measures.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    /// It needs work.
    added: Time,
    /// A worker has it.
    taken: Time,
}

#[derive(Debug)]
pub(crate) struct State<K> {
    slots: Slots<K>,
    ready: Ready,
    delays: Delays,
    processing: List,
    again: usize,
    since: Option<Column<Since>>,
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
            again: 0,
            since: timed.then_some(Column::EMPTY),
            adds: 0,
            shutting_down: false,
        }
    }

    /// Whether it measures: then `now` matters to every call, else to those that look for ended delays.
    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        self.since.is_some()
    }

    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    pub(crate) fn processing(&self) -> usize {
        self.processing.len()
    }

    pub(crate) fn delayed(&self) -> usize {
        self.delays.len()
    }

    /// How often a key came to need work that needed none, and how many need it: the ready ones, and
    /// those that will be once they are done.
    #[inline]
    pub(crate) fn tally(&self) -> Tally {
        Tally { adds: self.adds, depth: self.ready.len() + self.again }
    }

    /// How long the keys in work have been there, together and the longest. Zero where times are not kept.
    pub(crate) fn unfinished(&self, now: Time) -> (Duration, Duration) {
        let Some(since) = &self.since else {
            return Default::default();
        };
        let ages = self.processing.iter(&self.slots).map(|id| now.since(since.get(id).taken));
        ages.fold(Default::default(), |(sum, longest), age| (sum + age, longest.max(age)))
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        self.shutting_down
    }

    /// Nothing is ready and nothing is processing: what a drain waits for.
    pub(crate) fn is_drained(&self) -> bool {
        self.ready.len() == 0 && self.processing.len() == 0
    }

    /// When the soonest delayed key is due.
    pub(crate) fn next_due(&mut self) -> Option<Time> {
        self.delays.next(&self.slots)
    }

    /// Makes delayed keys ready that are due, at most [`FIRING_BATCH`] of them.
    pub(crate) fn fire(&mut self, now: Time) {
        for _ in 0..FIRING_BATCH {
            let Some((id, priority)) = self.delays.pop(&mut self.slots, now) else {
                return;
            };
            self.make_ready(id, priority, now);
        }
    }

    /// The worker that took the slot is done with it.
    #[inline]
    pub(crate) fn done(&mut self, id: SlotId, now: Time) -> Done<K> {
        self.processing.unlink(&mut self.slots, id);
        let worked = self.since.as_ref().map_or(Span::ZERO, |since| now.span(since.get(id).taken));
        let phase = std::mem::replace(&mut self.slots[id].phase, Phase::Idle);
        if phase == Phase::Again {
            self.again -= 1;
            self.ready.push(&mut self.slots, id); // I3
        }
        Done { forgotten: self.forget_idle(id), worked }
    }

    /// From now on no key is accepted. The delayed ones are dropped and returned; the others stay.
    pub(crate) fn shut_down(&mut self) -> Vec<K> {
        self.shutting_down = true;
        let mut dropped = Vec::with_capacity(self.delays.len());
        while let Some((id, _)) = self.delays.pop(&mut self.slots, Time::MAX) {
            dropped.extend(self.forget_idle(id)); // I5
        }
        dropped
    }

    /// The bytes that its tables, columns and heaps take.
    #[cfg(test)]
    fn memory(&self) -> usize {
        let since = self.since.as_ref().map_or(0, Column::memory);
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
            Phase::Ready | Phase::Ranked => {
                if priority > slot.priority {
                    self.ready.raise(&mut self.slots, id, priority);
                }
            }
            Phase::Processing => {
                slot.phase = Phase::Again; // I2, I3: `done` makes it ready
                slot.priority = priority;
                self.again += 1;
                self.count_add(id, now);
            }
            Phase::Again => slot.priority = slot.priority.max(priority),
        }
    }

    fn count_add(&mut self, id: SlotId, now: Time) {
        self.adds += 1;
        if let Some(since) = &mut self.since {
            since.set(id, Since { added: now, ..since.get(id) });
        }
    }

    /// I1: a slot without a purpose goes, and its key with it.
    #[inline]
    fn forget_idle(&mut self, id: SlotId) -> Option<K> {
        let slot = &self.slots[id];
        if slot.phase != Phase::Idle || slot.delayed {
            return None;
        }
        let key = self.slots.remove(id);
        if self.slots.is_oversized() {
            self.start_again();
        } else if self.slots.is_sparse() {
            self.draw_together();
        }
        key
    }

    /// Gives the memory of a burst back of which an eighth is left, from its end, a few slots at a time. A key there
    /// that only waits for its delay moves; one that is ready or with a worker is waited for, as it leaves soon.
    #[cold]
    fn draw_together(&mut self) {
        for _ in 0..SHRINKING_BATCH {
            let Err(last) = self.slots.pop_vacant() else {
                continue;
            };
            if self.slots[last].phase != Phase::Idle {
                break;
            }
            let to = self.slots.relocate(last);
            self.ready.relocate(last, to);
            self.delays.relocate(&self.slots, last, to);
        }
        if let Some(len) = self.slots.shrink() {
            self.ready.truncate(len);
            self.delays.truncate(len);
            if let Some(since) = &mut self.since {
                since.truncate(len);
            }
        }
    }

    /// Gives the memory of a burst back. The slots' numbers start again, and so does what goes by them.
    #[cold]
    fn start_again(&mut self) {
        self.slots = Slots::new();
        self.ready.reset();
        self.delays = Delays::EMPTY;
        self.since = self.since.is_some().then_some(Column::EMPTY);
    }
}

impl<K: Eq> State<K> {
    #[inline]
    pub(crate) fn add(&mut self, hash: u32, offer: &mut impl Offer<K>, wanted: Wanted, now: Time) -> Added {
        if self.shutting_down {
            return Added::Refused; // I5
        }
        let (id, added) = match self.slots.find_or_insert(hash, offer) {
            Found::Known(id) => (id, Added::Known),
            Found::New(id) => {
                self.ready.assign(id, wanted.group);
                (id, Added::New)
            }
        };
        match wanted.due {
            Some(due) if due > now => self.delays.insert(&mut self.slots, id, due, wanted.priority),
            _ => self.make_ready(id, wanted.priority, now),
        }
        added
    }

    /// Takes the key out of the line and out of its delay. If a worker has it, it is not handed out
    /// again for what was added so far. Returns whether it waited for anything, and its slot's copy.
    pub(crate) fn remove(&mut self, hash: u32, key: &K) -> (bool, Option<K>) {
        let Some(id) = self.slots.find(hash, key) else {
            return (false, None);
        };
        let phase = self.slots[id].phase;
        let waited = self.slots[id].delayed || phase.is_ready() || phase == Phase::Again;
        self.delays.remove(&mut self.slots, id);
        if phase.is_ready() {
            self.ready.remove(&mut self.slots, id);
        } else if phase == Phase::Again {
            self.slots[id].phase = Phase::Processing;
            self.again -= 1;
        }
        (waited, self.forget_idle(id))
    }
}

impl<K: Clone> State<K> {
    /// Takes the next ready key for a worker, after making ready what is due.
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
        let waited = match &mut self.since {
            None => Span::ZERO,
            Some(since) => {
                let Since { added, .. } = since.get(slot);
                since.set(slot, Since { added, taken: now });
                now.span(added)
            }
        };
        let Slot { priority, .. } = self.slots[slot];
        Take::Key(Taken { slot, key: self.slots[slot].key().clone(), priority, waited })
    }

    /// Every key, what it is up to, and until when it is delayed; in no order.
    pub(crate) fn look(&self) -> Vec<Seen<K>> {
        let seen = |(id, slot): (SlotId, &Slot<K>)| {
            let since = self.since.as_ref().map(|since| since.get(id));
            let since = match slot.phase {
                Phase::Idle => None,
                Phase::Ready | Phase::Ranked => since.map(|since| since.added),
                Phase::Processing | Phase::Again => since.map(|since| since.taken),
            };
            let due = self.delays.due(&self.slots, id);
            Seen { key: slot.key().clone(), phase: slot.phase, priority: slot.priority, since, due }
        };
        self.slots.iter().map(seen).collect()
    }

    /// The keys that need work and are not being handed out for it: ready, or ready once done.
    pub(crate) fn waiting_keys(&self) -> Vec<K> {
        let waits = |phase: Phase| phase.is_ready() || phase == Phase::Again;
        self.slots.iter().filter(|(_, slot)| waits(slot.phase)).map(|(_, slot)| slot.key().clone()).collect()
    }

    /// The keys that workers have, the longest first.
    pub(crate) fn processing_keys(&self) -> Vec<K> {
        self.processing.iter(&self.slots).map(|id| self.slots[id].key().clone()).collect()
    }
}

#[cfg(test)]
mod tests;
