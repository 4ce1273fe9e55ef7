//! Times and durations.

use jiff::{
    SignedDuration, Timestamp, Zoned,
    tz::{Offset, TimeZone},
};

use super::{basic::charged, one};
use crate::{
    ast::Literal,
    function::Function,
    meter::{Failure, Meter},
    value::Value,
};

const SECOND: i64 = 1_000_000_000;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new(
        "timestamp",
        &["(timestamp) timestamp", "(string) timestamp", "(int) timestamp"],
        one,
        |arguments, meter| {
            meter.charge(1)?;
            match arguments {
                [time @ Value::Timestamp(..)] => Ok(time.clone()),
                [Value::String(text)] => {
                    let time = timestamp(text.as_str());
                    time.map(|(time, offset)| Value::Timestamp(time, offset))
                        .ok_or_else(|| not_converted("string", "google.protobuf.Timestamp"))
                }
                [Value::Int(seconds)] => from_seconds(*seconds).ok_or_else(time_overflow),
                _ => Err(Failure::NoOverload),
            }
        },
    )
    .folded()
    .with_literal(
        |literal| match literal {
            Literal::String(text) => timestamp(text).is_some(),
            Literal::Int(seconds) => from_seconds(*seconds).is_some(),
            _ => true,
        },
        "invalid timestamp argument",
    ),
    Function::new(
        "duration",
        &["(duration) duration", "(string) duration", "(int) duration"],
        one,
        |arguments, meter| {
            meter.charge(1)?;
            match arguments {
                [Value::Duration(nanos)] => Ok(Value::Duration(*nanos)),
                [Value::String(text)] => duration(text.as_str())
                    .map(Value::Duration)
                    .ok_or_else(|| not_converted("string", "google.protobuf.Duration")),
                // Upstream declares it, but has no conversion.
                [Value::Int(_)] => Err(not_converted("int", "google.protobuf.Duration")),
                _ => Err(Failure::NoOverload),
            }
        },
    )
    .folded()
    .with_literal(
        |literal| match literal {
            Literal::String(text) => duration(text).is_some(),
            literal => !matches!(literal, Literal::Int(_)),
        },
        "invalid duration argument",
    ),
    Function::new("getFullYear", TIME, one, |arguments, meter| {
        part(arguments, meter, |time| time.year().into())
    }),
    Function::new("getMonth", TIME, one, |arguments, meter| {
        part(arguments, meter, |time| i64::from(time.month()) - 1)
    }),
    Function::new("getDate", TIME, one, |arguments, meter| part(arguments, meter, |time| time.day().into())),
    Function::new("getDayOfMonth", TIME, one, |arguments, meter| {
        part(arguments, meter, |time| i64::from(time.day()) - 1)
    }),
    Function::new("getDayOfWeek", TIME, one, |arguments, meter| {
        part(arguments, meter, |time| time.weekday().to_sunday_zero_offset().into())
    }),
    Function::new("getDayOfYear", TIME, one, |arguments, meter| {
        part(arguments, meter, |time| i64::from(time.day_of_year()) - 1)
    }),
    Function::new("getHours", TIME_AND_SPAN, one, |arguments, meter| match arguments {
        [Value::Duration(nanos)] => charged(Value::Int(nanos / (3600 * SECOND)), meter),
        _ => part(arguments, meter, |time| time.hour().into()),
    }),
    Function::new("getMinutes", TIME_AND_SPAN, one, |arguments, meter| match arguments {
        [Value::Duration(nanos)] => charged(Value::Int(nanos / (60 * SECOND)), meter),
        _ => part(arguments, meter, |time| time.minute().into()),
    }),
    Function::new("getSeconds", TIME_AND_SPAN, one, |arguments, meter| match arguments {
        [Value::Duration(nanos)] => charged(Value::Int(nanos / SECOND), meter),
        _ => part(arguments, meter, |time| time.second().into()),
    }),
    Function::new("getMilliseconds", TIME_AND_SPAN, one, |arguments, meter| match arguments {
        [Value::Duration(nanos)] => charged(Value::Int(nanos / 1_000_000), meter),
        _ => part(arguments, meter, |time| time.millisecond().into()),
    }),
];

const TIME: &[&str] = &["timestamp.() int", "timestamp.(string) int"];
const TIME_AND_SPAN: &[&str] = &["timestamp.() int", "timestamp.(string) int", "duration.() int"];

fn not_converted(from: &str, to: &str) -> Failure {
    Failure::error(format!("type conversion error from '{from}' to '{to}'"))
}

fn time_overflow() -> Failure {
    Failure::error("timestamp overflow")
}

/// Returns the beginning of year 1, before which there is no time.
pub(crate) fn earliest() -> Timestamp {
    const EARLIEST: i64 = -62_135_596_800;
    Timestamp::from_second(EARLIEST).unwrap_or(Timestamp::MIN)
}

/// Returns a time that is in the years 1 to 9999.
fn in_range(time: Timestamp) -> Option<Timestamp> {
    const LATEST: i64 = 253_402_300_799;
    (time >= earliest() && time.as_second() <= LATEST).then_some(time)
}

fn from_seconds<'a>(seconds: i64) -> Option<Value<'a>> {
    Timestamp::from_second(seconds).ok().and_then(in_range).map(|time| Value::Timestamp(time, 0))
}

/// Returns a part of a time in the calendar of a time zone. Months and days of the year begin with 0.
fn part<'a>(
    arguments: &[Value<'a>],
    meter: &mut Meter,
    part: impl Fn(&Zoned) -> i64,
) -> Result<Value<'a>, Failure> {
    meter.charge(1)?;
    let (time, zone) = match arguments {
        [Value::Timestamp(time, _)] => (*time, TimeZone::UTC),
        [Value::Timestamp(time, _), Value::String(zone)] => (*time, time_zone(zone.as_str())?),
        _ => return Err(Failure::NoOverload),
    };
    Ok(Value::Int(part(&time.to_zoned(zone))))
}

/// Parses a duration as Go's `time.ParseDuration` does, such as `1h30m` or `1.5s`. The result is in nanoseconds; `None` if
/// the text is no duration, or one that does not fit.
pub fn duration(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut nanos = 0_i128;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') || fraction.len() > 15 {
            return None;
        }
        let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        nanos = nanos.checked_add(digits.checked_mul(unit)? / scale)?;
        rest = after;
    }
    i64::try_from(if is_negative { -nanos } else { nanos }).ok()
}

/// Parses a time as Go does by the layout of RFC 3339. Returns the distance of its time zone from UTC, too, in seconds.
fn timestamp(text: &str) -> Option<(Timestamp, i32)> {
    let bytes = text.as_bytes();
    let are_digits = |positions: &[usize]| {
        positions.iter().all(|position| bytes.get(*position).is_some_and(u8::is_ascii_digit))
    };
    let has_separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
        .into_iter()
        .all(|(position, separator)| bytes.get(position) == Some(&separator));
    let is_leap_second = bytes.get(17..19) == Some(b"60");
    if !has_separators || !are_digits(&[0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]) || is_leap_second {
        return None;
    }
    let zone = text.get(19..)?;
    let zone = match zone.strip_prefix(['.', ',']) {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest.get(digits..).filter(|_| digits > 0)?
        }
        None => zone,
    };
    let offset = match zone.as_bytes() {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), hours @ .., b':', _, _] if hours.len() == 2 => {
            let [hours, minutes] = [&zone[1..3], &zone[4..]].map(|part| part.parse::<i32>().ok());
            let seconds = hours? * 3600 + minutes.filter(|minutes| *minutes < 60)? * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let local: jiff::civil::DateTime = text[..text.len() - zone.len()].replace(',', ".").parse().ok()?;
    let time = Offset::UTC.to_timestamp(local).ok()?.checked_sub(SignedDuration::from_secs(offset.into()));
    time.ok().and_then(in_range).map(|time| (time, offset))
}

/// Parses a time of an object: as RFC 3339 has it, or a date, which is its beginning.
pub(crate) fn time_of_object(text: &str) -> Option<(Timestamp, i32)> {
    if text.len() == 10 {
        return Some((format!("{text}T00:00:00Z").parse().ok()?, 0));
    }
    timestamp(text).or_else(|| Some((text.parse().ok()?, 0)))
}

/// Writes a time in the time zone of that distance from UTC.
pub(super) fn written_time(time: Timestamp, offset: i32) -> String {
    match Offset::from_seconds(offset) {
        Ok(zone) if offset != 0 => time.display_with_offset(zone).to_string(),
        _ => time.to_string(),
    }
}

/// Writes a duration in seconds: `90s`.
pub(super) fn written(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let second = SECOND.unsigned_abs();
    let fraction = format!("{:09}", nanos % second);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{fraction}s", nanos / second)
}

/// Evaluates `+` and `-` between times and durations.
pub(crate) fn calculate<'a>(
    operator: &str,
    one: &Value<'a>,
    other: &Value<'a>,
) -> Result<Value<'a>, Failure> {
    let overflow = || Failure::error("integer overflow");
    match (operator, one, other) {
        ("_+_", Value::Duration(one), Value::Duration(other)) => {
            one.checked_add(*other).map(Value::Duration).ok_or_else(overflow)
        }
        ("_-_", Value::Duration(one), Value::Duration(other)) => {
            one.checked_sub(*other).map(Value::Duration).ok_or_else(overflow)
        }
        ("_+_", Value::Timestamp(time, offset), Value::Duration(nanos))
        | ("_+_", Value::Duration(nanos), Value::Timestamp(time, offset)) => {
            let sum = time.checked_add(SignedDuration::from_nanos(*nanos)).ok().and_then(in_range);
            sum.map(|time| Value::Timestamp(time, *offset)).ok_or_else(time_overflow)
        }
        ("_-_", Value::Timestamp(time, offset), Value::Duration(nanos)) => {
            let difference = time.checked_sub(SignedDuration::from_nanos(*nanos)).ok().and_then(in_range);
            difference.map(|time| Value::Timestamp(time, *offset)).ok_or_else(time_overflow)
        }
        ("_-_", Value::Timestamp(one, _), Value::Timestamp(other, _)) => {
            i64::try_from(one.duration_since(*other).as_nanos()).map(Value::Duration).map_err(|_| overflow())
        }
        _ => Err(Failure::NoOverload),
    }
}

/// Parses a time zone: its distance from UTC, such as `-08:00`, or its name.
fn time_zone(name: &str) -> Result<TimeZone, Failure> {
    let unknown = || Failure::error(format!("unknown time zone {name}"));
    if matches!(name, "" | "UTC") {
        return Ok(TimeZone::UTC);
    }
    let Some((hours, minutes)) = name.split_once(':') else {
        return TimeZone::get(name).map_err(|_| unknown());
    };
    let (sign, hours) = match hours.strip_prefix('-') {
        Some(hours) => (-1, hours),
        None => (1, hours.strip_prefix('+').unwrap_or(hours)),
    };
    let number = |text: &str| text.parse::<u8>().map(i32::from).map_err(|_| unknown());
    let seconds = sign * (number(hours)? * 3600 + number(minutes)? * 60);
    Offset::from_seconds(seconds).map(TimeZone::fixed).map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, seconds) in
            [("1h30m", "5400s"), ("1.5s", "1.5s"), ("-300ms", "-0.3s"), ("0", "0s"), ("1us", "0.000001s")]
        {
            assert_eq!(duration(text).map(written).as_deref(), Some(seconds), "{text}");
        }
        for wrong in ["", "1", "h", "1x", "1..5s", "-", "99999999999999h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
