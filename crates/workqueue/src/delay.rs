//! [`Delays`]: which keys are to become ready, when, and with what priority.

use std::collections::BTreeMap;

use crate::{
    column::Column,
    slots::{SlotId, Slots},
    time::Time,
    window::Window,
};

/// What a delayed key waits for.
#[derive(Debug, Clone, Copy, Default)]
struct Wish {
    due: Time,
    priority: i16,
}

/// The delayed keys, soonest first. One entry a key; an earlier time wins, as in client-go.
///
/// A key that is moved earlier or taken out leaves its old entry behind. Such an entry says
/// something else than its slot, is skipped when it surfaces, and is swept out before it and its
/// like are more than the live ones: memory follows the number of delayed keys.
///
/// One heap for all would be slower than what it orders: with a million keys each step down of a `pop` misses
/// the cache. So time is cut into windows of two milliseconds, each with a heap that fits.
#[derive(Debug)]
pub(crate) struct Delays {
    /// By window; none of them is empty.
    windows: BTreeMap<u64, Window>,
    /// In all windows, with those that were left behind.
    entries: usize,
    wishes: Column<Wish>,
    len: usize,
    /// No key is due earlier. Between two firings it answers for the windows.
    earliest: Time,
}

impl Delays {
    pub(crate) const EMPTY: Self =
        Self { windows: BTreeMap::new(), entries: 0, wishes: Column::EMPTY, len: 0, earliest: Time::MAX };

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// When the slot is due, if it is delayed.
    pub(crate) fn due<K>(&self, slots: &Slots<K>, id: SlotId) -> Option<Time> {
        slots[id].delayed.then(|| self.wishes.get(id).due)
    }

    /// Delays the slot, or moves it earlier; the higher priority of the two stays.
    pub(crate) fn insert<K>(&mut self, slots: &mut Slots<K>, id: SlotId, due: Time, priority: i16) {
        let mut wish = Wish { due, priority };
        if slots[id].delayed {
            let current = self.wishes.get(id);
            wish.priority = priority.max(current.priority);
            if due >= current.due {
                self.wishes.set(id, Wish { due: current.due, ..wish });
                return;
            }
        } else {
            slots[id].delayed = true;
            self.len += 1;
        }
        self.wishes.set(id, wish);
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

    /// A delayed key moved from one slot to another.
    pub(crate) fn relocate<K>(&mut self, slots: &Slots<K>, from: SlotId, to: SlotId) {
        let wish = self.wishes.get(from);
        self.wishes.set(to, wish);
        self.windows.entry(wish.due.window()).or_default().push((wish.due, to));
        self.entries += 1;
        self.sweep(slots);
    }

    /// Forgets what there was of slots beyond the first ones.
    pub(crate) fn truncate(&mut self, slots: usize) {
        self.wishes.truncate(slots);
    }

    /// When the soonest key is due.
    pub(crate) fn next<K>(&mut self, slots: &Slots<K>) -> Option<Time> {
        loop {
            let (due, id) = self.windows.values_mut().next()?.first()?;
            if self.stands(slots, due, id) {
                self.earliest = due;
                return Some(due);
            }
            self.pop_first();
        }
    }

    /// Takes out the soonest key if it is due by `now`, with its priority.
    pub(crate) fn pop<K>(&mut self, slots: &mut Slots<K>, now: Time) -> Option<(SlotId, i16)> {
        if self.earliest > now || self.next(slots)? > now {
            return None;
        }
        let id = self.pop_first()?;
        slots[id].delayed = false;
        self.len -= 1;
        Some((id, self.wishes.get(id).priority))
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.windows.values().map(Window::memory).sum::<usize>() + self.wishes.memory()
    }

    /// Whether the window's entry is what its slot waits for.
    fn stands<K>(&self, slots: &Slots<K>, due: Time, id: SlotId) -> bool {
        slots.get(id).is_some_and(|slot| slot.delayed) && self.wishes.get(id).due == due
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
        const SLACK: usize = 64; // sweeping a handful costs more than keeping it
        if self.entries > 2 * self.len + SLACK {
            let mut windows = std::mem::take(&mut self.windows);
            windows.retain(|_, window| {
                window.retain(|(due, id)| self.stands(slots, due, id));
                window.len() > 0
            });
            self.entries = windows.values().map(Window::len).sum();
            self.windows = windows;
        }
    }
}
