//! [`Slots`]: the one entry that each key has, found by hash once and by number from then on.
//!
//! Apart from the rules because it knows nothing of them: it stores, finds, links and forgets.

use std::ops;

use crate::{index::Index, offer::Offer};

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
    /// Neighbours in the one [`List`](crate::list::List) that the slot is in: its lane, or those being processed.
    /// A vacant slot's `next` is the next vacant one.
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
    /// The vacant slots that were not always so, the last one first.
    vacant: SlotId,
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
    pub(crate) fn new() -> Self {
        Self { index: Index::new(), slots: Vec::new(), vacant: NONE }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, &Slot<K>)> {
        (0..).zip(&self.slots).filter(|(_, slot)| slot.key.is_some())
    }

    /// Forgets the entry, hashing nothing, and hands its key back.
    #[inline]
    pub(crate) fn remove(&mut self, id: SlotId) -> Option<K> {
        let slot = &mut self.slots[id as usize];
        slot.next = self.vacant;
        self.vacant = id;
        self.index.forget(slot.hash, id); // X3: the slot has no key, or another, or the same one again
        slot.key.take()
    }

    /// Whether nothing is left of a burst but its memory.
    #[inline]
    pub(crate) fn is_oversized(&self) -> bool {
        const KEPT: usize = 1024; // slots: some 60 KiB, which an empty queue may keep
        self.index.is_empty() && self.slots.capacity() > KEPT
    }

    /// Gives a new key a slot, and says which.
    #[inline]
    fn occupy(&mut self, hash: u32, key: K) -> SlotId {
        if self.vacant == NONE {
            self.add_vacant();
        }
        let id = self.vacant;
        let slot = &mut self.slots[id as usize];
        self.vacant = slot.next;
        slot.key = Some(key); // in place: a slot that is made elsewhere and moved here takes longer
        slot.hash = hash;
        slot.priority = 0;
        id
    }

    fn add_vacant(&mut self) {
        let id = SlotId::try_from(self.slots.len()).unwrap_or(NONE);
        assert_ne!(id, NONE, "a queue holds fewer than 2³² keys");
        self.slots.push(Slot {
            key: None,
            arrival: 0,
            hash: 0,
            previous: NONE,
            next: self.vacant,
            priority: 0,
            phase: Phase::Idle,
            delayed: false,
        });
        self.vacant = id;
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
