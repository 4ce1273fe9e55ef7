//! Regular expressions.

use regex::{Regex, RegexBuilder};

use crate::{
    estimate::{Arguments, Estimated, Range},
    function::Function,
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
        &["string.(string) bool", "(string, string) bool"],
        |arguments| Estimated::cost(pattern_cost(arguments)),
        |arguments, meter| match arguments {
            [Value::String(text), Value::String(pattern)] => {
                let (regex, text) = matched(text, pattern, sizes(arguments), meter)?;
                Ok(Value::Bool(regex.is_match(text)))
            }
            _ => Err(Failure::NoOverload),
        },
    )
    .with_literal(1, is_pattern, NO_PATTERN),
    Function::new("find", &["string.(string) string"], found, |arguments, meter| match arguments {
        [Value::String(text), Value::String(pattern)] => {
            let (regex, text) = matched(text, pattern, sizes(arguments), meter)?;
            Ok(Value::text(regex.find(text).map_or("", |found| found.as_str())))
        }
        _ => Err(Failure::NoOverload),
    })
    .with_literal(1, is_pattern, NO_PATTERN),
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
    .with_literal(1, is_pattern, NO_PATTERN),
];

const NO_PATTERN: &str = "invalid matches argument";

fn is_pattern(text: &str) -> bool {
    compiled(text).is_ok()
}

/// Returns the sizes of text and pattern.
fn sizes(arguments: &[Value<'_>]) -> [u64; 2] {
    [0, 1].map(|position| arguments.get(position).map_or(0, Value::size))
}

/// The estimated cost of a match: a pattern is assumed to have a part for every four characters.
fn pattern_cost(arguments: &Arguments<'_, '_>) -> Range {
    let pattern = arguments.size(1);
    let pattern = Range { min: pattern.min.div_ceil(4), max: pattern.max.div_ceil(4) };
    arguments.size(0).plus(Range::ONE).tenth().times(pattern)
}

fn found(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::sized(pattern_cost(arguments), Range { min: 0, ..arguments.size(0) })
}

/// Compiles a pattern as Go reads it, whose classes are of ASCII.
fn compiled(pattern: &str) -> Result<Regex, String> {
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
    meter.charge((sizes[0] + 1).div_ceil(10).saturating_mul(sizes[1].div_ceil(4)))?;
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
