//! Changes of a set in its text. A write changes few of the paths of an object's managers: the rest is copied, and only
//! the levels that lead to a change are parsed.
//!
//! - I4: the steps of a level are ordered by their text, as in a [`Map`]; only commas stand between them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{SELF, children, is_member, steps};
use crate::element::field;

/// The empty set.
pub(crate) const NONE: &str = "{}";
/// The beginning of a level that is a member itself.
const MARK: &str = r#"".":{}"#;

/// A change of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Paths are added.
    Unite,
    /// Paths are removed; paths below them stay.
    Subtract,
}

impl Change {
    /// Returns the set `text` after the change by `other`.
    pub(crate) fn made(self, text: &str, other: &Map<String, Value>) -> String {
        let mut changed = String::with_capacity(text.len() + 64);
        if !self.level(text, other, false, &mut changed) {
            changed.push_str(NONE);
        }
        changed
    }

    /// Writes the level `text` changed by `other`; `false`, and nothing, if it is empty.
    fn level(self, text: &str, other: &Map<String, Value>, is_member: bool, changed: &mut String) -> bool {
        level(changed, is_member, |changed| {
            let mut others = steps(other).peekable();
            let mut mine = Steps::of(text);
            while others.peek().is_some()
                && let Some((step, below)) = mine.next()
            {
                let name = name(step);
                if name == SELF {
                    continue;
                }
                while let Some((other, node)) = others.next_if(|(other, _)| other.as_str() < &*name) {
                    self.absent(other, node, changed);
                }
                let start = changed.len();
                begin(changed, step);
                match others.next_if(|(other, _)| other.as_str() == name) {
                    None => changed.push_str(below),
                    Some((_, node)) if !self.node(below, children(node), changed) => changed.truncate(start),
                    Some(_) => {}
                }
            }
            others.for_each(|(other, node)| self.absent(other, node, changed));
            mine.copy_rest(changed);
        })
    }

    /// Writes the node of a step that both have.
    fn node(self, text: &str, other: &Map<String, Value>, changed: &mut String) -> bool {
        let (mine, theirs) = (text == NONE || text[1..].starts_with(MARK), is_member(other));
        let is_member = match self {
            Self::Unite => mine || theirs,
            Self::Subtract => mine && !theirs,
        };
        self.level(text, other, is_member, changed)
    }

    /// Writes the node of a step that only the other set has.
    fn absent(self, step: &str, node: &Value, changed: &mut String) {
        if self == Self::Unite {
            begin_step(changed, step);
            changed.push_str(&node.to_string());
        }
    }
}

/// Writes a level: its mark, if it is a member, and the nodes that `below` writes. A level without nodes is written only if
/// it is a member; otherwise the result is `false`.
pub(crate) fn level(text: &mut String, is_member: bool, below: impl FnOnce(&mut String)) -> bool {
    let start = text.len();
    text.push('{');
    if is_member {
        text.push_str(MARK);
    }
    let inner = text.len();
    below(text);
    if text.len() > inner {
        text.push('}');
        return true;
    }
    text.truncate(start);
    if is_member {
        text.push_str(NONE);
    }
    is_member
}

/// Writes a quoted step with the comma before it and the colon after it.
pub(crate) fn begin(text: &mut String, step: &str) {
    if !text.ends_with('{') {
        text.push(',');
    }
    text.push_str(step);
    text.push(':');
}

/// Does the same for the step to a field.
pub(crate) fn begin_field(text: &mut String, name: &str) {
    if !is_plain(name) {
        return begin_step(text, &field(name));
    }
    text.reserve(name.len() + 6);
    text.push_str(if text.ends_with('{') { "\"f:" } else { ",\"f:" });
    text.push_str(name);
    text.push_str("\":");
}

/// Returns whether nothing in a text is escaped in JSON. All bytes are looked at, whatever comes first: that is done for
/// many at a time.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\'))
}

/// Does the same for a step without quotes.
pub(crate) fn begin_step(text: &mut String, step: &str) {
    if step.bytes().any(|byte| byte < b' ' || byte == b'\\') {
        return begin(text, &serde_json::to_string(step).expect("a text can be written"));
    }
    text.push_str(if text.ends_with('{') { "\"" } else { ",\"" });
    let mut rest = step;
    while let Some(place) = rest.bytes().position(|byte| byte == b'"') {
        text.push_str(&rest[..place]);
        text.push_str("\\\"");
        rest = &rest[place + 1..];
    }
    text.push_str(rest);
    text.push_str("\":");
}

/// Unquotes a step.
fn name(step: &str) -> Cow<'_, str> {
    if step.contains('\\') {
        return Cow::Owned(serde_json::from_str(step).unwrap_or_default());
    }
    Cow::Borrowed(&step[1..step.len() - 1])
}

/// The steps of a level, each in its quotes and with the level below it: an iterator over the rest of the text.
struct Steps<'a>(&'a str);

impl<'a> Steps<'a> {
    fn of(level: &'a str) -> Self {
        Self(level.strip_prefix('{').and_then(|level| level.strip_suffix('}')).unwrap_or_default())
    }

    /// Copies the steps that were not taken.
    fn copy_rest(mut self, text: &mut String) {
        let mark = format!("{MARK},");
        self.0 = self.0.strip_prefix(',').unwrap_or(self.0);
        self.0 = self.0.strip_prefix(&mark).unwrap_or(self.0);
        if self.0.is_empty() || self.0 == MARK {
            return;
        }
        if !text.ends_with('{') {
            text.push(',');
        }
        text.push_str(self.0);
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.strip_prefix(',').unwrap_or(self.0);
        let (step, rest) = rest.split_at_checked(quotes(rest.as_bytes())?)?;
        let rest = rest.strip_prefix(':')?;
        let (below, rest) = rest.split_at_checked(braces(rest.as_bytes())?)?;
        self.0 = rest;
        Some((step, below))
    }
}

/// Returns the end of the quotes that a text begins with.
fn quotes(text: &[u8]) -> Option<usize> {
    let mut place = 1;
    loop {
        match text.get(place)? {
            b'"' => return Some(place + 1),
            b'\\' => place += 2,
            _ => place += 1,
        }
    }
}

/// Returns the end of the braces that a text begins with.
pub(crate) fn braces(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'{') {
        return None;
    }
    braces_close(&text[1..]).map(|end| end + 1)
}

/// Returns the end of braces that were opened before the text.
pub(crate) fn braces_close(text: &[u8]) -> Option<usize> {
    let (mut place, mut open) = (0, 1_usize);
    loop {
        match text.get(place)? {
            b'{' => open += 1,
            b'}' => open -= 1,
            b'"' => place += quotes(&text[place..])? - 1,
            _ => {}
        }
        place += 1;
        if open == 0 {
            return Some(place);
        }
    }
}
