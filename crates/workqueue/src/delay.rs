//! [`Delays`]: the delayed keys, with their time and priority.

use std::collections::BTreeMap;

use crate::{column::Column, slot_id::SlotId, slots::Slots, time::Time, window::Window};

/// The end of a key's delay, and the priority that the key then has.
#[derive(Debug, Clone, Copy, Default)]
struct Delay {
    due: Time,
    priority: i16,
}

/// The delayed keys, earliest first. Each key has one delay; an earlier time wins, as in client-go.
///
/// A key that is moved earlier or removed leaves a stale entry behind. A stale entry differs from its slot's
/// delay: `next` and `pop` skip it, and `sweep` removes stale entries before they outnumber the current ones,
/// so memory follows the number of delayed keys.
///
/// One heap for all entries would be slow: with a million keys, each level of a `pop` misses the CPU cache.
/// Time is therefore cut into windows of two milliseconds, each with a small heap.
#[derive(Debug)]
pub(crate) struct Delays {
    /// By window number. No window is empty.
    windows: BTreeMap<u64, Window>,
    /// Entries in all windows, stale ones included.
    entries: usize,
    by_slot: Column<Delay>,
    len: usize,
    /// No key is due before this time. Lets `pop` return early without looking into the windows.
    earliest: Time,
}

impl Delays {
    pub(crate) const EMPTY: Self =
        Self { windows: BTreeMap::new(), entries: 0, by_slot: Column::EMPTY, len: 0, earliest: Time::MAX };

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the slot's due time, if it is delayed.
    pub(crate) fn due<K>(&self, slots: &Slots<K>, id: SlotId) -> Option<Time> {
        slots[id].delayed.then(|| self.by_slot.get(id).due)
    }

    /// Delays the slot, or moves its delay earlier. The higher of the two priorities is kept.
    pub(crate) fn insert<K>(&mut self, slots: &mut Slots<K>, id: SlotId, due: Time, priority: i16) {
        let mut delay = Delay { due, priority };
        if slots[id].delayed {
            let current = self.by_slot.get(id);
            delay.priority = priority.max(current.priority);
            if due >= current.due {
                self.by_slot.set(id, Delay { due: current.due, ..delay });
                return;
            }
        } else {
            slots[id].delayed = true;
            self.len += 1;
        }
        self.by_slot.set(id, delay);
        self.earliest = self.earliest.min(due);
        self.windows.entry(due.window()).or_default().push((due, id));
        self.entries += 1;
        self.sweep(slots);
    }

    pub(crate) fn remove<K>(&mut self, slots: &mut Slots<K>, id: SlotId) {
        if std::mem::take(&mut slots[id].delayed) {
            self.len -= 1;
            self.sweep(slots);
        }
    }

    /// Follows a delayed key from one slot to another.
    pub(crate) fn relocate<K>(&mut self, slots: &Slots<K>, from: SlotId, to: SlotId) {
        let delay = self.by_slot.get(from);
        self.by_slot.set(to, delay);
        self.windows.entry(delay.due.window()).or_default().push((delay.due, to));
        self.entries += 1;
        self.sweep(slots);
    }

    /// Drops the delays from slot number `slots` on and frees their memory.
    pub(crate) fn truncate(&mut self, slots: usize) {
        self.by_slot.truncate(slots);
    }

    /// Returns the earliest due time.
    pub(crate) fn next<K>(&mut self, slots: &Slots<K>) -> Option<Time> {
        loop {
            let (due, id) = self.windows.values_mut().next()?.first()?;
            if self.is_current(slots, due, id) {
                self.earliest = due;
                return Some(due);
            }
            self.pop_first();
        }
    }

    /// Removes the earliest key if it is due at `now`, and returns it with its priority.
    pub(crate) fn pop<K>(&mut self, slots: &mut Slots<K>, now: Time) -> Option<(SlotId, i16)> {
        if self.earliest > now || self.next(slots)? > now {
            return None;
        }
        let id = self.pop_first()?;
        slots[id].delayed = false;
        self.len -= 1;
        Some((id, self.by_slot.get(id).priority))
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.windows.values().map(Window::memory).sum::<usize>() + self.by_slot.memory()
    }

    /// Returns whether an entry is the current delay of its slot, not a stale one.
    fn is_current<K>(&self, slots: &Slots<K>, due: Time, id: SlotId) -> bool {
        slots.get(id).is_some_and(|slot| slot.delayed) && self.by_slot.get(id).due == due
    }

    fn pop_first(&mut self) -> Option<SlotId> {
        let mut first = self.windows.first_entry()?;
        let (_, id) = first.get_mut().pop()?;
        if first.get().len() == 0 {
            first.remove();
        }
        self.entries -= 1;
        Some(id)
    }

    fn sweep<K>(&mut self, slots: &Slots<K>) {
        const SLACK: usize = 64; // sweeping a few entries costs more than keeping them
        if self.entries > 2 * self.len + SLACK {
            let mut windows = std::mem::take(&mut self.windows);
            windows.retain(|_, window| {
                window.retain(|(due, id)| self.is_current(slots, due, id));
                window.len() > 0
            });
            self.entries = windows.values().map(Window::len).sum();
            self.windows = windows;
        }
    }
}
