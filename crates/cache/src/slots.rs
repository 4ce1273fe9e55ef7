//! [`Slots`]: the objects that share an index value, by their places in the store. Most values have
//! a few objects, some (one big namespace) have nearly all: each case has its own form.

use hashbrown::HashSet;

/// Up to this many slots are searched one by one: they fit a cache line or two.
const FEW: usize = 32;

/// A set of slots.
#[derive(Debug, Clone)]
pub(crate) enum Slots {
    Few(Vec<u32>),
    Many(HashSet<u32>),
}

impl Slots {
    pub(crate) fn one(slot: u32) -> Self {
        Self::Few(vec![slot])
    }

    pub(crate) fn insert(&mut self, slot: u32) {
        match self {
            Self::Few(few) if few.contains(&slot) => {}
            Self::Few(few) if few.len() < FEW => few.push(slot),
            Self::Few(few) => {
                let mut many: HashSet<u32> = few.drain(..).collect();
                many.insert(slot);
                *self = Self::Many(many);
            }
            Self::Many(many) => {
                many.insert(slot);
            }
        }
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        match self {
            Self::Few(few) => {
                if let Some(at) = few.iter().position(|&other| other == slot) {
                    few.swap_remove(at);
                }
            }
            Self::Many(many) => {
                many.remove(&slot);
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

    pub(crate) fn for_each(&self, act: impl FnMut(u32)) {
        match self {
            Self::Few(few) => few.iter().copied().for_each(act),
            Self::Many(many) => many.iter().copied().for_each(act),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn slots_stay_a_set_while_they_grow_and_shrink() {
        let mut slots = Slots::one(0);
        for slot in (0..100).chain(0..100) {
            slots.insert(slot);
        }
        for slot in (0..200).step_by(2) {
            slots.remove(slot);
        }
        let mut seen = BTreeSet::new();
        slots.for_each(|slot| assert!(seen.insert(slot)));
        assert_eq!(seen, (0..100).filter(|slot| slot % 2 == 1).collect());
        assert_eq!(slots.len(), 50);
    }
}
