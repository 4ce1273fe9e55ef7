//! [`Format`]: the family of suffixes of a quantity, and the canonical form in each.

use num_bigint::{BigInt, Sign};

use crate::decimal::Decimal;

/// The suffixes of 1000⁻³ to 1000⁶.
pub(crate) const DECIMAL_SUFFIXES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// The suffixes of 1024¹ to 1024⁶.
pub(crate) const BINARY_SUFFIXES: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// The family of suffixes in which a quantity was written and is printed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Powers of ten as an exponent: `12e6`.
    DecimalExponent,
    /// Powers of 1024: `12Mi`.
    BinarySi,
    /// Powers of 1000: `12M`, and no suffix at all.
    #[default]
    DecimalSi,
}

/// Returns the canonical form of `amount`: no fraction, and the largest suffix that loses nothing. A binary format
/// falls back to the decimal one for fractions and for amounts below 1024.
pub(crate) fn canonical(amount: &Decimal, format: Format) -> String {
    if amount.is_zero() {
        return "0".to_owned();
    }
    if format == Format::BinarySi
        && let Some(integer) = amount.integer()
        && integer.magnitude() >= &1024_u32.into()
    {
        return binary(integer);
    }
    decimal(amount, format)
}

fn binary(mut integer: BigInt) -> String {
    let base = BigInt::from(1024);
    let mut power = 0;
    while power < BINARY_SUFFIXES.len() && (&integer % &base).sign() == Sign::NoSign {
        integer /= &base;
        power += 1;
    }
    let suffix = power.checked_sub(1).map_or("", |power| BINARY_SUFFIXES[power]);
    format!("{integer}{suffix}")
}

fn decimal(amount: &Decimal, format: Format) -> String {
    let (mut digits, exponent) = amount.shortest();
    let extra = exponent.rem_euclid(3); // the exponent becomes a multiple of three
    digits.extend((0..extra).map(|_| '0'));
    let exponent = exponent - extra;
    if exponent == 0 {
        return digits;
    }
    let index = usize::try_from(exponent / 3 + 3).ok();
    match index.and_then(|index| DECIMAL_SUFFIXES.get(index)) {
        Some(suffix) if format != Format::DecimalExponent => digits + suffix,
        _ => format!("{digits}e{exponent}"),
    }
}
