//! [`Managed`]: who manages which fields of an object, between `metadata.managedFields` and the rules.

use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map},
};

use k8s_openapi::jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    element::Malformed,
    set::{FieldSet, text},
};
use crate::clock;

/// How many entries of updates an object keeps.
const MOST_UPDATERS: usize = 10;
/// Who has the fields of those that were too many.
const ANCIENT: &str = "ancient-changes";

/// What comes before an entry's fields.
const FIELDS: &str = r#","fieldsType":"FieldsV1","fieldsV1":"#;

/// How a manager came to its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Operation {
    /// It said which fields it wants.
    Apply,
    /// It changed them.
    Update,
}

/// One manager's fields.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) manager: String,
    pub(super) operation: Operation,
    pub(super) api_version: String,
    /// When the fields last changed, in RFC 3339 with seconds; upstream leaves it out for some.
    pub(super) time: Option<String>,
    /// The path below the object's that was used; empty for the object's own.
    pub(super) subresource: String,
    pub(super) fields: FieldSet,
}

/// All managers of an object.
///
/// - I1: no two entries are of the same manager ([`Entry::is_of`]).
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Managed(pub(super) Vec<Entry>);

impl Entry {
    /// Whether both are entries of one manager.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        (&self.manager, self.operation, &self.subresource)
            == (&other.manager, other.operation, &other.subresource)
            && self.version_of_updater() == other.version_of_updater()
    }

    /// What entries of one manager share.
    fn identity(&self) -> (String, Operation, String, Option<String>) {
        let version = self.version_of_updater().map(str::to_owned);
        (self.manager.clone(), self.operation, self.subresource.clone(), version)
    }

    /// The version that tells managers apart: an applier is the same in every one.
    fn version_of_updater(&self) -> Option<&str> {
        (self.operation == Operation::Update).then_some(&self.api_version)
    }

    fn decode(entry: &Value) -> Result<Self, Malformed> {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let operation = match text("operation").as_str() {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err(Malformed),
        };
        let api_version = text("apiVersion");
        if api_version.is_empty() || text("fieldsType") != "FieldsV1" {
            return Err(Malformed);
        }
        let time = entry.get("time").and_then(Value::as_str);
        Ok(Self {
            manager: text("manager"),
            operation,
            api_version,
            time: time.and_then(|time| time.parse().ok()).map(clock::seconds),
            subresource: text("subresource"),
            fields: FieldSet::decode(entry.get("fieldsV1").unwrap_or(&Value::Null))?,
        })
    }

    /// Writes the entry, its fields in the order of their names.
    fn write(&self, text: &mut String) {
        let operation = match self.operation {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        };
        text.push_str(r#"{"apiVersion":"#);
        quote(text, &self.api_version);
        text.push_str(FIELDS);
        self.fields.write(text);
        let mut field = |name: &str, value: &str| {
            [",\"", name, "\":"].iter().for_each(|part| text.push_str(part));
            quote(text, value);
        };
        if !self.manager.is_empty() {
            field("manager", &self.manager);
        }
        field("operation", operation);
        if !self.subresource.is_empty() {
            field("subresource", &self.subresource);
        }
        if let Some(time) = &self.time {
            field("time", time);
        }
        text.push('}');
    }
}

/// What an entry says besides its fields, as this server wrote it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default)]
    manager: String,
    operation: String,
    api_version: String,
    time: Option<String>,
    #[serde(default)]
    subresource: String,
}

impl Written {
    /// The entry that has these fields.
    fn with(self, fields: &str) -> Entry {
        let Self { manager, operation, api_version, time, subresource } = self;
        let operation = if operation == "Apply" { Operation::Apply } else { Operation::Update };
        Entry {
            manager,
            operation,
            api_version,
            time,
            subresource,
            fields: FieldSet::stored(fields.to_owned()),
        }
    }
}

/// Takes the first entry from what is left of a list that this server wrote. Its fields are not looked into.
fn take_first(list: &mut &str) -> Option<Entry> {
    let (head, rest) = list.split_once(FIELDS)?;
    let (fields, rest) = rest.split_at_checked(text::braces(rest.as_bytes())?)?;
    let (tail, rest) = rest.split_at_checked(text::braces_close(rest.as_bytes())?)?;
    *list = rest;
    let written: Written = serde_json::from_str(&[head.get(1..)?, tail].concat()).ok()?;
    Some(written.with(fields))
}

/// Writes a text in its quotes.
fn quote(text: &mut String, value: &str) {
    text.push_str(&serde_json::to_string(value).expect("a text can be written"));
}

impl Managed {
    /// What a client sent.
    pub(super) fn decode(sent: &Value) -> Result<Self, Malformed> {
        let mut managed = Self::default();
        let mut places = HashMap::new(); // a body may hold 30,000 of them
        for entry in sent.as_array().into_iter().flatten() {
            let entry = Entry::decode(entry)?;
            match places.entry(entry.identity()) {
                hash_map::Entry::Occupied(place) => managed.0[*place.get()] = entry,
                hash_map::Entry::Vacant(place) => {
                    place.insert(managed.0.len());
                    managed.0.push(entry);
                }
            }
        }
        Ok(managed)
    }

    /// What this server stored.
    pub(super) fn stored(list: Option<&str>) -> Self {
        let mut rest = list.unwrap_or_default(); // each entry has a bracket or a comma before it
        Self(std::iter::from_fn(|| take_first(&mut rest)).collect())
    }

    /// The text of the list, in upstream's order; `None` if there are no managers.
    pub(super) fn write(mut self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        self.0.sort_by(|one, other| {
            let rank = |entry: &Entry| (entry.operation, seconds(entry));
            rank(one).cmp(&rank(other)).then_with(|| {
                (&one.manager, &one.api_version, &one.subresource).cmp(&(
                    &other.manager,
                    &other.api_version,
                    &other.subresource,
                ))
            })
        });
        let mut text = String::with_capacity(4096);
        for entry in &self.0 {
            text.push(if text.is_empty() { '[' } else { ',' });
            entry.write(&mut text);
        }
        text.push(']');
        Some(text)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry of the manager that `entry` is of.
    pub(super) fn find(&mut self, entry: &Entry) -> Option<&mut Entry> {
        self.0.iter_mut().find(|found| found.is_of(entry))
    }

    /// Puts the entry in, in the place of the manager's former one.
    pub(super) fn put(&mut self, entry: Entry) {
        match self.find(&entry) {
            Some(found) => *found = entry,
            None => self.0.push(entry),
        }
    }

    /// Joins the oldest updates of each version until they are no longer too many.
    pub(super) fn cap(&mut self) {
        let mut excess = self.updaters().saturating_sub(MOST_UPDATERS);
        if excess == 0 {
            return;
        }
        // The oldest are last, where they are taken from.
        self.0.sort_by_key(|entry| Reverse((seconds(entry), entry.manager.clone())));
        let mut kept: Vec<Entry> = Vec::new();
        let mut firsts: Vec<Entry> = Vec::new();
        while let Some(entry) = self.0.pop() {
            if excess == 0 || entry.operation == Operation::Apply {
                kept.push(entry);
                continue;
            }
            match firsts.iter_mut().find(|first| first.api_version == entry.api_version) {
                None => firsts.push(entry),
                Some(bucket) => {
                    ANCIENT.clone_into(&mut bucket.manager);
                    bucket.subresource.clear();
                    bucket.fields.unite(&entry.fields);
                    bucket.time = entry.time;
                    excess -= 1;
                }
            }
        }
        self.0 = kept;
        firsts.into_iter().for_each(|entry| match self.find(&entry) {
            Some(found) => found.fields.take(entry.fields),
            None => self.0.push(entry),
        });
    }

    fn updaters(&self) -> usize {
        self.0.iter().filter(|entry| entry.operation == Operation::Update).count()
    }
}

/// Whether a client asks for the managers to be forgotten: an empty list, or a list of one empty entry.
pub(super) fn is_reset(sent: &Value) -> bool {
    match sent.as_array().map(Vec::as_slice) {
        Some([]) => true,
        Some([one]) => one.as_object().is_some_and(Map::is_empty),
        _ => false,
    }
}

fn seconds(entry: &Entry) -> i64 {
    let time = entry.time.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    time.map_or(0, Timestamp::as_second)
}
