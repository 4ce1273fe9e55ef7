//! The text form of a selector: reading it, and what is wrong with one that cannot be read.

use super::{Demand, Requirement};

/// Why a text or a `LabelSelector` is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct SelectorError(Kind);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Kind {
    #[error("label selector {text:?}, at byte {position}: found {found}, expected {expected}")]
    Syntax { text: String, position: usize, found: String, expected: &'static str },
    #[error(
        "{0:?} is no label key: expected up to 63 letters, digits, `-`, `_` or `.`, after an optional DNS prefix and `/`"
    )]
    LabelKey(String),
    #[error("{value:?} is no value of label {key}: expected up to 63 letters, digits, `-`, `_` or `.`")]
    LabelValue { key: String, value: String },
    #[error(
        "label selector operator {operator:?} of {key} is unknown: expected In, NotIn, Exists or DoesNotExist"
    )]
    Operator { key: String, operator: String },
    #[error("label selector operator {operator} of {key} takes {takes}")]
    Values { key: String, operator: String, takes: &'static str },
}

impl SelectorError {
    /// Where in the text the error is, in bytes; `None` if it is not about syntax.
    pub fn position(&self) -> Option<usize> {
        match self.0 {
            Kind::Syntax { position, .. } => Some(position),
            _ => None,
        }
    }
}

pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    let mut parser = Parser { text, position: 0 };
    let mut requirements = Vec::new();
    if parser.peek().is_none() {
        return Ok(requirements);
    }
    loop {
        requirements.push(parser.requirement()?);
        if parser.peek().is_none() {
            return Ok(requirements);
        }
        parser.expect(',', "`,` or the end")?;
    }
}

pub(super) fn expression(
    key: &str,
    operator: &str,
    values: Vec<String>,
) -> Result<Requirement, SelectorError> {
    let wrong = |takes| Kind::Values { key: key.to_owned(), operator: operator.to_owned(), takes };
    let demand = match (operator, values.is_empty()) {
        ("In", false) => Demand::In(values),
        ("NotIn", false) => Demand::NotIn(values),
        ("Exists", true) => Demand::Exists,
        ("DoesNotExist", true) => Demand::Absent,
        ("In" | "NotIn", true) => return Err(SelectorError(wrong("at least one value"))),
        ("Exists" | "DoesNotExist", false) => return Err(SelectorError(wrong("no values"))),
        _ => {
            let (key, operator) = (key.to_owned(), operator.to_owned());
            return Err(SelectorError(Kind::Operator { key, operator }));
        }
    };
    checked(key, demand)
}

/// A requirement of which key and values are well formed.
pub(super) fn checked(key: &str, demand: Demand) -> Result<Requirement, SelectorError> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let prefix_is_fine =
        prefix.is_none_or(|prefix| prefix.len() <= 253 && prefix.split('.').all(is_dns_label));
    if name.is_empty() || !is_name(name) || !prefix_is_fine {
        return Err(SelectorError(Kind::LabelKey(key.to_owned())));
    }
    if let Demand::In(values) | Demand::NotIn(values) = &demand
        && let Some(value) = values.iter().find(|value| !is_name(value))
    {
        return Err(SelectorError(Kind::LabelValue { key: key.to_owned(), value: value.clone() }));
    }
    Ok(Requirement { key: key.to_owned(), demand })
}

/// Empty, or up to 63 of the characters that labels may have, a letter or digit at both ends.
fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        && bytes.first().is_none_or(u8::is_ascii_alphanumeric)
        && bytes.last().is_none_or(u8::is_ascii_alphanumeric)
}

fn is_dns_label(text: &str) -> bool {
    !text.is_empty() && is_name(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Parser<'a> {
    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        if self.take('!') {
            return checked(self.word("a label key")?, Demand::Absent);
        }
        let key = self.word("a label key or `!`")?;
        let demand = match self.peek() {
            None | Some(',') => Demand::Exists,
            Some('=') => {
                self.take('=');
                self.take('=');
                Demand::In(vec![self.value().to_owned()])
            }
            Some('!') => {
                self.take('!');
                self.expect('=', "`!=`")?;
                Demand::NotIn(vec![self.value().to_owned()])
            }
            Some(_) => {
                let start = self.position;
                match self.value() {
                    "in" => Demand::In(self.values()?),
                    "notin" => Demand::NotIn(self.values()?),
                    _ => {
                        self.position = start;
                        return Err(self.unexpected("`=`, `==`, `!=`, `in`, `notin` or `,`"));
                    }
                }
            }
        };
        checked(key, demand)
    }

    fn values(&mut self) -> Result<Vec<String>, SelectorError> {
        self.expect('(', "`(`")?;
        if self.peek() == Some(')') {
            return Err(self.unexpected("a value"));
        }
        let mut values = Vec::new();
        loop {
            values.push(self.value().to_owned());
            if self.take(')') {
                return Ok(values);
            }
            self.expect(',', "`,` or `)`")?;
        }
    }

    fn word(&mut self, expected: &'static str) -> Result<&'a str, SelectorError> {
        match self.value() {
            "" => Err(self.unexpected(expected)),
            word => Ok(word),
        }
    }

    /// The text up to the next separator; it may be empty.
    fn value(&mut self) -> &'a str {
        self.peek();
        let rest = &self.text[self.position..];
        let is_separator = |next: char| next.is_ascii_whitespace() || "=!(),<>".contains(next);
        let word = &rest[..rest.find(is_separator).unwrap_or(rest.len())];
        self.position += word.len();
        word
    }

    fn expect(&mut self, wanted: char, expected: &'static str) -> Result<(), SelectorError> {
        if self.take(wanted) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.position += if found { wanted.len_utf8() } else { 0 };
        found
    }

    /// The next character that is no white space; stays in front of it.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.position..];
        self.position += rest.len() - rest.trim_ascii_start().len();
        self.text[self.position..].chars().next()
    }

    fn unexpected(&mut self, expected: &'static str) -> SelectorError {
        let found = self.peek().map_or("the end".to_owned(), |next| format!("`{next}`"));
        let text = self.text.to_owned();
        SelectorError(Kind::Syntax { text, position: self.position, found, expected })
    }
}
