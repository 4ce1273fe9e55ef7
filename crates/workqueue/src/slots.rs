//! [`Slots`]: the one entry that each key has, found by hash once and by number from then on.
//!
//! Apart from the rules because it knows nothing of them: it stores, finds, links and forgets.

use std::ops;

use crate::{index::Index, list::List, offer::Offer};

/// The number of a slot; stable for as long as its key has one.
pub(crate) type SlotId = u32;

/// "No slot", in links and in the index.
pub(crate) const NONE: SlotId = SlotId::MAX;

/// What a key is up to. Whether it is also delayed is apart: both can be true, as in client-go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Neither ready nor with a worker: here for its delay alone.
    Idle,
    /// Ready, in the lane of its priority: in arrival order.
    Ready,
    /// Ready, in the heap of its line: raised, or of a priority that has no lane.
    Ranked,
    /// With a worker.
    Processing,
    /// With a worker, and added since: ready again once the worker is done.
    Again,
}

impl Phase {
    pub(crate) fn is_ready(self) -> bool {
        matches!(self, Self::Ready | Self::Ranked)
    }
}

/// One key's entry. Forty bytes for a 16-byte key: what few queues need is kept in [`Column`](crate::column::Column)s.
#[derive(Debug)]
pub(crate) struct Slot<K> {
    /// `None` only where the slot is vacant.
    key: Option<K>,
    /// When it became ready, as a count of arrivals.
    pub(crate) arrival: u64,
    /// The key's hash, kept so that forgetting needs none.
    hash: u32,
    /// Neighbours in the one [`List`] that the slot is in: its lane, those being processed, or the vacant ones.
    pub(crate) previous: SlotId,
    pub(crate) next: SlotId,
    pub(crate) priority: i16,
    pub(crate) phase: Phase,
    pub(crate) delayed: bool,
}

impl<K> Slot<K> {
    #[inline]
    pub(crate) fn key(&self) -> &K {
        self.key.as_ref().expect("only a vacant slot has no key")
    }
}

/// All keys' entries.
#[derive(Debug)]
pub(crate) struct Slots<K> {
    index: Index,
    slots: Vec<Slot<K>>,
    /// The first is the next to be used.
    vacant: List,
}

/// What [`Slots::find_or_insert`] did with the key.
#[derive(Debug)]
pub(crate) enum Found {
    /// It has an entry already.
    Known(SlotId),
    /// It got a new, idle one.
    New(SlotId),
}

impl<K> Slots<K> {
    /// Slots that may stay when a burst is over: some 60 KiB with what belongs to them.
    const KEPT: usize = 1024;

    pub(crate) fn new() -> Self {
        Self { index: Index::new(), slots: Vec::new(), vacant: List::EMPTY }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, &Slot<K>)> {
        (0..).zip(&self.slots).filter(|(_, slot)| slot.key.is_some())
    }

    /// The slot, unless so few are left that there is none of this number.
    #[inline]
    pub(crate) fn get(&self, id: SlotId) -> Option<&Slot<K>> {
        self.slots.get(id as usize)
    }

    /// Forgets the entry, hashing nothing, and hands its key back.
    #[inline]
    pub(crate) fn remove(&mut self, id: SlotId) -> Option<K> {
        self.vacate(id);
        let slot = &mut self.slots[id as usize];
        self.index.forget(slot.hash, id); // X3: the slot has no key, or another, or the same one again
        slot.key.take()
    }

    /// Whether nothing is left of a burst but its memory.
    #[inline]
    pub(crate) fn is_oversized(&self) -> bool {
        self.index.is_empty() && self.slots.capacity() > Self::KEPT
    }

    /// Whether so little is left of a burst that its memory should go.
    #[inline]
    pub(crate) fn is_sparse(&self) -> bool {
        self.slots.len() > Self::KEPT && self.slots.len() - self.vacant.len() < self.slots.len() / 8
    }

    /// Gives up the last slot if it is vacant; if not, says which it is.
    pub(crate) fn pop_vacant(&mut self) -> Result<(), SlotId> {
        let last = (self.slots.len() - 1) as SlotId; // fits: it was pushed under that number
        if self[last].key.is_some() {
            return Err(last);
        }
        let mut vacant = self.vacant;
        vacant.unlink(self, last);
        self.vacant = vacant;
        self.slots.pop();
        Ok(())
    }

    /// Gives back what a burst made room for, if most of it is unused. Returns how many slots there are, if so.
    pub(crate) fn shrink(&mut self) -> Option<usize> {
        self.index.shrink();
        let len = self.slots.len();
        let much = self.slots.capacity() > 4 * len.max(Self::KEPT / 2);
        much.then(|| {
            self.slots.shrink_to(2 * len);
            len
        })
    }

    /// Moves an entry, which is in no list, to a vacant slot, and says to which.
    pub(crate) fn relocate(&mut self, from: SlotId) -> SlotId {
        let to = self.take_vacant();
        let Slot { arrival, hash, priority, phase, delayed, .. } = self[from];
        self.index.rename(hash, from, to);
        let key = self[from].key.take();
        let slot = &mut self[to];
        *slot = Slot { key, arrival, hash, previous: NONE, next: NONE, priority, phase, delayed };
        self[from].delayed = false;
        self.vacate(from);
        to
    }

    #[inline]
    fn vacate(&mut self, id: SlotId) {
        let mut vacant = self.vacant;
        vacant.push_first(self, id);
        self.vacant = vacant;
    }

    #[inline]
    fn take_vacant(&mut self) -> SlotId {
        let mut vacant = self.vacant;
        let Some(id) = vacant.pop_first(self) else {
            return self.add();
        };
        self.vacant = vacant;
        id
    }

    /// Gives a new key a slot, and says which.
    #[inline]
    fn occupy(&mut self, hash: u32, key: K) -> SlotId {
        let id = self.take_vacant();
        let slot = &mut self.slots[id as usize];
        slot.key = Some(key); // in place: a slot that is made elsewhere and moved here takes longer
        slot.hash = hash;
        slot.priority = 0;
        id
    }

    fn add(&mut self) -> SlotId {
        let id = SlotId::try_from(self.slots.len()).unwrap_or(NONE);
        assert_ne!(id, NONE, "a queue holds fewer than 2³² keys");
        self.slots.push(Slot {
            key: None,
            arrival: 0,
            hash: 0,
            previous: NONE,
            next: NONE,
            priority: 0,
            phase: Phase::Idle,
            delayed: false,
        });
        id
    }
}

#[cfg(test)]
impl<K> Slots<K> {
    pub(crate) fn memory(&self) -> usize {
        self.index.memory() + self.slots.capacity() * size_of::<Slot<K>>()
    }
}

impl<K: Eq> Slots<K> {
    pub(crate) fn find(&self, hash: u32, key: &K) -> Option<SlotId> {
        self.index.find(hash, |id| self[id].key.as_ref() == Some(key)).ok()
    }

    #[inline]
    pub(crate) fn find_or_insert(&mut self, hash: u32, offer: &mut impl Offer<K>) -> Found {
        let key = offer.key();
        match self.index.find(hash, |id| self[id].key.as_ref() == Some(key)) {
            Ok(id) => Found::Known(id),
            Err(vacancy) => {
                let id = self.occupy(hash, offer.take());
                self.index.insert(vacancy, hash, id);
                Found::New(id)
            }
        }
    }
}

impl<K> ops::Index<SlotId> for Slots<K> {
    type Output = Slot<K>;

    #[inline]
    fn index(&self, id: SlotId) -> &Slot<K> {
        &self.slots[id as usize]
    }
}

impl<K> ops::IndexMut<SlotId> for Slots<K> {
    #[inline]
    fn index_mut(&mut self, id: SlotId) -> &mut Slot<K> {
        &mut self.slots[id as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_takes_forty_bytes_beside_nothing() {
        assert_eq!(size_of::<Slot<std::sync::Arc<str>>>(), 40);
    }

    #[test]
    fn slots_of_equal_hash_are_told_apart_by_key() {
        let mut slots = Slots::new();
        let Found::New(a) = slots.find_or_insert(7, &mut Some("a")) else { panic!("a is new") };
        let Found::New(b) = slots.find_or_insert(7, &mut Some("b")) else { panic!("b is new") };
        assert_eq!((slots.find(7, &"a"), slots.find(7, &"b")), (Some(a), Some(b)));
        assert_eq!(slots.remove(a), Some("a"));
        assert_eq!((slots.find(7, &"a"), slots.find(7, &"b")), (None, Some(b)));
    }
}
