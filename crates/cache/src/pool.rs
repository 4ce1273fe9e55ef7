//! [`Pool`]: values that are in memory once, however many objects have them.

use std::{
    hash::{BuildHasher, Hash},
    sync::{Arc, LazyLock},
};

use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};
use parking_lot::Mutex;

static HASHER: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

/// Returns the hash by which a pool finds a value.
pub(crate) fn hash_of<V: Hash + ?Sized>(value: &V) -> u64 {
    HASHER.hash_one(value)
}

/// A table of shared values. Values without a copy left are freed when the table would grow.
pub(crate) struct Pool<T: ?Sized> {
    /// The table, in parts, so that informers of many kinds seldom wait for each other.
    parts: [Mutex<Part<T>>; 16],
    hash: fn(&T) -> u64,
}

struct Part<T: ?Sized> {
    values: HashTable<Arc<T>>,
    /// The number of values at which unused values are looked for.
    room: usize,
}

impl<T: ?Sized> Pool<T> {
    /// Creates an empty pool of values with these hashes.
    pub(crate) const fn new(hash: fn(&T) -> u64) -> Self {
        Self { parts: [const { Mutex::new(Part { values: HashTable::new(), room: 0 }) }; 16], hash }
    }

    /// Returns the value that has this hash and `is_it`; if there is none, that of `make`.
    pub(crate) fn get(&self, hash: u64, is_it: impl Fn(&T) -> bool, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        // By bits in the middle, because the table uses the bits at both ends.
        let part = &self.parts[(hash >> 32) as usize % self.parts.len()];
        part.lock().get(hash, is_it, make, self.hash)
    }
}

impl<T: ?Sized> Part<T> {
    const LEAST_ROOM: usize = 64;

    fn get(
        &mut self,
        hash: u64,
        is_it: impl Fn(&T) -> bool,
        make: impl FnOnce() -> Arc<T>,
        hash_of: fn(&T) -> u64,
    ) -> Arc<T> {
        if self.values.len() >= self.room {
            // No new copy can appear meanwhile: copies are handed out under this lock.
            self.values.retain(|value| Arc::strong_count(value) > 1);
            // Twice the number in use, so that the cost of looking is a constant part of the cost of adding.
            self.room = Self::LEAST_ROOM.max(self.values.len() * 2);
            self.values.shrink_to(self.room, |value| hash_of(value));
        }
        match self.values.entry(hash, |other| is_it(other), |value| hash_of(value)) {
            Entry::Occupied(held) => held.get().clone(),
            Entry::Vacant(place) => place.insert(make()).get().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_nobody_has_any_more_are_forgotten() {
        let mut part = Part { values: HashTable::new(), room: 0 };
        let get = |part: &mut Part<str>, text: &str| {
            part.get(hash_of(text), |other| *other == *text, || text.into(), hash_of)
        };
        let kept = get(&mut part, "kept");
        for number in 0..100_000 {
            get(&mut part, &number.to_string());
            assert!(part.values.len() <= Part::<str>::LEAST_ROOM);
        }
        assert!(Arc::ptr_eq(&get(&mut part, "kept"), &kept));
        assert!(part.values.capacity() < 4 * Part::<str>::LEAST_ROOM);
    }
}
