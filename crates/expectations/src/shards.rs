//! A map with one lock for each of its shards, so that threads with different keys rarely meet, and threads that only
//! read a record never wait for each other.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
};

use hashbrown::{
    DefaultHashBuilder, HashTable,
    hash_table::{Entry, OccupiedEntry},
};

use crate::sync::{RwLock, RwLockWriteGuard};

/// The number of shards: 64, or a single one in a loom model, whose schedules would be too many otherwise.
const SHARDS: usize = if cfg!(all(test, trimtab_loom)) { 1 } else { 64 };

/// Records by key. No method holds two locks at once.
pub(crate) struct Shards<K, T> {
    hasher: DefaultHashBuilder,
    shards: Box<[Shard<K, T>]>,
}

/// Each on cache lines of its own: a lock must not slow down its neighbour.
#[repr(align(128))]
struct Shard<K, T>(RwLock<Table<K, T>>);

/// Records are boxed, so that the table is small: most lookups then find it in the processor's cache.
type Table<K, T> = HashTable<Box<(K, T)>>;

impl<K: Hash + Eq + Clone, T> Shards<K, T> {
    pub(crate) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Shard(RwLock::new(HashTable::new()))).collect();
        Self { hasher: DefaultHashBuilder::default(), shards }
    }

    /// Locks the shard of `key`.
    pub(crate) fn lock<'a>(&'a self, key: &'a K) -> Locked<'a, K, T> {
        let hash = self.hasher.hash_one(key);
        Locked { hasher: &self.hasher, table: self.shard(hash).0.write(), hash, key }
    }

    /// Calls `read` with the record of `key`, if there is one, beside other readers of the shard.
    pub(crate) fn read<U>(&self, key: &K, read: impl FnOnce(&T) -> U) -> Option<U> {
        let hash = self.hasher.hash_one(key);
        let table = self.shard(hash).0.read();
        table.find(hash, |entry| entry.0 == *key).map(|entry| read(&entry.1))
    }

    fn shard(&self, hash: u64) -> &Shard<K, T> {
        // The table uses the low and the highest bits.
        &self.shards[usize::try_from(hash >> 32).unwrap_or_default() % self.shards.len()]
    }
}

/// The record of one key, for as long as the lock of its shard is held.
pub(crate) struct Locked<'a, K, T> {
    hasher: &'a DefaultHashBuilder,
    table: RwLockWriteGuard<'a, Table<K, T>>,
    hash: u64,
    key: &'a K,
}

impl<K: Hash + Eq + Clone, T> Locked<'_, K, T> {
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.table.find_mut(self.hash, |entry| entry.0 == *self.key).map(|entry| &mut entry.1)
    }

    /// Returns the record, and whether it is new: `new` creates a missing one.
    pub(crate) fn get_or_insert_with(&mut self, new: impl FnOnce() -> T) -> (&mut T, bool) {
        let (own, hasher) = (self.key, self.hasher);
        let entry = self.table.entry(self.hash, |entry| entry.0 == *own, |entry| hasher.hash_one(&entry.0));
        match entry {
            Entry::Occupied(entry) => (&mut entry.into_mut().1, false),
            Entry::Vacant(entry) => (&mut entry.insert(Box::new((own.clone(), new()))).into_mut().1, true),
        }
    }

    pub(crate) fn remove(&mut self) -> Option<T> {
        let entry = self.table.find_entry(self.hash, |entry| entry.0 == *self.key).ok();
        entry.map(OccupiedEntry::remove).map(|(entry, _)| entry.1)
    }
}

impl<K: fmt::Debug, T: fmt::Debug> fmt::Debug for Shards<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for shard in &self.shards {
            map.entries(shard.0.read().iter().map(|entry| (&entry.0, &entry.1)));
        }
        map.finish()
    }
}
