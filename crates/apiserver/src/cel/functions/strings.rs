//! Texts. Positions count characters.

use super::{Given, convert::written, count};
use crate::cel::{
    meter::{Failure, Meter},
    value::{Text, Value},
};

/// The longest text that is made: longer than anything that can be sent.
const LONGEST: usize = 16 * 1024 * 1024;

pub(super) fn apply<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    let Some((first, rest)) = takes.split_first() else { return Ok(None) };
    if name == "join" {
        return join(first, rest, meter);
    }
    let Value::String(text) = first else { return Ok(None) };
    let (text, size) = (text.as_str(), first.size());
    meter.work(text.len())?;
    let given = match (name, rest) {
        ("contains", [Value::String(part)]) => {
            meter.charge(size.div_ceil(10).saturating_mul(rest[0].size().div_ceil(10)))?;
            Value::Bool(text.contains(part.as_str()))
        }
        ("startsWith", [Value::String(part)]) => {
            meter.traverse(rest[0].size())?;
            Value::Bool(text.starts_with(part.as_str()))
        }
        ("endsWith", [Value::String(part)]) => {
            meter.traverse(rest[0].size())?;
            Value::Bool(text.ends_with(part.as_str()))
        }
        ("charAt", [Value::Int(index)]) => {
            meter.charge(1)?;
            char_at(text, *index)?
        }
        ("lowerAscii" | "upperAscii" | "trim" | "substring", _) => {
            meter.traverse(size)?;
            match (name, rest) {
                ("lowerAscii", []) => Value::text(text.to_ascii_lowercase()),
                ("upperAscii", []) => Value::text(text.to_ascii_uppercase()),
                ("trim", []) => Value::text(text.trim()),
                ("substring", [Value::Int(from)]) => {
                    substring(text, *from, i64::try_from(size).unwrap_or(0))?
                }
                ("substring", [Value::Int(from), Value::Int(to)]) => substring(text, *from, *to)?,
                _ => return Ok(None),
            }
        }
        ("indexOf" | "lastIndexOf", [Value::String(part), from @ ..]) => {
            meter.traverse(size)?;
            let from = match from {
                [] => None,
                [Value::Int(from)] => Some(*from),
                _ => return Ok(None),
            };
            Value::Int(index_of(text, part.as_str(), from, name == "lastIndexOf")?)
        }
        ("replace" | "split", _) => {
            meter.charge(size.div_ceil(5))?;
            match (name, rest) {
                ("replace", [Value::String(from), Value::String(to)]) => replace(text, from, to, -1)?,
                ("replace", [Value::String(from), Value::String(to), Value::Int(times)]) => {
                    replace(text, from, to, *times)?
                }
                ("split", [Value::String(by)]) => split(text, by.as_str(), -1, meter)?,
                ("split", [Value::String(by), Value::Int(most)]) => split(text, by.as_str(), *most, meter)?,
                _ => return Ok(None),
            }
        }
        ("strings.quote", []) => {
            meter.traverse(size)?;
            Value::text(format!("{text:?}"))
        }
        ("format", [Value::List(arguments)]) => {
            meter.traverse(size)?;
            let arguments: Vec<Value<'_>> = arguments.iter().collect();
            Value::text(format(text, &arguments)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(given))
}

fn out_of_range(index: i64) -> Failure {
    Failure::error(format!("index out of range: {index}"))
}

fn char_at<'a>(text: &str, index: i64) -> Result<Value<'a>, Failure> {
    let position = usize::try_from(index).map_err(|_| out_of_range(index))?;
    match text.chars().nth(position) {
        Some(found) => Ok(Value::text(found.to_string())),
        None if position == text.chars().count() => Ok(Value::text("")),
        None => Err(out_of_range(index)),
    }
}

fn substring<'a>(text: &str, from: i64, to: i64) -> Result<Value<'a>, Failure> {
    let length = count(text.chars().count());
    for index in [from, to] {
        if !(0..=length).contains(&index) {
            return Err(out_of_range(index));
        }
    }
    if from > to {
        return Err(Failure::error(format!("invalid substring range. start: {from}, end: {to}")));
    }
    let part = text.chars().skip(usize::try_from(from).unwrap_or(0));
    let part: String = part.take(usize::try_from(to - from).unwrap_or(0)).collect();
    Ok(Value::text(part))
}

/// Where `part` is in `text`, from a position on or, from the end, up to it; -1 if nowhere.
fn index_of(text: &str, part: &str, from: Option<i64>, is_last: bool) -> Result<i64, Failure> {
    let length = count(text.chars().count());
    let from = from.unwrap_or(if is_last { length } else { 0 });
    if !(0..=length).contains(&from) {
        return Err(out_of_range(from));
    }
    let byte = |position: i64| {
        let position = usize::try_from(position).unwrap_or(0);
        text.char_indices().nth(position).map_or(text.len(), |(byte, _)| byte)
    };
    let found = if is_last {
        let end = (byte(from) + part.len()).min(text.len());
        (0..=end).rev().find_map(|end| text.get(..end)).and_then(|before| before.rfind(part))
    } else {
        text[byte(from)..].find(part).map(|found| found + byte(from))
    };
    Ok(found.map_or(-1, |found| count(text[..found].chars().count())))
}

fn replace<'a>(text: &str, from: &Text<'_>, to: &Text<'_>, times: i64) -> Result<Value<'a>, Failure> {
    let (from, to) = (from.as_str(), to.as_str());
    let times = usize::try_from(times).unwrap_or(usize::MAX);
    let matches = text.matches(from).count().min(times);
    if matches.saturating_mul(to.len()) > LONGEST {
        return Err(Failure::TooCostly);
    }
    Ok(Value::text(text.replacen(from, to, times)))
}

/// What stands between `by`; at most so many parts, if `most` is not negative.
fn split<'a>(text: &str, by: &str, most: i64, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let parts: Vec<String> = if most == 0 {
        Vec::new()
    } else if by.is_empty() {
        let mut characters = text.chars();
        let mut parts: Vec<String> = characters.by_ref().take(most - 1).map(String::from).collect();
        let rest: String = characters.collect();
        parts.extend(Some(rest).filter(|rest| !rest.is_empty()));
        parts
    } else {
        text.splitn(most, by).map(str::to_owned).collect()
    };
    meter.make(parts.len())?;
    Ok(Value::list(parts.into_iter().map(Value::text).collect()))
}

fn join<'a>(list: &Value<'a>, by: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    let by = match by {
        [] => "",
        [Value::String(by)] => by.as_str(),
        _ => return Ok(None),
    };
    let Value::List(items) = list else { return Ok(None) };
    let mut text = String::new();
    for (position, item) in items.iter().enumerate() {
        let Value::String(item) = item else { return Ok(None) };
        if position > 0 {
            text += by;
        }
        text += item.as_str();
        if text.len() > LONGEST {
            return Err(Failure::TooCostly);
        }
        meter.work(item.as_str().len() + by.len() + 1)?;
    }
    meter.charge(u64::try_from(text.chars().count()).unwrap_or(u64::MAX).div_ceil(5))?;
    Ok(Some(Value::text(text)))
}

/// `"%s has %d".format([…])`: strings, integers, floats, and numbers in other bases.
fn format(text: &str, arguments: &[Value<'_>]) -> Result<String, Failure> {
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

/// Any value as a person reads it.
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
