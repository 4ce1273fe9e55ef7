//! Regular expressions.

use regex::{Regex, RegexBuilder};

use super::Given;
use crate::cel::{
    meter::{Failure, Meter},
    value::Value,
};

/// How much memory a pattern may take when it is compiled, in bytes.
const LARGEST: usize = 1 << 18;
/// What it takes to compile a pattern, in steps; and each character of it.
const COMPILING: usize = 100_000;
const CHARACTER: usize = 1_000;

/// Compiles a pattern as Go reads it, whose classes are of ASCII.
pub(in crate::cel) fn compiled(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(&in_ascii(pattern)).size_limit(LARGEST).dfa_size_limit(LARGEST).build();
    regex.map_err(|error| format!("error parsing regexp: {error}"))
}

/// The pattern with `\d`, `\s` and `\w` written out, which mean more than ASCII here; and with ASCII's `\b`.
fn in_ascii(pattern: &str) -> String {
    let (mut made, mut in_class) = (String::new(), false);
    let mut rest = pattern.chars();
    while let Some(next) = rest.next() {
        in_class = in_class && next != ']' || next == '[';
        if next != '\\' {
            made.push(next);
            continue;
        }
        let escaped = rest.next();
        let class = match escaped.map(|c| c.to_ascii_lowercase()) {
            Some('d') => "0-9",
            Some('s') => "\\t\\n\\f\\r ",
            Some('w') => "0-9A-Za-z_",
            _ => "",
        };
        match escaped {
            Some('d' | 's' | 'w') if in_class => made += class,
            Some('d' | 's' | 'w') => made += &format!("[{class}]"),
            Some('D' | 'S' | 'W') => made += &format!("[^{class}]"),
            Some('b') if !in_class => made += r"(?-u:\b)",
            Some('B') if !in_class => made += r"(?-u:\B)",
            escaped => {
                made.push('\\');
                made.extend(escaped);
            }
        }
    }
    made
}

pub(super) fn apply<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    let ("matches" | "find" | "findAll", [Value::String(text), Value::String(pattern), rest @ ..]) =
        (name, takes)
    else {
        return Ok(None);
    };
    let cost = (takes[0].size() + 1).div_ceil(10).saturating_mul(takes[1].size().div_ceil(4));
    meter.charge(cost)?;
    meter.work(text.as_str().len())?;
    let regex = match meter.pattern(pattern.as_str()) {
        Some(regex) => regex,
        None => {
            meter.work(COMPILING + CHARACTER * pattern.as_str().len())?;
            let regex = compiled(pattern.as_str()).map_err(Failure::Error)?;
            meter.keep_pattern(pattern.as_str(), &regex);
            regex
        }
    };
    let text = text.as_str();
    let given = match (name, rest) {
        ("matches", []) => Value::Bool(regex.is_match(text)),
        ("find", []) => Value::text(regex.find(text).map_or("", |found| found.as_str())),
        ("findAll", []) => all(&regex, text, usize::MAX, meter)?,
        ("findAll", [Value::Int(most)]) => {
            all(&regex, text, usize::try_from(*most).unwrap_or(usize::MAX), meter)?
        }
        _ => return Ok(None),
    };
    Ok(Some(given))
}

fn all<'a>(regex: &Regex, text: &str, most: usize, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    let mut found = Vec::new();
    for part in regex.find_iter(text).take(most) {
        meter.make(1)?;
        found.push(Value::text(part.as_str()));
    }
    Ok(Value::list(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_of_ascii() {
        assert_eq!(
            in_ascii(r"^[\w.-]+\s\D\.\b[a\]\d]$"),
            r"^[0-9A-Za-z_.-]+[\t\n\f\r ][^0-9]\.(?-u:\b)[a\]0-9]$"
        );
        let is = |pattern: &str, text: &str| compiled(pattern).expect("a pattern").is_match(text);
        assert!(is(r"^\w+\b$", "abc") && !is(r"^\w+$", "é") && is(r"^\W$", "é") && is("^.$", "é"));
        assert!(compiled("a{1000}{1000}").is_err() && compiled("(").is_err());
    }
}
