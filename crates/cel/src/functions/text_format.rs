//! `"%s has %d".format([…])`: strings, integers, floats, and numbers in other bases.

use super::{convert::written, strings::LONGEST};
use crate::{meter::Failure, value::Value};

/// Formats a text with its arguments.
pub(super) fn format(text: &str, arguments: &[Value<'_>]) -> Result<String, Failure> {
    let mut arguments = arguments.iter();
    let mut made = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        if next != '%' {
            made.push(next);
            continue;
        }
        let mut verb = rest.next();
        let mut digits = None;
        if verb == Some('.') {
            let precision: String = rest.clone().take_while(char::is_ascii_digit).collect();
            rest.by_ref().take(precision.len()).for_each(drop);
            digits = precision.parse::<usize>().ok().filter(|digits| *digits <= 100);
            verb = rest.next();
        }
        if verb == Some('%') {
            made.push('%');
            continue;
        }
        let Some(argument) = arguments.next() else {
            return Err(Failure::error(format!("index {} out of range", made.len())));
        };
        let unfit =
            || Failure::error(format!("could not convert argument of type '{}'", argument.type_name()));
        let shown = match (verb, argument) {
            (Some('s'), value) => shown(value),
            (Some('d'), Value::Int(_) | Value::Uint(_)) => shown(argument),
            (Some('f'), Value::Double(number)) => Some(format!("{number:.*}", digits.unwrap_or(6))),
            (Some('e'), Value::Double(number)) => Some(format!("{number:.*e}", digits.unwrap_or(6))),
            (Some('b'), Value::Int(number)) => Some(signed(*number, |number| format!("{number:b}"))),
            (Some('o'), Value::Int(number)) => Some(signed(*number, |number| format!("{number:o}"))),
            (Some('x'), Value::Int(number)) => Some(signed(*number, |number| format!("{number:x}"))),
            (Some('X'), Value::Int(number)) => Some(signed(*number, |number| format!("{number:X}"))),
            (Some('b'), Value::Bool(flag)) => Some(u8::from(*flag).to_string()),
            (Some('x'), Value::String(text)) => {
                Some(text.as_str().bytes().map(|byte| format!("{byte:02x}")).collect())
            }
            _ => None,
        };
        made += &shown.ok_or_else(unfit)?;
        if made.len() > LONGEST {
            return Err(Failure::TooCostly);
        }
    }
    Ok(made)
}

fn signed(number: i64, write: impl Fn(u64) -> String) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", write(number.unsigned_abs()))
}

/// Returns the text of any value that has one, parts included.
fn shown(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| shown(&item)).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Map(entries) => {
            let entries: Option<Vec<String>> = entries
                .iter()
                .map(|(key, value)| Some(format!("{}: {}", shown(&key)?, shown(&value)?)))
                .collect();
            format!("{{{}}}", entries?.join(", "))
        }
        value => written(value)?,
    })
}
