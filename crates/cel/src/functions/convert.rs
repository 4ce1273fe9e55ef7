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
    }),
    Function::new(
        "int",
        &["(int) int", "(uint) int", "(double) int", "(string) int", "(timestamp) int", "(duration) int"],
        one,
        |arguments, meter| {
            convert("int", arguments, meter, |value| {
                let number = match value {
                    Value::Int(number) => Some(*number),
                    Value::Uint(number) => i64::try_from(*number).ok(),
                    Value::Double(number) => {
                        let number = whole(*number, -9.223_372_036_854_775e18, 9.223_372_036_854_775e18);
                        number.and_then(|number| i64::try_from(number).ok())
                    }
                    Value::String(text) => text.as_str().parse().ok(),
                    Value::Timestamp(time) => Some(time.as_second()),
                    Value::Duration(nanos) => Some(*nanos),
                    _ => return Err(Failure::NoOverload),
                };
                Ok(number.map(Value::Int))
            })
        },
    ),
    Function::new(
        "uint",
        &["(uint) uint", "(int) uint", "(double) uint", "(string) uint"],
        one,
        |arguments, meter| {
            convert("uint", arguments, meter, |value| {
                let number = match value {
                    Value::Uint(number) => Some(*number),
                    Value::Int(number) => u64::try_from(*number).ok(),
                    Value::Double(number) => {
                        whole(*number, -1.0, 1.8e19).and_then(|number| u64::try_from(number).ok())
                    }
                    Value::String(text) => text.as_str().parse().ok(),
                    _ => return Err(Failure::NoOverload),
                };
                Ok(number.map(Value::Uint))
            })
        },
    ),
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
                    Value::String(text) => text.as_str().parse().ok(),
                    _ => return Err(Failure::NoOverload),
                };
                Ok(number.map(Value::Double))
            })
        },
    ),
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
            "(quantity) string",
            "(url) string",
            "(ip) string",
            "(cidr) string",
        ],
        string_estimate,
        string,
    ),
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
    }),
];

/// Converts the only argument. `None` is a value of a type that converts, but not this one.
fn convert<'a>(
    to: &str,
    arguments: &[Value<'a>],
    meter: &mut Meter,
    convert: impl Fn(&Value<'a>) -> Result<Option<Value<'a>>, Failure>,
) -> Result<Value<'a>, Failure> {
    let [value] = arguments else { return Err(Failure::NoOverload) };
    let made = convert(value)?;
    meter.charge(1)?;
    made.ok_or_else(|| {
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
        Value::Double(number) => number.to_string(),
        Value::String(text) => text.as_str().to_owned(),
        Value::Timestamp(time) => time.to_string(),
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

/// Returns the whole part of a float between bounds.
fn whole(number: f64, above: f64, below: f64) -> Option<i128> {
    #[allow(clippy::cast_possible_truncation, reason = "within bounds that fit")]
    (number > above && number < below).then_some(number as i128)
}
