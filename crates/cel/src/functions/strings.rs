//! Texts. Positions count characters.

use super::{copy, count, one, text_format, traversal};
use crate::{
    estimate::{Arguments, Estimated, Range, TENTH, scaled},
    function::{Function, Mismatch},
    meter::{Failure, Meter},
    value::{Text, Value},
};

/// The longest text that is made: longer than anything that can be sent.
pub(super) const LONGEST: usize = 16 * 1024 * 1024;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new(
        "contains",
        &["string.(string) bool"],
        |arguments| Estimated::cost(arguments.size(0).tenth().times(arguments.size(1).tenth())),
        |arguments, meter| match arguments {
            [Value::String(text), Value::String(part)] => {
                let (size, of_part) = (arguments[0].size(), arguments[1].size());
                meter.charge(scaled(size, TENTH).saturating_mul(scaled(of_part, TENTH)))?;
                Ok(Value::Bool(read(text, meter)?.contains(part.as_str())))
            }
            _ => Err(Failure::NoOverload),
        },
    )
    .with_mismatch(Mismatch::Plain),
    Function::new("startsWith", &["string.(string) bool"], of_affix, |arguments, meter| match arguments {
        [Value::String(text), Value::String(part)] => {
            meter.traverse(arguments[0].size())?;
            Ok(Value::Bool(read(text, meter)?.starts_with(part.as_str())))
        }
        _ => Err(Failure::NoOverload),
    })
    .with_mismatch(Mismatch::Plain),
    Function::new("endsWith", &["string.(string) bool"], of_affix, |arguments, meter| match arguments {
        [Value::String(text), Value::String(part)] => {
            meter.traverse(arguments[0].size())?;
            Ok(Value::Bool(read(text, meter)?.ends_with(part.as_str())))
        }
        _ => Err(Failure::NoOverload),
    })
    .with_mismatch(Mismatch::Plain),
    Function::new("charAt", &["string.(int) string"], one, |arguments, meter| match arguments {
        [Value::String(text), Value::Int(index)] => {
            meter.charge(1)?;
            char_at(read(text, meter)?, *index)
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new(
        "indexOf",
        &["string.(string) int", "string.(string, int) int"],
        traversal,
        |arguments, meter| search(arguments, meter, false),
    ),
    Function::new(
        "lastIndexOf",
        &["string.(string) int", "string.(string, int) int"],
        traversal,
        |arguments, meter| search(arguments, meter, true),
    ),
    Function::new("lowerAscii", &["string.() string"], copy, |arguments, meter| match arguments {
        [Value::String(text)] => {
            meter.traverse(arguments[0].size())?;
            Ok(Value::text(read(text, meter)?.to_ascii_lowercase()))
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("upperAscii", &["string.() string"], copy, |arguments, meter| match arguments {
        [Value::String(text)] => {
            meter.traverse(arguments[0].size())?;
            Ok(Value::text(read(text, meter)?.to_ascii_uppercase()))
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("trim", &["string.() string"], copy, |arguments, meter| match arguments {
        [Value::String(text)] => {
            meter.traverse(arguments[0].size())?;
            Ok(Value::text(read(text, meter)?.trim()))
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new(
        "substring",
        &["string.(int) string", "string.(int, int) string"],
        copy,
        |arguments, meter| {
            let (text, from, to) = match arguments {
                [Value::String(text), Value::Int(from)] => (text, *from, None),
                [Value::String(text), Value::Int(from), Value::Int(to)] => (text, *from, Some(*to)),
                _ => return Err(Failure::NoOverload),
            };
            meter.traverse(arguments[0].size())?;
            substring(read(text, meter)?, from, to)
        },
    ),
    Function::new(
        "replace",
        &["string.(string, string) string", "string.(string, string, int) string"],
        |arguments| {
            let [text, from, to] = [0, 1, 2].map(|position| arguments.size(position));
            Estimated::sized(fifth(text), replaced(text, from, to))
        },
        |arguments, meter| {
            let (text, from, to, times) = match arguments {
                [Value::String(text), Value::String(from), Value::String(to)] => (text, from, to, -1),
                [Value::String(text), Value::String(from), Value::String(to), Value::Int(times)] => {
                    (text, from, to, *times)
                }
                _ => return Err(Failure::NoOverload),
            };
            meter.traverse(arguments[0].size().saturating_mul(2))?;
            replace(read(text, meter)?, from, to, times)
        },
    ),
    Function::new(
        "split",
        &["string.(string) list<string>", "string.(string, int) list<string>"],
        |arguments| {
            let text = arguments.size(0);
            // The number of parts may be bounded by a constant.
            let bound = arguments.integer(2).map(|most| u64::try_from(most).unwrap_or(u64::MAX));
            let most = bound.unwrap_or(text.max);
            Estimated::sized(fifth(text), Range { min: 0, max: most })
        },
        |arguments, meter| {
            let (text, by, most) = match arguments {
                [Value::String(text), Value::String(by)] => (text, by, -1),
                [Value::String(text), Value::String(by), Value::Int(most)] => (text, by, *most),
                _ => return Err(Failure::NoOverload),
            };
            meter.traverse(arguments[0].size().saturating_mul(2))?;
            split(read(text, meter)?, by.as_str(), most, meter)
        },
    ),
    Function::new(
        "join",
        &["list<string>.() string", "list<string>.(string) string"],
        join_estimate,
        |arguments, meter| match arguments {
            [list] => join(list, "", meter),
            [list, Value::String(by)] => join(list, by.as_str(), meter),
            _ => Err(Failure::NoOverload),
        },
    ),
    Function::new(
        "strings.quote",
        &["(string) string"],
        quote_estimate,
        |arguments, meter| match arguments {
            [Value::String(text)] => {
                meter.traverse(arguments[0].size())?;
                Ok(Value::text(quoted(read(text, meter)?)))
            }
            _ => Err(Failure::NoOverload),
        },
    ),
    Function::new("format", &["string.(list<dyn>) string"], traversal, |arguments, meter| match arguments {
        [Value::String(text), Value::List(values)] => {
            meter.traverse(arguments[0].size())?;
            let values: Vec<Value<'_>> = values.iter().collect();
            Ok(Value::text(text_format::format(read(text, meter)?, &values)?))
        }
        _ => Err(Failure::NoOverload),
    }),
];

/// Returns a text after counting the work of reading it.
fn read<'v>(text: &'v Text<'_>, meter: &mut Meter) -> Result<&'v str, Failure> {
    meter.work(text.as_str().len())?;
    Ok(text.as_str())
}

fn of_affix(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::cost(arguments.size(1).tenth())
}

/// A fifth: the cost of reading a text and making another.
fn fifth(text: Range) -> Range {
    text.scaled(2.0 * TENTH)
}

/// The size of a text in which `from` is replaced by `to`.
fn replaced(text: Range, from: Range, to: Range) -> Range {
    let times =
        |text: u64, from: u64| text.checked_div(from).map_or(text.saturating_add(1), |_| text.div_ceil(from));
    let max = if from.min > 0 && to.max <= from.min {
        text.max
    } else {
        let kept = if from.min == 0 { text.max } else { 0 };
        times(text.max, from.min).saturating_mul(to.max).saturating_add(kept)
    };
    Range { min: 0, max }
}

fn join_estimate(arguments: &Arguments<'_, '_>) -> Estimated {
    let is_list = arguments.is_list(0);
    let items = if is_list { arguments.size(0).times(arguments.items(0)) } else { Range::exactly(0) };
    let between = arguments.size(0);
    let between = Range { min: between.min.saturating_sub(1), max: between.max.saturating_sub(1) };
    let by = if arguments.count() > 1 { arguments.size(1) } else { Range::exactly(0) };
    let text = items.plus(by.times(between));
    Estimated::sized(text.tenth(), text)
}

fn quote_estimate(arguments: &Arguments<'_, '_>) -> Estimated {
    let text = arguments.size(0);
    let quoted = Range { min: text.min.saturating_add(2), max: text.max.saturating_mul(2).saturating_add(2) };
    Estimated::sized(text.tenth(), quoted)
}

/// Quotes a text as a literal of CEL.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        let escaped = match c {
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\\' => "\\\\",
            '"' => "\\\"",
            c => {
                quoted.push(c);
                continue;
            }
        };
        quoted += escaped;
    }
    quoted + "\""
}

fn search<'a>(arguments: &[Value<'a>], meter: &mut Meter, is_last: bool) -> Result<Value<'a>, Failure> {
    let (text, part, from) = match arguments {
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, Some(*from)),
        _ => return Err(Failure::NoOverload),
    };
    super::lists::charge_traversal(&arguments[0], meter)?;
    index_of(read(text, meter)?, part.as_str(), from, is_last).map(Value::Int)
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

/// Returns the characters from a position on, up to another one or to the end.
fn substring<'a>(text: &str, from: i64, to: Option<i64>) -> Result<Value<'a>, Failure> {
    let length = count(text.chars().count());
    if let Some(to) = to.filter(|to| from > *to) {
        return Err(Failure::error(format!("invalid substring range. start: {from}, end: {to}")));
    }
    for index in [Some(from), to].into_iter().flatten() {
        if !(0..=length).contains(&index) {
            return Err(out_of_range(index));
        }
    }
    let part = text.chars().skip(usize::try_from(from).unwrap_or(0));
    let part: String = part.take(usize::try_from(to.unwrap_or(length) - from).unwrap_or(0)).collect();
    Ok(Value::text(part))
}

/// Returns the position of `part` in `text`, from a position on or, from the end, up to it; -1 if it is not there. An empty
/// part is where the search begins.
fn index_of(text: &str, part: &str, from: Option<i64>, is_last: bool) -> Result<i64, Failure> {
    let length = count(text.chars().count());
    if part.is_empty() {
        return Ok(from.unwrap_or(if is_last { length } else { 0 }));
    }
    let from = match from {
        Some(from) if from < 0 => return Err(out_of_range(from)),
        Some(from) if from >= length => return Ok(-1),
        Some(from) => from,
        None if is_last => length,
        None => 0,
    };
    let byte = |position: i64| {
        let position = usize::try_from(position).unwrap_or(0);
        text.char_indices().nth(position).map_or(text.len(), |(byte, _)| byte)
    };
    let found = if is_last {
        let end = byte(from).saturating_add(part.len()).min(text.len());
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

/// Splits a text at `by` into at most so many parts, if `most` is not negative.
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

fn join<'a>(list: &Value<'a>, by: &str, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    let Value::List(items) = list else { return Err(Failure::NoOverload) };
    let mut text = String::new();
    for (position, item) in items.iter().enumerate() {
        let Value::String(item) = item else { return Err(Failure::NoOverload) };
        if position > 0 {
            text += by;
        }
        text += item.as_str();
        if text.len() > LONGEST {
            return Err(Failure::TooCostly);
        }
        meter.work(item.as_str().len() + by.len() + 1)?;
    }
    meter.traverse(u64::try_from(text.chars().count()).unwrap_or(u64::MAX).saturating_mul(2))?;
    Ok(Value::text(text))
}
