//! The end of a burst: the memory that it took is freed.

use super::State;
use crate::{
    column::Column,
    delay::Delays,
    slots::{Phase, Slots},
};

/// The most slots that one call frees or moves after a burst.
const SHRINKING_BATCH: usize = 256;

impl<K> State<K> {
    /// Frees the memory of a burst of which less than an eighth is left, a few slots at a time, from the end.
    /// A slot that is only delayed is moved. A slot that is ready or processing is not: it stops the
    /// compaction, and is vacant soon.
    #[cold]
    pub(super) fn compact(&mut self) {
        for _ in 0..SHRINKING_BATCH {
            let Err(last) = self.slots.pop_vacant() else {
                continue;
            };
            if self.slots[last].phase != Phase::Idle {
                break;
            }
            let to = self.slots.relocate(last);
            self.ready.relocate(last, to);
            self.delays.relocate(&self.slots, last, to);
        }
        if let Some(len) = self.slots.shrink() {
            self.ready.truncate(len);
            self.delays.truncate(len);
            if let Some(timestamps) = &mut self.timestamps {
                timestamps.truncate(len);
            }
        }
    }

    /// Frees the memory of a small burst, too, once nothing is left to do and a worker goes to sleep: a process may have a
    /// hundred queues.
    #[inline]
    pub(crate) fn rest(&mut self) {
        if self.slots.holds_spare() {
            self.reset();
        }
    }

    /// Frees the memory of a burst of which nothing is left. Slot numbers and everything indexed by them
    /// start again.
    #[cold]
    pub(super) fn reset(&mut self) {
        self.slots = Slots::new();
        self.ready.reset();
        self.delays = Delays::EMPTY;
        self.timestamps = self.timestamps.is_some().then_some(Column::EMPTY);
    }
}
