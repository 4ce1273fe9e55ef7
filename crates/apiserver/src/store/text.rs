//! [`Text`]: an object's JSON text as it is stored, and where things are in it.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::{api::object::MANAGED_FIELDS, wire::json};

/// Where things are in an object's text, so that nobody has to parse it for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    pub(super) api_version: Range<u32>,
    pub(super) kind: Range<u32>,
    pub(super) uid: Range<u32>,
    /// Whether a deletion was asked for.
    pub(super) is_being_deleted: bool,
    pub(super) metadata: Range<u32>,
    /// The labels' map with its braces; empty if there is none. Labels are validated before they are
    /// stored: no character in them is escaped.
    pub(super) labels: Range<u32>,
    /// The list of managers with its brackets; empty if there is none.
    pub(super) managers: Range<u32>,
    /// The list of owners with its brackets; empty if there is none.
    pub(super) owners: Range<u32>,
    /// The digits of the resource version.
    pub(super) version: Range<u32>,
}

impl Places {
    /// Where the list of managers is with its name and a comma; empty if there is none.
    pub(super) fn managers_field(&self, json: &[u8]) -> Range<usize> {
        let [start, mut end] = [self.managers.start, self.managers.end].map(|place| place as usize);
        if start == end {
            return 0..0;
        }
        let mut start = start - (MANAGED_FIELDS.len() + 3); // two quotes and a colon
        if json.get(end) == Some(&b',') {
            end += 1;
        } else if json.get(start - 1) == Some(&b',') {
            start -= 1;
        }
        start..end
    }

    /// The same places once the version has so many digits.
    pub(super) fn with_version_of(&self, digits: u32) -> Self {
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
            managers: moved(&self.managers),
            owners: moved(&self.owners),
            version: gap.start..gap.start + digits,
        }
    }
}

/// An object's text, and where things are in it.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) json: Vec<u8>,
    pub(super) places: Places,
}

impl Text {
    /// The text of `object` with the list `managers` in its metadata.
    pub(super) fn of(object: &Value, managers: Option<&str>) -> Self {
        let mut text = Self { json: Vec::with_capacity(8192), places: Places::default() };
        let Value::Object(fields) = object else {
            text.write(object);
            return text;
        };
        text.json.push(b'{');
        // In upstream's order, so that a list can leave these out by beginning behind them.
        if let Some(kind) = fields.get("kind") {
            text.begin("kind");
            text.places.kind = text.write_quoted(kind);
        }
        if let Some(api_version) = fields.get("apiVersion") {
            text.begin("apiVersion");
            text.places.api_version = text.write_quoted(api_version);
        }
        for (field, value) in fields {
            match field.as_str() {
                "apiVersion" | "kind" => {}
                "metadata" => {
                    text.begin(field);
                    text.write_metadata(value, managers);
                }
                _ => {
                    text.begin(field);
                    text.write(value);
                }
            }
        }
        text.json.push(b'}');
        text
    }

    /// A text of which nothing but the metadata is other than in `json`.
    pub(super) fn with_metadata(
        json: &[u8],
        places: &Places,
        metadata: &Value,
        managers: Option<&str>,
    ) -> Self {
        let Range { start, end } = places.metadata;
        let mut text = Self { json: Vec::with_capacity(json.len() + 256), places: Places::default() };
        text.places.api_version = places.api_version.clone(); // these come before the metadata
        text.places.kind = places.kind.clone();
        text.json.extend_from_slice(&json[..start as usize]);
        text.write_metadata(metadata, managers);
        text.json.extend_from_slice(&json[end as usize..]);
        text
    }

    fn write_metadata(&mut self, metadata: &Value, managers: Option<&str>) {
        let start = short(self.json.len());
        match metadata {
            Value::Object(metadata) => self.write_metadata_fields(metadata, managers),
            other => drop(self.write(other)),
        }
        self.places.metadata = start..short(self.json.len());
    }

    fn write_metadata_fields(&mut self, metadata: &Map<String, Value>, mut managers: Option<&str>) {
        self.json.push(b'{');
        for (field, value) in metadata {
            if let Some(managers) = managers.take_if(|_| field.as_str() > MANAGED_FIELDS) {
                self.write_managers(managers);
            }
            self.begin(field);
            match field.as_str() {
                "labels" if value.is_object() => self.places.labels = self.write(value),
                "uid" => self.places.uid = self.write_quoted(value),
                "deletionTimestamp" => {
                    self.places.is_being_deleted = !value.is_null();
                    self.write(value);
                }
                "ownerReferences" if value.is_array() => self.places.owners = self.write(value),
                "resourceVersion" => self.places.version = self.write_quoted(value),
                _ => drop(self.write(value)),
            }
        }
        if let Some(managers) = managers {
            self.write_managers(managers);
        }
        self.json.push(b'}');
    }

    fn write_managers(&mut self, managers: &str) {
        self.begin(MANAGED_FIELDS);
        let start = short(self.json.len());
        self.json.extend_from_slice(managers.as_bytes());
        self.places.managers = start..short(self.json.len());
    }

    /// Writes the name of a map's next field.
    fn begin(&mut self, field: &str) {
        if self.json.last() != Some(&b'{') {
            self.json.push(b',');
        }
        json::write_text(&mut self.json, field);
        self.json.push(b':');
    }

    /// Writes a text; returns where it is within its quotes.
    fn write_quoted(&mut self, value: &Value) -> Range<u32> {
        let Range { start, end } = self.write(value);
        if value.is_string() { start + 1..end - 1 } else { start..start }
    }

    /// Writes a value; returns where it is.
    fn write(&mut self, value: &Value) -> Range<u32> {
        let start = short(self.json.len());
        json::write(&mut self.json, value);
        start..short(self.json.len())
    }
}

/// A place in a text.
pub(super) fn short(place: usize) -> u32 {
    u32::try_from(place).expect("a body has 3 MiB at most")
}
