//! [`Slots`]: the one entry that each key has, found by hash once and by number from then on.
//!
//! Apart from the rules because it knows nothing of them: it stores, finds, links and forgets.

use std::ops::{Index, IndexMut};

use hashbrown::{HashTable, hash_table::Entry};
use slab::Slab;

/// The number of a slot; stable for as long as its key has one.
pub(crate) type SlotId = u32;

/// "No slot", in links.
const NONE: SlotId = SlotId::MAX;

/// What a key is up to. Whether it is also delayed is apart: both can be true, as in client-go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Neither ready nor with a worker: here for its delay alone.
    Idle,
    /// Ready, in the lane of its line: in arrival order.
    Ready,
    /// Ready, in the heap of its line: its priority is not the lane's.
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

/// One key's entry. Forty bytes for a 16-byte key: what few queues need is kept in [`Column`]s.
#[derive(Debug)]
pub(crate) struct Slot<K> {
    pub(crate) key: K,
    /// When it became ready, as a count of arrivals.
    pub(crate) arrival: u64,
    /// The key's hash, kept so that forgetting needs none.
    hash: u32,
    /// Neighbours in the one [`List`] that the slot is in: its lane, or those being processed.
    previous: SlotId,
    next: SlotId,
    pub(crate) priority: i16,
    pub(crate) phase: Phase,
    pub(crate) delayed: bool,
}

/// All keys' entries.
#[derive(Debug)]
pub(crate) struct Slots<K> {
    /// Each slot beside its hash: growing, which visits the slots in no order, need not read them.
    index: HashTable<(SlotId, u32)>,
    slots: Slab<Slot<K>>,
}

/// What [`Slots::find_or_insert`] did with the key.
#[derive(Debug)]
pub(crate) enum Found<K> {
    /// It has an entry already; the key is handed back.
    Known(SlotId, K),
    /// It got a new, idle one.
    New(SlotId),
}

impl<K> Slots<K> {
    pub(crate) fn new() -> Self {
        Self { index: HashTable::new(), slots: Slab::new() }
    }

    #[inline]
    pub(crate) fn get(&self, id: SlotId) -> Option<&Slot<K>> {
        self.slots.get(id as usize)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, &Slot<K>)> {
        self.slots.iter().map(|(id, slot)| (id as SlotId, slot))
    }

    /// Forgets the entry, hashing nothing, and hands its key back.
    #[inline]
    pub(crate) fn remove(&mut self, id: SlotId) -> K {
        let slot = self.slots.remove(id as usize);
        match self.index.find_entry(spread(slot.hash), |&(other, _)| other == id) {
            Ok(entry) => drop(entry.remove()),
            Err(_) => unreachable!("every slot is in the index"),
        }
        slot.key
    }

    /// Whether nothing is left of a burst but its memory.
    pub(crate) fn is_oversized(&self) -> bool {
        const KEPT: usize = 1024; // slots: some 60 KiB, which an empty queue may keep
        self.slots.is_empty() && self.slots.capacity() > KEPT
    }
}

#[cfg(test)]
impl<K> Slots<K> {
    pub(crate) fn memory(&self) -> usize {
        self.index.allocation_size() + self.slots.capacity() * size_of::<Slot<K>>()
    }
}

#[cfg(test)]
impl<T> Column<T> {
    pub(crate) fn memory(&self) -> usize {
        self.values.capacity() * size_of::<T>()
    }
}

impl<K: Eq> Slots<K> {
    pub(crate) fn find(&self, hash: u32, key: &K) -> Option<SlotId> {
        let same = |&(id, its_hash): &(SlotId, u32)| its_hash == hash && self[id].key == *key;
        self.index.find(spread(hash), same).map(|&(id, _)| id)
    }

    #[inline]
    pub(crate) fn find_or_insert(&mut self, hash: u32, key: K) -> Found<K> {
        let Self { index, slots } = self;
        let same = |&(id, its_hash): &(SlotId, u32)| its_hash == hash && slots[id as usize].key == key;
        match index.entry(spread(hash), same, |&(_, hash)| spread(hash)) {
            Entry::Occupied(entry) => Found::Known(entry.get().0, key),
            Entry::Vacant(entry) => {
                let slot = Slot {
                    key,
                    arrival: 0,
                    hash,
                    previous: NONE,
                    next: NONE,
                    priority: 0,
                    phase: Phase::Idle,
                    delayed: false,
                };
                let vacant = slots.vacant_entry();
                let id = SlotId::try_from(vacant.key()).expect("a queue holds fewer than 2³² keys");
                vacant.insert(slot);
                entry.insert((id, hash));
                Found::New(id)
            }
        }
    }
}

/// The table reads a hash at both ends; the same 32 bits serve as both.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl<K> Index<SlotId> for Slots<K> {
    type Output = Slot<K>;

    #[inline]
    fn index(&self, id: SlotId) -> &Slot<K> {
        &self.slots[id as usize]
    }
}

impl<K> IndexMut<SlotId> for Slots<K> {
    #[inline]
    fn index_mut(&mut self, id: SlotId) -> &mut Slot<K> {
        &mut self.slots[id as usize]
    }
}

/// A list threaded through the slots: no memory of its own, and any entry leaves it at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    first: SlotId,
    last: SlotId,
    len: usize,
}

impl List {
    pub(crate) const EMPTY: Self = Self { first: NONE, last: NONE, len: 0 };

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn first(&self) -> Option<SlotId> {
        (self.first != NONE).then_some(self.first)
    }

    #[inline]
    pub(crate) fn push<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        let slot = &mut slots[id];
        (slot.previous, slot.next) = (self.last, NONE);
        match self.last {
            NONE => self.first = id,
            last => slots[last].next = id,
        }
        self.last = id;
        self.len += 1;
    }

    #[inline]
    pub(crate) fn unlink<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        let Slot { previous, next, .. } = slots[id];
        match previous {
            NONE => self.first = next,
            previous => slots[previous].next = next,
        }
        match next {
            NONE => self.last = previous,
            next => slots[next].previous = previous,
        }
        self.len -= 1;
    }

    pub(crate) fn iter<K>(&self, slots: &Slots<K>) -> impl Iterator<Item = SlotId> {
        std::iter::successors(self.first(), |&id| Some(slots[id].next).filter(|&next| next != NONE))
    }
}

/// A value beside each slot that most queues never set: takes no memory until one is.
#[derive(Debug)]
pub(crate) struct Column<T> {
    values: Vec<T>,
}

impl<T: Copy + Default> Column<T> {
    pub(crate) const EMPTY: Self = Self { values: Vec::new() };

    /// The slot's value, or the default if nobody set one. The slot's earlier key may have.
    #[inline]
    pub(crate) fn get(&self, id: SlotId) -> T {
        self.values.get(id as usize).copied().unwrap_or_default()
    }

    #[inline]
    pub(crate) fn set(&mut self, id: SlotId, value: T) {
        let at = id as usize;
        if at >= self.values.len() {
            self.values.resize(at + 1, T::default());
        }
        self.values[at] = value;
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
        let Found::New(a) = slots.find_or_insert(7, "a") else { panic!("a is new") };
        let Found::New(b) = slots.find_or_insert(7, "b") else { panic!("b is new") };
        assert_eq!((slots.find(7, &"a"), slots.find(7, &"b")), (Some(a), Some(b)));
        assert_eq!(slots.remove(a), "a");
        assert_eq!((slots.find(7, &"a"), slots.find(7, &"b")), (None, Some(b)));
    }

    #[test]
    fn a_list_gives_up_its_first_middle_and_last() {
        let mut slots = Slots::new();
        let mut list = List::EMPTY;
        let ids: Vec<_> = (0..5)
            .map(|n| match slots.find_or_insert(n, n) {
                Found::New(id) => id,
                Found::Known(..) => unreachable!(),
            })
            .collect();
        ids.iter().for_each(|&id| list.push(&mut slots, id));
        for (gone, left) in
            [(2, vec![0, 1, 3, 4]), (0, vec![1, 3, 4]), (4, vec![1, 3]), (1, vec![3]), (3, vec![])]
        {
            list.unlink(&mut slots, ids[gone]);
            let keys: Vec<_> = list.iter(&slots).map(|id| slots[id].key as usize).collect();
            assert_eq!((keys, list.len()), (left.clone(), left.len()));
        }
    }
}
