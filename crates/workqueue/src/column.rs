//! [`Column`]: what few queues need to know of each slot, kept beside the slots.

use crate::slots::SlotId;

/// A value beside each slot that most queues never set: takes no memory until one is.
#[derive(Debug)]
pub(crate) struct Column<T> {
    values: Vec<T>,
}

impl<T: Copy + Default> Column<T> {
    pub(crate) const EMPTY: Self = Self { values: Vec::new() };

    /// The slot's value, or the default if nobody set one. The slot's earlier key may have.
    #[inline]
    pub(crate) fn get(&self, id: SlotId) -> T {
        self.values.get(id as usize).copied().unwrap_or_default()
    }

    /// Forgets the values of all slots but the first ones, and gives their memory back.
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
