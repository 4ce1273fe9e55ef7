//! [`Line`]: ready keys in the order of arrival − priority × step.
//!
//! Waiting outweighs priority in the end: with every arrival the others move ahead by one, so
//! a key of priority p is overtaken by at most (q − p) × step later arrivals of priority q.

use std::{cmp::Ordering, collections::BinaryHeap};

use crate::{
    lanes::Lanes,
    slots::{Phase, SlotId, Slots},
};

/// How many arrivals outweigh one level of priority.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step(pub(crate) u32);

impl Step {
    /// The smaller, the sooner. Cannot overflow before 2⁶² arrivals: the product has 48 bits.
    #[inline]
    pub(crate) fn order(self, arrival: u64, priority: i16) -> i64 {
        arrival.cast_signed() - i64::from(priority) * i64::from(self.0)
    }
}

/// A claim to be next: of a key, or of the lane that it is the first of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ranked {
    pub(crate) order: i64,
    pub(crate) priority: i16,
    /// The slot or the lane.
    pub(crate) whose: u32,
}

impl Ranked {
    /// By order, and the higher priority among equal ones.
    #[inline]
    fn is_before(&self, other: &Self) -> bool {
        (self.order, other.priority) < (other.order, self.priority)
    }
}

impl Ord for Ranked {
    /// The greatest is the next, as heaps want it.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (other.order, self.priority, other.whose).cmp(&(self.order, other.priority, self.whose))
    }
}

impl PartialOrd for Ranked {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One line of ready keys.
///
/// - L1: a lane holds keys of one priority in the order of their arrival, so its first is its soonest.
/// - L2: every ready key of the line that is in no lane has a heap entry that says what its slot says.
///
/// Mostly keys go to the lane of their priority, which costs a link. The heap is for those that were raised,
/// which would not be the last of their lane, and for priorities beyond the number of lanes.
#[derive(Debug)]
pub(crate) struct Line {
    lanes: Lanes,
    /// May hold entries of keys that left; they are skipped, and swept before they are the most.
    heap: BinaryHeap<Ranked>,
    ranked: usize,
}

impl Line {
    pub(crate) const EMPTY: Self = Self { lanes: Lanes::EMPTY, heap: BinaryHeap::new(), ranked: 0 };

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.lanes.len() + self.ranked
    }

    /// Puts in a key that has just arrived: later than every other.
    #[inline]
    pub(crate) fn push<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        if self.lanes.push(slots, step, id) {
            slots[id].phase = Phase::Ready; // L1: nothing in the lane arrived later
        } else {
            self.rank(slots, step, id);
        }
    }

    /// Moves a key ahead to a higher priority. It keeps its arrival.
    pub(crate) fn raise<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId, priority: i16) {
        self.remove(slots, step, id);
        slots[id].priority = priority;
        self.rank(slots, step, id); // not a lane, whose last may have arrived later (L1)
    }

    pub(crate) fn remove<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        if slots[id].phase == Phase::Ready {
            self.lanes.unlink(slots, id);
        } else {
            self.ranked -= 1;
        }
        slots[id].phase = Phase::Idle;
        self.sweep(slots, step);
    }

    /// Takes the soonest key out. Its phase is the caller's to set.
    #[inline]
    pub(crate) fn pop<K>(&mut self, slots: &mut Slots<K>, step: Step) -> Option<SlotId> {
        if self.ranked > 0
            && let Some(id) = self.pop_ranked(slots, step)
        {
            return Some(id);
        }
        self.lanes.pop(slots, step)
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.lanes.memory() + self.heap.capacity() * size_of::<Ranked>()
    }

    /// Takes the heap's soonest key out, if it is before the lanes'.
    fn pop_ranked<K>(&mut self, slots: &Slots<K>, step: Step) -> Option<SlotId> {
        let lane = self.lanes.soonest(slots, step);
        while let Some(&best) = self.heap.peek() {
            if !stands(slots, step, &best) {
                self.heap.pop();
                continue;
            }
            if lane.is_some_and(|lane| lane.is_before(&best)) {
                return None;
            }
            self.heap.pop();
            self.ranked -= 1;
            if self.ranked == 0 {
                self.heap.clear(); // what is left was left behind
            }
            self.shrink();
            return Some(best.whose);
        }
        None
    }

    fn rank<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        let slot = &mut slots[id];
        slot.phase = Phase::Ranked;
        let (order, priority) = (step.order(slot.arrival, slot.priority), slot.priority);
        self.heap.push(Ranked { order, priority, whose: id });
        self.ranked += 1;
    }

    fn sweep<K>(&mut self, slots: &Slots<K>, step: Step) {
        const SLACK: usize = 64; // sweeping a handful costs more than keeping it
        if self.heap.len() > 2 * self.ranked + SLACK {
            self.heap.retain(|entry| stands(slots, step, entry));
        }
        self.shrink();
    }

    /// Gives back what a burst made room for, moving an eighth of it.
    #[inline]
    fn shrink(&mut self) {
        const KEPT: usize = 1024;
        if self.heap.capacity() > KEPT && self.heap.len() < self.heap.capacity() / 8 {
            self.heap.shrink_to(2 * self.heap.len());
        }
    }
}

/// L2. Order and priority together say the arrival, and no two keys arrive together: an entry that
/// somebody left behind never looks like the slot's next one.
fn stands<K>(slots: &Slots<K>, step: Step, entry: &Ranked) -> bool {
    slots.get(entry.whose).is_some_and(|slot| {
        slot.phase == Phase::Ranked
            && slot.priority == entry.priority
            && step.order(slot.arrival, slot.priority) == entry.order
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::Found;
    use proptest::prelude::*;

    /// What a line does, by looking at every key each time.
    fn soonest(model: &[(u64, i16, SlotId)], step: Step) -> Option<usize> {
        let claim = |&at: &usize| {
            let (arrival, priority, _) = model[at];
            (step.order(arrival, priority), -priority)
        };
        (0..model.len()).min_by_key(claim)
    }

    proptest! {
        /// More priorities than there are lanes, keys that are raised, and keys that leave from anywhere.
        #[test]
        fn a_line_of_any_priorities_gives_the_soonest(
            age in 1..50u32,
            spread in prop_oneof![Just(1i16), Just(3), Just(400)],
            steps in prop::collection::vec((0..8u8, any::<u16>()), 0..600),
        ) {
            let (step, mut slots, mut line) = (Step(age), Slots::new(), Line::EMPTY);
            let mut model: Vec<(u64, i16, SlotId)> = Vec::new();
            for (arrival, (what, n)) in (0u64..).zip(steps) {
                let priority = n.cast_signed() % spread;
                let some = (!model.is_empty()).then(|| usize::from(n) % model.len().max(1));
                match (what, some) {
                    (0..=3, _) => {
                        let hash = arrival as u32;
                        let Found::New(id) = slots.find_or_insert(hash, &mut Some(arrival)) else {
                            panic!("every arrival is new");
                        };
                        (slots[id].arrival, slots[id].priority) = (arrival, priority);
                        line.push(&mut slots, step, id);
                        model.push((arrival, priority, id));
                    }
                    (4, Some(at)) if model[at].1 < priority => {
                        line.raise(&mut slots, step, model[at].2, priority);
                        model[at].1 = priority;
                    }
                    (5, Some(at)) => {
                        let (_, _, id) = model.remove(at);
                        line.remove(&mut slots, step, id);
                        slots.remove(id);
                    }
                    (6.., _) => {
                        let expected = soonest(&model, step).map(|at| model.remove(at).2);
                        let id = line.pop(&mut slots, step);
                        prop_assert_eq!(id, expected);
                        if let Some(id) = id {
                            slots[id].phase = Phase::Idle;
                            slots.remove(id);
                        }
                    }
                    _ => {}
                }
                prop_assert_eq!(line.len(), model.len());
            }
        }
    }
}
