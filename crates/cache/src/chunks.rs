//! [`Chunks`]: values at numbered places, which a copy shares until either side changes one. What a
//! change then copies is the one chunk that it is in.

use std::sync::Arc;

/// Places in a chunk: few enough to be copied in some microseconds, and enough that the list of
/// the chunks of a million objects is short.
const CHUNK: usize = 256;

/// A slab of values. Cloning it costs one reference count for each chunk.
pub(crate) struct Chunks<E> {
    chunks: Vec<Arc<Chunk<E>>>,
    /// Places that were emptied.
    free: Vec<u32>,
    len: usize,
}

#[derive(Clone)]
struct Chunk<E> {
    places: Vec<Option<E>>,
    live: usize,
}

impl<E: Clone> Chunks<E> {
    pub(crate) fn new() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, place: u32) -> Option<&E> {
        let (chunk, at) = split(place);
        self.chunks.get(chunk)?.places.get(at)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut E> {
        let (chunk, at) = split(place);
        Arc::make_mut(self.chunks.get_mut(chunk)?).places.get_mut(at)?.as_mut()
    }

    /// Puts a value where there is none, and tells where.
    ///
    /// # Panics
    ///
    /// With 2^32 values.
    pub(crate) fn insert(&mut self, value: E) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            // Nothing is free, so the places in use are the first ones.
            u32::try_from(self.len).expect("a store holds fewer than 2^32 objects")
        });
        let (chunk, at) = split(place);
        if chunk == self.chunks.len() {
            self.chunks.push(Arc::new(Chunk { places: Vec::new(), live: 0 }));
        }
        let chunk = Arc::make_mut(&mut self.chunks[chunk]);
        if at >= chunk.places.len() {
            chunk.places.resize(at + 1, None);
        }
        chunk.places[at] = Some(value);
        chunk.live += 1;
        self.len += 1;
        place
    }

    pub(crate) fn remove(&mut self, place: u32) -> Option<E> {
        let (chunk, at) = split(place);
        let chunk = Arc::make_mut(self.chunks.get_mut(chunk)?);
        let value = chunk.places.get_mut(at)?.take()?;
        chunk.live -= 1;
        if chunk.live == 0 {
            chunk.places = Vec::new(); // or a store that was once big would stay so
        }
        self.free.push(place);
        self.len -= 1;
        Some(value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &E)> {
        let starts = (0u32..).step_by(CHUNK);
        self.chunks.iter().zip(starts).flat_map(|(chunk, start)| {
            let places = chunk.places.iter().zip(start..);
            places.filter_map(|(value, place)| Some((place, value.as_ref()?)))
        })
    }
}

impl<E> Clone for Chunks<E> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks.clone(), free: self.free.clone(), len: self.len }
    }
}

fn split(place: u32) -> (usize, usize) {
    (place as usize / CHUNK, place as usize % CHUNK)
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
    fn a_change_copies_no_more_than_its_chunk() {
        let mut chunks = filled();
        let copy = chunks.clone();
        *chunks.get_mut(300).expect("it is there") = 0;
        let shared = chunks.chunks.iter().zip(&copy.chunks).filter(|(one, other)| Arc::ptr_eq(one, other));
        assert_eq!(shared.count(), 3);
    }

    #[test]
    fn what_was_emptied_takes_no_memory_and_is_used_again() {
        let mut chunks = filled();
        assert!((0..1_000).all(|place| chunks.remove(place).is_some()));
        assert!(chunks.chunks.iter().all(|chunk| chunk.places.capacity() == 0));
        assert!(chunks.remove(3).is_none() && chunks.get(3).is_none());
        let places: BTreeSet<u32> = (0..1_000).map(|value| chunks.insert(value)).collect();
        assert_eq!(places.len(), 1_000);
        assert_eq!((chunks.len(), chunks.chunks.len()), (1_000, 4));
    }
}
