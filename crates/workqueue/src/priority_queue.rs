//! [`PriorityQueue`]: ready keys ordered by arrival − priority × step.
//!
//! Waiting outweighs priority in the end: each arrival moves all waiting keys ahead by one, so a key of
//! priority p is overtaken by at most (q − p) × step later keys of priority q.

use std::collections::BinaryHeap;

use crate::{
    lanes::Lanes,
    rank::{Rank, Step},
    slot_id::SlotId,
    slots::{Phase, Slots},
};

/// A queue of ready keys, ordered by rank.
///
/// - L1: a lane holds keys of one priority in arrival order, so its first key is its next key.
/// - L2: every ready key that is in no lane has a heap entry that equals its slot's rank.
///
/// Most keys go to the lane of their priority, at the cost of a list link. The heap holds keys whose priority
/// was raised, which would not be last in their new lane, and keys of priorities beyond the number of lanes.
#[derive(Debug)]
pub(crate) struct PriorityQueue {
    lanes: Lanes,
    /// May hold stale entries of keys that left. They are skipped, and swept before they outnumber the
    /// current ones.
    heap: BinaryHeap<Rank>,
    in_heap: usize,
}

impl PriorityQueue {
    pub(crate) const EMPTY: Self = Self { lanes: Lanes::EMPTY, heap: BinaryHeap::new(), in_heap: 0 };

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.lanes.len() + self.in_heap
    }

    /// Adds a key that has just arrived, later than every other key.
    #[inline]
    pub(crate) fn push<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        if self.lanes.push(slots, step, id) {
            slots[id].phase = Phase::InLane; // L1: no key of the lane arrived later
        } else {
            self.push_heap(slots, step, id);
        }
    }

    /// Raises the priority of a key. The key keeps its arrival.
    pub(crate) fn raise<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId, priority: i16) {
        self.remove(slots, step, id);
        slots[id].priority = priority;
        self.push_heap(slots, step, id); // not a lane, whose last key may have arrived later (L1)
    }

    pub(crate) fn remove<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        if slots[id].phase == Phase::InLane {
            self.lanes.unlink(slots, id);
        } else {
            self.in_heap -= 1;
        }
        slots[id].phase = Phase::Idle;
        self.sweep(slots, step);
    }

    /// Removes the next key. The caller sets its phase.
    #[inline]
    pub(crate) fn pop<K>(&mut self, slots: &mut Slots<K>, step: Step) -> Option<SlotId> {
        if self.in_heap > 0
            && let Some(id) = self.pop_heap(slots, step)
        {
            return Some(id);
        }
        self.lanes.pop(slots, step)
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.lanes.memory() + self.heap.capacity() * size_of::<Rank>()
    }

    /// Removes the heap's next key, if it is before the next key of the lanes.
    fn pop_heap<K>(&mut self, slots: &Slots<K>, step: Step) -> Option<SlotId> {
        let lane = self.lanes.peek(slots, step);
        while let Some(&best) = self.heap.peek() {
            if !is_current(slots, step, &best) {
                self.heap.pop();
                continue;
            }
            if lane.is_some_and(|lane| lane.is_before(&best)) {
                return None;
            }
            self.heap.pop();
            self.in_heap -= 1;
            if self.in_heap == 0 {
                self.heap.clear(); // only stale entries are left
            }
            self.shrink();
            return Some(best.id);
        }
        None
    }

    fn push_heap<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        let slot = &mut slots[id];
        slot.phase = Phase::InHeap;
        let (order, priority) = (step.order(slot.arrival, slot.priority), slot.priority);
        self.heap.push(Rank { order, priority, id });
        self.in_heap += 1;
    }

    fn sweep<K>(&mut self, slots: &Slots<K>, step: Step) {
        const SLACK: usize = 64; // sweeping a few entries costs more than keeping them
        if self.heap.len() > 2 * self.in_heap + SLACK {
            self.heap.retain(|entry| is_current(slots, step, entry));
        }
        self.shrink();
    }

    /// Frees the memory of a burst. Moves at most an eighth of it.
    #[inline]
    fn shrink(&mut self) {
        const RETAINED: usize = 1024;
        if self.heap.capacity() > RETAINED && self.heap.len() < self.heap.capacity() / 8 {
            self.heap.shrink_to(2 * self.heap.len());
        }
    }
}

/// Returns whether an entry is not stale (L2). Order and priority determine the arrival, and no two keys arrive
/// together, so a stale entry never equals the slot's later entry.
fn is_current<K>(slots: &Slots<K>, step: Step, entry: &Rank) -> bool {
    slots.get(entry.id).is_some_and(|slot| {
        slot.phase == Phase::InHeap
            && slot.priority == entry.priority
            && step.order(slot.arrival, slot.priority) == entry.order
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns the expected next key, found by comparing all keys.
    fn peek(model: &[(u64, i16, SlotId)], step: Step) -> Option<usize> {
        let claim = |&at: &usize| {
            let (arrival, priority, _) = model[at];
            (step.order(arrival, priority), -priority)
        };
        (0..model.len()).min_by_key(claim)
    }

    proptest! {
        /// More priorities than lanes, keys that are raised, and keys that leave from any position.
        #[test]
        fn keys_come_out_in_rank_order_for_any_priorities(
            age in 1..50u32,
            spread in prop_oneof![Just(1i16), Just(3), Just(400)],
            steps in prop::collection::vec((0..8u8, any::<u16>()), 0..600),
        ) {
            let (step, mut slots, mut queue) = (Step(age), Slots::new(), PriorityQueue::EMPTY);
            let mut model: Vec<(u64, i16, SlotId)> = Vec::new();
            for (arrival, (operation, n)) in (0u64..).zip(steps) {
                let priority = n.cast_signed() % spread;
                let some = (!model.is_empty()).then(|| usize::from(n) % model.len().max(1));
                match (operation, some) {
                    (0..=3, _) => {
                        let id = slots.insert_new(arrival as u32, arrival);
                        (slots[id].arrival, slots[id].priority) = (arrival, priority);
                        queue.push(&mut slots, step, id);
                        model.push((arrival, priority, id));
                    }
                    (4, Some(at)) if model[at].1 < priority => {
                        queue.raise(&mut slots, step, model[at].2, priority);
                        model[at].1 = priority;
                    }
                    (5, Some(at)) => {
                        let (_, _, id) = model.remove(at);
                        queue.remove(&mut slots, step, id);
                        slots.remove(id);
                    }
                    (6.., _) => {
                        let expected = peek(&model, step).map(|at| model.remove(at).2);
                        let id = queue.pop(&mut slots, step);
                        prop_assert_eq!(id, expected);
                        if let Some(id) = id {
                            slots[id].phase = Phase::Idle;
                            slots.remove(id);
                        }
                    }
                    _ => {}
                }
                prop_assert_eq!(queue.len(), model.len());
            }
        }
    }
}
