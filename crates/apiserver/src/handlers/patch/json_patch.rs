//! [`JsonPatch`]: JSON patches as evanphx/json-patch carries them out, which is how a kube-apiserver does. It departs from
//! RFC 6902 in what is not there: a missing field is null to `test` and to `copy`, `replace` adds it, and `add` without
//! a value adds null. Indexes are what `strconv.Atoi` reads: `-1` is the last item, `00` the first.
//!
//! All that operations build stays within bounds: copies of copies of copies would otherwise make a short patch into an
//! object that no memory holds and no stack can walk through.

use std::{borrow::Cow, collections::BTreeMap, io};

use serde_json::{Map, Value, value::RawValue};

use crate::api::object;

/// The most bytes that all `copy` operations of a patch may copy: upstream's limit.
const MOST_COPIED: usize = 3 * 1024 * 1024;

/// A list of operations.
#[derive(Debug, Default)]
pub(super) struct JsonPatch(Vec<Operation>);

/// One of them. What is missing or of another type is found out when its turn comes, as upstream does it.
#[derive(Debug)]
struct Operation {
    op: Option<String>,
    path: Option<String>,
    from: Option<String>,
    value: Option<Value>,
    /// The text of `value`: a test compares numbers and strings by their texts.
    text: Option<Box<RawValue>>,
}

/// An operation cannot be carried out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rejected;

impl JsonPatch {
    /// The patch whose operations `body`, a valid text of them, spells out.
    pub(super) fn new(operations: &[Value], body: &[u8]) -> Self {
        let texts: Vec<Option<BTreeMap<String, Box<RawValue>>>> =
            serde_json::from_slice(body).unwrap_or_default();
        let mut texts = texts.into_iter().map(Option::unwrap_or_default);
        let read = |operation: &Value| {
            let text = |field: &str| operation.get(field).and_then(Value::as_str).map(str::to_owned);
            Operation {
                op: text("op"),
                path: text("path"),
                from: text("from"),
                value: operation.get("value").cloned(),
                text: texts.next().and_then(|mut texts| texts.remove("value")),
            }
        };
        Self(operations.iter().map(read).collect())
    }

    /// Does to `document` what the operations say.
    pub(super) fn carry_out(&self, document: &mut Value) -> Result<(), Rejected> {
        let mut copied = 0;
        // At least the depth of the document, which is not measured after every operation.
        let mut depth = object::depth(document);
        let mut is_changed = false;
        for operation in &self.0 {
            depth = depth.max(operation.depth(depth));
            operation.carry_out(document, &mut copied, is_changed).ok_or(Rejected)?;
            is_changed |= operation.op.as_deref() != Some("test");
            if depth > object::DEEPEST_IN_ALL {
                depth = object::depth(document);
            }
            if depth > object::DEEPEST_IN_ALL {
                return Err(Rejected);
            }
        }
        Ok(())
    }

    /// Where the operations read and write; each path is empty or begins with a slash.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        let paths = self.0.iter().flat_map(|operation| [&operation.path, &operation.from]);
        paths.filter_map(Option::as_deref).map(|path| path.find('/').map_or("", |start| &path[start..]))
    }
}

impl Operation {
    fn carry_out(&self, document: &mut Value, copied: &mut usize, is_changed: bool) -> Option<()> {
        let path = || self.path.as_deref();
        let value = || self.value.clone().unwrap_or_default();
        match self.op.as_deref()? {
            "add" => add(document, path()?, value()),
            "remove" => remove(document, path()?).map(drop),
            "replace" if path()?.is_empty() => {
                let value = value();
                (value.is_object() || value.is_array()).then(|| *document = value)
            }
            "replace" => match find(document, path()?)? {
                (Value::Array(items), index) => {
                    let index = item(&index, items.len())?;
                    items.get_mut(index).map(|place| *place = value())
                }
                (fields, name) => {
                    fields.as_object_mut()?.insert(name.into_owned(), value());
                    Some(())
                }
            },
            "move" => {
                let moved = remove(document, self.from.as_deref()?)?;
                add(document, path()?, moved)
            }
            "copy" => {
                let copy = get(document, self.from.as_deref()?)?.cloned().unwrap_or_default();
                *copied += length(&copy);
                (*copied <= MOST_COPIED).then_some(())?;
                add(document, path()?, copy)
            }
            "test" => {
                let expected = self.text.as_deref().map_or("null", RawValue::get);
                let found = match path()? {
                    "" => Some(&*document),
                    path => get(document, path)?,
                };
                let is_equal = match found {
                    None | Some(Value::Null) => expected == "null",
                    Some(found) => equals(found, expected, is_changed),
                };
                is_equal.then_some(())
            }
            _ => None,
        }
    }

    /// Returns the largest depth of the document after the operation, from its depth before.
    fn depth(&self, depth: usize) -> usize {
        let to = self.path.as_deref().map_or(0, steps);
        match (self.op.as_deref(), &self.value) {
            (Some("add" | "replace"), Some(value)) => to + object::depth(value),
            (Some("move" | "copy"), _) => {
                depth.saturating_sub(self.from.as_deref().map_or(0, steps)).saturating_add(to)
            }
            _ => 0,
        }
    }
}

/// The container that a path leads to, and the last of its segments. What stands before the first slash is not looked at.
fn find<'v, 'p>(document: &'v mut Value, path: &'p str) -> Option<(&'v mut Value, Cow<'p, str>)> {
    let (parent, last) = path.rsplit_once('/')?;
    let mut container = document;
    for segment in parent.split('/').skip(1) {
        let segment = unescaped(segment);
        container = match container {
            Value::Object(fields) => fields.get_mut(&*segment)?,
            Value::Array(items) => {
                let index = item(&segment, items.len())?;
                items.get_mut(index)?
            }
            _ => return None,
        };
    }
    (container.is_object() || container.is_array()).then(|| (container, unescaped(last)))
}

/// The value at a path. The outer `None` means that there is no place for one.
fn get<'v>(document: &'v mut Value, path: &str) -> Option<Option<&'v Value>> {
    match find(document, path)? {
        (Value::Array(items), index) => items.get(item(&index, items.len())?).map(Some),
        (fields, name) => Some(fields.get(&*name)),
    }
}

fn add(document: &mut Value, path: &str, value: Value) -> Option<()> {
    match find(document, path)? {
        (Value::Array(items), index) => {
            let length = items.len();
            let index = if index == "-" { length } else { item(&index, length + 1)? };
            (index <= length).then(|| items.insert(index, value))
        }
        (fields, name) => {
            fields.as_object_mut()?.insert(name.into_owned(), value);
            Some(())
        }
    }
}

fn remove(document: &mut Value, path: &str) -> Option<Value> {
    match find(document, path)? {
        (Value::Array(items), index) => {
            let index = item(&index, items.len())?;
            (index < items.len()).then(|| items.remove(index))
        }
        (fields, name) => fields.as_object_mut()?.remove(&*name),
    }
}

/// The index that a segment names, counted from the end if it is negative; it may be past the end.
fn item(segment: &str, length: usize) -> Option<usize> {
    let index: i64 = segment.parse().ok()?; // `+1` and `00` are numbers, as they are to Go
    let index = if index < 0 { index + i64::try_from(length).ok()? } else { index };
    usize::try_from(index).ok()
}

fn unescaped(segment: &str) -> Cow<'_, str> {
    if segment.contains('~') { segment.replace("~1", "/").replace("~0", "~").into() } else { segment.into() }
}

/// Returns whether a value of the document equals the text of a patch.
///
/// Upstream compares numbers and strings by their texts, and the document's texts are Go's: `<` stands there as `\u003c`.
/// Texts that the patch itself wrote are no longer known, and are compared by their values.
fn equals(found: &Value, expected: &str, is_changed: bool) -> bool {
    match found {
        Value::Object(fields) => {
            let Ok(expected) = serde_json::from_str::<BTreeMap<String, &RawValue>>(expected) else {
                return false;
            };
            let is_equal = |(name, found): (&String, &Value)| {
                expected.get(name).is_some_and(|expected| equals(found, expected.get(), is_changed))
            };
            expected.len() == fields.len() && fields.iter().all(is_equal)
        }
        Value::Array(items) => {
            let Ok(expected) = serde_json::from_str::<Vec<&RawValue>>(expected) else { return false };
            // Upstream panics at a null in a list, and answers nothing.
            let is_equal = |(found, expected): (&Value, &&RawValue)| {
                !found.is_null() && equals(found, expected.get(), is_changed)
            };
            expected.len() == items.len() && items.iter().zip(&expected).all(is_equal)
        }
        Value::String(text) => {
            in_go(text) == expected
                || is_changed
                    && serde_json::from_str::<String>(expected).is_ok_and(|expected| expected == *text)
        }
        scalar => {
            let text = scalar.to_string();
            text == expected
        }
    }
}

/// A string as Go's encoder writes it.
fn in_go(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for character in Value::from(text).to_string().chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Returns the depth of a path.
fn steps(path: &str) -> usize {
    path.matches('/').count()
}

/// Returns the length of a value as text, in bytes.
fn length(value: &Value) -> usize {
    struct Counter(usize);

    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).expect("a JSON value can be written");
    counter.0
}

/// Applies a merge patch as evanphx/json-patch does: RFC 7386, but nulls are also taken out of the objects within lists that
/// replace something.
pub(super) fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = without_nulls(patch);
        return;
    };
    let Value::Object(fields) = document else {
        *document = without_nulls(&Value::Object(patch.clone()));
        return;
    };
    merge_fields(fields, patch);
}

fn merge_fields(fields: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, change) in patch {
        match (fields.get_mut(name), change) {
            (_, Value::Null) => drop(fields.remove(name)),
            (Some(Value::Object(within)), Value::Object(change)) => merge_fields(within, change),
            // Only here is the patch taken as it is, with all nulls in it.
            (Some(place @ Value::Object(_)), change) => *place = change.clone(),
            (_, change) => drop(fields.insert(name.clone(), without_nulls(change))),
        }
    }
}

/// A value without fields that are null; the items of lists remain.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let set = fields.iter().filter(|(_, value)| !value.is_null());
            set.map(|(name, value)| (name.clone(), without_nulls(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests;
