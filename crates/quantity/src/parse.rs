//! Parsing a quantity, by the grammar of Go's `ParseQuantity`.

use std::str::FromStr;

use num_bigint::BigInt;

use crate::{
    Format, ParseQuantityError, Quantity,
    decimal::Decimal,
    format::{BINARY_SUFFIXES, DECIMAL_SUFFIXES},
};

/// The longest text that is parsed, in bytes.
const MAX_LENGTH: usize = 4096;
/// The largest exponent, up and down.
const MAX_EXPONENT: i32 = 10_000;
/// The exponent of the smallest unit: finer amounts are rounded up to it.
const NANO: i32 = -9;
/// The number of digits that Go computes with in 64 bits. It decides which texts Go keeps.
const MAX_FAST_DIGITS: usize = 18;

/// Returns whether `text` is evidently a quantity in canonical form: one to three digits that do not begin with 0, and a
/// known suffix. Nearly all quantities in manifests are, so this is the fast path of a server that reads many. If `false`,
/// the text must be parsed.
///
/// ```
/// assert!(trimtab_quantity::is_canonical("250Mi"));
/// assert!(!trimtab_quantity::is_canonical("0.5")); // a quantity, printed as 500m
/// ```
#[must_use]
pub fn is_canonical(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    (1..=3).contains(&digits.len())
        && !digits.starts_with('0')
        && (DECIMAL_SUFFIXES.contains(&suffix) || BINARY_SUFFIXES.contains(&suffix))
}

/// The pieces of a text: sign, digits without leading zeros, digits after the point, suffix.
struct Pieces<'a> {
    is_negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

/// A suffix: its format, and the exponent of its base (2 for the binary format, else 10).
struct Unit {
    format: Format,
    exponent: i32,
}

impl FromStr for Quantity {
    type Err = ParseQuantityError;

    /// Parses a quantity, by the rules of Go's `ParseQuantity`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseQuantityError::Format);
        }
        if text.len() > MAX_LENGTH {
            return Err(ParseQuantityError::Numeric);
        }
        let pieces = split(text)?;
        let unit = unit(pieces.suffix).ok_or(ParseQuantityError::Suffix)?;
        let amount = amount(&pieces, &unit)?;
        if keeps_text(&pieces, &unit, &amount) {
            return Ok(Self::written(amount, unit.format, text));
        }
        let one = Decimal::new(1, 0);
        let is_fraction = unit.format == Format::BinarySi && amount < one && amount > Decimal::default();
        let format = if is_fraction { Format::DecimalSi } else { unit.format };
        Ok(Self::of(amount, format))
    }
}

fn split(text: &str) -> Result<Pieces<'_>, ParseQuantityError> {
    let (is_negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, rest) = digits(rest.trim_start_matches('0'));
    let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
    let exponent = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if exponent.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(Pieces { is_negative, whole, fraction, suffix })
    } else {
        Err(ParseQuantityError::Format)
    }
}

/// Returns the digits at the beginning of `text`, and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn unit(suffix: &str) -> Option<Unit> {
    let exponent = |index: usize| i32::try_from(index).ok();
    if let Some(index) = BINARY_SUFFIXES.iter().position(|known| *known == suffix) {
        return Some(Unit { format: Format::BinarySi, exponent: (exponent(index)? + 1) * 10 });
    }
    if let Some(index) = DECIMAL_SUFFIXES.iter().position(|known| *known == suffix) {
        return Some(Unit { format: Format::DecimalSi, exponent: (exponent(index)? - 3) * 3 });
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?;
    (exponent.abs() <= MAX_EXPONENT).then_some(Unit { format: Format::DecimalExponent, exponent })
}

fn amount(pieces: &Pieces<'_>, unit: &Unit) -> Result<Decimal, ParseQuantityError> {
    let mantissa = mantissa(pieces)?;
    let places = i32::try_from(pieces.fraction.len()).map_err(|_| ParseQuantityError::Numeric)?;
    let mut amount = if unit.format == Format::BinarySi {
        Decimal::new(mantissa << unit.exponent, -places)
    } else {
        Decimal::new(mantissa, unit.exponent - places)
    };
    amount.round_up(NANO);
    let largest = Decimal::new(i64::MAX, 0);
    if unit.format == Format::BinarySi && amount > largest {
        amount = largest; // silently, as upstream does
    }
    Ok(if pieces.is_negative { amount.negated() } else { amount })
}

/// Returns the digits before and after the point as one number.
fn mantissa(Pieces { whole, fraction, .. }: &Pieces<'_>) -> Result<BigInt, ParseQuantityError> {
    if whole.len() + fraction.len() > MAX_FAST_DIGITS {
        return format!("{whole}{fraction}").parse().map_err(|_| ParseQuantityError::Numeric);
    }
    let digits = whole.bytes().chain(fraction.bytes());
    Ok(digits.fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0')).into())
}

/// Returns whether Go keeps the text of this quantity instead of its canonical form: its quick check
/// takes the text for canonical, as it does with `+5` and `00012`.
fn keeps_text(pieces: &Pieces<'_>, unit: &Unit, amount: &Decimal) -> bool {
    let whole = if pieces.whole.is_empty() { "0" } else { pieces.whole };
    if amount.is_zero() {
        return false;
    }
    let is_fast = |digits: usize| digits <= MAX_FAST_DIGITS;
    if unit.format == Format::BinarySi {
        // Go keeps 15 digits for a mantissa, less those that the power of two takes.
        let power = usize::try_from(unit.exponent).map_or(0, |exponent| exponent * 3 / 10);
        return pieces.fraction.is_empty()
            && whole.len() + power < 15
            && whole.parse::<i64>().is_ok_and(|value| value & 7 != 0);
    }
    let shifted = [whole, pieces.fraction].concat();
    let exponent = unit.exponent - i32::try_from(pieces.fraction.len()).unwrap_or(i32::MAX);
    is_fast(whole.len() + pieces.fraction.len())
        && exponent >= NANO
        && exponent % 3 == 0
        && !shifted.ends_with("000")
        && !shifted.starts_with('0')
}
