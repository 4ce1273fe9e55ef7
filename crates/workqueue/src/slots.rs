//! [`Slots`]: the storage of one entry per key, found by hash once and by number afterwards.
//!
//! It does not know the rules of the queue: it stores, finds, links and removes entries.

use std::ops;

use crate::{
    index::{Index, VacantEntry},
    list::{Linked, Links, List},
    slot_id::{NONE, SlotId},
};

/// The state of a key. Whether the key is also delayed is a separate flag: both can be true, as in client-go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Neither ready nor processing: the entry exists for its delay only.
    Idle,
    /// Ready, in the lane of its priority, in arrival order.
    InLane,
    /// Ready, in the heap: its priority was raised or has no lane.
    InHeap,
    /// A worker holds it.
    Processing,
    /// A worker holds it, and it was added since: it is ready again once the worker is done.
    ProcessingAgain,
}

impl Phase {
    pub(crate) fn is_ready(self) -> bool {
        matches!(self, Self::InLane | Self::InHeap)
    }
}

/// The entry of one key. Forty bytes with a 16-byte key. Values that few queues need are in
/// [`Column`](crate::column::Column)s.
#[derive(Debug)]
pub(crate) struct Slot<K> {
    /// `None` only while the slot is vacant.
    key: Option<K>,
    /// The arrival number at which it became ready.
    pub(crate) arrival: u64,
    /// The hash of the key, so that removal need not compute it.
    hash: u32,
    /// The neighbours in the only list that the slot is in: its lane, the processing keys, or the vacant
    /// slots.
    links: Links,
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

/// The entries of all keys.
#[derive(Debug)]
pub(crate) struct Slots<K> {
    index: Index,
    slots: Vec<Slot<K>>,
    /// The first vacant slot is used next.
    vacant: List,
}

impl<K> Slots<K> {
    /// Slots that stay allocated after a burst: about 60 KiB with their columns.
    const RETAINED: usize = 1024;
    /// Slots that stay allocated while a worker sleeps and there is no key.
    const RESTING: usize = 64;

    pub(crate) fn new() -> Self {
        Self { index: Index::new(), slots: Vec::new(), vacant: List::EMPTY }
    }

    /// Returns whether most lookups miss the caches of the CPU core.
    #[inline]
    pub(crate) fn is_far(&self) -> bool {
        self.index.is_far()
    }

    /// Loads the entries of the index that lookups of these hashes read first.
    #[inline]
    pub(crate) fn preload(&self, hashes: impl Iterator<Item = u32>) {
        self.index.preload(hashes);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, &Slot<K>)> {
        (0..).zip(&self.slots).filter(|(_, slot)| slot.key.is_some())
    }

    /// Returns the slot, or `None` if the slots have shrunk and it does not exist any more.
    #[inline]
    pub(crate) fn get(&self, id: SlotId) -> Option<&Slot<K>> {
        self.slots.get(id as usize)
    }

    /// Removes an entry without hashing, and returns its key.
    #[inline]
    pub(crate) fn remove(&mut self, id: SlotId) -> Option<K> {
        self.vacate(id);
        let slot = &mut self.slots[id as usize];
        self.index.remove(slot.hash, id); // X3: the slot now has no key; later it may have another one, or this one again
        slot.key.take()
    }

    /// Returns whether all entries of a burst are gone and its memory is still allocated.
    #[inline]
    pub(crate) fn is_oversized(&self) -> bool {
        self.index.is_empty() && self.slots.capacity() > Self::RETAINED
    }

    /// Returns whether a queue without work holds memory that it may not need soon.
    #[inline]
    pub(crate) fn holds_spare(&self) -> bool {
        self.index.is_empty() && self.slots.capacity() > Self::RESTING
    }

    /// Returns whether so few entries are left of a burst that its memory should be freed.
    #[inline]
    pub(crate) fn is_sparse(&self) -> bool {
        self.slots.len() > Self::RETAINED && self.slots.len() - self.vacant.len() < self.slots.len() / 8
    }

    /// Removes the last slot if it is vacant; otherwise returns its number.
    pub(crate) fn pop_vacant(&mut self) -> Result<(), SlotId> {
        let last = (self.slots.len() - 1) as SlotId; // fits: the slot was pushed under that number
        if self[last].key.is_some() {
            return Err(last);
        }
        let mut vacant = self.vacant;
        vacant.unlink(self, last);
        self.vacant = vacant;
        self.slots.pop();
        Ok(())
    }

    /// Frees unused memory if most of it is unused. In that case returns the number of slots.
    pub(crate) fn shrink(&mut self) -> Option<usize> {
        self.index.shrink();
        let len = self.slots.len();
        let much = self.slots.capacity() > 4 * len.max(Self::RETAINED / 2);
        much.then(|| {
            self.slots.shrink_to(2 * len);
            len
        })
    }

    /// Moves an entry that is in no list to a vacant slot, and returns the number of that slot.
    pub(crate) fn relocate(&mut self, from: SlotId) -> SlotId {
        let to = self.take_vacant();
        let Slot { arrival, hash, priority, phase, delayed, .. } = self[from];
        self.index.reassign(hash, from, to);
        let key = self[from].key.take();
        let slot = &mut self[to];
        *slot = Slot { key, arrival, hash, links: Links::NONE, priority, phase, delayed };
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
            return self.push_slot();
        };
        self.vacant = vacant;
        id
    }

    /// Stores a new key in a slot, and returns the number of the slot.
    #[inline]
    fn occupy(&mut self, hash: u32, key: K) -> SlotId {
        let id = self.take_vacant();
        let slot = &mut self.slots[id as usize];
        slot.key = Some(key); // in place: building a slot and moving it here takes longer
        slot.hash = hash;
        slot.priority = 0;
        id
    }

    fn push_slot(&mut self) -> SlotId {
        let id = SlotId::try_from(self.slots.len()).unwrap_or(NONE);
        assert_ne!(id, NONE, "a queue holds fewer than 2³² keys");
        self.slots.push(Slot {
            key: None,
            arrival: 0,
            hash: 0,
            links: Links::NONE,
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
        self.lookup(hash, key).ok()
    }

    /// Finds the slot of a key, or the place to insert it at.
    #[inline]
    pub(crate) fn lookup(&self, hash: u32, key: &K) -> Result<SlotId, VacantEntry> {
        self.index.find(hash, |id| self[id].key.as_ref() == Some(key))
    }

    /// Gives a new, idle entry to a key that `lookup` did not find just now.
    #[inline]
    pub(crate) fn insert(&mut self, vacancy: VacantEntry, hash: u32, key: K) -> SlotId {
        let id = self.occupy(hash, key);
        self.index.insert(vacancy, hash, id);
        id
    }
}

#[cfg(test)]
impl<K: Eq> Slots<K> {
    /// Gives an entry to a key that has none.
    pub(crate) fn insert_new(&mut self, hash: u32, key: K) -> SlotId {
        let vacancy = self.lookup(hash, &key).expect_err("the key is new");
        self.insert(vacancy, hash, key)
    }
}

impl<K> Linked for Slots<K> {
    #[inline]
    fn links(&self, id: SlotId) -> Links {
        self[id].links
    }

    #[inline]
    fn links_mut(&mut self, id: SlotId) -> &mut Links {
        &mut self[id].links
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
    fn a_slot_takes_forty_bytes() {
        assert_eq!(size_of::<Slot<std::sync::Arc<str>>>(), 40);
    }

    #[test]
    fn slots_of_equal_hash_are_told_apart_by_key() {
        let mut slots = Slots::new();
        let [a, b] = ["a", "b"].map(|key| slots.insert_new(7, key));
        assert_eq!((slots.find(7, &"a"), slots.find(7, &"b")), (Some(a), Some(b)));
        assert_eq!(slots.remove(a), Some("a"));
        assert_eq!((slots.find(7, &"a"), slots.find(7, &"b")), (None, Some(b)));
    }
}
