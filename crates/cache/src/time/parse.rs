//! Parsing as Go's `time.Parse` does with the layouts of `metav1.Time` and `metav1.MicroTime`, oddities included.

use super::calendar::DateTime;

/// Reads the decimals of a second: nanoseconds, and the bytes after them.
type Decimals = fn(&[u8]) -> Option<(u32, &[u8])>;

/// Parses a time to seconds since 1970 and nanoseconds. `decimals` reads the part of a second, with its separator, and
/// returns the rest of the text.
pub(super) fn time(text: &str, decimals: Decimals) -> Option<(i64, u32)> {
    let mut rest = text.as_bytes();
    let rest = &mut rest;
    let year = number(rest, 4)?;
    let month = separated(rest, b'-', 2)?;
    let day = separated(rest, b'-', 2)?;
    separator(rest, b'T')?;
    // Go takes a single digit for the hour, and only for the hour.
    let digits = if rest.get(1).is_some_and(u8::is_ascii_digit) { 2 } else { 1 };
    let hour = number(rest, digits).filter(|hour| *hour < 24)?;
    let minute = separated(rest, b':', 2).filter(|minute| *minute < 60)?;
    let second = separated(rest, b':', 2).filter(|second| *second < 60)?;
    let (nanos, mut rest) = decimals(rest)?;
    let offset = offset(&mut rest)?;
    let second = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    let date = DateTime { year: year.into(), month: month as u8, day: day as u8, second };
    rest.is_empty().then_some((date.to_seconds()? - offset, nanos))
}

/// No decimals, or a point or comma and at least one digit. Those after the ninth are dropped.
pub(super) fn decimals(rest: &[u8]) -> Option<(u32, &[u8])> {
    let Some((b'.' | b',', digits)) = rest.split_first() else { return Some((0, rest)) };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let kept = digits[..length].iter().chain([&b'0'; 9]).take(9);
    let nanos = kept.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    (length > 0).then_some((nanos, &digits[length..]))
}

/// Parses a point or comma and six digits. Go reads them as an integer, so the first may be a plus sign.
pub(super) fn six_decimals(rest: &[u8]) -> Option<(u32, &[u8])> {
    let Some((b'.' | b',', rest)) = rest.split_first() else { return None };
    let (digits, rest) = rest.split_at_checked(6)?;
    let digits = digits.strip_prefix(b"+").unwrap_or(digits);
    let is_number = digits.iter().all(u8::is_ascii_digit);
    let micros = || digits.iter().fold(0, |micros, digit| micros * 10 + u32::from(digit - b'0'));
    is_number.then(|| (micros() * 1_000, rest))
}

/// `Z`, or a sign, hours and minutes; in seconds. Go allows 24 hours and 60 minutes.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    let sign = match first {
        b'Z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(rest, 2).filter(|hours| *hours <= 24)?;
    let minutes = separated(rest, b':', 2).filter(|minutes| *minutes <= 60)?;
    Some(sign * (i64::from(hours) * 3_600 + i64::from(minutes) * 60))
}

fn separator(rest: &mut &[u8], separator: u8) -> Option<()> {
    *rest = rest.strip_prefix(&[separator])?;
    Some(())
}

fn separated(rest: &mut &[u8], before: u8, digits: usize) -> Option<u32> {
    separator(rest, before)?;
    number(rest, digits)
}

fn number(rest: &mut &[u8], digits: usize) -> Option<u32> {
    let (number, behind) = rest.split_at_checked(digits)?;
    *rest = behind;
    let value =
        |number: u32, digit: &u8| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'));
    number.iter().try_fold(0, value)
}
