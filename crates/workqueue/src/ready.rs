//! [`Ready`]: the ready keys, in one line or in turns between groups.

use std::collections::VecDeque;

use hashbrown::HashTable;
use slab::Slab;

use crate::{
    column::Column,
    order::{Line, Step},
    slots::{SlotId, Slots},
};

/// What a group's value hashes to. Two groups of equal hash share their turns, which is harmless.
pub(crate) type GroupHash = u64;

/// The ready keys, and which of them is next.
#[derive(Debug)]
pub(crate) struct Ready {
    step: Step,
    len: usize,
    arrivals: u64,
    /// All keys, unless there are groups.
    line: Line,
    groups: Option<Box<Groups>>,
}

impl Ready {
    pub(crate) fn new(step: Step, fair: bool) -> Self {
        Self { step, len: 0, arrivals: 0, line: Line::EMPTY, groups: fair.then(Box::default) }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Says which group a new slot belongs to. Without effect where nobody asked for groups.
    #[inline]
    pub(crate) fn assign(&mut self, id: SlotId, group: GroupHash) {
        if let Some(groups) = &mut self.groups {
            groups.of.set(id, group);
        }
    }

    /// A key that is in no line moved from one slot to another.
    pub(crate) fn relocate(&mut self, from: SlotId, to: SlotId) {
        if let Some(groups) = &mut self.groups {
            groups.of.set(to, groups.of.get(from));
        }
    }

    /// Forgets what there was of slots beyond the first ones.
    pub(crate) fn truncate(&mut self, slots: usize) {
        if let Some(groups) = &mut self.groups {
            groups.of.truncate(slots);
        }
    }

    /// Lets the slot arrive.
    #[inline]
    pub(crate) fn push<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        slots[id].arrival = self.arrivals;
        self.arrivals += 1;
        self.len += 1;
        let Self { step, line, groups, .. } = self;
        match groups {
            None => line.push(slots, *step, id),
            Some(groups) => groups.push(slots, *step, id),
        }
    }

    pub(crate) fn raise<K>(&mut self, slots: &mut Slots<K>, id: SlotId, priority: i16) {
        let step = self.step;
        self.line_of(id).raise(slots, step, id, priority);
    }

    pub(crate) fn remove<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        let step = self.step;
        self.line_of(id).remove(slots, step, id);
        self.len -= 1;
    }

    /// Takes the next key out. Its phase is the caller's to set.
    #[inline]
    pub(crate) fn pop<K>(&mut self, slots: &mut Slots<K>) -> Option<SlotId> {
        let Self { step, line, groups, .. } = self;
        let id = match groups {
            None => line.pop(slots, *step),
            Some(groups) => groups.pop(slots, *step),
        }?;
        self.len -= 1;
        Some(id)
    }

    /// Starts again with no memory of any slot. Arrivals count on.
    pub(crate) fn reset(&mut self) {
        self.line = Line::EMPTY;
        self.groups = self.groups.is_some().then(Box::default);
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.line.memory() + self.groups.as_ref().map_or(0, |groups| groups.of.memory())
    }

    fn line_of(&mut self, id: SlotId) -> &mut Line {
        match &mut self.groups {
            None => &mut self.line,
            Some(groups) => groups.line_of(id),
        }
    }
}

/// Lines that take turns: each group with a ready key gives one a round.
///
/// - G1: a group is in `turns` exactly once if it has an entry here, and it has one if it has a ready key.
///
/// A key that is the n-th of its group therefore comes within n rounds, however long other lines are.
#[derive(Debug)]
struct Groups {
    /// The group of each slot.
    of: Column<GroupHash>,
    index: HashTable<usize>,
    groups: Slab<Group>,
    turns: VecDeque<usize>,
}

#[derive(Debug)]
struct Group {
    hash: GroupHash,
    line: Line,
}

impl Default for Groups {
    fn default() -> Self {
        Self { of: Column::EMPTY, index: HashTable::new(), groups: Slab::new(), turns: VecDeque::new() }
    }
}

impl Groups {
    #[inline]
    fn push<K>(&mut self, slots: &mut Slots<K>, step: Step, id: SlotId) {
        let hash = self.of.get(id);
        let group = match self.find(hash) {
            Some(group) => group,
            None => self.open(hash),
        };
        self.groups[group].line.push(slots, step, id);
    }

    #[inline]
    fn pop<K>(&mut self, slots: &mut Slots<K>, step: Step) -> Option<SlotId> {
        loop {
            let group = self.turns.pop_front()?;
            let line = &mut self.groups[group].line;
            let id = line.pop(slots, step);
            if line.len() == 0 {
                self.close(group); // G1; `remove` may have emptied it before its turn
            } else {
                self.turns.push_back(group);
            }
            if id.is_some() {
                return id;
            }
        }
    }

    fn line_of(&mut self, id: SlotId) -> &mut Line {
        let hash = self.of.get(id);
        match self.find(hash) {
            Some(group) => &mut self.groups[group].line,
            None => unreachable!("G1: the group of a ready key has an entry"),
        }
    }

    fn find(&self, hash: GroupHash) -> Option<usize> {
        self.index.find(hash, |&group| self.groups[group].hash == hash).copied()
    }

    fn open(&mut self, hash: GroupHash) -> usize {
        let Self { index, groups, turns, .. } = self;
        let group = groups.insert(Group { hash, line: Line::EMPTY });
        index.insert_unique(hash, group, |&other| groups[other].hash);
        turns.push_back(group);
        group
    }

    fn close(&mut self, group: usize) {
        let Group { hash, .. } = self.groups.remove(group);
        if let Ok(entry) = self.index.find_entry(hash, |&other| other == group) {
            entry.remove();
        }
    }
}
