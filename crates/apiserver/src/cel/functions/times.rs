//! Points in time and spans of time.

use k8s_openapi::jiff::{
    SignedDuration, Timestamp,
    tz::{Offset, TimeZone},
};

use super::Given;
use crate::cel::{
    meter::{Failure, Meter},
    value::Value,
};

const SECOND: i64 = 1_000_000_000;

/// A span of time as Go writes it, such as `1h30m` or `1.5s`; in nanoseconds.
pub(crate) fn duration(text: &str) -> Option<i64> {
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

/// A point in time as RFC 3339 writes it, or the beginning of a day.
pub(in crate::cel) fn timestamp(text: &str) -> Option<Timestamp> {
    let is_date = text.len() == 10;
    if is_date { format!("{text}T00:00:00Z").parse().ok() } else { text.parse().ok() }
}

/// A span of time in seconds: `90s`.
pub(super) fn written(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let second = SECOND.unsigned_abs();
    let fraction = format!("{:09}", nanos % second);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{fraction}s", nanos / second)
}

/// `+` and `-` between points and spans.
pub(in crate::cel) fn calculate<'a>(
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

pub(super) fn apply<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    let unreadable =
        |what: &str, text: &str| Failure::error(format!("type conversion error: {text:?} is no {what}"));
    let given = match (name, takes) {
        ("duration", [value @ Value::Duration(_)]) | ("timestamp", [value @ Value::Timestamp(_)]) => {
            value.clone()
        }
        ("duration", [Value::String(text)]) => {
            let text = text.as_str();
            Value::Duration(duration(text).ok_or_else(|| unreadable("duration", text))?)
        }
        ("duration", [Value::Int(nanos)]) => Value::Duration(*nanos),
        ("timestamp", [Value::String(text)]) => {
            let text = text.as_str();
            Value::Timestamp(timestamp(text).ok_or_else(|| unreadable("timestamp", text))?)
        }
        ("timestamp", [Value::Int(seconds)]) => {
            let time = Timestamp::from_second(*seconds);
            Value::Timestamp(time.map_err(|error| Failure::error(error.to_string()))?)
        }
        (_, [Value::Duration(nanos)]) => match name {
            "getHours" => Value::Int(nanos / (3600 * SECOND)),
            "getMinutes" => Value::Int(nanos / (60 * SECOND)),
            "getSeconds" => Value::Int(nanos / SECOND),
            "getMilliseconds" => Value::Int(nanos % SECOND / 1_000_000),
            _ => return Ok(None),
        },
        (_, [Value::Timestamp(time)]) => match part(name, *time, TimeZone::UTC) {
            Some(part) => Value::Int(part),
            None => return Ok(None),
        },
        (_, [Value::Timestamp(time), Value::String(zone)]) if name.starts_with("get") => {
            match part(name, *time, time_zone(zone.as_str())?) {
                Some(part) => Value::Int(part),
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    meter.charge(1)?;
    Ok(Some(given))
}

/// A part of a point in time, as the calendar of a time zone tells it. Months and days of the year begin with 0.
fn part(name: &str, time: Timestamp, zone: TimeZone) -> Option<i64> {
    let time = time.to_zoned(zone);
    Some(match name {
        "getFullYear" => time.year().into(),
        "getMonth" => i64::from(time.month()) - 1,
        "getDate" => time.day().into(),
        "getDayOfMonth" => i64::from(time.day()) - 1,
        "getDayOfWeek" => time.weekday().to_sunday_zero_offset().into(),
        "getDayOfYear" => i64::from(time.day_of_year()) - 1,
        "getHours" => time.hour().into(),
        "getMinutes" => time.minute().into(),
        "getSeconds" => time.second().into(),
        "getMilliseconds" => time.millisecond().into(),
        _ => return None,
    })
}

/// A time zone by its distance from UTC, such as `-08:00`, or by its name.
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
