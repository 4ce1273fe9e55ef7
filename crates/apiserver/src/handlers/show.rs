//! [`Shape`]: how objects are sent: whole, as metadata, or as rows of a table.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{core::Core, items::Items, request::Request, request_log::Shown};
use crate::{
    api::status::{Result, Status},
    registry::{
        Kind, in_version,
        printer::{IncludeObject, TableForm, metadata_of_one, table},
    },
    store::{ChangeKind, Stored, line},
    wire::json::to_json,
    wire::{
        body::{self, ResponseBody},
        negotiate::Form,
    },
};

/// The beginning of a `PartialObjectMetadata`, which its metadata follows.
const PARTIAL: &[u8] = br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#;

/// The form that a request asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    form: Form,
    include: IncludeObject,
}

impl Shape {
    pub(super) fn of(request: &Request) -> Result<Self> {
        let include = match request.form {
            Form::Table(_) => request.query.include_object.as_str(),
            _ => "", // nobody looks at it
        };
        let include = IncludeObject::parse(include).ok_or_else(|| {
            Status::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {include:?}: must be \
                 'Metadata', 'Object', 'None', or empty"
            ))
        })?;
        Ok(Self { form: request.form, include })
    }

    /// Refuses to show one object as a list, or a list as one object.
    pub(super) fn check(self, kind: &Kind, is_list: bool) -> Result<()> {
        match self.form {
            Form::Metadata { of_list } if of_list != is_list => Err(Status::no_such_metadata(kind, of_list)),
            _ => Ok(()),
        }
    }

    /// Whether objects are looked into before any of them is sent.
    pub(super) fn looks_into_objects(self) -> bool {
        matches!(self.form, Form::Table(_))
    }

    /// One object.
    pub(super) fn object(self, core: &Core, kind: &Kind, stored: &Stored) -> Bytes {
        if self.form == Form::Objects && is_as_stored(kind, stored) {
            return stored.shared_json();
        }
        let mut text = Vec::new();
        self.write(core.registry.clock.now(), kind, stored, true, &mut text);
        text.into()
    }

    /// A list of objects, with the metadata of the list.
    pub(super) fn list(
        self,
        core: &Core,
        kind: &Arc<Kind>,
        metadata: &Value,
        objects: Vec<Arc<Stored>>,
    ) -> Response<ResponseBody> {
        if objects.is_empty() && matches!(self.form, Form::Metadata { .. }) {
            // Go appends to a list that is nil.
            let list = json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "items": null,
            });
            return body::value(StatusCode::OK, &list);
        }
        let (list_kind, api_version) = match self.form {
            Form::Objects => (kind.list_kind.as_str(), &*kind.api_version()),
            Form::Metadata { .. } => ("PartialObjectMetadataList", "meta.k8s.io/v1"),
            Form::Table(_) => {
                let values: Vec<_> = objects.iter().map(|stored| stored.whole()).collect();
                let table = self.table(core.registry.clock.now(), kind, true, metadata.clone(), &values);
                return body::value(StatusCode::OK, &table);
            }
        };
        // In upstream's order, which people see who ask for lines.
        let [list_kind, api_version] = [list_kind, api_version].map(Value::from);
        let head = format!(r#"{{"kind":{list_kind},"apiVersion":{api_version},"metadata":{metadata}"#);
        let (kind, now) = (kind.clone(), core.registry.clock.now());
        let write = move |stored: &Stored, text: &mut Vec<u8>| self.write_item(now, &kind, stored, text);
        body::in_pieces(Items::new(head, objects, write))
    }

    /// A line of a watch; `first` is the first that the watch sends.
    pub(super) fn event(
        self,
        core: &Core,
        kind: &Kind,
        change: ChangeKind,
        stored: &Stored,
        first: bool,
    ) -> Bytes {
        if self.form == Form::Objects && stored.change == change && is_as_stored(kind, stored) {
            return stored.line(); // shared by all who send it
        }
        let mut object = Vec::new();
        self.write(core.registry.clock.now(), kind, stored, first, &mut object);
        line(change.word(), &object)
    }

    /// Writes an item of a list: that of a built-in kind does not repeat its kind and version.
    fn write_item(self, now: Timestamp, kind: &Kind, stored: &Stored, text: &mut Vec<u8>) {
        if self.form != Form::Objects || kind.is_custom() {
            self.write(now, kind, stored, false, text);
        } else if is_as_stored(kind, stored) {
            text.push(b'{');
            text.extend_from_slice(stored.fields());
        } else {
            let mut object = in_version(kind, &stored.whole()).into_owned();
            if let Some(fields) = object.as_object_mut() {
                fields.retain(|field, _| !matches!(field.as_str(), "kind" | "apiVersion"));
            }
            text.extend_from_slice(&to_json(&object));
        }
    }

    /// Writes an object; `headers` asks for the columns of a table.
    fn write(self, now: Timestamp, kind: &Kind, stored: &Stored, headers: bool, text: &mut Vec<u8>) {
        match self.form {
            Form::Objects if is_as_stored(kind, stored) => text.extend_from_slice(stored.json()),
            Form::Objects => text.extend_from_slice(&to_json(&in_version(kind, &stored.whole()))),
            Form::Metadata { .. } => {
                for part in [PARTIAL, stored.metadata(), b"}"] {
                    text.extend_from_slice(part);
                }
            }
            Form::Table(_) => {
                let value = stored.whole();
                let table = self.table(now, kind, headers, metadata_of_one(&value), [&value]);
                text.extend_from_slice(&to_json(&table));
            }
        }
    }

    /// A line that tells how far a watch has come.
    pub(super) fn bookmark(self, core: &Core, kind: &Kind, version: u64, end_of_initial: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if end_of_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let bookmark = json!({"kind": kind.kind, "apiVersion": kind.api_version(), "metadata": metadata});
        let bookmark = match self.form {
            Form::Objects => bookmark,
            Form::Metadata { .. } => partial(&bookmark),
            // Upstream shows the empty object as a row.
            Form::Table(_) => {
                self.table(core.registry.clock.now(), kind, false, metadata_of_one(&bookmark), [&bookmark])
            }
        };
        line("BOOKMARK", &to_json(&bookmark))
    }

    fn table<'a>(
        self,
        now: Timestamp,
        kind: &Kind,
        headers: bool,
        metadata: Value,
        objects: impl IntoIterator<Item = &'a Value>,
    ) -> Value {
        let version = if let Form::Table(version) = self.form { version } else { "v1" };
        let form = TableForm { version, include: self.include, headers };
        table(kind, form, metadata, objects, now)
    }
}

/// An answer that shows one object.
pub(super) fn answer(
    core: &Core,
    request: &Request,
    code: StatusCode,
    stored: &Stored,
) -> Result<Response<ResponseBody>> {
    let shape = Shape::of(request)?;
    shape.check(request.kind(), false)?;
    let mut answer = body::json(code, shape.object(core, request.kind(), stored));
    answer.extensions_mut().insert(Shown(stored.version));
    Ok(answer)
}

/// Whether the object is stored in the version in which `kind` shows it.
fn is_as_stored(kind: &Kind, stored: &Stored) -> bool {
    kind.has_api_version(stored.api_version()) && kind.has_judged(stored.version)
}

fn partial(object: &Value) -> Value {
    let metadata = object.get("metadata").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}
