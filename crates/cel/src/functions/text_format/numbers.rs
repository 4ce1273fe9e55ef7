//! Numbers in formatted texts: English, as upstream writes them whatever the language of the server is.

use super::Verb;
use crate::value::Value;

/// Returns a number that `%f` and `%e` take: a double, or the name of one that has no digits.
pub(super) fn double(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// Writes a number without digits.
fn special(number: f64) -> Option<&'static str> {
    match number {
        _ if number.is_nan() => Some("NaN"),
        f64::INFINITY => Some("∞"),
        f64::NEG_INFINITY => Some("-∞"),
        _ => None,
    }
}

/// Writes a number with a comma after each three digits: `1,234.500`.
pub(super) fn fixed(number: f64, digits: usize) -> Option<String> {
    if let Some(special) = special(number) {
        return Some(special.to_owned());
    }
    let text = format!("{number:.*}", digits.min(MOST_DIGITS));
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", &*text),
    };
    let whole = text.find('.').unwrap_or(text.len());
    let mut grouped = String::from(sign);
    for (position, digit) in text[..whole].char_indices() {
        if position > 0 && (whole - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    Some(grouped + &text[whole..])
}

/// More digits than any double has.
const MOST_DIGITS: usize = 1100;

/// Writes a number with its power of ten: `1.500000×10⁰³`. The number in the clause is a width, not a precision.
pub(super) fn scientific(number: f64, width: usize) -> Option<String> {
    let text = match special(number) {
        Some(special) => special.to_owned(),
        None => {
            let text = format!("{number:.6e}");
            let (mantissa, exponent) = text.split_once('e')?;
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ("⁻", exponent),
                None => ("", exponent),
            };
            let raised = |digit: u32| ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize];
            let digits = format!("{exponent:0>2}");
            let digits: String = digits.chars().filter_map(|digit| digit.to_digit(10)).map(raised).collect();
            format!("{mantissa}×10{sign}{digits}")
        }
    };
    Some(format!("{text:>0$}", width.min(MOST_DIGITS)))
}

/// Writes an integer in the base of a verb.
pub(super) fn in_base(verb: Verb, value: &Value<'_>) -> Option<String> {
    let (sign, number) = match value {
        Value::Int(number) => (if *number < 0 { "-" } else { "" }, number.unsigned_abs()),
        Value::Uint(number) => ("", *number),
        _ => return None,
    };
    let digits = match verb {
        Verb::Binary => format!("{number:b}"),
        Verb::Octal => format!("{number:o}"),
        Verb::Hex { is_upper: true } => format!("{number:X}"),
        Verb::Hex { is_upper: false } => format!("{number:x}"),
        _ => return None,
    };
    Some(format!("{sign}{digits}"))
}

/// Writes bytes in base 16.
pub(super) fn hex(bytes: &[u8], is_upper: bool) -> String {
    let write = |byte: &u8| if is_upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
    bytes.iter().map(write).collect()
}

/// Quotes a text as Go does.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '\u{7}' => quoted += "\\a",
            '\u{8}' => quoted += "\\b",
            '\u{b}' => quoted += "\\v",
            '\u{c}' => quoted += "\\f",
            '\n' => quoted += "\\n",
            '\r' => quoted += "\\r",
            '\t' => quoted += "\\t",
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_ascii_control() => quoted += &format!("\\x{:02x}", u32::from(c)),
            c if !c.is_control() => quoted.push(c),
            c => quoted += &format!("\\u{:04x}", u32::from(c)),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_english() {
        assert_eq!(fixed(1_234_567.891, 3).as_deref(), Some("1,234,567.891"));
        assert_eq!(fixed(-123.0, 0).as_deref(), Some("-123"));
        assert_eq!(scientific(1234.5, 6).as_deref(), Some("1.234500×10⁰³"));
        assert_eq!(scientific(0.00012, 2).as_deref(), Some("1.200000×10⁻⁰⁴"));
        assert_eq!(scientific(f64::NEG_INFINITY, 6).as_deref(), Some("    -∞"));
        assert_eq!(quoted("é\u{1}\n\"").as_str(), "\"é\\x01\\n\\\"\"");
    }
}
