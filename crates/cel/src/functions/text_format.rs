//! `"%s has %d".format([…])`: strings, integers, floats, and numbers in other bases.

mod numbers;

use super::{
    convert::{float, written},
    strings::LONGEST,
};
use crate::{meter::Failure, value::Value};

/// The error of arguments that have no text.
pub(crate) const NO_STRING: &str = "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, \
    types, durations, and timestamps";

/// The digits after the point, if a clause does not set them.
const PRECISION: usize = 6;

/// The verb of a clause, which says how its argument is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verb {
    /// `%s`.
    String,
    /// `%d`.
    Decimal,
    /// `%f`.
    Fixed(usize),
    /// `%e`.
    Scientific(usize),
    /// `%b`.
    Binary,
    /// `%x` and `%X`.
    Hex { is_upper: bool },
    /// `%o`.
    Octal,
}

impl Verb {
    /// Returns the error of an argument that the verb does not take, without the type.
    pub(crate) const fn error(self) -> &'static str {
        match self {
            Self::String => NO_STRING,
            Self::Decimal => "decimal clause can only be used on integers",
            Self::Fixed(_) => "fixed-point clause can only be used on doubles",
            Self::Scientific(_) => "scientific clause can only be used on doubles",
            Self::Binary => "only integers and bools can be formatted as binary",
            Self::Hex { .. } => "only integers, byte buffers, and strings can be formatted as hex",
            Self::Octal => "octal clause can only be used on integers",
        }
    }
}

/// The error of a format or of one of its arguments.
#[derive(Debug)]
pub(crate) enum FormatError {
    /// A clause is incomplete or has no argument.
    Clause(String),
    /// A clause does not take its argument, which stands at a position of the source.
    Argument { because: String, at: usize },
    /// The result is longer than anything that can be sent.
    TooLong,
}

/// Replaces each clause of a format by what `write` makes of it; there are `count` arguments.
pub(crate) fn interpolate(
    text: &str,
    count: usize,
    mut write: impl FnMut(usize, Verb) -> Result<String, FormatError>,
) -> Result<String, FormatError> {
    let (mut made, mut rest, mut position) = (String::new(), text, 0);
    while let Some(start) = rest.find('%') {
        made += &rest[..start];
        let clause = &rest[start + 1..];
        if let Some(after) = clause.strip_prefix('%') {
            made.push('%');
            rest = after;
            continue;
        }
        if position >= count {
            return Err(FormatError::Clause(format!("index {position} out of range")));
        }
        if clause.is_empty() {
            return Err(FormatError::Clause("unexpected end of string".to_owned()));
        }
        let (verb, after) = verb(clause).map_err(|because| {
            FormatError::Clause(format!("could not parse formatting clause: {because}"))
        })?;
        made += &write(position, verb)?;
        if made.len() > LONGEST {
            return Err(FormatError::TooLong);
        }
        (rest, position) = (after, position + 1);
    }
    Ok(made + rest)
}

/// Parses a clause behind its percent sign; returns the text behind it, too.
fn verb(clause: &str) -> Result<(Verb, &str), String> {
    let (precision, rest) = match clause.strip_prefix('.') {
        None => (PRECISION, clause),
        Some(rest) => {
            let end = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, rest) = rest.split_at(end);
            if rest.is_empty() {
                return Err(
                    "error while parsing precision: could not find end of precision specifier".to_owned()
                );
            }
            let invalid = |why: &str| {
                format!(
                    "error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing \
                     {digits:?}: {why}"
                )
            };
            if digits.is_empty() {
                return Err(invalid("invalid syntax"));
            }
            (digits.parse().map_err(|_| invalid("value out of range"))?, rest)
        }
    };
    let verb = match rest.as_bytes()[0] {
        b's' => Verb::String,
        b'd' => Verb::Decimal,
        b'f' => Verb::Fixed(precision),
        b'e' => Verb::Scientific(precision),
        b'b' => Verb::Binary,
        letter @ (b'x' | b'X') => Verb::Hex { is_upper: letter == b'X' },
        b'o' => Verb::Octal,
        other => return Err(format!("unrecognized formatting clause \"{}\"", char::from(other))),
    };
    Ok((verb, &rest[1..]))
}

/// Formats a text with its arguments.
pub(super) fn format(text: &str, arguments: &[Value<'_>]) -> Result<String, Failure> {
    let made = interpolate(text, arguments.len(), |position, verb| {
        write(verb, &arguments[position]).map_err(|because| FormatError::Argument { because, at: 0 })
    });
    made.map_err(|error| match error {
        FormatError::Clause(because) => Failure::error(because),
        FormatError::Argument { because, .. } => {
            Failure::error(format!("error during formatting: {because}"))
        }
        FormatError::TooLong => Failure::TooCostly,
    })
}

fn write(verb: Verb, argument: &Value<'_>) -> Result<String, String> {
    let made = match (verb, argument) {
        (Verb::String, value) => return shown(value),
        (Verb::Decimal, Value::Int(_) | Value::Uint(_)) => written(argument),
        (Verb::Fixed(digits), value) => {
            numbers::double(value).and_then(|number| numbers::fixed(number, digits))
        }
        (Verb::Scientific(width), value) => {
            numbers::double(value).and_then(|number| numbers::scientific(number, width))
        }
        (Verb::Binary, Value::Bool(flag)) => Some(u8::from(*flag).to_string()),
        (Verb::Hex { is_upper }, Value::String(text)) => {
            Some(numbers::hex(text.as_str().as_bytes(), is_upper))
        }
        (Verb::Hex { is_upper }, Value::Bytes(bytes)) => Some(numbers::hex(bytes, is_upper)),
        (verb, value) => numbers::in_base(verb, value),
    };
    made.ok_or_else(|| format!("{}, was given {}", verb.error(), argument.type_name()))
}

/// Returns the text of a value, as `%s` has it.
fn shown(value: &Value<'_>) -> Result<String, String> {
    match value {
        Value::List(_) | Value::Map(_) | Value::Object(..) => literal(value),
        Value::Null => Ok("null".to_owned()),
        Value::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes).map(str::to_owned);
            text.map_err(|_| "could not convert argument to string: invalid UTF-8 in bytes".to_owned())
        }
        Value::Int(_)
        | Value::Uint(_)
        | Value::Double(_)
        | Value::Bool(_)
        | Value::String(_)
        | Value::Timestamp(..)
        | Value::Duration(_)
        | Value::Type(_) => written(value).ok_or_else(|| NO_STRING.to_owned()),
        _ => Err(format!("{NO_STRING}, was given {}", value.type_name())),
    }
}

/// Writes a part of a list or a map as a literal of CEL.
fn literal(value: &Value<'_>) -> Result<String, String> {
    Ok(match value {
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| literal(&item)).collect::<Result<_, _>>()?;
            format!("[{}]", items.join(", "))
        }
        Value::Map(_) | Value::Object(..) => {
            let mut entries = Vec::new();
            for (key, value) in value.entries() {
                let key = match key {
                    Value::String(_) | Value::Bool(_) | Value::Int(_) | Value::Uint(_) => literal(&key)?,
                    _ => {
                        return Err(format!(
                            "no formatting function for map key of type {}",
                            key.type_name()
                        ));
                    }
                };
                entries.push((key, literal(&value)?));
            }
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}:{value}")).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::String(text) => numbers::quoted(text.as_str()),
        Value::Bytes(_) => format!("b{}", numbers::quoted(&shown(value)?)),
        Value::Double(number) if number.is_finite() => format!("{number:.PRECISION$}"),
        Value::Double(number) => numbers::quoted(&float(*number)),
        Value::Timestamp(..) => format!("timestamp({})", numbers::quoted(&shown(value)?)),
        Value::Duration(_) => format!("duration({})", numbers::quoted(&shown(value)?)),
        Value::Int(_) | Value::Uint(_) | Value::Bool(_) | Value::Null | Value::Type(_) => shown(value)?,
        _ => return Err(format!("no formatting function for {}", value.type_name())),
    })
}
