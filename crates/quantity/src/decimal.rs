//! [`Decimal`]: an exact number, an integer times a power of ten.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};

use num_bigint::{BigInt, Sign};

/// `mantissa × 10^exponent`. Equality and order are those of the number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decimal {
    mantissa: BigInt,
    exponent: i32,
}

impl Decimal {
    pub(crate) fn new(mantissa: impl Into<BigInt>, exponent: i32) -> Self {
        Self { mantissa: mantissa.into(), exponent }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.mantissa.sign() == Sign::NoSign
    }

    pub(crate) fn sign(&self) -> Sign {
        self.mantissa.sign()
    }

    pub(crate) fn negated(&self) -> Self {
        Self::new(-&self.mantissa, self.exponent)
    }

    pub(crate) fn sum(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self::new(self.scaled_to(exponent) + other.scaled_to(exponent), exponent)
    }

    /// Rounds away from zero to a multiple of `10^exponent`. Returns whether the number was one already.
    pub(crate) fn round_up(&mut self, exponent: i32) -> bool {
        if self.exponent >= exponent {
            return true;
        }
        let dropped = exponent.abs_diff(self.exponent);
        let (quotient, is_exact) = if self.digits() + 1 < u64::from(dropped) {
            (BigInt::ZERO, self.is_zero()) // smaller than the unit: the power of ten is not computed
        } else {
            let divisor = BigInt::from(10).pow(dropped);
            let quotient = &self.mantissa / &divisor; // truncates towards zero
            let is_exact = &quotient * &divisor == self.mantissa;
            (quotient, is_exact)
        };
        let away = match self.sign() {
            Sign::Minus => -1,
            _ => 1,
        };
        self.mantissa = if is_exact { quotient } else { quotient + away };
        self.exponent = exponent;
        is_exact
    }

    /// Returns the number, if it is an integer.
    pub(crate) fn integer(&self) -> Option<BigInt> {
        let mut whole = self.clone();
        whole.round_up(0).then(|| whole.scaled_to(0))
    }

    /// Returns the mantissa for a smaller or equal `exponent`.
    pub(crate) fn scaled_to(&self, exponent: i32) -> BigInt {
        match self.exponent.abs_diff(exponent) {
            0 => self.mantissa.clone(),
            places => &self.mantissa * BigInt::from(10).pow(places),
        }
    }

    /// Returns the shortest digits with their sign, and the exponent that goes with them. Zero has the exponent 0.
    pub(crate) fn shortest(&self) -> (String, i32) {
        if self.is_zero() {
            return ("0".to_owned(), 0);
        }
        let mut digits = self.mantissa.to_string();
        let kept = digits.trim_end_matches('0').len();
        let zeros = i32::try_from(digits.len() - kept).unwrap_or(i32::MAX);
        digits.truncate(kept);
        (digits, self.exponent.saturating_add(zeros))
    }

    #[allow(clippy::cast_possible_truncation, reason = "parsing limits texts to some thousand digits")]
    pub(crate) fn to_f64(&self) -> f64 {
        let (digits, exponent) = self.shortest();
        format!("{digits}e{exponent}").parse().unwrap_or(f64::NAN)
    }

    /// Returns the number of decimal digits of the mantissa, or one more.
    fn digits(&self) -> u64 {
        self.mantissa.bits() * 30_103 / 100_000 + 1
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.exponent == other.exponent {
            return self.mantissa.cmp(&other.mantissa);
        }
        if self.sign() != other.sign() || self.is_zero() {
            return self.sign().cmp(&other.sign());
        }
        let exponent = self.exponent.min(other.exponent);
        self.scaled_to(exponent).cmp(&other.scaled_to(exponent))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.shortest().hash(state);
    }
}
