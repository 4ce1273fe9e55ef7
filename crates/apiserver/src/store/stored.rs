//! [`Stored`]: one state of an object, kept as the text that is sent of it. A parsed object takes four
//! times its text, so it is made when somebody asks and kept only as long as somebody has it.

use std::{
    ops::Range,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;

use super::{
    ChangeKind,
    text::{Places, Text, short},
};
use crate::api::{
    key::Key,
    object,
    selector::{FieldSelector, LabelSelector},
};

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
    /// The change by that commit.
    pub(crate) change: ChangeKind,
    /// The line that a watch sends for that commit, the object within it.
    line: Bytes,
    /// Where the object begins in the line.
    start: u32,
    places: Places,
    /// The object as a value without its managers, while somebody has it.
    value: Mutex<Weak<Value>>,
}

impl Stored {
    /// Makes the object that a dry run would have stored: the version in its metadata stays as it is.
    pub(crate) fn unsaved(value: &Value, managers: Option<&str>) -> Self {
        let Text { json, places } = Text::of(value, managers);
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
    pub(super) fn assemble(key: Key, version: u64, change: ChangeKind, json: &[u8], places: &Places) -> Self {
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

    /// The object's fields but for its kind and version, and the brace that ends them.
    pub(crate) fn fields(&self) -> &[u8] {
        let behind = &self.json()[self.places.api_version.end as usize + 1..]; // behind its quote
        behind.strip_prefix(b",").unwrap_or(behind)
    }

    /// Whether `text` occurs anywhere in the object's JSON.
    pub(crate) fn has_text(&self, text: &str) -> bool {
        std::str::from_utf8(self.json()).is_ok_and(|json| json.contains(text))
    }

    /// The object as JSON text, shared with all who send it.
    pub(crate) fn shared_json(&self) -> Bytes {
        self.line.slice(self.start as usize..self.line.len() - LINE_END.len())
    }

    /// The line that a watch of everything sends for the commit.
    pub(crate) fn line(&self) -> Bytes {
        self.line.clone()
    }

    /// The text of this state with other metadata.
    pub(super) fn text_with(&self, metadata: &Value, managers: Option<&str>) -> Text {
        Text::with_metadata(self.json(), &self.places, metadata, managers)
    }

    /// Finds `value`, which is this state's, as long as somebody has it.
    pub(super) fn keep(&self, value: &Arc<Value>) {
        *self.value.lock() = Arc::downgrade(value);
    }

    /// The object as a value, with its managers: parsed by everyone who asks.
    pub(crate) fn whole(&self) -> Value {
        parse(self.json())
    }

    /// The object as a value without its managers, which few ask for: parsed, unless somebody has it.
    pub(crate) fn value(&self) -> Arc<Value> {
        let mut value = self.value.lock();
        value.upgrade().unwrap_or_else(|| {
            let json = self.json();
            let managers = self.places.managers_field(json);
            let parsed = Arc::new(parse(&[&json[..managers.start], &json[managers.end..]].concat()));
            *value = Arc::downgrade(&parsed);
            parsed
        })
    }

    /// The object's type, and its metadata without the managers.
    pub(crate) fn head(&self) -> Value {
        let (json, metadata) = (self.json(), &self.places.metadata);
        let managers = self.places.managers_field(json);
        let [start, end] = [metadata.start, metadata.end].map(|place| place as usize);
        let before = &json[start..managers.start.max(start)];
        let after = &json[managers.end.max(start)..end];
        let parts: [&[u8]; 8] = [
            br#"{"apiVersion":""#,
            self.api_version().as_bytes(),
            br#"","kind":""#,
            self.kind().as_bytes(),
            br#"","metadata":"#,
            before,
            after,
            b"}",
        ];
        parse(&parts.concat())
    }

    /// The list of the object's managers.
    pub(crate) fn managers(&self) -> Option<&str> {
        Some(self.text(&self.places.managers)).filter(|managers| !managers.is_empty())
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

    /// The object's references to its owners.
    pub(crate) fn owners(&self) -> Vec<Value> {
        match self.text(&self.places.owners) {
            "" => Vec::new(), // as of most objects
            owners => serde_json::from_str(owners).unwrap_or_default(),
        }
    }

    /// Whether a deletion was asked for.
    pub(crate) fn is_being_deleted(&self) -> bool {
        self.places.is_being_deleted
    }

    /// Returns whether the object has the labels and the fields that are asked for.
    pub(crate) fn is_selected(&self, labels: &LabelSelector, fields: &FieldSelector) -> bool {
        labels.matches_labels(|key| self.label(key))
            && (fields.is_empty() || fields.selects(&self.key, || self.value()))
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

fn parse(json: &[u8]) -> Value {
    let text = std::str::from_utf8(json).expect("JSON is UTF-8");
    serde_json::from_str(text).expect("only JSON is stored")
}

/// A watch's line: the type comes before the object, because decoders have to know it first.
pub(crate) fn line(word: &str, object: &[u8]) -> Bytes {
    [LINE_START, word.as_bytes(), OBJECT_START, object, LINE_END].concat().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Draft;

    fn stored(object: Value) -> Stored {
        let key = object::key(&object);
        Draft::managed(object, None).stored(key, 12, ChangeKind::Added).0
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
        let stored = Stored::unsaved(&json!({"metadata": {"labels": null}}), None);
        assert_eq!((stored.label("a"), stored.api_version()), (None, ""));
        assert_eq!(stored.json(), br#"{"metadata":{"labels":null}}"#);
    }
}
