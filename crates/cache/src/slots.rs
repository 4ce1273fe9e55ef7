//! [`Slots`]: a sorted set of slots, namely of the objects that share an index value. Most values have a few objects,
//! some, such as one big namespace, have nearly all; each case has its own form.

use crate::bits::Bits;

/// Up to this length a list stays a list: inserting moves its elements in a fraction of a microsecond.
const FEW: usize = 512;

/// A set of slots.
#[derive(Debug, Clone)]
pub(crate) enum Slots {
    /// In ascending order.
    Few(Vec<u32>),
    /// A bit set, where it takes less memory than a list.
    Many(Bits),
}

impl Slots {
    pub(crate) fn one(slot: u32) -> Self {
        Self::Few(vec![slot])
    }

    pub(crate) fn insert(&mut self, slot: u32) {
        match self {
            Self::Few(few) => {
                let Err(at) = few.binary_search(&slot) else { return };
                few.insert(at, slot);
                let last = *few.last().expect("one was inserted");
                if few.len() > FEW && few.len() > last as usize / u32::BITS as usize {
                    *self = Self::Many(few.iter().copied().collect());
                }
            }
            Self::Many(many) => {
                many.insert(slot);
            }
        }
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        match self {
            Self::Few(few) => {
                if let Ok(at) = few.binary_search(&slot) {
                    few.remove(at);
                }
            }
            Self::Many(many) => {
                many.remove(slot);
                if many.len() < FEW / 2 {
                    *self = Self::Few(many.iter().collect());
                }
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.len(),
            Self::Many(many) => many.len(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        let (few, many) = match self {
            Self::Few(few) => (Some(few.iter().copied()), None),
            Self::Many(many) => (None, Some(many.iter())),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn slots_stay_an_ordered_set_while_they_grow_and_shrink() {
        let (mut slots, mut model) = (Slots::one(7), BTreeSet::from([7]));
        let mut forms = BTreeSet::new();
        let mut check = |slots: &Slots, model: &BTreeSet<u32>| {
            assert_eq!(slots.len(), model.len());
            assert!(slots.iter().eq(model.iter().copied()));
            forms.insert(matches!(slots, Slots::Many(_)));
        };
        let scattered = |round: u32| round.wrapping_mul(7_919) % 2_000;
        for round in (0..2_000).chain(0..100) {
            slots.insert(scattered(round));
            model.insert(scattered(round));
            if round % 100 == 0 {
                check(&slots, &model);
            }
        }
        for round in 0..1_999 {
            slots.remove(scattered(round));
            slots.remove(scattered(round));
            model.remove(&scattered(round));
            if round % 100 == 0 || round > 1_900 {
                check(&slots, &model);
            }
        }
        assert!(!slots.is_empty() && matches!(slots, Slots::Few(_)));
        assert_eq!(forms, [false, true].into(), "both forms were met");
    }

    #[test]
    fn slots_that_lie_far_apart_stay_a_list() {
        let mut slots = Slots::one(0);
        (0..10_000).for_each(|slot| slots.insert(slot * 100));
        assert!(matches!(slots, Slots::Few(_)), "bits would take more memory");
    }
}
