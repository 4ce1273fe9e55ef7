//! [`List`]: slots in an order that any of them can leave.

use crate::slots::{NONE, Slot, SlotId, Slots};

/// A list threaded through the slots: no memory of its own, and any entry leaves it at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    first: SlotId,
    last: SlotId,
    len: usize,
}

impl List {
    pub(crate) const EMPTY: Self = Self { first: NONE, last: NONE, len: 0 };

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn first(&self) -> Option<SlotId> {
        (self.first != NONE).then_some(self.first)
    }

    #[inline]
    pub(crate) fn push<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        let slot = &mut slots[id];
        (slot.previous, slot.next) = (self.last, NONE);
        match self.last {
            NONE => self.first = id,
            last => slots[last].next = id,
        }
        self.last = id;
        self.len += 1;
    }

    #[inline]
    pub(crate) fn push_first<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        let slot = &mut slots[id];
        (slot.previous, slot.next) = (NONE, self.first);
        match self.first {
            NONE => self.last = id,
            first => slots[first].previous = id,
        }
        self.first = id;
        self.len += 1;
    }

    #[inline]
    pub(crate) fn pop_first<K>(&mut self, slots: &mut Slots<K>) -> Option<SlotId> {
        let id = self.first()?;
        self.first = slots[id].next;
        match self.first {
            NONE => self.last = NONE,
            first => slots[first].previous = NONE,
        }
        self.len -= 1;
        Some(id)
    }

    #[inline]
    pub(crate) fn unlink<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        let Slot { previous, next, .. } = slots[id];
        match previous {
            NONE => self.first = next,
            previous => slots[previous].next = next,
        }
        match next {
            NONE => self.last = previous,
            next => slots[next].previous = previous,
        }
        self.len -= 1;
    }

    pub(crate) fn iter<K>(&self, slots: &Slots<K>) -> impl Iterator<Item = SlotId> {
        std::iter::successors(self.first(), |&id| Some(slots[id].next).filter(|&next| next != NONE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::Found;

    #[test]
    fn a_list_grows_at_both_ends_and_shrinks_at_the_first() {
        let mut slots = Slots::new();
        let mut list = List::EMPTY;
        for n in 0..4 {
            let Found::New(id) = slots.find_or_insert(n, &mut Some(n)) else { panic!("{n} is new") };
            if n % 2 == 0 { list.push(&mut slots, id) } else { list.push_first(&mut slots, id) }
        }
        let popped: Vec<_> = std::iter::from_fn(|| list.pop_first(&mut slots)).collect();
        assert_eq!((popped, list.len()), (vec![3, 1, 0, 2], 0));
        list.push(&mut slots, 1);
        assert_eq!(list.iter(&slots).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_list_gives_up_its_first_middle_and_last() {
        let mut slots = Slots::new();
        let mut list = List::EMPTY;
        let ids: Vec<_> = (0..5)
            .map(|n| match slots.find_or_insert(n, &mut Some(n)) {
                Found::New(id) => id,
                Found::Known(..) => unreachable!(),
            })
            .collect();
        ids.iter().for_each(|&id| list.push(&mut slots, id));
        for (gone, left) in
            [(2, vec![0, 1, 3, 4]), (0, vec![1, 3, 4]), (4, vec![1, 3]), (1, vec![3]), (3, vec![])]
        {
            list.unlink(&mut slots, ids[gone]);
            let keys: Vec<_> = list.iter(&slots).map(|id| *slots[id].key() as usize).collect();
            assert_eq!((keys, list.len()), (left.clone(), left.len()));
        }
    }
}
