//! Conversions from one type to another.

use std::str;

use super::{one, times};
use crate::{
    estimate::{Arguments, Estimated, Range},
    function::Function,
    meter::{Failure, Meter},
    typed::Type,
    value::Value,
};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("bool", &["(bool) bool", "(string) bool"], one, |arguments, meter| {
        convert("bool", arguments, meter, |value| match value {
            Value::Bool(_) => Ok(Some(value.clone())),
            Value::String(text) => Ok(match text.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(Value::Bool(true)),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(Value::Bool(false)),
                _ => None,
            }),
            _ => Err(Failure::NoOverload),
        })
    })
    .folded(),
    Function::new(
        "int",
        &["(int) int", "(uint) int", "(double) int", "(string) int", "(timestamp) int", "(duration) int"],
        one,
        |arguments, meter| {
            convert("int", arguments, meter, |value| {
                let number = match value {
                    Value::Int(number) => *number,
                    Value::Uint(number) => i64::try_from(*number).map_err(|_| int_overflow())?,
                    Value::Double(number) => {
                        let number = whole(*number, -TWO_TO_63, TWO_TO_63).filter(|_| *number > -TWO_TO_63);
                        number.and_then(|number| i64::try_from(number).ok()).ok_or_else(int_overflow)?
                    }
                    Value::String(text) => return Ok(text.as_str().parse().ok().map(Value::Int)),
                    Value::Timestamp(time, _) => time.as_second(),
                    Value::Duration(nanos) => *nanos,
                    _ => return Err(Failure::NoOverload),
                };
                Ok(Some(Value::Int(number)))
            })
        },
    )
    .folded(),
    Function::new(
        "uint",
        &["(uint) uint", "(int) uint", "(double) uint", "(string) uint"],
        one,
        |arguments, meter| {
            convert("uint", arguments, meter, |value| {
                let number = match value {
                    Value::Uint(number) => *number,
                    Value::Int(number) => u64::try_from(*number).map_err(|_| uint_overflow())?,
                    Value::Double(number) => {
                        let number = whole(*number, 0.0, 2.0 * TWO_TO_63);
                        number.and_then(|number| u64::try_from(number).ok()).ok_or_else(uint_overflow)?
                    }
                    Value::String(text) => {
                        let digits = Some(text.as_str()).filter(|text| !text.starts_with('+'));
                        return Ok(digits.and_then(|digits| digits.parse().ok()).map(Value::Uint));
                    }
                    _ => return Err(Failure::NoOverload),
                };
                Ok(Some(Value::Uint(number)))
            })
        },
    )
    .folded(),
    Function::new(
        "double",
        &["(double) double", "(int) double", "(uint) double", "(string) double"],
        one,
        |arguments, meter| {
            convert("double", arguments, meter, |value| {
                #[allow(clippy::cast_precision_loss, reason = "CEL rounds to the nearest double")]
                let number = match value {
                    Value::Double(number) => Some(*number),
                    Value::Int(number) => Some(*number as f64),
                    Value::Uint(number) => Some(*number as f64),
                    Value::String(text) => parse_float(text.as_str()),
                    _ => return Err(Failure::NoOverload),
                };
                Ok(number.map(Value::Double))
            })
        },
    )
    .folded(),
    Function::new(
        "string",
        &[
            "(string) string",
            "(bool) string",
            "(int) string",
            "(uint) string",
            "(double) string",
            "(bytes) string",
            "(timestamp) string",
            "(duration) string",
            "(ip) string",
            "(cidr) string",
        ],
        string_estimate,
        string,
    )
    .folded()
    .flat_if_dynamic(),
    Function::new("bytes", &["(bytes) bytes", "(string) bytes"], bytes_estimate, |arguments, meter| {
        match arguments {
            [value @ Value::Bytes(_)] => {
                meter.charge(1)?;
                Ok(value.clone())
            }
            [value @ Value::String(text)] => {
                meter.traverse(value.size())?;
                Ok(Value::Bytes(text.as_str().as_bytes().into()))
            }
            _ => Err(Failure::NoOverload),
        }
    })
    .folded()
    .flat_if_dynamic(),
];

/// Converts the only argument. `None` is a value of a type that converts, but not this one.
fn convert<'a>(
    to: &str,
    arguments: &[Value<'a>],
    meter: &mut Meter,
    convert: impl Fn(&Value<'a>) -> Result<Option<Value<'a>>, Failure>,
) -> Result<Value<'a>, Failure> {
    let [value] = arguments else { return Err(Failure::NoOverload) };
    meter.charge(1)?;
    convert(value)?.ok_or_else(|| {
        Failure::error(format!("type conversion error from '{}' to '{to}'", value.type_name()))
    })
}

fn string<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Failure> {
    match arguments {
        [value @ Value::String(_)] => {
            meter.charge(1)?;
            Ok(value.clone())
        }
        [value @ Value::Bytes(bytes)] => {
            meter.traverse(value.size())?;
            let text = str::from_utf8(bytes);
            text.map(Value::text)
                .map_err(|_| Failure::error("invalid UTF-8 in bytes, cannot convert to string"))
        }
        [value] => {
            meter.charge(1)?;
            written(value).map(Value::text).ok_or(Failure::NoOverload)
        }
        _ => Err(Failure::NoOverload),
    }
}

fn string_estimate(arguments: &Arguments<'_, '_>) -> Estimated {
    let size = arguments.size(0);
    let text = Range { min: size.min / 4, ..size };
    if arguments.is(0, |is| matches!(is, Type::Bytes)) {
        Estimated::sized(size.tenth(), text)
    } else if arguments.is(0, Type::is_dyn) {
        // It may be bytes, and only of those does the cost depend on the size.
        Estimated::sized(size.tenth().or(Range::ONE), text)
    } else {
        Estimated::cost(Range::ONE)
    }
}

fn bytes_estimate(arguments: &Arguments<'_, '_>) -> Estimated {
    let text = arguments.size(0);
    if arguments.is(0, |is| matches!(is, Type::String)) {
        Estimated::sized(text.tenth(), Range { max: text.max.saturating_mul(4), ..text })
    } else {
        Estimated::cost(Range::ONE)
    }
}

/// Returns the text of a value, if it has one.
pub(crate) fn written(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => float(*number),
        Value::String(text) => text.as_str().to_owned(),
        Value::Timestamp(time, offset) => times::written_time(*time, *offset),
        Value::Duration(nanos) => times::written(*nanos),
        Value::Quantity(quantity) => quantity.to_string(),
        Value::Url(url) => url.text().to_owned(),
        Value::Ip(ip) => ip.to_string(),
        Value::Cidr(cidr) => cidr.to_string(),
        Value::Type(name) => (*name).to_owned(),
        Value::Null => "null".to_owned(),
        _ => return None,
    })
}

/// Writes a float as Go's `%g` does: in the fewest digits, with an exponent if it is large or small.
pub(super) fn float(number: f64) -> String {
    if !number.is_finite() {
        return match number {
            _ if number.is_nan() => "NaN",
            f64::INFINITY => "+Inf",
            _ => "-Inf",
        }
        .to_owned();
    }
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) || number == 0.0 {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// Two to the power of 63: the first number that is too large for an `int`.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// Returns the whole part of a float in a range.
fn whole(number: f64, from: f64, below: f64) -> Option<i128> {
    #[allow(clippy::cast_possible_truncation, reason = "within bounds that fit")]
    (number >= from && number < below).then_some(number as i128)
}

/// Parses a float, which may be infinite only if the text says so.
fn parse_float(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let is_named = text.trim_start_matches(['+', '-']).starts_with(['i', 'I']);
    (number.is_finite() || number.is_nan() || is_named).then_some(number)
}

fn int_overflow() -> Failure {
    Failure::error("integer overflow")
}

fn uint_overflow() -> Failure {
    Failure::error("unsigned integer overflow")
}
