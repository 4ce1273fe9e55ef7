//! [`Column`]: one optional value per slot, stored outside the slots.

use crate::slot_id::SlotId;

/// A value per slot that most queues never set. It takes no memory until one value is set.
#[derive(Debug)]
pub(crate) struct Column<T> {
    values: Vec<T>,
}

impl<T: Copy + Default> Column<T> {
    pub(crate) const EMPTY: Self = Self { values: Vec::new() };

    /// Returns the slot's value, or the default if none was set. The value may be from an earlier key of the
    /// slot.
    #[inline]
    pub(crate) fn get(&self, id: SlotId) -> T {
        self.values.get(id as usize).copied().unwrap_or_default()
    }

    /// Drops the values from slot `len` on and frees their memory.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.values.shrink_to(2 * len);
    }

    #[inline]
    pub(crate) fn set(&mut self, id: SlotId, value: T) {
        let at = id as usize;
        if at >= self.values.len() {
            self.values.resize(at + 1, T::default());
        }
        self.values[at] = value;
    }
}

#[cfg(test)]
impl<T> Column<T> {
    pub(crate) fn memory(&self) -> usize {
        self.values.capacity() * size_of::<T>()
    }
}
