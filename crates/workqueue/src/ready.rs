//! [`Ready`]: the ready keys, in one queue or in one queue per group.

use std::{collections::VecDeque, num::NonZeroUsize};

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

    /// Limits the keys of each group that are in work at the same time. Does nothing if the queue has no groups.
    pub(crate) fn limit_groups(&mut self, limit: NonZeroUsize) {
        if let Some(groups) = &mut self.groups {
            groups.limit = limit.get();
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the number of ready keys that can be taken: those whose group is not at its limit.
    #[inline]
    pub(crate) fn takeable(&self) -> usize {
        self.len - self.groups.as_ref().map_or(0, |groups| groups.blocked)
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
        if let Some(groups) = &mut self.groups {
            groups.removed(id);
        }
    }

    /// Notes that the work on a key that was taken is done.
    #[inline]
    pub(crate) fn done(&mut self, id: SlotId) {
        if let Some(groups) = &mut self.groups
            && groups.is_limited()
        {
            groups.done(id);
        }
    }

    /// Removes the next key whose group is not at its limit. The caller sets its phase.
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
        self.groups = self.groups.take().map(|groups| {
            Box::new(Groups { limit: groups.limit, ..Groups::default() }) // no key is in work: it would have a slot
        });
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
/// - G1: every group with a ready key has an entry in `groups`. In a queue with a limit, so has every group with a key in
///   work.
/// - G2: a group with an entry is in `rotation` at most once; exactly once if it has a ready key and is below the limit.
/// - G3: `blocked` is the number of ready keys of the groups that are at the limit.
///
/// The n-th key of a group therefore comes out within n rounds, however long the other queues are, unless its group is at
/// the limit.
#[derive(Debug)]
struct Groups {
    /// The group of each slot.
    group_of: Column<GroupHash>,
    index: HashTable<usize>,
    groups: Slab<Group>,
    rotation: VecDeque<usize>,
    /// The most keys of a group that are in work at the same time.
    limit: usize,
    blocked: usize,
}

#[derive(Debug)]
struct Group {
    hash: GroupHash,
    queue: PriorityQueue,
    /// The keys in work; counted only in a queue with a limit.
    in_work: usize,
    in_rotation: bool,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            group_of: Column::EMPTY,
            index: HashTable::new(),
            groups: Slab::new(),
            rotation: VecDeque::new(),
            limit: usize::MAX,
            blocked: 0,
        }
    }
}

impl Groups {
    #[inline]
    fn is_limited(&self) -> bool {
        self.limit != usize::MAX
    }

    #[inline]
    fn push<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        let hash = self.group_of.get(id);
        let number = match self.find(hash) {
            Some(group) => group,
            None => self.open(hash),
        };
        let group = &mut self.groups[number];
        group.queue.push(slots, step, id);
        if group.in_work >= self.limit {
            self.blocked += 1; // G3
        } else if !group.in_rotation {
            group.in_rotation = true; // G2
            self.rotation.push_back(number);
        }
    }

    #[inline]
    fn pop<K>(&mut self, slots: &mut Slots<K>, step: Step) -> Option<SlotId> {
        let is_limited = self.is_limited();
        loop {
            let number = self.rotation.pop_front()?;
            let group = &mut self.groups[number];
            group.in_rotation = false;
            let id = group.queue.pop(slots, step);
            group.in_work += usize::from(is_limited && id.is_some());
            if group.in_work >= self.limit {
                self.blocked += group.queue.len(); // G3
            } else if group.queue.len() > 0 {
                group.in_rotation = true; // G2
                self.rotation.push_back(number);
            } else if group.in_work == 0 {
                self.close(number); // G1; `remove` may have emptied the group before its turn
            }
            if id.is_some() {
                return id;
            }
        }
    }

    /// Notes that a ready key was removed.
    fn removed(&mut self, id: SlotId) {
        let group = self.find(self.group_of.get(id)).map(|number| &self.groups[number]);
        if group.is_some_and(|group| group.in_work >= self.limit) {
            self.blocked -= 1; // G3
        }
    }

    fn done(&mut self, id: SlotId) {
        let Some(number) = self.find(self.group_of.get(id)) else {
            unreachable!("G1: the group of a key in work has an entry")
        };
        let group = &mut self.groups[number];
        let was_blocked = group.in_work >= self.limit;
        group.in_work -= 1;
        if was_blocked && group.queue.len() > 0 {
            self.blocked -= group.queue.len(); // G3
            group.in_rotation = true; // G2: a group at the limit is not in the rotation
            self.rotation.push_back(number);
        } else if group.in_work == 0 && group.queue.len() == 0 && !group.in_rotation {
            self.close(number); // G1
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
        let Self { index, groups, .. } = self;
        let group =
            groups.insert(Group { hash, queue: PriorityQueue::EMPTY, in_work: 0, in_rotation: false });
        index.insert_unique(hash, group, |&other| groups[other].hash);
        group
    }

    fn close(&mut self, group: usize) {
        let Group { hash, .. } = self.groups.remove(group);
        if let Ok(entry) = self.index.find_entry(hash, |&other| other == group) {
            entry.remove();
        }
    }
}
