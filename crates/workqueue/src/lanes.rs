//! [`Lanes`]: one list of ready keys per priority.
//!
//! A [`PriorityQueue`](crate::priority_queue::PriorityQueue) prefers lanes to its heap because few priorities
//! are in use at a time: ordering the lanes is faster than ordering their keys, and the order fits into the
//! CPU cache.

use std::collections::{BinaryHeap, binary_heap::PeekMut};

use crate::{
    list::List,
    rank::{Rank, Step},
    slot_id::SlotId,
    slots::Slots,
};

/// Lists of ready keys in arrival order, one per priority, for at most [`Lanes::MAX_LANES`] priorities.
///
/// - N1: with more than one lane, each lane that has a key is in `fronts`, exactly once.
/// - N2: the rank of a lane in `fronts` is never after the rank of the lane's first key. It is too early
///   after the first key has left; `peek` corrects it.
#[derive(Debug)]
pub(crate) struct Lanes {
    /// The only lane while all priorities are equal, so that unused priorities cost nothing.
    first: Lane,
    others: Vec<Lane>,
    /// Maps priorities to the other lanes, sorted by priority.
    numbers: Vec<(i16, u32)>,
    fronts: BinaryHeap<Rank>,
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

    /// Returns the rank of the lane's first key, under the lane's number.
    #[inline]
    fn front<K>(&self, slots: &Slots<K>, step: Step, number: u32) -> Option<Rank> {
        let id = self.list.first()?;
        let order = step.order(slots[id].arrival, self.priority);
        Some(Rank { order, priority: self.priority, id: number })
    }
}

impl Lanes {
    /// Enough for priorities computed from a few criteria, and few enough to fit into one memory page.
    const MAX_LANES: usize = 128;

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

    /// Adds a key that has just arrived. Returns false if its priority has no lane and there are too many.
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

    /// Removes the key that is next.
    #[inline]
    pub(crate) fn pop<K>(&mut self, slots: &mut Slots<K>, step: Step) -> Option<SlotId> {
        let number = if self.others.is_empty() { 0 } else { self.peek(slots, step)?.id };
        let id = self.lane(number).list.pop_first(slots)?;
        self.len -= 1;
        Some(id)
    }

    /// Returns the rank of the next key, under the number of its lane.
    pub(crate) fn peek<K>(&mut self, slots: &Slots<K>, step: Step) -> Option<Rank> {
        if self.others.is_empty() {
            return self.first.front(slots, step, 0);
        }
        loop {
            let mut listed = self.fronts.peek_mut()?;
            let lane = lane(&mut self.first, &mut self.others, listed.id);
            match lane.front(slots, step, listed.id) {
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
            + self.fronts.capacity() * size_of::<Rank>()
    }

    /// Lets the priority of the first waiting key have the first lane.
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

    /// Returns the number of the priority's lane.
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
        if self.others.len() + 1 >= Self::MAX_LANES {
            return None;
        }
        self.others.push(Lane { priority, ..Lane::EMPTY });
        let number = self.others.len() as u32; // fits, because of MAX_LANES
        let at = self.numbers.partition_point(|&(other, _)| other < priority);
        self.numbers.insert(at, (priority, number));
        self.enlist(slots, step, 0); // N1: from here on there is more than one lane
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
