//! Quantities in the one form in which upstream keeps them: `1024Mi` is `1Gi`, `0.5` is `500m`.

use std::cmp::Ordering;

use serde_json::Value;

/// A billion: quantities have at most nine digits after the point.
pub(crate) const UNIT: i128 = 1_000_000_000;
/// The names of 1000⁻³ to 1000⁶.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// The names of 1024¹ to 1024⁶.
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// How a quantity was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Decimal,
    Binary,
    Exponent,
}

/// Whether `text` is in its one form at first sight, as nearly all are that somebody wrote: up to three digits that do
/// not begin with 0, and a suffix.
pub(crate) fn is_canonical(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    (1..=3).contains(&digits.len())
        && !digits.starts_with('0')
        && (DECIMAL.contains(&suffix) || BINARY.contains(&suffix))
}

/// Puts a quantity into its one form; what is none stays as it is.
pub(crate) fn canonical(value: &mut Value) {
    let text = match value {
        Value::String(text) if is_canonical(text) => return,
        Value::String(text) => std::mem::take(text),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    *value = canonical_text(&text).unwrap_or(text).into();
}

/// The one form of a quantity; a number that is too large for it is kept as it is.
///
/// # Errors
///
/// What upstream says of what is no quantity.
pub(crate) fn canonical_text(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let is_number = number.bytes().any(|byte| byte != b'.') && number.matches('.').count() < 2;
    if !is_number || !suffix.chars().all(|c| "eEinumkKMGTP+-".contains(c) || c.is_ascii_digit()) {
        return Err(NO_QUANTITY);
    }
    let is_exponent = suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| exponent.parse::<i32>().is_ok());
    if !is_exponent && !DECIMAL.contains(&suffix) && !BINARY.contains(&suffix) {
        return Err("unable to parse quantity's suffix");
    }
    Ok(parse(text).map_or_else(|| text.to_owned(), |(nanos, style)| write(nanos, style)))
}

/// What upstream says of anything that is no quantity.
pub(crate) const NO_QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// What a quantity amounts to, in billionths; `None` of what is none.
pub(crate) fn nanos(text: &str) -> Option<i128> {
    parse(text).map(|(nanos, _)| nanos)
}

/// So many billionths in the one form that has no powers of two.
pub(crate) fn decimal(nanos: i128) -> String {
    write(nanos, Style::Decimal)
}

/// How two quantities compare; `None` if either is none.
pub(crate) fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    let nanos = |value: &Value| parse(value.as_str()?).map(|(nanos, _)| nanos);
    Some(nanos(one)?.cmp(&nanos(other)?))
}

/// What a quantity amounts to, in billionths.
fn parse(text: &str) -> Option<(i128, Style)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-')));
    let (number, suffix) = text.split_at(end.unwrap_or(text.len()));
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) || fraction.len() > 18 {
        return None;
    }
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let (style, scale) = scale(suffix)?;
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let (multiplier, divisor) = match scale {
        Scale::Times(factor) => (factor.checked_mul(UNIT)?, divisor),
        Scale::Nanos(factor) => (factor, divisor),
    };
    let product = mantissa.checked_mul(multiplier)?;
    let nanos = product / divisor + i128::from(product % divisor != 0); // upstream rounds up, away from 0
    Some((if negative { -nanos } else { nanos }, style))
}

enum Scale {
    /// So many.
    Times(i128),
    /// So many billionths.
    Nanos(i128),
}

fn scale(suffix: &str) -> Option<(Style, Scale)> {
    if let Some(power) = BINARY.iter().position(|name| *name == suffix) {
        return Some((Style::Binary, Scale::Times(1024_i128.pow(u32::try_from(power).ok()? + 1))));
    }
    let (style, power) = match suffix.strip_prefix(['e', 'E']).filter(|exponent| !exponent.is_empty()) {
        Some(exponent) => (Style::Exponent, exponent.parse::<i32>().ok()?),
        None => {
            let index = DECIMAL.iter().position(|name| *name == suffix)?;
            (Style::Decimal, (i32::try_from(index).ok()? - 3) * 3)
        }
    };
    let factor = |power: i32| 10_i128.checked_pow(u32::try_from(power).ok()?);
    let scale = if power >= 0 { Scale::Times(factor(power)?) } else { Scale::Nanos(factor(9 + power)?) };
    Some((style, scale))
}

fn write(nanos: i128, style: Style) -> String {
    if nanos == 0 {
        return "0".to_owned();
    }
    if style == Style::Binary && nanos.abs() >= 1024 * UNIT {
        let mut number = nanos / UNIT + if nanos % UNIT == 0 { 0 } else { nanos.signum() };
        let mut power = 0;
        while number % 1024 == 0 && power < BINARY.len() {
            number /= 1024;
            power += 1;
        }
        return format!("{number}{}", power.checked_sub(1).map_or("", |power| BINARY[power]));
    }
    let (mut number, mut power) = (nanos, 0);
    while number % 1000 == 0 && power < DECIMAL.len() - 1 {
        number /= 1000;
        power += 1;
    }
    match (style, power) {
        (Style::Exponent, 3) => number.to_string(),
        (Style::Exponent, power) => format!("{number}e{}", (i64::try_from(power).unwrap_or(0) - 3) * 3),
        (_, power) => format!("{number}{}", DECIMAL[power]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_canonical_at_first_sight_is_so_at_the_second() {
        for text in ["1", "999", "100n", "100m", "250Mi", "1Gi", "12E", "7k"] {
            assert!(is_canonical(text), "{text}");
            assert_eq!(parse(text).map(|(nanos, style)| write(nanos, style)).as_deref(), Some(text));
        }
        for text in ["", "0", "01", "1000", "1.5", "-1", "Mi", "1e3", "1MiB", "1 Gi"] {
            assert!(!is_canonical(text), "{text}");
        }
    }

    /// What kube-apiserver 1.36.3 makes of quantities.
    #[test]
    fn quantities_are_kept_in_one_form() {
        for (written, kept) in [
            ("1024Mi", "1Gi"),
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1500m", "1500m"),
            ("1000", "1k"),
            ("1024", "1024"),
            ("0.5Gi", "512Mi"),
            ("100Mi", "100Mi"),
            ("1e3", "1e3"),
            ("1500e-3", "1500e-3"),
            ("0", "0"),
            ("0Mi", "0"),
            ("0.5Ki", "512"),
            ("-1000m", "-1"),
            ("1Ki", "1Ki"),
            ("2000k", "2M"),
            ("one", "one"),
            ("", ""),
        ] {
            let mut value = json!(written);
            canonical(&mut value);
            assert_eq!(value, kept, "{written}");
        }
        let mut number = json!(0.25);
        canonical(&mut number);
        assert_eq!(number, "250m");
    }

    /// FV-T7. The right side is what a kube-apiserver stored.
    #[test]
    fn quantities_are_written_as_upstream_writes_them() {
        for (sent, kept) in [
            ("1", "1"),
            ("0.5", "500m"),
            ("1000000000", "1G"),
            ("1e3", "1e3"),
            ("100m", "100m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1.5Gi", "1536Mi"),
            ("1024Mi", "1Gi"),
            ("0.5Ki", "512"),
            ("100", "100"),
            (".5", "500m"),
            ("0", "0"),
            ("0m", "0"),
            ("128974848", "128974848"),
            ("1000", "1k"),
            ("1.1", "1100m"),
            ("1E2", "100"),
            ("1e4", "10e3"),
            ("1e-3", "1e-3"),
            ("12E", "12E"),
        ] {
            assert_eq!(canonical_text(sent).as_deref(), Ok(kept), "{sent}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_told() {
        for wrong in ["", "x", "1.2.3", "Ki", "1 Gi", "."] {
            assert_eq!(canonical_text(wrong).unwrap_err(), NO_QUANTITY, "{wrong}");
        }
        assert_eq!(canonical_text("1KM").unwrap_err(), "unable to parse quantity's suffix");
        let huge = "9".repeat(100);
        assert_eq!(canonical_text(&huge), Ok(huge.clone()), "no overflow");
        assert!(canonical_text("1e999999999").is_ok() && canonical_text("1e-999").is_ok());
    }
}
