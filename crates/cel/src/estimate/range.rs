//! [`Range`] of costs or sizes.

/// A range of costs, or of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Range {
    pub(crate) const UNKNOWN: Self = Self { min: 0, max: u64::MAX };
    pub(crate) const ONE: Self = Self::exactly(1);

    pub(crate) const fn exactly(number: u64) -> Self {
        Self { min: number, max: number }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    pub(crate) fn times(self, other: Self) -> Self {
        Self { min: self.min.saturating_mul(other.min), max: self.max.saturating_mul(other.max) }
    }

    /// A tenth: what it costs to go through a text.
    pub(crate) fn tenth(self) -> Self {
        Self { min: self.min.div_ceil(10), max: self.max.div_ceil(10) }
    }

    /// Either this or the other.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}
