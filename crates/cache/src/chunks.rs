//! [`Chunks`]: a slab of values by slot. Copies share the values until either side changes one.

use crate::places::Places;

/// A slab of values. Cloning it costs one reference count for each part.
pub(crate) struct Chunks<E> {
    places: Places<Option<E>>,
    /// Free slots below the highest one.
    free: Vec<u32>,
    len: usize,
}

impl<E: Clone> Chunks<E> {
    pub(crate) fn new() -> Self {
        Self { places: Places::new(), free: Vec::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, place: u32) -> Option<&E> {
        self.places.get(place)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut E> {
        self.get(place)?;
        self.places.get_mut(place).as_mut()
    }

    /// Inserts a value into a free slot, and returns the slot.
    ///
    /// # Panics
    ///
    /// With 2^32 values.
    pub(crate) fn insert(&mut self, value: E) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            // No slot is free, so the slots in use are the first ones.
            u32::try_from(self.len).expect("a store holds fewer than 2^32 objects")
        });
        *self.places.get_mut(place) = Some(value);
        self.len += 1;
        place
    }

    pub(crate) fn remove(&mut self, place: u32) -> Option<E> {
        self.get(place)?;
        let value = self.places.get_mut(place).take()?;
        self.len -= 1;
        self.free.push(place);
        if self.len == 0 {
            *self = Self::new(); // otherwise a store that was once big would keep its memory
        }
        Some(value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &E)> {
        self.places.iter().filter_map(|(place, value)| Some((place, value.as_ref()?)))
    }
}

impl<E> Clone for Chunks<E> {
    fn clone(&self) -> Self {
        Self { places: self.places.clone(), free: self.free.clone(), len: self.len }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn filled() -> Chunks<u32> {
        let mut chunks = Chunks::new();
        for value in 0..1_000 {
            assert_eq!(chunks.insert(value), value, "places are given in order");
        }
        chunks
    }

    fn held(chunks: &Chunks<u32>) -> Vec<u32> {
        chunks.iter().map(|(_, value)| *value).collect()
    }

    #[test]
    fn a_copy_stays_as_it_was_while_the_other_changes() {
        let mut chunks = filled();
        let copy = chunks.clone();
        for place in (0..1_000).step_by(2) {
            assert_eq!(chunks.remove(place), Some(place));
        }
        *chunks.get_mut(1).expect("it is there") = 7;
        let reused = chunks.insert(5_000);
        assert_eq!((chunks.len(), chunks.get(reused), copy.len()), (501, Some(&5_000), 1_000));
        assert_eq!(held(&copy), (0..1_000).collect::<Vec<_>>());
        assert_eq!(chunks.get(1), Some(&7));
    }

    #[test]
    fn what_was_emptied_takes_no_memory_and_is_used_again() {
        let mut chunks = filled();
        assert!((0..1_000).all(|place| chunks.remove(place).is_some()));
        assert_eq!(chunks.places.iter().count(), 0);
        assert!(chunks.remove(3).is_none() && chunks.get(3).is_none());
        let places: BTreeSet<u32> = (0..1_000).map(|value| chunks.insert(value)).collect();
        assert_eq!(places.len(), 1_000);
        assert_eq!(chunks.len(), 1_000);
    }
}
