//! [`Lanes`]: ready keys, a list for each priority.
//!
//! Apart from the heap of a [`Line`](crate::order::Line) because few priorities are in use at a time, and it is
//! faster to order those than their keys: what decides is as small as their number, and stays in the cache.

use std::collections::{BinaryHeap, binary_heap::PeekMut};

use crate::{
    list::List,
    order::{Ranked, Step},
    slots::{SlotId, Slots},
};

/// Lists of ready keys in the order of their arrival, one for each of at most [`Lanes::MOST`] priorities.
///
/// - N1: a lane with a key is listed in `fronts`, if there is more than one lane; no lane is listed twice.
/// - N2: what `fronts` says of a lane is no later than its first key. A first that leaves makes it earlier, which
///   is seen and set right when it surfaces.
#[derive(Debug)]
pub(crate) struct Lanes {
    /// While all priorities are equal there is no other: nobody pays for priorities unused.
    first: Lane,
    others: Vec<Lane>,
    /// The other lanes by priority.
    numbers: Vec<(i16, u32)>,
    fronts: BinaryHeap<Ranked>,
    len: usize,
}

#[derive(Debug)]
struct Lane {
    priority: i16,
    listed: bool,
    list: List,
}

impl Lane {
    const EMPTY: Self = Self { priority: 0, listed: false, list: List::EMPTY };

    /// What its first key claims.
    #[inline]
    fn front<K>(&self, slots: &Slots<K>, step: Step, number: u32) -> Option<Ranked> {
        let id = self.list.first()?;
        let order = step.order(slots[id].arrival, self.priority);
        Some(Ranked { order, priority: self.priority, whose: number })
    }
}

impl Lanes {
    /// So many that priorities made of a few criteria have their lanes, and so few that all fit a page.
    const MOST: usize = 128;

    pub(crate) const EMPTY: Self = Self {
        first: Lane::EMPTY,
        others: Vec::new(),
        numbers: Vec::new(),
        fronts: BinaryHeap::new(),
        len: 0,
    };

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts in a key that has just arrived, unless its priority has no lane and there are too many.
    #[inline]
    pub(crate) fn push<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) -> bool {
        let priority = slots[id].priority;
        if self.len == 0 {
            self.start_with(priority);
        }
        let Some(number) = self.number(priority).or_else(|| self.open(slots, step, priority)) else {
            return false;
        };
        self.len += 1;
        self.lane(number).list.push(slots, id);
        if !self.others.is_empty() {
            self.enlist(slots, step, number);
        }
        true
    }

    pub(crate) fn unlink<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        if let Some(number) = self.number(slots[id].priority) {
            self.lane(number).list.unlink(slots, id);
            self.len -= 1;
        }
    }

    /// Takes the soonest key out.
    #[inline]
    pub(crate) fn pop<K>(&mut self, slots: &mut Slots<K>, step: Step) -> Option<SlotId> {
        let number = if self.others.is_empty() { 0 } else { self.soonest(slots, step)?.whose };
        let id = self.lane(number).list.pop_first(slots)?;
        self.len -= 1;
        Some(id)
    }

    /// What the soonest key claims for its lane.
    pub(crate) fn soonest<K>(&mut self, slots: &Slots<K>, step: Step) -> Option<Ranked> {
        if self.others.is_empty() {
            return self.first.front(slots, step, 0);
        }
        loop {
            let mut listed = self.fronts.peek_mut()?;
            let lane = lane(&mut self.first, &mut self.others, listed.whose);
            match lane.front(slots, step, listed.whose) {
                Some(front) if front == *listed => return Some(front),
                Some(front) => *listed = front, // N2
                None => {
                    lane.listed = false;
                    PeekMut::pop(listed);
                }
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.others.capacity() * size_of::<Lane>()
            + self.numbers.capacity() * size_of::<(i16, u32)>()
            + self.fronts.capacity() * size_of::<Ranked>()
    }

    /// Where nothing waits, the next priority is the first again.
    #[inline]
    fn start_with(&mut self, priority: i16) {
        self.first.priority = priority;
        if !self.others.is_empty() {
            self.others.clear();
            self.numbers.clear();
            self.fronts.clear();
            self.first.listed = false;
        }
    }

    /// Which lane is the priority's.
    #[inline]
    fn number(&self, priority: i16) -> Option<u32> {
        if priority == self.first.priority {
            return Some(0);
        }
        let at = self.numbers.binary_search_by_key(&priority, |&(priority, _)| priority).ok()?;
        Some(self.numbers[at].1)
    }

    #[cold]
    fn open<K>(&mut self, slots: &Slots<K>, step: Step, priority: i16) -> Option<u32> {
        if self.others.len() + 1 >= Self::MOST {
            return None;
        }
        self.others.push(Lane { priority, ..Lane::EMPTY });
        let number = self.others.len() as u32; // fits: see MOST
        let at = self.numbers.partition_point(|&(other, _)| other < priority);
        self.numbers.insert(at, (priority, number));
        self.enlist(slots, step, 0); // N1: from now on there is more than one
        Some(number)
    }

    #[inline]
    fn enlist<K>(&mut self, slots: &Slots<K>, step: Step, number: u32) {
        let lane = lane(&mut self.first, &mut self.others, number);
        if !lane.listed
            && let Some(front) = lane.front(slots, step, number)
        {
            lane.listed = true; // N1
            self.fronts.push(front);
        }
    }

    #[inline]
    fn lane(&mut self, number: u32) -> &mut Lane {
        lane(&mut self.first, &mut self.others, number)
    }
}

#[inline]
fn lane<'a>(first: &'a mut Lane, others: &'a mut [Lane], number: u32) -> &'a mut Lane {
    match number {
        0 => first,
        number => &mut others[number as usize - 1],
    }
}
