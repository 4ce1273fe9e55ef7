//! [`Rank`]: the position of a ready key, computed from its arrival and its priority.

use std::cmp::Ordering;

/// The number of arrivals that outweigh one level of priority.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step(pub(crate) u32);

impl Step {
    /// Returns the key's order; the smallest is next. Cannot overflow before 2⁶² arrivals, because the
    /// product has at most 48 bits.
    #[inline]
    pub(crate) fn order(self, arrival: u64, priority: i16) -> i64 {
        arrival.cast_signed() - i64::from(priority) * i64::from(self.0)
    }
}

/// The position of a key among the ready keys, or of a lane, which has the position of its first key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rank {
    pub(crate) order: i64,
    pub(crate) priority: i16,
    /// The number of the slot or of the lane.
    pub(crate) id: u32,
}

impl Rank {
    /// Compares by order; of equal orders the higher priority is first.
    #[inline]
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        (self.order, other.priority) < (other.order, self.priority)
    }
}

impl Ord for Rank {
    /// Orders ranks: the greatest one is the next key, as `BinaryHeap` expects.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (other.order, self.priority, other.id).cmp(&(self.order, other.priority, self.id))
    }
}

impl PartialOrd for Rank {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
