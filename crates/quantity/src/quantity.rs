//! [`Quantity`]: an amount with its format, and arithmetic on it.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::{Add, AddAssign, Neg, Sub, SubAssign},
};

use num_bigint::{BigInt, Sign};

use crate::{Format, decimal::Decimal, format::canonical};

/// An amount of a resource: an exact decimal number and the format in which it is printed.
///
/// Parse one with [`str::parse`]. Equality, order and hash are those of the amount, so that `1000m` equals `1`. The
/// [`Display`](fmt::Display) form is Go's `String()`.
#[derive(Clone, Default)]
pub struct Quantity {
    amount: Decimal,
    format: Format,
    /// The text that was parsed, where Go keeps it.
    text: Option<Box<str>>,
}

/// A unit to which amounts are rounded: a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// 10⁻⁹
    Nano,
    /// 10⁻⁶
    Micro,
    /// 10⁻³
    Milli,
    /// 1
    One,
    /// 10³
    Kilo,
    /// 10⁶
    Mega,
    /// 10⁹
    Giga,
    /// 10¹²
    Tera,
    /// 10¹⁵
    Peta,
    /// 10¹⁸
    Exa,
}

impl Scale {
    fn exponent(self) -> i32 {
        match self {
            Self::Nano => -9,
            Self::Micro => -6,
            Self::Milli => -3,
            Self::One => 0,
            Self::Kilo => 3,
            Self::Mega => 6,
            Self::Giga => 9,
            Self::Tera => 12,
            Self::Peta => 15,
            Self::Exa => 18,
        }
    }
}

impl Quantity {
    /// `value` units, printed in `format`.
    #[must_use]
    pub fn new(value: i64, format: Format) -> Self {
        Self::of(Decimal::new(value, 0), format)
    }

    /// `value` times `scale`, printed in `format`: `Quantity::scaled(1500, Scale::Milli, …)` is `1500m`.
    #[must_use]
    pub fn scaled(value: i64, scale: Scale, format: Format) -> Self {
        Self::of(Decimal::new(value, scale.exponent()), format)
    }

    pub(crate) fn of(amount: Decimal, format: Format) -> Self {
        Self { amount, format, text: None }
    }

    pub(crate) fn written(amount: Decimal, format: Format, text: &str) -> Self {
        Self { amount, format, text: Some(text.into()) }
    }

    /// Returns the format in which it was written, and is printed.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns whether the amount is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.amount.is_zero()
    }

    /// −1, 0 or 1, as the amount is negative, zero or positive.
    #[must_use]
    pub fn signum(&self) -> i8 {
        match self.amount.sign() {
            Sign::Minus => -1,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        }
    }

    /// Returns the amount, if it is an integer of 64 bits (`AsInt64`).
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        i64::try_from(self.amount.integer()?).ok()
    }

    /// Returns the amount as a floating-point number, the nearest there is (`AsFloat64Slow`); infinite beyond the
    /// range.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.amount.to_f64()
    }

    /// Returns the amount as an integer, rounded away from zero; saturates at the ends of the range.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.scaled_value(Scale::One)
    }

    /// Returns the amount in thousandths, rounded away from zero; saturates at the ends of the range.
    #[must_use]
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(Scale::Milli)
    }

    /// Returns the amount in units of `scale`, rounded away from zero; saturates at the ends of the range.
    #[must_use]
    pub fn scaled_value(&self, scale: Scale) -> i64 {
        let mut rounded = self.amount.clone();
        rounded.round_up(scale.exponent());
        let integer: BigInt = rounded.scaled_to(scale.exponent());
        let end = if integer.sign() == Sign::Minus { i64::MIN } else { i64::MAX };
        i64::try_from(integer).unwrap_or(end)
    }

    /// Rounds the amount away from zero to a multiple of `scale` (`RoundUp`). Returns whether nothing was lost.
    pub fn round_up(&mut self, scale: Scale) -> bool {
        let is_exact = self.amount.round_up(scale.exponent());
        if !is_exact {
            self.text = None;
        }
        is_exact
    }

    /// Returns the amount printed in `format`, in canonical form.
    #[must_use]
    pub fn to_string_in(&self, format: Format) -> String {
        canonical(&self.amount, format)
    }

    /// Adds `other` in place. A sum with zero takes the other's format.
    fn add(&mut self, other: &Decimal, format: Format) {
        if self.is_zero() {
            self.format = format;
        }
        self.amount = self.amount.sum(other);
        self.text = None;
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => f.pad(text),
            None => f.pad(&canonical(&self.amount, self.format)),
        }
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quantity({self})")
    }
}

impl From<i64> for Quantity {
    /// `value` units in the decimal format.
    fn from(value: i64) -> Self {
        Self::new(value, Format::DecimalSi)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.amount == other.amount
    }
}

impl Eq for Quantity {}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.amount.cmp(&other.amount)
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Quantity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.amount.hash(state);
    }
}

impl AddAssign<&Quantity> for Quantity {
    fn add_assign(&mut self, other: &Self) {
        self.add(&other.amount, other.format);
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self += &other;
    }
}

impl SubAssign<&Quantity> for Quantity {
    fn sub_assign(&mut self, other: &Self) {
        self.add(&other.amount.negated(), other.format);
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        *self -= &other;
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += &other;
        self
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(mut self, other: Self) -> Self {
        self -= &other;
        self
    }
}

impl Neg for Quantity {
    type Output = Self;

    fn neg(self) -> Self {
        Self::of(self.amount.negated(), self.format)
    }
}
