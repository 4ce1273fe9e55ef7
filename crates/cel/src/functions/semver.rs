//! Versions such as `1.2.3-rc.1+build`, as blang/semver reads and orders them.

use std::{cmp::Ordering, rc::Rc};

use super::{basic::charged, one, traversal};
use crate::{
    function::Function,
    meter::{Failure, Meter},
    value::Value,
};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("semver", &["(string) semver", "(string, bool) semver"], traversal, |arguments, meter| {
        let version = parse(arguments, meter)?.map_err(Failure::error)?;
        Ok(Value::Semver(Rc::new(version)))
    }),
    Function::new("isSemver", &["(string) bool", "(string, bool) bool"], traversal, |arguments, meter| {
        Ok(Value::Bool(parse(arguments, meter)?.is_ok()))
    }),
    Function::new("major", &["semver.() int"], one, |arguments, meter| {
        number_of(arguments, meter, |version| version.major)
    }),
    Function::new("minor", &["semver.() int"], one, |arguments, meter| {
        number_of(arguments, meter, |version| version.minor)
    }),
    Function::new("patch", &["semver.() int"], one, |arguments, meter| {
        number_of(arguments, meter, |version| version.patch)
    }),
    Function::new("isGreaterThan", &["semver.(semver) bool"], one, |arguments, meter| {
        compare(arguments, meter, |order| Value::Bool(order.is_gt()))
    }),
    Function::new("isLessThan", &["semver.(semver) bool"], one, |arguments, meter| {
        compare(arguments, meter, |order| Value::Bool(order.is_lt()))
    }),
    Function::new("compareTo", &["semver.(semver) int"], one, |arguments, meter| {
        compare(arguments, meter, |order| Value::Int(order as i64))
    }),
];

/// A version. Build metadata is no part of it: it does not count in comparisons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Semver {
    major: u64,
    minor: u64,
    patch: u64,
    before: Vec<Part>,
}

/// A part of a pre-release: numbers come before words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

impl Semver {
    /// Parses a version; the error has upstream's words.
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("Version string empty".to_owned());
        }
        let parts: Vec<&str> = text.splitn(3, '.').collect();
        let [major, minor, rest] = parts[..] else {
            return Err("No Major.Minor.Patch elements found".to_owned());
        };
        let (rest, built) = rest.split_once('+').map_or((rest, None), |(rest, built)| (rest, Some(built)));
        let (patch, before) =
            rest.split_once('-').map_or((rest, None), |(patch, before)| (patch, Some(before)));
        let before = before.into_iter().flat_map(|before| before.split('.')).map(part);
        let version = Self {
            major: number(major, "Major", "major")?,
            minor: number(minor, "Minor", "minor")?,
            patch: number(patch, "Patch", "patch")?,
            before: before.collect::<Result<_, _>>()?,
        };
        for built in built.into_iter().flat_map(|built| built.split('.')) {
            if built.is_empty() {
                return Err("Build meta data is empty".to_owned());
            }
            if !is_word(built) {
                return Err(format!("Invalid character(s) found in build meta data {built:?}"));
            }
        }
        Ok(version)
    }

    /// Parses a version that may begin with `v`, have fewer numbers, and zeros before them.
    fn parse_leniently(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let without_zeros = |part: &str| {
            let rest = part.trim_start_matches('0');
            let needs_zero = part.len() > 1 && !rest.starts_with(|first: char| first.is_ascii_digit());
            match part.len() {
                0 | 1 => part.to_owned(),
                _ if needs_zero => format!("0{rest}"),
                _ => rest.to_owned(),
            }
        };
        let mut parts: Vec<String> = text.splitn(3, '.').map(without_zeros).collect();
        if parts.len() < 3 {
            if parts.last().is_some_and(|last| last.contains(['+', '-'])) {
                return Err("short version cannot contain PreRelease/Build meta data".to_owned());
            }
            parts.resize(3, "0".to_owned());
        }
        Self::parse(&parts.join("."))
    }
}

impl Ord for Semver {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |of: &Self| (of.major, of.minor, of.patch);
        // A release comes after all that is before it.
        let is_release = |of: &Self| of.before.is_empty();
        numbers(self)
            .cmp(&numbers(other))
            .then(is_release(self).cmp(&is_release(other)))
            .then_with(|| self.before.cmp(&other.before))
    }
}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn number(text: &str, name: &str, lower: &str) -> Result<u64, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("Invalid character(s) found in {lower} number {text:?}"));
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(format!("{name} number must not contain leading zeroes {text:?}"));
    }
    text.parse().map_err(|_| format!("strconv.ParseUint: parsing {text:?}: value out of range"))
}

fn part(text: &str) -> Result<Part, String> {
    if text.is_empty() {
        return Err("Prerelease is empty".to_owned());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        if text.len() > 1 && text.starts_with('0') {
            return Err(format!("Numeric PreRelease version must not contain leading zeroes {text:?}"));
        }
        let range = |_| format!("strconv.ParseUint: parsing {text:?}: value out of range");
        return text.parse().map(Part::Number).map_err(range);
    }
    if !is_word(text) {
        return Err(format!("Invalid character(s) found in prerelease {text:?}"));
    }
    Ok(Part::Word(text.to_owned()))
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Parses the first argument, leniently if the second is true.
fn parse(arguments: &[Value<'_>], meter: &mut Meter) -> Result<Result<Semver, String>, Failure> {
    let Some((value @ Value::String(text), rest)) = arguments.split_first() else {
        return Err(Failure::NoOverload);
    };
    let is_lenient = match rest {
        [] => false,
        [Value::Bool(is_lenient)] => *is_lenient,
        _ => return Err(Failure::NoOverload),
    };
    meter.traverse(value.size())?;
    let text = text.as_str();
    Ok(if is_lenient { Semver::parse_leniently(text) } else { Semver::parse(text) })
}

fn number_of<'a>(
    arguments: &[Value<'a>],
    meter: &mut Meter,
    number: impl Fn(&Semver) -> u64,
) -> Result<Value<'a>, Failure> {
    match arguments {
        [Value::Semver(version)] => {
            charged(Value::Int(i64::try_from(number(version)).unwrap_or(i64::MAX)), meter)
        }
        _ => Err(Failure::NoOverload),
    }
}

fn compare<'a>(
    arguments: &[Value<'a>],
    meter: &mut Meter,
    result: impl Fn(Ordering) -> Value<'a>,
) -> Result<Value<'a>, Failure> {
    match arguments {
        [Value::Semver(one), Value::Semver(other)] => charged(result(one.cmp(other)), meter),
        _ => Err(Failure::NoOverload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered() {
        let texts = [
            "0.9.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0",
            "1.0.1",
        ];
        let mut versions: Vec<Semver> =
            texts.iter().map(|text| Semver::parse(text).expect("valid")).collect();
        versions.sort();
        let order: Vec<usize> = versions
            .iter()
            .filter_map(|version| texts.iter().position(|text| Semver::parse(text).as_ref() == Ok(version)))
            .collect();
        assert_eq!(order, [0, 4, 5, 1, 2, 3, 6, 7]);
        assert_eq!(Semver::parse("1.2.3+a"), Semver::parse("1.2.3+b"));
    }

    #[test]
    fn versions_are_read_strictly_or_leniently() {
        for text in ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.3-a_b", "1.a.3"]
        {
            assert!(Semver::parse(text).is_err(), "{text}");
        }
        for (text, same) in
            [("v1.2", "1.2.0"), ("1", "1.0.0"), ("v01.02.03", "1.2.3"), ("1.2.0-rc", "1.2.0-rc")]
        {
            assert_eq!(Semver::parse_leniently(text), Semver::parse(same), "{text}");
        }
        assert!(Semver::parse_leniently("1.2-rc").is_err());
    }
}
