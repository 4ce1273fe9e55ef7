//! Times and durations.

use jiff::{
    SignedDuration, Timestamp, Zoned,
    tz::{Offset, TimeZone},
};

use super::{basic::charged, one};
use crate::{
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
            let time = match arguments {
                [Value::Timestamp(time)] => *time,
                [Value::String(text)] => {
                    timestamp(text.as_str()).ok_or_else(|| unreadable("timestamp", text.as_str()))?
                }
                [Value::Int(seconds)] => {
                    let time = Timestamp::from_second(*seconds);
                    time.map_err(|error| Failure::error(error.to_string()))?
                }
                _ => return Err(Failure::NoOverload),
            };
            charged(Value::Timestamp(time), meter)
        },
    )
    .with_literal(0, |text| timestamp(text).is_some(), "invalid timestamp argument"),
    Function::new(
        "duration",
        &["(duration) duration", "(string) duration", "(int) duration"],
        one,
        |arguments, meter| {
            let nanos = match arguments {
                [Value::Duration(nanos) | Value::Int(nanos)] => *nanos,
                [Value::String(text)] => {
                    duration(text.as_str()).ok_or_else(|| unreadable("duration", text.as_str()))?
                }
                _ => return Err(Failure::NoOverload),
            };
            charged(Value::Duration(nanos), meter)
        },
    )
    .with_literal(0, |text| duration(text).is_some(), "invalid duration argument"),
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
        [Value::Duration(nanos)] => charged(Value::Int(nanos % SECOND / 1_000_000), meter),
        _ => part(arguments, meter, |time| time.millisecond().into()),
    }),
];

const TIME: &[&str] = &["timestamp.() int", "timestamp.(string) int"];
const TIME_AND_SPAN: &[&str] = &["timestamp.() int", "timestamp.(string) int", "duration.() int"];

fn unreadable(what: &str, text: &str) -> Failure {
    Failure::error(format!("type conversion error: {text:?} is no {what}"))
}

/// Returns a part of a time in the calendar of a time zone. Months and days of the year begin with 0.
fn part<'a>(
    arguments: &[Value<'a>],
    meter: &mut Meter,
    part: impl Fn(&Zoned) -> i64,
) -> Result<Value<'a>, Failure> {
    let (time, zone) = match arguments {
        [Value::Timestamp(time)] => (*time, TimeZone::UTC),
        [Value::Timestamp(time), Value::String(zone)] => (*time, time_zone(zone.as_str())?),
        _ => return Err(Failure::NoOverload),
    };
    charged(Value::Int(part(&time.to_zoned(zone))), meter)
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

/// Parses a time of RFC 3339, or a date, which is its beginning.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    let is_date = text.len() == 10;
    if is_date { format!("{text}T00:00:00Z").parse().ok() } else { text.parse().ok() }
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
    let overflow = || Failure::error("return error for overflow");
    match (operator, one, other) {
        ("_+_", Value::Duration(one), Value::Duration(other)) => {
            one.checked_add(*other).map(Value::Duration).ok_or_else(overflow)
        }
        ("_-_", Value::Duration(one), Value::Duration(other)) => {
            one.checked_sub(*other).map(Value::Duration).ok_or_else(overflow)
        }
        ("_+_", Value::Timestamp(time), Value::Duration(nanos))
        | ("_+_", Value::Duration(nanos), Value::Timestamp(time)) => {
            time.checked_add(SignedDuration::from_nanos(*nanos)).map(Value::Timestamp).map_err(|_| overflow())
        }
        ("_-_", Value::Timestamp(time), Value::Duration(nanos)) => {
            time.checked_sub(SignedDuration::from_nanos(*nanos)).map(Value::Timestamp).map_err(|_| overflow())
        }
        ("_-_", Value::Timestamp(one), Value::Timestamp(other)) => {
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
