//! [`Window`]: the delays that end within the same two milliseconds.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{slot_id::SlotId, time::Time};

/// The time at which a delay ends, and its slot.
pub(crate) type Entry = (Time, SlotId);

/// Delays with almost the same end. They are sorted only when the first of them is asked for. Until then,
/// adding a delay is one write at the end of a vector, whereas a heap would move it past entries that are not
/// in the CPU cache.
#[derive(Debug)]
pub(crate) enum Window {
    Unsorted(Vec<Entry>),
    Heap(BinaryHeap<Reverse<Entry>>),
}

impl Window {
    /// The most entries that stay unsorted. Sorting so many takes about twenty microseconds, under the
    /// queue's lock.
    const MAX_UNSORTED: usize = 4096;

    pub(crate) fn push(&mut self, entry: Entry) {
        match self {
            Self::Unsorted(entries) if entries.len() < Self::MAX_UNSORTED => entries.push(entry),
            _ => self.heap().push(Reverse(entry)),
        }
    }

    /// Returns the entry that ends first.
    pub(crate) fn first(&mut self) -> Option<Entry> {
        self.heap().peek().map(|&Reverse(entry)| entry)
    }

    pub(crate) fn pop(&mut self) -> Option<Entry> {
        self.heap().pop().map(|Reverse(entry)| entry)
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Unsorted(entries) => entries.len(),
            Self::Heap(heap) => heap.len(),
        }
    }

    /// Keeps the entries for which `is_kept` returns true, and frees the memory of the others.
    pub(crate) fn retain(&mut self, mut is_kept: impl FnMut(Entry) -> bool) {
        match self {
            Self::Unsorted(entries) => {
                entries.retain(|&entry| is_kept(entry));
                entries.shrink_to(2 * entries.len());
            }
            Self::Heap(heap) => {
                heap.retain(|&Reverse(entry)| is_kept(entry));
                heap.shrink_to(2 * heap.len());
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        let room = match self {
            Self::Unsorted(entries) => entries.capacity(),
            Self::Heap(heap) => heap.capacity(),
        };
        size_of::<Self>() + room * size_of::<Entry>()
    }

    fn heap(&mut self) -> &mut BinaryHeap<Reverse<Entry>> {
        if let Self::Unsorted(entries) = self {
            *self = Self::Heap(std::mem::take(entries).into_iter().map(Reverse).collect());
        }
        match self {
            Self::Heap(heap) => heap,
            Self::Unsorted(_) => unreachable!("the window was made a heap just now"),
        }
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::Unsorted(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The heap is made because of the number of entries, or because the first one was asked for.
    #[test]
    fn entries_come_out_in_the_order_of_their_ends() {
        for count in [5, Window::MAX_UNSORTED, Window::MAX_UNSORTED + 5] {
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
    fn retain_frees_the_memory_of_removed_entries() {
        for is_heap in [false, true] {
            let mut window = Window::default();
            (0..1_000).for_each(|id| window.push((Time::ZERO, id)));
            if is_heap {
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
    fn a_large_window_becomes_a_heap_while_it_grows() {
        let mut window = Window::default();
        (0..Window::MAX_UNSORTED as SlotId).for_each(|id| window.push((Time::ZERO, id)));
        assert!(matches!(window, Window::Unsorted(_)));
        window.push((Time::ZERO, SlotId::MAX));
        assert!(matches!(window, Window::Heap(_)), "the later sort must be bounded");
    }
}
