//! [`List`]: an ordered list of slots that any slot can leave.

use crate::slot_id::{NONE, SlotId};

/// The neighbours of a slot in the list that it is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Links {
    previous: SlotId,
    next: SlotId,
}

impl Links {
    pub(crate) const NONE: Self = Self { previous: NONE, next: NONE };
}

/// A store of slots that have [`Links`].
pub(crate) trait Linked {
    fn links(&self, id: SlotId) -> Links;

    fn links_mut(&mut self, id: SlotId) -> &mut Links;
}

/// A doubly linked list through the slots. It needs no memory of its own, and any slot leaves in constant
/// time.
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
    pub(crate) fn push(&mut self, slots: &mut impl Linked, id: SlotId) {
        *slots.links_mut(id) = Links { previous: self.last, next: NONE };
        match self.last {
            NONE => self.first = id,
            last => slots.links_mut(last).next = id,
        }
        self.last = id;
        self.len += 1;
    }

    #[inline]
    pub(crate) fn push_first(&mut self, slots: &mut impl Linked, id: SlotId) {
        *slots.links_mut(id) = Links { previous: NONE, next: self.first };
        match self.first {
            NONE => self.last = id,
            first => slots.links_mut(first).previous = id,
        }
        self.first = id;
        self.len += 1;
    }

    #[inline]
    pub(crate) fn pop_first(&mut self, slots: &mut impl Linked) -> Option<SlotId> {
        let id = self.first()?;
        self.first = slots.links(id).next;
        match self.first {
            NONE => self.last = NONE,
            first => slots.links_mut(first).previous = NONE,
        }
        self.len -= 1;
        Some(id)
    }

    #[inline]
    pub(crate) fn unlink(&mut self, slots: &mut impl Linked, id: SlotId) {
        let Links { previous, next } = slots.links(id);
        match previous {
            NONE => self.first = next,
            previous => slots.links_mut(previous).next = next,
        }
        match next {
            NONE => self.last = previous,
            next => slots.links_mut(next).previous = previous,
        }
        self.len -= 1;
    }

    pub(crate) fn iter(&self, slots: &impl Linked) -> impl Iterator<Item = SlotId> {
        std::iter::successors(self.first(), |&id| Some(slots.links(id).next).filter(|&next| next != NONE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::Slots;

    #[test]
    fn a_list_grows_at_both_ends_and_shrinks_at_the_first() {
        let mut slots = Slots::new();
        let mut list = List::EMPTY;
        for n in 0..4 {
            let id = slots.insert_new(n, n);
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
        let ids: Vec<_> = (0..5).map(|n| slots.insert_new(n, n)).collect();
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
