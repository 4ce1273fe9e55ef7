//! [`Shards`]: a hash table in parts, which copies share. A change copies the part that its hash falls into.

use std::sync::Arc;

use hashbrown::HashTable;

/// A hash table in parts. Cloning costs one reference count for each part.
pub(crate) struct Shards<E> {
    shards: Box<[Arc<HashTable<E>>]>,
}

impl<E: Clone> Shards<E> {
    /// Creates a table with `parts` parts, a power of two.
    pub(crate) fn new(parts: usize) -> Self {
        debug_assert!(parts.is_power_of_two());
        let empty = Arc::new(HashTable::new()); // shared by all parts until one has an entry
        Self { shards: (0..parts).map(|_| empty.clone()).collect() }
    }

    pub(crate) fn find(&self, hash: u64, is: impl FnMut(&E) -> bool) -> Option<&E> {
        self.shards[self.shard(hash)].find(hash, is)
    }

    /// Returns the part for a hash, to be changed.
    pub(crate) fn part(&mut self, hash: u64) -> &mut HashTable<E> {
        let shard = self.shard(hash);
        Arc::make_mut(&mut self.shards[shard])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &E> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    /// By bits in the middle, because hashbrown uses the bits at both ends.
    fn shard(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.shards.len() - 1)
    }
}

impl<E> Clone for Shards<E> {
    fn clone(&self) -> Self {
        Self { shards: self.shards.clone() }
    }
}
