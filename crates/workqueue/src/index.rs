//! [`Index`]: where each key's slot is, by the key's hash.
//!
//! Apart from a general hash table because two things are known here that make it smaller and faster: an entry
//! is eight bytes with its hash in it, and who forgets an entry knows which it is and need not wait until it is gone.

use std::hint::black_box;

use crate::slots::{NONE, SlotId};

/// A table of slots by hash: open addressing with linear probing.
///
/// - X1: the number of places is a power of two, and at least a quarter of them is vacant.
/// - X2: between an entry's home and its place, none is vacant.
/// - X3: who looks for a key refuses the entries that are forgotten and not gone.
///
/// So a key that is searched costs one miss of the cache where a table with tags beside its entries costs
/// two. Homes follow the hash's upper bits: growing reads and writes memory in its order, not at random. And a
/// few forgotten entries of a large table go together, so that the processor waits for all their misses at once.
#[derive(Debug)]
pub(crate) struct Index {
    places: Vec<Place>,
    /// What a hash is shifted by to become its home.
    shift: u32,
    /// Entries in the table, the forgotten ones among them.
    len: usize,
    /// Entries that are to go.
    forgotten: Vec<Place>,
}

/// An entry, or a vacancy: then `id` is [`NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    hash: u32,
    id: SlotId,
}

/// Where an entry that was not found can be put.
#[derive(Debug)]
pub(crate) struct Vacancy(usize);

impl Place {
    const VACANT: Self = Self { hash: 0, id: NONE };
}

impl Index {
    /// The places of the smallest table: two lines of the cache.
    const LEAST: usize = 16;
    /// The places of a table that stays in the cache: 32 KiB.
    const NEAR: usize = 4096;
    /// How many forgotten entries go together: as many misses as a processor core waits for at a time.
    const TOGETHER: usize = 12;

    pub(crate) fn new() -> Self {
        Self::with_places(Self::LEAST)
    }

    fn with_places(count: usize) -> Self {
        Self {
            places: vec![Place::VACANT; count],
            shift: u32::BITS - count.ilog2(),
            len: 0,
            forgotten: Vec::new(),
        }
    }

    /// The entry of this hash that `is` the one, or where to put it.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is: impl Fn(SlotId) -> bool) -> Result<SlotId, Vacancy> {
        let mut at = self.home(hash);
        loop {
            let place = self.places[at];
            if place.id == NONE {
                return Err(Vacancy(at));
            }
            if place.hash == hash && is(place.id) {
                return Ok(place.id);
            }
            at = self.after(at);
        }
    }

    /// Puts an entry where it was not found just now.
    #[inline]
    pub(crate) fn insert(&mut self, Vacancy(at): Vacancy, hash: u32, id: SlotId) {
        self.places[at] = Place { hash, id };
        self.len += 1;
        if self.len > self.places.len() / 4 * 3 {
            self.make_room(); // X1
        }
    }

    /// Forgets an entry that is there. Until it is gone, its key must not be recognised by its slot (X3).
    #[inline]
    pub(crate) fn forget(&mut self, hash: u32, id: SlotId) {
        if self.places.len() <= Self::NEAR {
            return self.remove(Place { hash, id });
        }
        self.forgotten.push(Place { hash, id });
        if self.forgotten.len() == Self::TOGETHER {
            self.remove_forgotten();
        }
    }

    #[inline(never)]
    fn remove_forgotten(&mut self) {
        let mut forgotten = std::mem::take(&mut self.forgotten);
        // Loads that do not wait for each other, as the removals do.
        black_box(forgotten.iter().fold(0, |sum, place| sum ^ self.places[self.home(place.hash)].id));
        forgotten.drain(..).for_each(|place| self.remove(place));
        self.forgotten = forgotten;
    }

    #[inline]
    fn remove(&mut self, entry: Place) {
        let mut gap = self.home(entry.hash);
        while self.places[gap] != entry {
            gap = self.after(gap);
        }
        // X2: what comes after the gap moves into it, unless it is at home or its home is after the gap.
        let mut at = self.after(gap);
        while self.places[at].id != NONE {
            if self.distance(self.home(self.places[at].hash), at) >= self.distance(gap, at) {
                self.places[gap] = self.places[at];
                gap = at;
            }
            at = self.after(at);
        }
        self.places[gap] = Place::VACANT;
        self.len -= 1;
    }

    #[cold]
    fn make_room(&mut self) {
        self.remove_forgotten();
        if self.len > self.places.len() / 4 * 3 {
            self.rebuild(self.places.len() * 2);
        }
    }

    /// Makes the table smaller if most of it is vacant: in one pass over it, as growing is.
    pub(crate) fn shrink(&mut self) {
        if self.places.len() > Self::NEAR && self.len < self.places.len() / 16 {
            self.remove_forgotten();
            self.rebuild(self.places.len() / 4);
        }
    }

    /// Gives an entry that is there another slot.
    pub(crate) fn rename(&mut self, hash: u32, from: SlotId, to: SlotId) {
        let mut at = self.home(hash);
        while self.places[at] != (Place { hash, id: from }) {
            at = self.after(at);
        }
        self.places[at].id = to;
    }

    fn rebuild(&mut self, count: usize) {
        let mut rebuilt = Self::with_places(count);
        for &Place { hash, id } in self.places.iter().filter(|place| place.id != NONE) {
            if let Err(vacancy) = rebuilt.find(hash, |_| false) {
                rebuilt.insert(vacancy, hash, id);
            }
        }
        *self = rebuilt;
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        (hash >> self.shift) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.places.len() - 1)
    }

    /// How many steps lead from one place to the other.
    #[inline]
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.places.len() - 1)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == self.forgotten.len()
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.places.capacity() * size_of::<Place>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn insert(index: &mut Index, hash: u32, id: SlotId) {
        let vacancy = index.find(hash, |other| other == id).expect_err("it is new");
        index.insert(vacancy, hash, id);
    }

    proptest! {
        /// Hashes from both ends, so that entries crowd together and around the end of the table; in a near
        /// table, which forgets at once, and in one that forgets a few together.
        #[test]
        fn what_was_put_in_and_not_forgotten_is_found(
            near in any::<bool>(),
            steps in prop::collection::vec((any::<bool>(), 0..6u32, 0..3u32), 0..300),
        ) {
            let mut index = Index::with_places(if near { Index::LEAST } else { 2 * Index::NEAR });
            let mut model = std::collections::BTreeSet::new();
            for (add, crowd, n) in steps {
                let (hash, id) = (crowd.wrapping_sub(3) << 20 | n, crowd * 3 + n);
                if add && !model.contains(&(hash, id)) {
                    let vacancy = index.find(hash, |other| model.contains(&(hash, other))).expect_err("it is new");
                    index.insert(vacancy, hash, id);
                    model.insert((hash, id));
                } else if !add && model.remove(&(hash, id)) {
                    index.forget(hash, id);
                }
                prop_assert!(index.forgotten.len() < Index::TOGETHER);
                prop_assert_eq!(index.len - index.forgotten.len(), model.len());
                prop_assert_eq!(index.is_empty(), model.is_empty());
                for &(hash, id) in &model {
                    let found = index.find(hash, |other| other == id && model.contains(&(hash, other)));
                    prop_assert_eq!(found.ok(), Some(id));
                }
            }
        }
    }

    #[test]
    fn a_large_table_does_not_grow_for_what_it_has_forgotten() {
        let mut index = Index::with_places(2 * Index::NEAR);
        for id in 0..100_000u32 {
            let hash = id.wrapping_mul(0x9E37_79B9);
            insert(&mut index, hash, id);
            index.forget(hash, id);
        }
        assert_eq!((index.places.len(), index.is_empty()), (2 * Index::NEAR, true));
    }

    #[test]
    fn a_quarter_of_the_places_is_vacant() {
        let mut index = Index::new();
        for id in 0..10_000u32 {
            insert(&mut index, id.wrapping_mul(0x9E37_79B9), id);
            let vacant = index.places.iter().filter(|place| place.id == NONE).count();
            assert!(vacant * 4 >= index.places.len(), "{vacant} vacant with {id}");
        }
    }
}
