//! [`Index`]: finds the slot of a key by the key's hash.
//!
//! Two properties make it smaller and faster than a general hash table: a bucket takes eight bytes and holds
//! the hash, and a removed entry is known by its slot number, so its removal can be deferred and batched.

use std::hint::black_box;

use crate::slot_id::{NONE, SlotId};

/// A hash table of slot numbers: open addressing with linear probing.
///
/// - X1: the number of buckets is a power of two, and at least a quarter of them is vacant.
/// - X2: there is no vacant bucket between an entry's home bucket and its actual bucket.
/// - X3: a lookup rejects entries whose removal is pending, because their slot does not hold the key any
///   more.
///
/// A lookup costs one cache miss; a table with separate tags costs two. The home bucket comes from the upper
/// bits of the hash, so that growing reads and writes memory in order. A large table removes entries in
/// batches, so that the processor waits for their cache misses at the same time.
#[derive(Debug)]
pub(crate) struct Index {
    buckets: Vec<Bucket>,
    /// A hash shifted right by this is its home bucket.
    shift: u32,
    /// Entries in the table, including those whose removal is pending.
    len: usize,
    /// Entries to be removed.
    pending: Vec<Bucket>,
}

/// An entry, or a vacant bucket, whose `id` is [`NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bucket {
    hash: u32,
    id: SlotId,
}

/// The vacant bucket that a lookup ended at.
#[derive(Debug)]
pub(crate) struct VacantBucket(usize);

impl Bucket {
    const VACANT: Self = Self { hash: 0, id: NONE };
}

impl Index {
    /// Buckets of the smallest table: two cache lines.
    const MIN_BUCKETS: usize = 16;
    /// Buckets of a table that stays in the CPU cache: 32 KiB.
    const CACHED_BUCKETS: usize = 4096;
    /// Entries that are removed together: as many cache misses as a processor core has in flight.
    const REMOVAL_BATCH: usize = 12;

    pub(crate) fn new() -> Self {
        Self::with_places(Self::MIN_BUCKETS)
    }

    fn with_places(count: usize) -> Self {
        Self {
            buckets: vec![Bucket::VACANT; count],
            shift: u32::BITS - count.ilog2(),
            len: 0,
            pending: Vec::new(),
        }
    }

    /// Finds the entry of this hash for which `is` returns true, or the bucket to insert it in.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is: impl Fn(SlotId) -> bool) -> Result<SlotId, VacantBucket> {
        let mut at = self.home(hash);
        loop {
            let bucket = self.buckets[at];
            if bucket.id == NONE {
                return Err(VacantBucket(at));
            }
            if bucket.hash == hash && is(bucket.id) {
                return Ok(bucket.id);
            }
            at = self.next_bucket(at);
        }
    }

    /// Inserts an entry into the bucket that `find` returned just now.
    #[inline]
    pub(crate) fn insert(&mut self, VacantBucket(at): VacantBucket, hash: u32, id: SlotId) {
        self.buckets[at] = Bucket { hash, id };
        self.len += 1;
        if self.len > self.buckets.len() / 4 * 3 {
            self.grow(); // X1
        }
    }

    /// Removes an existing entry, possibly later. Until then its slot must not match its key (X3).
    #[inline]
    pub(crate) fn remove(&mut self, hash: u32, id: SlotId) {
        if self.buckets.len() <= Self::CACHED_BUCKETS {
            return self.remove_now(Bucket { hash, id });
        }
        self.pending.push(Bucket { hash, id });
        if self.pending.len() == Self::REMOVAL_BATCH {
            self.remove_pending();
        }
    }

    #[inline(never)]
    fn remove_pending(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        // These loads do not depend on each other, unlike the removals.
        black_box(pending.iter().fold(0, |sum, bucket| sum ^ self.buckets[self.home(bucket.hash)].id));
        pending.drain(..).for_each(|bucket| self.remove_now(bucket));
        self.pending = pending;
    }

    #[inline]
    fn remove_now(&mut self, entry: Bucket) {
        let mut gap = self.home(entry.hash);
        while self.buckets[gap] != entry {
            gap = self.next_bucket(gap);
        }
        // X2: each following entry moves into the gap, unless its home bucket comes after the gap.
        let mut at = self.next_bucket(gap);
        while self.buckets[at].id != NONE {
            if self.distance(self.home(self.buckets[at].hash), at) >= self.distance(gap, at) {
                self.buckets[gap] = self.buckets[at];
                gap = at;
            }
            at = self.next_bucket(at);
        }
        self.buckets[gap] = Bucket::VACANT;
        self.len -= 1;
    }

    #[cold]
    fn grow(&mut self) {
        self.remove_pending();
        if self.len > self.buckets.len() / 4 * 3 {
            self.rebuild(self.buckets.len() * 2);
        }
    }

    /// Shrinks the table if most of it is vacant, in one pass over it.
    pub(crate) fn shrink(&mut self) {
        if self.buckets.len() > Self::CACHED_BUCKETS && self.len < self.buckets.len() / 16 {
            self.remove_pending();
            self.rebuild(self.buckets.len() / 4);
        }
    }

    /// Changes the slot number of an existing entry.
    pub(crate) fn reassign(&mut self, hash: u32, from: SlotId, to: SlotId) {
        let mut at = self.home(hash);
        while self.buckets[at] != (Bucket { hash, id: from }) {
            at = self.next_bucket(at);
        }
        self.buckets[at].id = to;
    }

    fn rebuild(&mut self, count: usize) {
        let mut rebuilt = Self::with_places(count);
        for &Bucket { hash, id } in self.buckets.iter().filter(|bucket| bucket.id != NONE) {
            if let Err(vacant) = rebuilt.find(hash, |_| false) {
                rebuilt.insert(vacant, hash, id);
            }
        }
        *self = rebuilt;
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        (hash >> self.shift) as usize
    }

    #[inline]
    fn next_bucket(&self, at: usize) -> usize {
        (at + 1) & (self.buckets.len() - 1)
    }

    /// Returns the number of steps from one bucket to the other.
    #[inline]
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.buckets.len() - 1)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == self.pending.len()
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let mut index = Index::with_places(if near { Index::MIN_BUCKETS } else { 2 * Index::CACHED_BUCKETS });
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
                prop_assert!(index.pending.len() < Index::REMOVAL_BATCH);
                prop_assert_eq!(index.len - index.pending.len(), model.len());
                prop_assert_eq!(index.is_empty(), model.is_empty());
                for &(hash, id) in &model {
                    let found = index.find(hash, |other| other == id && model.contains(&(hash, other)));
                    prop_assert_eq!(found.ok(), Some(id));
                }
            }
        }
    }

    #[test]
    fn a_large_table_does_not_grow_for_removed_entries() {
        let mut index = Index::with_places(2 * Index::CACHED_BUCKETS);
        for id in 0..100_000u32 {
            let hash = id.wrapping_mul(0x9E37_79B9);
            insert(&mut index, hash, id);
            index.remove(hash, id);
        }
        assert_eq!((index.buckets.len(), index.is_empty()), (2 * Index::CACHED_BUCKETS, true));
    }

    #[test]
    fn a_quarter_of_the_buckets_is_vacant() {
        let mut index = Index::new();
        for id in 0..10_000u32 {
            insert(&mut index, id.wrapping_mul(0x9E37_79B9), id);
            let vacant = index.buckets.iter().filter(|bucket| bucket.id == NONE).count();
            assert!(vacant * 4 >= index.buckets.len(), "{vacant} vacant with {id}");
        }
    }
}
