//! Numbers as Go reads and writes them in JSON: an `int64` where the text is one, and otherwise a `float64`, which is
//! written without an exponent from 1e-6 to 1e21.

use serde_json::{Number, Value};

/// Beyond this, whole floats are no 64-bit integers any more.
const INT_LIMIT: f64 = 9_223_372_036_854_775_808.0;

/// Returns the value of a float whose text is read again: a whole one is an integer then.
pub fn from_f64(number: f64) -> Value {
    if number.fract() == 0.0 && (-INT_LIMIT..INT_LIMIT).contains(&number) {
        #[allow(clippy::cast_possible_truncation, reason = "the range was looked at")]
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// Returns a number of a JSON text as Go's decoder gives it to untyped values. Whole floats are integers to schemas
/// up to 2⁵³, beyond which they are floats until they are read again.
pub fn decoded(number: Number) -> Value {
    const LAST: f64 = 9_007_199_254_740_991.0;
    match number.as_f64() {
        Some(float) if !number.is_i64() && float.abs() <= LAST => from_f64(float),
        Some(float) if !number.is_i64() => Number::from_f64(float).map_or(Value::Null, Value::Number),
        _ => Value::Number(number),
    }
}

/// Returns a number of a JSON text as Go's decoder gives it to an object without types: an integer, or a float that may be
/// whole.
pub fn untyped(number: Number) -> Value {
    match number.as_f64() {
        Some(float) if !number.is_i64() => Number::from_f64(float).map_or(Value::Null, Value::Number),
        _ => Value::Number(number),
    }
}

/// Returns whether a value contains a whole float, which is an integer when it is read again.
pub fn has_whole_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64() && number.as_f64().is_some_and(|float| float.fract() == 0.0),
        Value::Array(items) => items.iter().any(has_whole_float),
        Value::Object(fields) => fields.values().any(has_whole_float),
        _ => false,
    }
}

/// Converts the numbers within a value as [`decoded`] does.
pub fn decode_within(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => *value = decoded(number.clone()),
        Value::Array(items) => items.iter_mut().for_each(decode_within),
        Value::Object(fields) => fields.values_mut().for_each(decode_within),
        _ => {}
    }
}

/// Writes a number.
pub fn text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if !number.is_i64() => shortest(float),
        _ => number.to_string(),
    }
}

/// A float's text with the fewest digits that tell it from its neighbours.
fn shortest(float: f64) -> String {
    let size = float.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return float.to_string();
    }
    let text = format!("{float:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// Writes a float as `strconv.FormatFloat` does with the format `g` and as few digits as tell it apart.
pub fn general<F: std::fmt::Display + std::fmt::LowerExp>(float: F) -> String {
    let text = format!("{float:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    match exponent.parse() {
        Ok(-4..6) | Err(_) => float.to_string(),
        Ok(exponent) => format!("{digits}e{exponent:+03}"),
    }
}

/// Parses an integer as `strconv.ParseInt` does without a given base; `None` if it is no integer, or has more than 128 bits.
pub fn parse_int(text: &str) -> Option<i128> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?;
    Some(if is_negative { -number } else { number })
}

/// Parses a decimal number as `strconv.ParseFloat` does; `None` if it is no number, or too large.
pub fn parse_float(text: &str) -> Option<f64> {
    let is_decimal = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let number: f64 = text.parse().ok().filter(|_| is_decimal)?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn floats_are_written_as_go_writes_them() {
        for (number, expected) in [
            (0.5, "0.5"),
            (1e20, "100000000000000000000"),
            (123_456_789_012_345_678_901.5, "123456789012345680000"),
            (9_223_372_036_854_775_808.0, "9223372036854776000"),
            (18_446_744_073_709_551_615.0, "18446744073709552000"),
            (1e21, "1e+21"),
            (-2.5e300, "-2.5e+300"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-10, "1.5e-10"),
            (100.25, "100.25"),
        ] {
            assert_eq!(text(&Number::from_f64(number).expect("finite")), expected);
        }
        assert_eq!(text(&Number::from(u64::MAX)), "18446744073709552000");
        assert_eq!(text(&Number::from(i64::MIN)), "-9223372036854775808");
    }

    #[test]
    fn keys_are_written_with_few_digits() {
        for (number, expected) in [
            (1.5_f32, "1.5"),
            (1e3, "1000"),
            (1e6, "1e+06"),
            (12_345_678.0, "1.2345678e+07"),
            (1e-5, "1e-05"),
        ] {
            assert_eq!(general(number), expected);
        }
    }

    #[test]
    fn what_was_stored_is_an_integer_where_it_looks_like_one() {
        assert_eq!(from_f64(1000.0), json!(1000));
        assert_eq!(from_f64(-0.0), json!(0));
        assert_eq!(from_f64(1.5), json!(1.5));
        assert_eq!(from_f64(1e18), json!(1_000_000_000_000_000_000_i64));
        assert_eq!(from_f64(1e19), json!(1e19));
        assert_eq!(decoded(Number::from(u64::MAX)), json!(18_446_744_073_709_551_615.0));
        assert_eq!(decoded(Number::from_f64(1e18).expect("finite")), json!(1e18));
        assert_eq!(decoded(Number::from_f64(1e3).expect("finite")), json!(1000));
    }

    #[test]
    fn whole_numbers_have_bases() {
        for (text, expected) in [
            ("0755", Some(493)),
            ("0o17", Some(15)),
            ("0X1F", Some(31)),
            ("-0b11", Some(-3)),
            ("+7", Some(7)),
            ("0", Some(0)),
            ("08", None),
            ("", None),
            ("-", None),
            ("0x", None),
            ("1e3", None),
            ("0x-1", None),
        ] {
            assert_eq!(parse_int(text), expected, "{text}");
        }
    }
}
