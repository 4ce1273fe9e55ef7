//! [`Line`]: ready keys in the order of arrival − priority × step.
//!
//! Waiting outweighs priority in the end: with every arrival the others move ahead by one, so
//! a key of priority p is overtaken by at most (q − p) × step later arrivals of priority q.

use std::{cmp::Ordering, collections::BinaryHeap};

use crate::{
    list::List,
    slots::{Phase, SlotId, Slots},
};

/// How many arrivals outweigh one level of priority.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step(pub(crate) u32);

impl Step {
    /// The smaller, the sooner. Cannot overflow before 2⁶² arrivals: the product has 48 bits.
    fn order(self, arrival: u64, priority: i16) -> i64 {
        arrival.cast_signed() - i64::from(priority) * i64::from(self.0)
    }
}

/// A ready key whose priority is not the lane's.
#[derive(Debug, PartialEq, Eq)]
struct Ranked {
    order: i64,
    priority: i16,
    id: SlotId,
}

impl Ord for Ranked {
    /// The greatest is the next: the smallest order, and the higher priority among equal ones.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.order, self.priority, other.id).cmp(&(self.order, other.priority, self.id))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One line of ready keys.
///
/// - L1: the lane holds keys of one priority in the order of their arrival, so its first is its soonest.
/// - L2: every other ready key of the line has a heap entry that says what its slot says.
///
/// Equal priorities are all in the lane, which costs a link: nobody pays for priorities unused.
#[derive(Debug)]
pub(crate) struct Line {
    lane: List,
    lane_priority: i16,
    /// May hold entries of keys that left; they are skipped, and swept before they are the most.
    heap: BinaryHeap<Ranked>,
    ranked: usize,
}

impl Line {
    pub(crate) const EMPTY: Self =
        Self { lane: List::EMPTY, lane_priority: 0, heap: BinaryHeap::new(), ranked: 0 };

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.lane.len() + self.ranked
    }

    /// Puts in a key that has just arrived: later than every other.
    #[inline]
    pub(crate) fn push<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        let slot = &mut slots[id];
        if self.lane.len() == 0 {
            self.lane_priority = slot.priority;
        }
        if slot.priority == self.lane_priority {
            slot.phase = Phase::Ready; // L1: nothing in the lane arrived later
            self.lane.push(slots, id);
        } else {
            self.rank(slots, step, id);
        }
    }

    /// Moves a key ahead to a higher priority. It keeps its arrival.
    pub(crate) fn raise<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId, priority: i16) {
        self.remove(slots, step, id);
        slots[id].priority = priority;
        self.rank(slots, step, id); // not the lane, whose last may have arrived later (L1)
    }

    pub(crate) fn remove<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        if slots[id].phase == Phase::Ready {
            self.lane.unlink(slots, id);
        } else {
            self.ranked -= 1;
        }
        slots[id].phase = Phase::Idle;
        self.sweep(slots, step);
    }

    /// Takes the soonest key out. Its phase is the caller's to set.
    #[inline]
    pub(crate) fn pop<K>(&mut self, slots: &mut Slots<K>, step: Step) -> Option<SlotId> {
        let first = self.lane.first();
        if self.ranked > 0
            && let Some(id) = self.pop_ranked_before(slots, step, first)
        {
            return Some(id);
        }
        if let Some(id) = first {
            self.lane.unlink(slots, id);
        }
        first
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.heap.capacity() * size_of::<Ranked>()
    }

    fn pop_ranked_before<K>(
        &mut self,
        slots: &Slots<K>,
        step: Step,
        first: Option<SlotId>,
    ) -> Option<SlotId> {
        let lane = first.map(|id| step.order(slots[id].arrival, self.lane_priority));
        while let Some(best) = self.heap.peek() {
            if !stands(slots, step, best) {
                self.heap.pop();
                continue;
            }
            // The higher priority among equal ones, as within the heap.
            if lane.is_some_and(|lane| (lane, -self.lane_priority) < (best.order, -best.priority)) {
                return None;
            }
            let id = best.id;
            self.ranked -= 1;
            if self.ranked == 0 {
                self.heap.clear(); // what is left was left behind
            } else {
                self.heap.pop();
            }
            return Some(id);
        }
        None
    }

    fn rank<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        let slot = &mut slots[id];
        slot.phase = Phase::Ranked;
        self.heap.push(Ranked {
            order: step.order(slot.arrival, slot.priority),
            priority: slot.priority,
            id,
        });
        self.ranked += 1;
    }

    fn sweep<K>(&mut self, slots: &Slots<K>, step: Step) {
        const SLACK: usize = 64; // sweeping a handful costs more than keeping it
        if self.heap.len() > 2 * self.ranked + SLACK {
            self.heap.retain(|entry| stands(slots, step, entry));
            self.heap.shrink_to(2 * self.heap.len());
        }
    }
}

/// L2. Order and priority together say the arrival, and no two keys arrive together: an entry that
/// somebody left behind never looks like the slot's next one.
fn stands<K>(slots: &Slots<K>, step: Step, entry: &Ranked) -> bool {
    let slot = &slots[entry.id];
    slot.phase == Phase::Ranked
        && slot.priority == entry.priority
        && step.order(slot.arrival, slot.priority) == entry.order
}
