//! [`Answer`]: what a server said to one request, and the questions that a case asks about it.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use std::fmt;

/// Where a server and a case disagree.
#[derive(Debug)]
pub(crate) struct Mismatch {
    pub(crate) request: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Mismatch {
    pub(crate) fn new(
        request: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { request: request.into(), expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.request, self.expected, shortened(&self.found))
    }
}

/// A reply, read to its end. Each question hands the reply on, so that they read as a chain.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) request: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body, if it is JSON; null otherwise.
    pub(crate) json: Value,
}

type Checked = Result<Answer, Mismatch>;

impl Answer {
    /// The status code.
    pub(crate) fn code(self, code: u16) -> Checked {
        let same = self.status == code;
        self.check(same, format!("{code}"))
    }

    /// A `Status` that refuses, with this code and reason in its body, too.
    pub(crate) fn refused(self, code: u16, reason: &str) -> Checked {
        self.code(code)?
            .is("/kind", "Status")?
            .is("/apiVersion", "v1")?
            .is("/status", "Failure")?
            .is("/reason", reason)?
            .is("/code", code)
    }

    /// A `Status` that refuses an object as invalid, with this cause.
    pub(crate) fn invalid(self, reason: &str, field: &str) -> Checked {
        self.refused(422, "Invalid")?.cause(reason, field)
    }

    /// One of the causes that a `Status` lists.
    pub(crate) fn cause(self, reason: &str, field: &str) -> Checked {
        let causes = self.json.pointer("/details/causes").and_then(Value::as_array);
        let named = |cause: &Value| cause["reason"] == reason && cause["field"] == field;
        let found = causes.is_some_and(|causes| causes.iter().any(named));
        self.check(found, format!("a cause {reason} at {field}"))
    }

    /// The value at a JSON pointer.
    pub(crate) fn is(self, pointer: &str, value: impl Into<Value>) -> Checked {
        let value = value.into();
        let found = self.at(pointer);
        if *found == value {
            return Ok(self);
        }
        let found = format!("{found} in {}", self.told());
        Err(Mismatch::new(self.request, format!("{value} at {pointer}"), found))
    }

    /// Anything at a JSON pointer.
    pub(crate) fn has(self, pointer: &str) -> Checked {
        let found = self.json.pointer(pointer).is_some();
        self.check(found, format!("something at {pointer}"))
    }

    /// Nothing at a JSON pointer.
    pub(crate) fn lacks(self, pointer: &str) -> Checked {
        let found = self.json.pointer(pointer).is_some();
        self.check(!found, format!("nothing at {pointer}"))
    }

    /// A string at a JSON pointer that contains `part`.
    pub(crate) fn mentions(self, pointer: &str, part: &str) -> Checked {
        let found = self.text(pointer).contains(part);
        self.check(found, format!("{part:?} within {pointer}"))
    }

    /// The names of a list's items, in order.
    pub(crate) fn names(self, names: &[&str]) -> Checked {
        let same = self.item_names() == names;
        self.check(same, format!("the items {names:?}"))
    }

    /// A header that contains `part`.
    pub(crate) fn header(self, name: &str, part: &str) -> Checked {
        let found = self.headers.get_all(name).iter().any(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .to_ascii_lowercase()
                .contains(&part.to_ascii_lowercase())
        });
        self.check(found, format!("{part:?} in the header {name}"))
    }

    /// No such header.
    pub(crate) fn no_header(self, name: &str) -> Checked {
        let found = self.headers.contains_key(name);
        self.check(!found, format!("no header {name}"))
    }

    /// A warning that contains `part`.
    pub(crate) fn warns(self, part: &str) -> Checked {
        self.header("warning", part)
    }

    /// A body that is no JSON and contains `part`.
    pub(crate) fn says(self, part: &str) -> Checked {
        let found = String::from_utf8_lossy(&self.body).contains(part);
        self.check(found, format!("{part:?} in the body"))
    }

    /// Whatever else a rule asks for, in words.
    pub(crate) fn check(self, holds: bool, expected: impl Into<String>) -> Checked {
        if holds {
            return Ok(self);
        }
        let found = self.told();
        Err(Mismatch::new(self.request, expected, found))
    }

    /// The value at a JSON pointer; null where there is none.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.json.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The string at a JSON pointer; empty where there is none.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// The array at a JSON pointer; empty where there is none.
    pub(crate) fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer).as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The names of a list's items.
    pub(crate) fn item_names(&self) -> Vec<&str> {
        self.list("/items").iter().filter_map(|item| item["metadata"]["name"].as_str()).collect()
    }

    /// `metadata.resourceVersion`.
    pub(crate) fn version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    /// The reply as a failure shows it.
    fn told(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body).trim_end())
    }
}

/// At most so many characters of a reply: the beginning tells enough.
fn shortened(text: &str) -> String {
    const MOST: usize = 700;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}
