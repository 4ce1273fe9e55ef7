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
        self.scaled(TENTH)
    }

    /// The range times a factor, rounded up.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        Self { min: scaled(self.min, factor), max: scaled(self.max, factor) }
    }

    /// Either this or the other.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

/// The cost of a character of a text that is traversed.
pub(crate) const TENTH: f64 = 0.1;

/// Multiplies and rounds up, in floating point as upstream does: large products are not exact.
pub(crate) fn scaled(number: u64, factor: f64) -> u64 {
    #[allow(clippy::cast_precision_loss, reason = "upstream rounds the same way")]
    let product = number as f64 * factor;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and saturated at the maximum"
    )]
    let rounded = product.ceil() as u64;
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_of_floating_point() {
        assert_eq!([0, 1, 10, 11, 70].map(|number| scaled(number, TENTH)), [0, 1, 1, 2, 7]);
        assert_eq!(scaled(u64::MAX, TENTH), 1_844_674_407_370_955_264);
        assert_eq!(scaled(u64::MAX, 2.0), u64::MAX);
    }
}
