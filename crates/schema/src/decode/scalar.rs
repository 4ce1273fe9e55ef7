//! Strings that have to be of a certain form: times and base64.

use crate::{Form, Scalar};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Timestamp, civil::DateTime, fmt::temporal::DateTimePrinter};
use serde_json::{Map, Value};

const SECONDS: &str = "2006-01-02T15:04:05Z07:00";
const MICROSECONDS: &str = "2006-01-02T15:04:05.000000Z07:00";

/// The times that are none to Go, in seconds and in microseconds.
pub(crate) const ZERO_TIMES: [&str; 2] = ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"];

/// The value that null in a list or a map of this form becomes; none where it stays null.
pub(crate) fn zero(form: Form) -> Option<Value> {
    match form {
        Form::Scalar(Scalar::String | Scalar::Bytes) => Some("".into()),
        Form::Scalar(Scalar::Quantity) => Some("0".into()),
        Form::Scalar(Scalar::Boolean) => Some(false.into()),
        Form::Scalar(Scalar::Int32 | Scalar::Int64 | Scalar::Number | Scalar::IntOrString) => Some(0.into()),
        Form::Struct => Some(Value::Object(Map::new())),
        _ => None,
    }
}

/// Base64 as Go decodes it, written again as Go writes it: line breaks are skipped, and bits that are left over.
pub(crate) fn bytes(text: String) -> Result<String, String> {
    if STANDARD.decode(&text).is_ok() {
        return Ok(text); // as nearly every client writes it
    }
    decode(text.as_bytes())
        .map(|bytes| STANDARD.encode(bytes))
        .map_err(|place| format!("illegal base64 data at input byte {place}"))
}

/// The bytes that base64 stands for, or where the text is no base64. Places count line breaks, as Go's do.
fn decode(text: &[u8]) -> Result<Vec<u8>, usize> {
    let is_break = |byte: u8| matches!(byte, b'\n' | b'\r');
    let next = |place: &mut usize| {
        while text.get(*place).copied().is_some_and(is_break) {
            *place += 1;
        }
        let byte = text.get(*place).copied();
        *place += usize::from(byte.is_some());
        byte
    };
    let (mut place, mut bytes) = (0, Vec::with_capacity(text.len() / 4 * 3));
    loop {
        let mut group = [0_u8; 4];
        for position in 0..4 {
            let Some(byte) = next(&mut place) else {
                return if position == 0 { Ok(bytes) } else { Err(place - position) };
            };
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' if position >= 2 => {
                    if position == 2 {
                        match next(&mut place) {
                            Some(b'=') => {}
                            Some(_) => return Err(place - 2),
                            None => return Err(text.len()),
                        }
                    }
                    if next(&mut place).is_some() {
                        return Err(place - 1); // nothing follows the padding
                    }
                    let [first, second, third, _] = group;
                    bytes.push(first << 2 | second >> 4);
                    if position == 3 {
                        bytes.push(second << 4 | third >> 2);
                    }
                    return Ok(bytes);
                }
                _ => return Err(place - 1),
            };
            group[position] = value;
        }
        let [first, second, third, fourth] = group;
        bytes.extend([first << 2 | second >> 4, second << 4 | third >> 2, third << 6 | fourth]);
    }
}

/// A time in UTC, to the second.
pub(crate) fn time(text: String) -> Result<String, String> {
    if is_like(&text, "dddd-dd-ddTdd:dd:ddZ")
        && let Some((date_time, "Z")) = text.split_at_checked(text.len() - 1)
        && date_time.parse::<DateTime>().is_ok()
        && out_of_range(&text).is_none()
    {
        // As nearly every client writes it. A `Timestamp` would refuse the last day of the year 9999.
        return Ok(text);
    }
    let time = parse(&text, SECONDS)?;
    Ok(DateTimePrinter::new().precision(Some(0)).timestamp_to_string(&time))
}

/// A time in UTC, to the microsecond.
pub(crate) fn micro_time(text: &str) -> Result<String, String> {
    let time = parse(text, MICROSECONDS)?;
    Ok(DateTimePrinter::new().precision(Some(6)).timestamp_to_string(&time))
}

fn parse(text: &str, layout: &str) -> Result<Timestamp, String> {
    let unfit = |because: String| format!("parsing time {text:?} as {layout:?}{because}");
    if let Some((rest, part)) = mismatch(text, layout) {
        return Err(unfit(format!(": cannot parse {rest:?} as {part:?}")));
    }
    // There are no leap seconds in Go.
    if let Some(part) = out_of_range(text) {
        return Err(format!("parsing time {text:?}: {part} out of range"));
    }
    text.parse().map_err(|_| unfit(": out of range".to_owned()))
}

/// Returns the part of a time that is out of its range, as Go looks at them.
fn out_of_range(text: &str) -> Option<&'static str> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i8>().ok();
    let limits = [
        ("month", 5..7, 1..=12),
        ("hour", 11..13, 0..=23),
        ("minute", 14..16, 0..=59),
        ("second", 17..19, 0..=59),
    ];
    let mut parts = limits.into_iter();
    let part = parts.find(|(_, place, limits)| number(place.clone()).is_some_and(|n| !limits.contains(&n)));
    let (year, month, day) = (text.get(0..4)?.parse().ok()?, number(5..7)?, number(8..10)?);
    let has_no_day = || jiff::civil::Date::new(year, month, day).is_err();
    part.map(|(part, ..)| part).or_else(|| has_no_day().then_some("day"))
}

/// The rest of `text` where it stops following `layout`, and the part of the layout that it fails.
fn mismatch<'a>(text: &'a str, layout: &str) -> Option<(&'a str, &'static str)> {
    let parts = ["2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05"];
    let mut rest = text;
    for part in parts {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        match rest.split_at_checked(part.len()) {
            Some((found, after)) if found == part || digits && found.bytes().all(|b| b.is_ascii_digit()) => {
                rest = after
            }
            _ => return Some((rest, part)),
        }
    }
    let fraction =
        rest.strip_prefix('.').map(|rest| rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    if layout == MICROSECONDS && fraction.is_none_or(|digits| digits < 6) {
        return Some((rest, ".000000"));
    }
    if layout == MICROSECONDS && fraction > Some(6) {
        return Some((rest.get(7..).unwrap_or_default(), "Z07:00"));
    }
    let zone = rest.get(fraction.map_or(0, |digits| digits + 1)..).unwrap_or_default();
    let is_zone = zone == "Z" || is_like(zone, "+dd:dd") || is_like(zone, "-dd:dd");
    (!is_zone).then_some((zone, "Z07:00"))
}

/// Whether `text` has a digit wherever `pattern` has a `d`, and is the same everywhere else.
fn is_like(text: &str, pattern: &str) -> bool {
    let fits =
        |(found, wanted): (u8, u8)| if wanted == b'd' { found.is_ascii_digit() } else { found == wanted };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_in_utc() {
        let seconds = |text: &str| time(text.to_owned());
        assert_eq!(seconds("2020-01-02T03:04:05Z").as_deref(), Ok("2020-01-02T03:04:05Z"));
        assert_eq!(seconds("2020-01-02T03:04:05.7+01:00").as_deref(), Ok("2020-01-02T02:04:05Z"));
        assert_eq!(seconds("9999-12-31T23:59:59Z").as_deref(), Ok("9999-12-31T23:59:59Z"));
        let micros = micro_time;
        assert_eq!(micros("2020-01-02T03:04:05.000006Z").as_deref(), Ok("2020-01-02T03:04:05.000006Z"));
    }

    /// The texts are a kube-apiserver's.
    #[test]
    fn what_is_no_time_is_told_in_go_s_words() {
        let because = time("x".to_owned()).unwrap_err();
        assert_eq!(because, r#"parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#);
        let because = micro_time("2020-01-01T00:00:00Z").unwrap_err();
        let expected = r#"parsing time "2020-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000""#;
        assert_eq!(because, expected);
        assert!(time("2020-13-01T00:00:00Z".to_owned()).is_err());
        assert!(time("é020-01-01T00:00:00Z".to_owned()).is_err(), "no panic within a letter");
    }

    /// The answers are those of Go's `encoding/base64`.
    #[test]
    fn base64_is_go_s() {
        for (text, expected) in [
            ("ZA==", Ok("ZA==")),
            ("abc", Err(0)),
            ("%%", Err(0)),
            ("Z", Err(0)),
            ("ZA", Err(0)),
            ("ZA=", Err(3)),
            ("ZB==", Ok("ZA==")),
            ("YWJj\nYWJj", Ok("YWJjYWJj")),
            ("Y\r\nQ=\n=\n", Ok("YQ==")),
            ("YQ==YQ==", Err(4)),
            ("YQ==x", Err(4)),
            ("YWJj=", Err(4)),
            ("====", Err(0)),
            ("YW=j", Err(2)),
            ("Y\nW\nJ", Err(2)),
            ("YWJ%", Err(3)),
            ("YWJjYW", Err(4)),
            ("A===", Err(1)),
            ("AA=A", Err(2)),
            ("AAA=AAAA", Err(4)),
            ("YWJjYW%=", Err(6)),
            ("A\n", Err(1)),
            ("AB\n=\n", Err(5)),
        ] {
            let expected = expected.map(str::to_owned);
            let expected = expected.map_err(|place| format!("illegal base64 data at input byte {place}"));
            assert_eq!(bytes(text.to_owned()), expected, "{text:?}");
        }
    }
}
