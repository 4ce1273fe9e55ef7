//! [`Ready`]: the ready keys, in one queue or in one queue per group.

use std::collections::VecDeque;

use hashbrown::HashTable;
use slab::Slab;

use crate::{column::Column, priority_queue::PriorityQueue, rank::Step, slot_id::SlotId, slots::Slots};

/// The hash of a group's value. Two groups with the same hash share their turns, which is harmless.
pub(crate) type GroupHash = u64;

/// The ready keys in the order in which they come out.
#[derive(Debug)]
pub(crate) struct Ready {
    step: Step,
    len: usize,
    arrivals: u64,
    /// All keys, if there are no groups.
    queue: PriorityQueue,
    groups: Option<Box<Groups>>,
}

impl Ready {
    pub(crate) fn new(step: Step, fair: bool) -> Self {
        Self { step, len: 0, arrivals: 0, queue: PriorityQueue::EMPTY, groups: fair.then(Box::default) }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Sets the group of a new slot. Does nothing if the queue has no groups.
    #[inline]
    pub(crate) fn assign(&mut self, id: SlotId, group: GroupHash) {
        if let Some(groups) = &mut self.groups {
            groups.group_of.set(id, group);
        }
    }

    /// Follows a key that is not ready from one slot to another.
    pub(crate) fn relocate(&mut self, from: SlotId, to: SlotId) {
        if let Some(groups) = &mut self.groups {
            groups.group_of.set(to, groups.group_of.get(from));
        }
    }

    /// Drops the groups from slot number `slots` on and frees their memory.
    pub(crate) fn truncate(&mut self, slots: usize) {
        if let Some(groups) = &mut self.groups {
            groups.group_of.truncate(slots);
        }
    }

    /// Adds a slot that has become ready.
    #[inline]
    pub(crate) fn push<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        slots[id].arrival = self.arrivals;
        self.arrivals += 1;
        self.len += 1;
        let Self { step, queue, groups, .. } = self;
        match groups {
            None => queue.push(slots, *step, id),
            Some(groups) => groups.push(slots, *step, id),
        }
    }

    pub(crate) fn raise<K>(&mut self, slots: &mut Slots<K>, id: SlotId, priority: i16) {
        let step = self.step;
        self.queue_of(id).raise(slots, step, id, priority);
    }

    pub(crate) fn remove<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        let step = self.step;
        self.queue_of(id).remove(slots, step, id);
        self.len -= 1;
    }

    /// Removes the next key. The caller sets its phase.
    #[inline]
    pub(crate) fn pop<K>(&mut self, slots: &mut Slots<K>) -> Option<SlotId> {
        let Self { step, queue, groups, .. } = self;
        let id = match groups {
            None => queue.pop(slots, *step),
            Some(groups) => groups.pop(slots, *step),
        }?;
        self.len -= 1;
        Some(id)
    }

    /// Forgets all slots and frees the memory. Arrival numbers are not reset.
    pub(crate) fn reset(&mut self) {
        self.queue = PriorityQueue::EMPTY;
        self.groups = self.groups.is_some().then(Box::default);
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.queue.memory() + self.groups.as_ref().map_or(0, |groups| groups.group_of.memory())
    }

    fn queue_of(&mut self, id: SlotId) -> &mut PriorityQueue {
        match &mut self.groups {
            None => &mut self.queue,
            Some(groups) => groups.queue_of(id),
        }
    }
}

/// One queue per group. Groups take turns: each round takes one key from every group that has a ready key.
///
/// - G1: every group with a ready key has an entry in `groups`, and every group with an entry is in
///   `rotation` exactly once.
///
/// The n-th key of a group therefore comes out within n rounds, however long the other queues are.
#[derive(Debug)]
struct Groups {
    /// The group of each slot.
    group_of: Column<GroupHash>,
    index: HashTable<usize>,
    groups: Slab<Group>,
    rotation: VecDeque<usize>,
}

#[derive(Debug)]
struct Group {
    hash: GroupHash,
    queue: PriorityQueue,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            group_of: Column::EMPTY,
            index: HashTable::new(),
            groups: Slab::new(),
            rotation: VecDeque::new(),
        }
    }
}

impl Groups {
    #[inline]
    fn push<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        let hash = self.group_of.get(id);
        let group = match self.find(hash) {
            Some(group) => group,
            None => self.open(hash),
        };
        self.groups[group].queue.push(slots, step, id);
    }

    #[inline]
    fn pop<K>(&mut self, slots: &mut Slots<K>, step: Step) -> Option<SlotId> {
        loop {
            let group = self.rotation.pop_front()?;
            let queue = &mut self.groups[group].queue;
            let id = queue.pop(slots, step);
            if queue.len() == 0 {
                self.close(group); // G1; `remove` may have emptied the group before its turn
            } else {
                self.rotation.push_back(group);
            }
            if id.is_some() {
                return id;
            }
        }
    }

    fn queue_of(&mut self, id: SlotId) -> &mut PriorityQueue {
        let hash = self.group_of.get(id);
        match self.find(hash) {
            Some(group) => &mut self.groups[group].queue,
            None => unreachable!("G1: the group of a ready key has an entry"),
        }
    }

    fn find(&self, hash: GroupHash) -> Option<usize> {
        self.index.find(hash, |&group| self.groups[group].hash == hash).copied()
    }

    fn open(&mut self, hash: GroupHash) -> usize {
        let Self { index, groups, rotation, .. } = self;
        let group = groups.insert(Group { hash, queue: PriorityQueue::EMPTY });
        index.insert_unique(hash, group, |&other| groups[other].hash);
        rotation.push_back(group);
        group
    }

    fn close(&mut self, group: usize) {
        let Group { hash, .. } = self.groups.remove(group);
        if let Ok(entry) = self.index.find_entry(hash, |&other| other == group) {
            entry.remove();
        }
    }
}
