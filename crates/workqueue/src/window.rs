//! [`Window`]: the delays that end within the same few milliseconds.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{slots::SlotId, time::Time};

/// When a delay ends, and whose it is.
pub(crate) type Entry = (Time, SlotId);

/// Delays of about the same end. They are put in order when the first of them is asked for, not before: until then a
/// delay costs a write at the end of a list, where a heap would have it climb past entries that are not in the cache.
#[derive(Debug)]
pub(crate) enum Window {
    Loose(Vec<Entry>),
    Ordered(BinaryHeap<Reverse<Entry>>),
}

impl Window {
    /// The most that is left loose: ordering so many takes some twenty microseconds, under the queue's lock.
    const LOOSE: usize = 4096;

    pub(crate) fn push(&mut self, entry: Entry) {
        match self {
            Self::Loose(entries) if entries.len() < Self::LOOSE => entries.push(entry),
            _ => self.ordered().push(Reverse(entry)),
        }
    }

    /// The entry that ends first.
    pub(crate) fn first(&mut self) -> Option<Entry> {
        self.ordered().peek().map(|&Reverse(entry)| entry)
    }

    pub(crate) fn pop(&mut self) -> Option<Entry> {
        self.ordered().pop().map(|Reverse(entry)| entry)
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Loose(entries) => entries.len(),
            Self::Ordered(heap) => heap.len(),
        }
    }

    /// Forgets the entries of which `is_kept` is not true, and gives back what they took.
    pub(crate) fn retain(&mut self, mut is_kept: impl FnMut(Entry) -> bool) {
        match self {
            Self::Loose(entries) => {
                entries.retain(|&entry| is_kept(entry));
                entries.shrink_to(2 * entries.len());
            }
            Self::Ordered(heap) => {
                heap.retain(|&Reverse(entry)| is_kept(entry));
                heap.shrink_to(2 * heap.len());
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        let room = match self {
            Self::Loose(entries) => entries.capacity(),
            Self::Ordered(heap) => heap.capacity(),
        };
        size_of::<Self>() + room * size_of::<Entry>()
    }

    fn ordered(&mut self) -> &mut BinaryHeap<Reverse<Entry>> {
        if let Self::Loose(entries) = self {
            *self = Self::Ordered(std::mem::take(entries).into_iter().map(Reverse).collect());
        }
        match self {
            Self::Ordered(heap) => heap,
            Self::Loose(_) => unreachable!("it was ordered just now"),
        }
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::Loose(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is ordered by its size, or because somebody asked.
    #[test]
    fn a_window_gives_its_entries_in_the_order_of_their_ends() {
        for count in [5, Window::LOOSE, Window::LOOSE + 5] {
            let entry = |n: usize| {
                (Time::ZERO.after(std::time::Duration::from_nanos((n * 7919 % count) as u64)), n as SlotId)
            };
            let mut window = Window::default();
            (0..count / 2).for_each(|n| window.push(entry(n)));
            assert_eq!(window.first(), (0..count / 2).map(entry).min());
            (count / 2..count).for_each(|n| window.push(entry(n)));
            let popped: Vec<_> = std::iter::from_fn(|| window.pop()).collect();
            assert_eq!((popped.len(), window.len()), (count, 0));
            assert!(popped.is_sorted());
        }
    }

    #[test]
    fn what_is_not_kept_is_gone_loose_or_ordered() {
        for is_ordered in [false, true] {
            let mut window = Window::default();
            (0..1_000).for_each(|id| window.push((Time::ZERO, id)));
            if is_ordered {
                window.first();
            }
            let full = window.memory();
            window.retain(|(_, id)| id % 100 == 7);
            assert!(window.memory() < full / 4, "{} of {full} bytes are left", window.memory());
            let ids: Vec<_> = std::iter::from_fn(|| window.pop()).map(|(_, id)| id).collect();
            assert_eq!(ids, [7, 107, 207, 307, 407, 507, 607, 707, 807, 907]);
        }
    }

    #[test]
    fn a_window_that_grows_large_is_ordered_while_it_grows() {
        let mut window = Window::default();
        (0..Window::LOOSE as SlotId).for_each(|id| window.push((Time::ZERO, id)));
        assert!(matches!(window, Window::Loose(_)));
        window.push((Time::ZERO, SlotId::MAX));
        assert!(matches!(window, Window::Ordered(_)), "what is ordered later is bounded");
    }
}
