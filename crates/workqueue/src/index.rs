//! [`Index`]: finds the slot of a key by the key's hash.
//!
//! Three properties make it smaller and faster than a general hash table: an entry takes nine bytes and holds the hash;
//! seven entries share a cache line and are compared at once; and a removed entry is known by its slot number, so its
//! removal can be deferred and batched.

mod group;

use std::hint::black_box;

use self::group::{Entry, Group};
use crate::slot_id::SlotId;

/// The cache misses that a processor core has in flight. Entries are removed, and keys received, in batches of so many.
pub(crate) const IN_FLIGHT: usize = 24;

/// A hash table of slot numbers, in groups of seven entries.
///
/// - X1: the number of groups is a power of two, and at least a quarter of the entries is vacant.
/// - X2: every group between an entry's home group and its actual group is full.
/// - X3: a lookup rejects entries whose removal is pending, because their slot does not hold the key any
///   more.
///
/// A lookup costs one cache miss; a table with separate tags costs two. The home group comes from the upper bits of the
/// hash, so that growing reads and writes memory in order. A large table removes entries in batches, so that the
/// processor waits for their cache misses at the same time. For the same reason, users of a large table can
/// [`preload`](Self::preload) the groups that they are about to look at.
#[derive(Debug)]
pub(crate) struct Index {
    groups: Vec<Group>,
    /// A hash shifted right by this is its home group.
    shift: u32,
    /// Entries in the table, including those whose removal is pending.
    len: usize,
    /// Entries to be removed.
    pending: Vec<Entry>,
}

/// The group with a vacant entry that a lookup ended at.
#[derive(Debug)]
pub(crate) struct VacantEntry(usize);

impl Index {
    /// Groups of the smallest table: two cache lines.
    const MIN_GROUPS: usize = 2;
    /// Groups of a table that stays in the CPU's first cache: 32 KiB.
    const CACHED_GROUPS: usize = 512;
    /// Groups of a table that stays in the CPU's second cache: 512 KiB. In unit tests and models every table is larger.
    const NEAR_GROUPS: usize = if cfg!(test) { 0 } else { 8192 };

    pub(crate) fn new() -> Self {
        Self::with_groups(Self::MIN_GROUPS)
    }

    fn with_groups(count: usize) -> Self {
        Self {
            groups: vec![Group::VACANT; count],
            shift: u32::BITS - count.ilog2(),
            len: 0,
            pending: Vec::new(),
        }
    }

    /// Finds the entry of this hash for which `is` returns true, or the group to insert it in.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is: impl Fn(SlotId) -> bool) -> Result<SlotId, VacantEntry> {
        let home = self.home(hash);
        let group = &self.groups[home];
        if let Some(id) = group.find(hash, &is) {
            return Ok(id);
        }
        if group.is_full() { self.find_behind(home, hash, is) } else { Err(VacantEntry(home)) }
    }

    /// Finds an entry that is not in its home group, which is full. Apart from `find`, which is faster without a loop.
    #[inline(never)]
    fn find_behind(
        &self,
        mut at: usize,
        hash: u32,
        is: impl Fn(SlotId) -> bool,
    ) -> Result<SlotId, VacantEntry> {
        loop {
            at = self.next_group(at);
            let group = &self.groups[at];
            if let Some(id) = group.find(hash, &is) {
                return Ok(id);
            }
            if !group.is_full() {
                return Err(VacantEntry(at));
            }
        }
    }

    /// Inserts an entry into the group that `find` returned just now.
    #[inline]
    pub(crate) fn insert(&mut self, VacantEntry(at): VacantEntry, hash: u32, id: SlotId) {
        self.groups[at].push(Entry { hash, id });
        self.len += 1;
        if self.len > self.max_len() {
            self.grow(); // X1
        }
    }

    /// Returns whether the table is so large that most lookups miss the caches of the CPU core.
    #[inline]
    pub(crate) fn is_far(&self) -> bool {
        self.groups.len() > Self::NEAR_GROUPS
    }

    /// Loads the groups of these hashes. The loads do not depend on each other, unlike the lookups that follow.
    #[inline]
    pub(crate) fn preload(&self, hashes: impl Iterator<Item = u32>) {
        black_box(hashes.fold(0, |sum, hash| sum ^ self.groups[self.home(hash)].len()));
    }

    /// Removes an existing entry, possibly later. Until then its slot must not match its key (X3).
    #[inline]
    pub(crate) fn remove(&mut self, hash: u32, id: SlotId) {
        if self.groups.len() <= Self::CACHED_GROUPS {
            return self.remove_now(Entry { hash, id });
        }
        self.pending.push(Entry { hash, id });
        if self.pending.len() == IN_FLIGHT {
            self.remove_pending();
        }
    }

    #[inline(never)]
    fn remove_pending(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        self.preload(pending.iter().map(|entry| entry.hash));
        pending.drain(..).for_each(|entry| self.remove_now(entry));
        self.pending = pending;
    }

    #[inline]
    fn remove_now(&mut self, entry: Entry) {
        let (group, at) = self.locate(entry);
        if self.groups[group].is_full() {
            return self.remove_from_full(group, at);
        }
        self.groups[group].swap_remove(at);
        self.len -= 1;
    }

    /// Removes an entry from a full group. An entry that is behind the group because the group was full moves into the
    /// gap, and so on (X2).
    #[cold]
    fn remove_from_full(&mut self, mut gap: usize, mut at: usize) {
        let mut group = gap;
        while self.groups[group].is_full() {
            group = self.next_group(group);
            let passed =
                |entry: &Entry| self.distance(self.home(entry.hash), group) >= self.distance(gap, group);
            let Some((moved, entry)) =
                self.groups[group].entries().enumerate().find(|(_, entry)| passed(entry))
            else {
                continue;
            };
            self.groups[gap].set(at, entry);
            (gap, at) = (group, moved);
        }
        self.groups[gap].swap_remove(at);
        self.len -= 1;
    }

    #[cold]
    fn grow(&mut self) {
        self.remove_pending();
        if self.len > self.max_len() {
            self.rebuild(self.groups.len() * 2);
        }
    }

    /// Shrinks the table if most of it is vacant, in one pass over it.
    pub(crate) fn shrink(&mut self) {
        if self.groups.len() > Self::CACHED_GROUPS && self.len < self.groups.len() * Group::ENTRIES / 16 {
            self.remove_pending();
            self.rebuild(self.groups.len() / 4);
        }
    }

    /// Changes the slot number of an existing entry.
    pub(crate) fn reassign(&mut self, hash: u32, from: SlotId, to: SlotId) {
        let (group, at) = self.locate(Entry { hash, id: from });
        self.groups[group].set(at, Entry { hash, id: to });
    }

    fn rebuild(&mut self, count: usize) {
        let mut rebuilt = Self { len: self.len, ..Self::with_groups(count) };
        for group in &self.groups {
            for entry in group.entries() {
                let mut at = rebuilt.home(entry.hash);
                while rebuilt.groups[at].is_full() {
                    at = rebuilt.next_group(at);
                }
                rebuilt.groups[at].push(entry);
            }
        }
        *self = rebuilt;
    }

    /// Returns the group of an existing entry and its position there.
    #[inline]
    fn locate(&self, entry: Entry) -> (usize, usize) {
        let mut group = self.home(entry.hash);
        loop {
            if let Some(at) = self.groups[group].position(entry) {
                return (group, at);
            }
            group = self.next_group(group);
        }
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        (hash >> self.shift) as usize
    }

    #[inline]
    fn next_group(&self, at: usize) -> usize {
        (at + 1) & (self.groups.len() - 1)
    }

    /// Returns the number of steps from one group to the other.
    #[inline]
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.groups.len() - 1)
    }

    #[inline]
    fn max_len(&self) -> usize {
        self.groups.len() * Group::ENTRIES / 4 * 3
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == self.pending.len()
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<Group>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot_id::NONE;
    use proptest::prelude::*;

    fn insert(index: &mut Index, hash: u32, id: SlotId) {
        let vacant = index.find(hash, |other| other == id).expect_err("it is new");
        index.insert(vacant, hash, id);
    }

    proptest! {
        /// Hashes from both ends of the range, so that entries collide around the end of the table. Tested
        /// with a small table, which removes at once, and with a large one, which removes in batches.
        #[test]
        fn entries_are_found_until_they_are_removed(
            near in any::<bool>(),
            steps in prop::collection::vec((any::<bool>(), 0..6u32, 0..3u32), 0..300),
        ) {
            let mut index = Index::with_groups(if near { Index::MIN_GROUPS } else { 2 * Index::CACHED_GROUPS });
            let mut model = std::collections::BTreeSet::new();
            for (add, crowd, n) in steps {
                let (hash, id) = (crowd.wrapping_sub(3) << 20 | n, crowd * 3 + n);
                if add && !model.contains(&(hash, id)) {
                    let vacant = index.find(hash, |other| model.contains(&(hash, other))).expect_err("it is new");
                    index.insert(vacant, hash, id);
                    model.insert((hash, id));
                } else if !add && model.remove(&(hash, id)) {
                    index.remove(hash, id);
                }
                prop_assert!(index.pending.len() < IN_FLIGHT);
                prop_assert_eq!(index.len - index.pending.len(), model.len());
                prop_assert_eq!(index.is_empty(), model.is_empty());
                for &(hash, id) in &model {
                    let is = |other| {
                        assert_ne!(other, NONE, "a vacant entry was compared");
                        other == id && model.contains(&(hash, other))
                    };
                    let found = index.find(hash, is);
                    prop_assert_eq!(found.ok(), Some(id));
                }
            }
        }
    }

    #[test]
    fn a_large_table_does_not_grow_for_removed_entries() {
        let mut index = Index::with_groups(2 * Index::CACHED_GROUPS);
        for id in 0..100_000u32 {
            let hash = id.wrapping_mul(0x9E37_79B9);
            insert(&mut index, hash, id);
            index.remove(hash, id);
        }
        assert_eq!((index.groups.len(), index.is_empty()), (2 * Index::CACHED_GROUPS, true));
    }

    #[test]
    fn a_quarter_of_the_entries_is_vacant() {
        let mut index = Index::new();
        for id in 0..10_000u32 {
            insert(&mut index, id.wrapping_mul(0x9E37_79B9), id);
            let vacant: usize = index.groups.iter().map(|group| Group::ENTRIES - group.len()).sum();
            assert!(vacant * 4 >= index.groups.len() * Group::ENTRIES, "{vacant} vacant with {id}");
        }
    }
}
