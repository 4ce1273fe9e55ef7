//! Regular expressions.

use regex::{Regex, RegexBuilder};

use super::one;
use crate::{
    ast::Literal,
    estimate::{Arguments, Estimated, Range, TENTH, scaled},
    function::{Function, Mismatch},
    meter::{Failure, Meter},
    pattern,
    value::{Text, Value},
};

/// How much memory a pattern may take when it is compiled, in bytes.
const LARGEST: usize = 1 << 18;
/// The steps that compiling a pattern counts for, and each of its characters.
const COMPILING: usize = 100_000;
const CHARACTER: usize = 1_000;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new(
        "matches",
        &["string.(string) bool"],
        |arguments| Estimated::cost(pattern_cost(arguments)),
        |arguments, meter| match arguments {
            [Value::String(text), Value::String(pattern)] => {
                let (regex, text) = matched(text, pattern, sizes(arguments), meter)?;
                Ok(Value::Bool(regex.is_match(text)))
            }
            _ => Err(Failure::NoOverload),
        },
    )
    .with_pattern(1)
    .with_literal(is_pattern, "invalid matches argument")
    .with_mismatch(Mismatch::Plain),
    Function::new("find", &["string.(string) string"], found, |arguments, meter| match arguments {
        [Value::String(text), Value::String(pattern)] => {
            let (regex, text) = matched(text, pattern, sizes(arguments), meter)?;
            Ok(Value::text(regex.find(text).map_or("", |found| found.as_str())))
        }
        _ => Err(Failure::NoOverload),
    })
    .with_pattern(1),
    Function::new(
        "findAll",
        &["string.(string) list<string>", "string.(string, int) list<string>"],
        found,
        |arguments, meter| {
            let (text, pattern, most) = match arguments {
                [Value::String(text), Value::String(pattern)] => (text, pattern, usize::MAX),
                [Value::String(text), Value::String(pattern), Value::Int(most)] => {
                    (text, pattern, usize::try_from(*most).unwrap_or(usize::MAX))
                }
                _ => return Err(Failure::NoOverload),
            };
            let (regex, text) = matched(text, pattern, sizes(arguments), meter)?;
            all(&regex, text, most, meter)
        },
    )
    .with_pattern(1),
];

/// `matches(text, pattern)`, which costs 1 upstream.
pub(crate) const GLOBAL: &[Function] =
    &[Function::new("matches", &["(string, string) bool"], one, |arguments, meter| match arguments {
        [Value::String(text), Value::String(pattern)] => {
            let (regex, text) = matched(text, pattern, [0, 4], meter)?;
            Ok(Value::Bool(regex.is_match(text)))
        }
        _ => Err(Failure::NoOverload),
    })
    .with_pattern(1)
    .with_literal(is_pattern, "invalid matches argument")
    .with_mismatch(Mismatch::Plain)];

/// Upstream checks the first argument behind the name: in `matches(text, pattern)`, that is the text.
fn is_pattern(literal: &Literal) -> bool {
    !matches!(literal, Literal::String(text) if compiled(text).is_err())
}

/// Returns the sizes of text and pattern.
fn sizes(arguments: &[Value<'_>]) -> [u64; 2] {
    [0, 1].map(|position| arguments.get(position).map_or(0, Value::size))
}

/// The estimated cost of a match: a pattern is assumed to have a part for every four characters.
fn pattern_cost(arguments: &Arguments<'_, '_>) -> Range {
    arguments.size(0).plus(Range::ONE).tenth().times(arguments.size(1).scaled(0.25))
}

fn found(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::sized(pattern_cost(arguments), Range { min: 0, ..arguments.size(0) })
}

/// Compiles a pattern as Go reads it, whose classes are of ASCII.
pub(crate) fn compiled(pattern: &str) -> Result<Regex, String> {
    let regex =
        RegexBuilder::new(&pattern::in_ascii(pattern)).size_limit(LARGEST).dfa_size_limit(LARGEST).build();
    regex.map_err(|error| format!("error parsing regexp: {error}"))
}

/// Applies a pattern to a text after charging for both.
fn matched<'v>(
    text: &'v Text<'_>,
    pattern: &Text<'_>,
    sizes: [u64; 2],
    meter: &mut Meter,
) -> Result<(Regex, &'v str), Failure> {
    meter.charge(scaled(sizes[0] + 1, TENTH).saturating_mul(sizes[1].div_ceil(4)))?;
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
    Ok((regex, text.as_str()))
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
        let is = |pattern: &str, text: &str| compiled(pattern).expect("a pattern").is_match(text);
        assert!(is(r"^\w+\b$", "abc") && !is(r"^\w+$", "é") && is(r"^\W$", "é") && is("^.$", "é"));
        assert!(compiled("a{1000}{1000}").is_err() && compiled("(").is_err());
    }
}
