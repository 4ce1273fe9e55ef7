//! [`Places`]: a growing array whose copies share its parts. A change copies the part that it is in.

use std::sync::Arc;

/// The number of values in a part: few enough to be copied in some microseconds, and enough that a million objects have
/// a short list of parts.
const PART: usize = 256;

/// Values by number; a value that was never set is the default. Cloning costs one reference count for each part.
pub(crate) struct Places<E> {
    /// Arrays instead of vectors, so that a value is one pointer away and not two.
    parts: Vec<Arc<[E; PART]>>,
}

impl<E: Clone + Default> Places<E> {
    pub(crate) fn new() -> Self {
        Self { parts: Vec::new() }
    }

    /// Returns the value, or `None` if neither it nor a value of the same part was ever set.
    pub(crate) fn get(&self, number: u32) -> Option<&E> {
        Some(&self.parts.get(number as usize / PART)?[number as usize % PART])
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> &mut E {
        let part = number as usize / PART;
        if part >= self.parts.len() {
            self.parts.resize_with(part + 1, Self::empty_part);
        }
        &mut Arc::make_mut(&mut self.parts[part])[number as usize % PART]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &E)> {
        (0u32..).zip(self.parts.iter().flat_map(|part| part.iter()))
    }

    fn empty_part() -> Arc<[E; PART]> {
        Arc::new(std::array::from_fn(|_| E::default()))
    }
}

impl<E> Clone for Places<E> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_stays_as_it_was_and_a_change_copies_no_more_than_its_part() {
        let mut places = Places::new();
        (0..1_000).for_each(|number| *places.get_mut(number) = number);
        let copy = places.clone();
        *places.get_mut(300) = 7;
        *places.get_mut(5_000) = 8;
        assert_eq!((places.get(300), copy.get(300)), (Some(&7), Some(&300)));
        assert_eq!((places.get(5_000), places.get(4_999), copy.get(5_000)), (Some(&8), Some(&0), None));
        assert!(copy.iter().take(1_000).all(|(number, held)| number == *held));
        let shared = places.parts.iter().zip(&copy.parts).filter(|(one, other)| Arc::ptr_eq(one, other));
        assert_eq!(shared.count(), 3);
    }
}
