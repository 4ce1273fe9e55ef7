//! From one type to another.

use std::str;

use super::{Given, times};
use crate::cel::{
    meter::{Failure, Meter},
    value::Value,
};

pub(super) fn apply<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    let [value] = takes else { return Ok(None) };
    let made = match (name, value) {
        ("bool", Value::Bool(_)) | ("int", Value::Int(_)) | ("uint", Value::Uint(_)) => Some(value.clone()),
        ("double", Value::Double(_)) | ("string", Value::String(_)) | ("bytes", Value::Bytes(_)) => {
            Some(value.clone())
        }
        ("bool", Value::String(text)) => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(Value::Bool(false)),
            _ => None,
        },
        ("int", Value::Uint(number)) => i64::try_from(*number).ok().map(Value::Int),
        ("int", Value::Double(number)) => whole(*number, -9.223_372_036_854_775e18, 9.223_372_036_854_775e18)
            .and_then(|number| i64::try_from(number).ok())
            .map(Value::Int),
        ("int", Value::String(text)) => text.as_str().parse().ok().map(Value::Int),
        ("int", Value::Timestamp(time)) => Some(Value::Int(time.as_second())),
        ("int", Value::Duration(nanos)) => Some(Value::Int(*nanos)),
        ("uint", Value::Int(number)) => u64::try_from(*number).ok().map(Value::Uint),
        ("uint", Value::Double(number)) => {
            whole(*number, -1.0, 1.8e19).and_then(|number| u64::try_from(number).ok()).map(Value::Uint)
        }
        ("uint", Value::String(text)) => text.as_str().parse().ok().map(Value::Uint),
        #[allow(clippy::cast_precision_loss, reason = "what is left of it is what is asked for")]
        ("double", Value::Int(number)) => Some(Value::Double(*number as f64)),
        #[allow(clippy::cast_precision_loss, reason = "what is left of it is what is asked for")]
        ("double", Value::Uint(number)) => Some(Value::Double(*number as f64)),
        ("double", Value::String(text)) => text.as_str().parse().ok().map(Value::Double),
        ("bytes", Value::String(text)) => {
            meter.traverse(value.size())?;
            return Ok(Some(Value::Bytes(text.as_str().as_bytes().into())));
        }
        ("string", Value::Bytes(bytes)) => {
            meter.traverse(value.size())?;
            let text = str::from_utf8(bytes)
                .map_err(|_| Failure::error("invalid UTF-8 in bytes, cannot convert to string"))?;
            return Ok(Some(Value::text(text)));
        }
        ("string", value) => written(value).map(Value::text),
        _ => return Ok(None),
    };
    meter.charge(1)?;
    match made {
        Some(made) => Ok(Some(made)),
        None if name == "string" => Ok(None),
        None => {
            Err(Failure::error(format!("type conversion error from '{}' to '{name}'", value.type_name())))
        }
    }
}

/// A value as a text, if it has one.
pub(super) fn written(value: &Value<'_>) -> Option<String> {
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

/// The whole part of a float between bounds.
fn whole(number: f64, above: f64, below: f64) -> Option<i128> {
    #[allow(clippy::cast_possible_truncation, reason = "within bounds that fit")]
    (number > above && number < below).then_some(number as i128)
}
