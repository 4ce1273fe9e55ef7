//! [`ManagedFields`]: the list `metadata.managedFields` of an object.

use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map},
};

use jiff::{Timestamp, fmt::temporal::DateTimePrinter};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    element::Malformed,
    set::{FieldSet, text},
};

/// The number of entries of updates that an object keeps.
const MOST_UPDATERS: usize = 10;
/// The manager of the fields of joined entries.
const ANCIENT: &str = "ancient-changes";

/// The text before an entry's fields.
const FIELDS: &str = r#","fieldsType":"FieldsV1","fieldsV1":"#;

/// The way in which a manager got its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// It applied a configuration that has them.
    Apply,
    /// It changed them.
    Update,
}

/// The fields of one manager: a `ManagedFieldsEntry`.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The name of the manager.
    pub manager: String,
    /// The way in which it got its fields.
    pub operation: Operation,
    /// The version of the object that it used.
    pub api_version: String,
    /// The time of the last change of its fields, in RFC 3339 with seconds. Upstream leaves it out for some.
    pub time: Option<String>,
    /// The subresource that it used, such as `status`; empty for the object itself.
    pub subresource: String,
    /// Its fields.
    pub fields: FieldSet,
}

/// All managers of an object.
///
/// - I1: no two entries are of the same manager ([`Entry::is_of`]).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ManagedFields(pub(crate) Vec<Entry>);

impl Entry {
    /// Returns whether both are entries of one manager. An applier is the same in every version, an updater is not.
    pub fn is_of(&self, other: &Self) -> bool {
        (&self.manager, self.operation, &self.subresource)
            == (&other.manager, other.operation, &other.subresource)
            && self.version_of_updater() == other.version_of_updater()
    }

    /// Returns the fields that entries of one manager share.
    fn identity(&self) -> (String, Operation, String, Option<String>) {
        let version = self.version_of_updater().map(str::to_owned);
        (self.manager.clone(), self.operation, self.subresource.clone(), version)
    }

    /// Returns the version that distinguishes managers: none of an applier.
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
            time: time.and_then(|time| time.parse().ok()).map(seconds_text),
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

/// An entry without its fields, as [`Entry::write`] wrote it.
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
    /// Adds the fields.
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

/// Takes the first entry from the rest of a list that [`ManagedFields::to_text`] wrote. Its fields are not parsed.
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

impl ManagedFields {
    /// Decodes a list that a client sent, in any notation. Of two entries of one manager, the last counts.
    ///
    /// # Errors
    ///
    /// [`Malformed`], if an entry has no version, no known operation, or fields in another form than `FieldsV1`.
    pub fn decode(sent: &Value) -> Result<Self, Malformed> {
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

    /// Reads a list that [`ManagedFields::to_text`] wrote, without parsing the fields. Another text can lose entries: use
    /// [`ManagedFields::decode`] for lists of clients.
    pub fn stored(list: Option<&str>) -> Self {
        let mut rest = list.unwrap_or_default(); // each entry has a bracket or a comma before it
        Self(std::iter::from_fn(|| take_first(&mut rest)).collect())
    }

    /// Writes the list as JSON, in upstream's order; `None` if there are no managers.
    pub fn to_text(mut self) -> Option<String> {
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

    /// Returns whether there are no managers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes a list of entries, of which no two are of the same manager.
    pub fn from_entries(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    /// Returns the entries, to be changed.
    pub fn into_entries(self) -> Vec<Entry> {
        self.0
    }

    /// Returns the entries.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Returns whether both lists differ at most in the times of their entries.
    pub fn same_but_for_times(mut self, mut other: Self) -> bool {
        for list in [&mut self, &mut other] {
            list.0.iter_mut().for_each(|entry| entry.time = None);
        }
        self == other
    }

    /// Returns the entry of the same manager as `entry`.
    pub(crate) fn find(&mut self, entry: &Entry) -> Option<&mut Entry> {
        self.0.iter_mut().find(|found| found.is_of(entry))
    }

    /// Inserts an entry, in the place of the manager's former one.
    pub(crate) fn put(&mut self, entry: Entry) {
        match self.find(&entry) {
            Some(found) => *found = entry,
            None => self.0.push(entry),
        }
    }

    /// Joins the oldest updates of each version until they are no longer too many.
    pub(crate) fn cap(&mut self) {
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

/// Returns whether a client asks for the managers to be forgotten: an empty list, or a list of one empty entry.
pub(crate) fn is_reset(sent: &Value) -> bool {
    match sent.as_array().map(Vec::as_slice) {
        Some([]) => true,
        Some([one]) => one.as_object().is_some_and(Map::is_empty),
        _ => false,
    }
}

/// Writes a time in RFC 3339 with seconds.
fn seconds_text(time: Timestamp) -> String {
    DateTimePrinter::new().precision(Some(0)).timestamp_to_string(&time)
}

fn seconds(entry: &Entry) -> i64 {
    let time = entry.time.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    time.map_or(0, Timestamp::as_second)
}
