//! [`Numbers`]: the values of an object in all indexes, by their numbers. A few bytes beside the object, so that an update
//! finds them with it.

use std::{collections::BTreeMap, slice};

/// The number of indexes whose values have a place beside the object.
const NEAR: usize = 4;
/// The object has no value in the index.
const NONE: u32 = u32::MAX;
/// The object has several values in the index; they are in `others`.
const SEVERAL: u32 = u32::MAX - 1;

/// For each index, the numbers of the values of one object. Usually each index has one value or none, and nothing is
/// allocated.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    near: [u32; NEAR],
    /// Boxed, to keep the type small.
    others: Option<Box<Others>>,
}

/// By index: several values, and values of later indexes.
#[derive(Debug, Clone, Default)]
struct Others(BTreeMap<usize, Box<[u32]>>);

impl Numbers {
    pub(crate) fn get(&self, index: usize) -> &[u32] {
        match self.near.get(index) {
            Some(&NONE) => &[],
            Some(one) if *one != SEVERAL => slice::from_ref(one),
            _ => self.others.as_ref().and_then(|others| others.0.get(&index)).map_or(&[], |others| others),
        }
    }

    pub(crate) fn set(&mut self, index: usize, numbers: &[u32]) {
        let kept_near = match (self.near.get_mut(index), numbers) {
            (Some(near), []) => std::mem::replace(near, NONE) != SEVERAL,
            (Some(near), [one]) => std::mem::replace(near, *one) != SEVERAL,
            (Some(near), _) => {
                *near = SEVERAL;
                false
            }
            (None, _) => false,
        };
        if kept_near {
            return; // the usual case
        }
        let is_near = index < NEAR && numbers.len() < 2;
        if is_near || numbers.is_empty() {
            if let Some(others) = &mut self.others {
                others.0.remove(&index);
            }
            self.others.take_if(|others| others.0.is_empty());
        } else {
            self.others.get_or_insert_default().0.insert(index, numbers.into());
        }
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Self { near: [NONE; NEAR], others: None }
    }
}

/// The greatest number of a value, as the others have a meaning.
pub(crate) const GREATEST: u32 = SEVERAL - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_has_its_numbers_wherever_they_are_kept() {
        let mut model: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        let mut numbers = Numbers::default();
        for round in 0..2_000_u32 {
            let random = round.wrapping_mul(2_654_435_761) >> 8;
            let (index, length) = (random as usize % 7, (random / 7) % 4);
            let new: Vec<u32> = (0..length).map(|one| round + one).collect();
            numbers.set(index, &new);
            model.insert(index, new);
            for index in 0..8 {
                assert_eq!(numbers.get(index), model.get(&index).map_or(&[][..], Vec::as_slice), "{round}");
            }
        }
        (0..7).for_each(|index| numbers.set(index, &[]));
        assert!(numbers.others.is_none(), "nothing is left behind");
        numbers.set(0, &[GREATEST]);
        assert_eq!(numbers.get(0), [GREATEST]);
    }

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Numbers>(), 24, "there is one for each object");
    }
}
