//! [`Stored`]: one state of an object, kept as the text that is sent of it. A parsed object takes four
//! times its text, so it is made when somebody asks and kept only as long as somebody has it.

use std::{
    ops::Range,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;

use super::{ChangeKind, Key};
use crate::object;

const LINE_START: &[u8] = br#"{"type":""#;
const OBJECT_START: &[u8] = br#"","object":"#;
const LINE_END: &[u8] = b"}\n";

/// One state of an object. Never changed: a write stores another one.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Where the object is stored.
    pub(crate) key: Key,
    /// The commit that wrote this state.
    pub(crate) version: u64,
    /// What that commit did.
    pub(crate) change: ChangeKind,
    /// The line that a watch sends for that commit, the object within it.
    line: Bytes,
    /// Where the object begins in the line.
    start: u32,
    places: Places,
    /// The object as a value, while somebody has it.
    value: Mutex<Weak<Value>>,
}

/// Where things are in an object's text, so that nobody has to parse it for them.
#[derive(Debug, Clone, Default)]
struct Places {
    api_version: Range<u32>,
    kind: Range<u32>,
    uid: Range<u32>,
    /// Whether a deletion was asked for.
    is_being_deleted: bool,
    metadata: Range<u32>,
    /// The labels' map with its braces; empty if there is none. Labels are validated before they are
    /// stored: no character in them is escaped.
    labels: Range<u32>,
    /// The digits of the resource version.
    version: Range<u32>,
}

impl Places {
    /// The same places once the version has so many digits.
    fn with_version_of(&self, digits: u32) -> Self {
        let gap = &self.version;
        let moved = |place: u32| if place >= gap.end { place - gap.end + gap.start + digits } else { place };
        let moved = |place: &Range<u32>| moved(place.start)..moved(place.end);
        Self {
            api_version: moved(&self.api_version),
            kind: moved(&self.kind),
            uid: moved(&self.uid),
            is_being_deleted: self.is_being_deleted,
            metadata: moved(&self.metadata),
            labels: moved(&self.labels),
            version: gap.start..gap.start + digits,
        }
    }
}

impl Stored {
    /// What a dry run would have stored: the version in its metadata stays as it is.
    pub(crate) fn unsaved(value: &Value) -> Self {
        let Text { json, places } = Text::of(value);
        let line = line("", &json);
        let start = short(line.len() - LINE_END.len() - json.len());
        let (key, change) = (object::key(value), ChangeKind::Modified);
        Self { key, version: 0, change, line, start, places, value: Mutex::default() }
    }

    /// This state as another commit tells it: at another version, and as another change.
    pub(crate) fn retold(&self, version: u64, change: ChangeKind) -> Self {
        let (json, places) = (self.json(), &self.places);
        Self::assemble(self.key.clone(), version, change, json, places)
    }

    /// An object's text with another version in it, as the line of another commit.
    fn assemble(key: Key, version: u64, change: ChangeKind, json: &[u8], places: &Places) -> Self {
        let (word, digits) = (change.word().as_bytes(), version.to_string());
        let gap = &places.version;
        let (before, after) = (&json[..gap.start as usize], &json[gap.end as usize..]);
        let line = [LINE_START, word, OBJECT_START, before, digits.as_bytes(), after, LINE_END].concat();
        let start = short(LINE_START.len() + word.len() + OBJECT_START.len());
        let places = places.with_version_of(short(digits.len()));
        Self { key, version, change, line: line.into(), start, places, value: Mutex::default() }
    }

    /// The object as JSON text.
    pub(crate) fn json(&self) -> &[u8] {
        &self.line[self.start as usize..self.line.len() - LINE_END.len()]
    }

    /// The object as JSON text, shared with all who send it.
    pub(crate) fn shared_json(&self) -> Bytes {
        self.line.slice(self.start as usize..self.line.len() - LINE_END.len())
    }

    /// The line that a watch of everything sends for the commit.
    pub(crate) fn line(&self) -> Bytes {
        self.line.clone()
    }

    /// The object as a value: parsed, unless somebody has it.
    pub(crate) fn value(&self) -> Arc<Value> {
        let mut value = self.value.lock();
        value.upgrade().unwrap_or_else(|| {
            let parsed = serde_json::from_slice(self.json()).expect("only JSON is stored");
            let parsed = Arc::new(parsed);
            *value = Arc::downgrade(&parsed);
            parsed
        })
    }

    /// The text of the object's metadata.
    pub(crate) fn metadata(&self) -> &[u8] {
        &self.json()[self.places.metadata.start as usize..self.places.metadata.end as usize]
    }

    /// The object's `apiVersion`.
    pub(crate) fn api_version(&self) -> &str {
        self.text(&self.places.api_version)
    }

    /// The object's `kind`.
    pub(crate) fn kind(&self) -> &str {
        self.text(&self.places.kind)
    }

    /// The object's UID.
    pub(crate) fn uid(&self) -> &str {
        self.text(&self.places.uid)
    }

    /// Whether a deletion was asked for.
    pub(crate) fn is_being_deleted(&self) -> bool {
        self.places.is_being_deleted
    }

    /// The value of the label `key`.
    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        // `{"a":"b","c":"d"}`: a key, a colon, a value, a comma, and again.
        let mut parts = self.text(&self.places.labels).split('"').skip(1);
        loop {
            let (found, _, value, _) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            if found == key {
                return Some(value);
            }
        }
    }

    fn text(&self, place: &Range<u32>) -> &str {
        std::str::from_utf8(&self.json()[place.start as usize..place.end as usize]).unwrap_or_default()
    }
}

/// An object that is to be stored: written as text before anything is locked, with a gap where its
/// version goes.
#[derive(Debug)]
pub(crate) struct Draft {
    value: Value,
    text: Text,
}

impl Draft {
    pub(crate) fn new(mut value: Value) -> Self {
        object::metadata_mut(&mut value).insert("resourceVersion".to_owned(), "".into());
        Self { text: Text::of(&value), value }
    }

    /// The object as `version` stores it; also as a value.
    pub(super) fn stored(mut self, key: Key, version: u64, change: ChangeKind) -> (Stored, Arc<Value>) {
        object::metadata_mut(&mut self.value)
            .insert("resourceVersion".to_owned(), version.to_string().into());
        let value = Arc::new(self.value);
        let Text { json, places } = self.text;
        let stored = Stored::assemble(key, version, change, &json, &places);
        *stored.value.lock() = Arc::downgrade(&value);
        (stored, value)
    }
}

/// An object's text, and where things are in it.
#[derive(Debug, Default)]
struct Text {
    json: Vec<u8>,
    places: Places,
}

impl Text {
    fn of(object: &Value) -> Self {
        let mut text = Self { json: Vec::with_capacity(4096), places: Places::default() };
        text.write_map(object, |text, field, value| match field {
            "apiVersion" => text.places.api_version = text.write_quoted(value),
            "kind" => text.places.kind = text.write_quoted(value),
            "metadata" => {
                let start = short(text.json.len());
                text.write_map(value, Self::write_metadata);
                text.places.metadata = start..short(text.json.len());
            }
            _ => drop(text.write(value)),
        });
        text
    }

    fn write_metadata(&mut self, field: &str, value: &Value) {
        match field {
            "labels" if value.is_object() => self.places.labels = self.write(value),
            "uid" => self.places.uid = self.write_quoted(value),
            "deletionTimestamp" => {
                self.places.is_being_deleted = !value.is_null();
                self.write(value);
            }
            "resourceVersion" => self.places.version = self.write_quoted(value),
            _ => drop(self.write(value)),
        }
    }

    /// Writes a map, each of its values by `write`.
    fn write_map(&mut self, map: &Value, write: impl Fn(&mut Self, &str, &Value)) {
        let Value::Object(map) = map else {
            self.write(map);
            return;
        };
        self.json.push(b'{');
        for (position, (field, value)) in map.iter().enumerate() {
            if position > 0 {
                self.json.push(b',');
            }
            serde_json::to_writer(&mut self.json, field).expect("text can be written");
            self.json.push(b':');
            write(self, field, value);
        }
        self.json.push(b'}');
    }

    /// Writes a text; returns where it is within its quotes.
    fn write_quoted(&mut self, value: &Value) -> Range<u32> {
        let Range { start, end } = self.write(value);
        if value.is_string() { start + 1..end - 1 } else { start..start }
    }

    /// Writes a value; returns where it is.
    fn write(&mut self, value: &Value) -> Range<u32> {
        let start = short(self.json.len());
        serde_json::to_writer(&mut self.json, value).expect("a JSON value can be written");
        start..short(self.json.len())
    }
}

/// A place in a text.
fn short(place: usize) -> u32 {
    u32::try_from(place).expect("a body has 3 MiB at most")
}

/// `value` as JSON text.
pub(crate) fn to_json(value: &Value) -> Bytes {
    serde_json::to_vec(value).expect("a JSON value can be written").into()
}

/// A watch's line: the type comes before the object, because decoders have to know it first.
pub(crate) fn line(word: &str, object: &[u8]) -> Bytes {
    [LINE_START, word.as_bytes(), OBJECT_START, object, LINE_END].concat().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(object: Value) -> Stored {
        let key = object::key(&object);
        Draft::new(object).stored(key, 12, ChangeKind::Added).0
    }

    #[test]
    fn the_parts_of_an_object_are_found_in_its_text() {
        let object = json!({
            "action": {"apiVersion": "not this"}, "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"labels": {"app": "web", "kind": "none"}, "name": "web", "uid": "u", "annotations": {"labels": "{\"a\":1}"}},
            "spec": {"resourceVersion": "7", "metadata": {"labels": {"app": "other"}}},
        });
        let mut expected = object.clone();
        let first = stored(object);
        for (stored, version) in [(first.retold(12345, ChangeKind::Deleted), 12345), (first, 12)] {
            expected["metadata"]["resourceVersion"] = version.to_string().into();
            assert_eq!(serde_json::from_slice::<Value>(stored.json()).expect("JSON"), expected);
            assert_eq!(
                serde_json::from_slice::<Value>(stored.metadata()).expect("JSON"),
                expected["metadata"]
            );
            let texts = [stored.api_version(), stored.kind(), stored.uid()];
            assert_eq!(texts, ["apps/v1", "Deployment", "u"]);
            assert!(!stored.is_being_deleted());
            assert_eq!(
                [stored.label("app"), stored.label("kind"), stored.label("web")],
                [Some("web"), Some("none"), None]
            );
            let line: Value = serde_json::from_slice(&stored.line()).expect("JSON");
            assert_eq!(line, json!({"type": stored.change.word(), "object": expected}));
        }
    }

    #[test]
    fn a_value_is_parsed_once_for_all_who_have_it_and_dropped_with_the_last() {
        let stored = stored(json!({"metadata": {"name": "web"}}));
        let value = stored.value();
        assert!(Arc::ptr_eq(&value, &stored.value()));
        let gone = Arc::downgrade(&value);
        drop(value);
        assert!(gone.upgrade().is_none());
        assert_eq!(stored.value()["metadata"]["resourceVersion"], "12");
    }

    #[test]
    fn objects_without_labels_or_versions_have_none() {
        let stored = Stored::unsaved(&json!({"metadata": {"labels": null}}));
        assert_eq!((stored.label("a"), stored.api_version()), (None, ""));
        assert_eq!(stored.json(), br#"{"metadata":{"labels":null}}"#);
    }
}
