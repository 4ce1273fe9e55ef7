//! Which value a scalar stands for.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use trimtab_schema::go_number;

/// A scalar's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Resolved {
    Null,
    Flag(bool),
    Int(i64),
    /// A number beyond the range of [`Resolved::Int`].
    Unsigned(u64),
    Float(f64),
    Text(String),
}

impl Resolved {
    /// The value in JSON, of which numbers are read again as Go reads JSON.
    pub(super) fn into_json(self) -> Result<Value, &'static str> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => flag.into(),
            Self::Int(number) => number.into(),
            #[allow(clippy::cast_precision_loss, reason = "as Go does")]
            Self::Unsigned(number) => go_number::from_f64(number as f64),
            Self::Float(number) if number.is_nan() => return Err("NaN"),
            Self::Float(f64::INFINITY) => return Err("+Inf"),
            Self::Float(f64::NEG_INFINITY) => return Err("-Inf"),
            Self::Float(number) => go_number::from_f64(number),
            Self::Text(text) => text.into(),
        })
    }

    /// The key that it is in a map.
    pub(super) fn as_key(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Flag(flag) => flag.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Unsigned(number) => number.to_string(),
            Self::Float(number) if number.is_nan() => ".nan".to_owned(),
            Self::Float(f64::INFINITY) => ".inf".to_owned(),
            Self::Float(f64::NEG_INFINITY) => "-.inf".to_owned(),
            #[allow(clippy::cast_possible_truncation, reason = "upstream formats keys with 32 bits")]
            Self::Float(number) => go_number::general(*number as f32),
            Self::Text(text) => text.clone(),
        }
    }

    fn tag(&self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Flag(_) => "!!bool",
            Self::Int(_) | Self::Unsigned(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Text(_) => "!!str",
        }
    }
}

/// The value of a scalar with this tag, which is empty if it has none.
///
/// # Errors
///
/// The tag asks for something that the text is not.
pub(super) fn resolve(tag: &str, text: &str, is_plain: bool) -> Result<Resolved, String> {
    let as_text = || Resolved::Text(text.to_owned());
    match tag {
        "" if is_plain => Ok(untagged(text, true)),
        "" | "!!str" => Ok(as_text()),
        "!!binary" => match STANDARD.decode(text.replace(['\n', '\r'], "")) {
            Ok(bytes) => Ok(Resolved::Text(String::from_utf8_lossy(&bytes).into_owned())),
            Err(_) => Err("yaml: !!binary value contains invalid base64 data".to_owned()),
        },
        "!!bool" | "!!int" | "!!float" | "!!null" => {
            let found = untagged(text, false);
            match found {
                #[allow(clippy::cast_precision_loss, reason = "as Go does")]
                Resolved::Int(number) if tag == "!!float" => Ok(Resolved::Float(number as f64)),
                found if found.tag() == tag => Ok(found),
                found => Err(format!("yaml: cannot decode {} `{text}` as a {tag}", found.tag())),
            }
        }
        _ => Ok(as_text()),
    }
}

fn untagged(text: &str, may_be_time: bool) -> Resolved {
    let as_text = || Resolved::Text(text.to_owned());
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Resolved::Flag(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Resolved::Flag(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes()[0] {
        b'.' => go_number::parse_float(text).map_or_else(as_text, Resolved::Float),
        b'0'..=b'9' | b'+' | b'-' => {
            if may_be_time && is_date(text) {
                return as_text();
            }
            let plain = text.replace('_', "");
            if let Some(number) = go_number::parse_int(&plain) {
                return match i64::try_from(number) {
                    Ok(number) => Resolved::Int(number),
                    Err(_) => match u64::try_from(number) {
                        Ok(number) if !plain.starts_with('+') => Resolved::Unsigned(number),
                        _ => decimal(&plain).map_or_else(as_text, Resolved::Float),
                    },
                };
            }
            decimal(&plain).map_or_else(as_text, Resolved::Float)
        }
        _ => as_text(),
    }
}

/// A float in decimal, without the words and the hexadecimal ones that Go reads elsewhere.
fn decimal(text: &str) -> Option<f64> {
    let is_decimal = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if is_decimal { go_number::parse_float(text) } else { None }
}

/// Returns whether a text begins like a date, which stays text.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 5 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' && {
        let mut parts = text[5..].splitn(2, '-');
        let is_number =
            |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let day = |rest: &str| is_number(rest.split(['T', 't', ' ']).next().unwrap_or_default());
        parts.next().is_some_and(is_number) && parts.next().is_some_and(day)
    }
}
