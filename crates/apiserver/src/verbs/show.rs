//! [`Shape`]: how objects are sent: whole, as metadata, or as rows of a table.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::Request;
use crate::{
    core::Core,
    http::{
        body::{self, ResponseBody},
        negotiate::Form,
        query::invalid_options,
        status::{Cause, Result},
        table::{IncludeObject, TableForm, metadata_of_one, table},
    },
    kinds::{Kind, in_version},
    object,
    storage::{Stored, line, to_json},
};

/// The form that a request asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    form: Form,
    include: IncludeObject,
}

impl Shape {
    pub(super) fn of(request: &Request) -> Result<Self> {
        let include = &request.query.include_object;
        let include = IncludeObject::parse(include).ok_or_else(|| {
            let supported = ["Metadata", "None", "Object"];
            invalid_options(&[Cause::not_supported("includeObject", &json!(include), &supported)])
        })?;
        Ok(Self { form: request.form, include })
    }

    /// One object.
    pub(super) fn object(self, core: &Core, kind: &Kind, stored: &Stored) -> Bytes {
        match self.form {
            Form::Objects => whole(kind, stored),
            Form::Metadata => to_json(&partial(&stored.value)),
            Form::Table(_) => {
                to_json(&self.table(core, kind, true, metadata_of_one(&stored.value), [&*stored.value]))
            }
        }
    }

    /// A list of objects, with the metadata of the list.
    pub(super) fn list<'a>(
        self,
        core: &Core,
        kind: &Kind,
        metadata: Value,
        objects: impl Iterator<Item = &'a Stored>,
    ) -> Bytes {
        match self.form {
            Form::Objects => items(
                &kind.list_kind,
                &kind.api_version(),
                &metadata,
                objects.map(|stored| whole(kind, stored)),
            ),
            Form::Metadata => {
                let objects = objects.map(|stored| to_json(&partial(&stored.value)));
                items("PartialObjectMetadataList", "meta.k8s.io/v1", &metadata, objects)
            }
            Form::Table(_) => {
                to_json(&self.table(core, kind, true, metadata, objects.map(|stored| &*stored.value)))
            }
        }
    }

    /// A line of a watch; `first` is the first that the watch sends.
    pub(super) fn event(self, core: &Core, kind: &Kind, word: &str, object: &Value, first: bool) -> Bytes {
        let object = match self.form {
            Form::Objects => to_json(&in_version(kind, object)),
            Form::Metadata => to_json(&partial(object)),
            Form::Table(_) => to_json(&self.table(core, kind, first, metadata_of_one(object), [object])),
        };
        line(word, &object)
    }

    /// Whether objects are sent as they are stored, so that all who send them share one text.
    pub(super) fn is_as_stored(self, kind: &Kind, stored: &Stored) -> bool {
        self.form == Form::Objects && object::api_version(&stored.value) == kind.api_version()
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
            Form::Metadata => partial(&bookmark),
            // Upstream shows the empty object as a row.
            Form::Table(_) => self.table(core, kind, false, metadata_of_one(&bookmark), [&bookmark]),
        };
        line("BOOKMARK", &to_json(&bookmark))
    }

    fn table<'a>(
        self,
        core: &Core,
        kind: &Kind,
        headers: bool,
        metadata: Value,
        objects: impl IntoIterator<Item = &'a Value>,
    ) -> Value {
        let version = if let Form::Table(version) = self.form { version } else { "v1" };
        let form = TableForm { version, include: self.include, headers };
        table(kind, form, metadata, objects, core.clock.now())
    }
}

/// An answer that shows one object.
pub(super) fn answer(
    core: &Core,
    request: &Request,
    code: StatusCode,
    stored: &Stored,
) -> Result<Response<ResponseBody>> {
    Ok(body::json(code, Shape::of(request)?.object(core, request.kind(), stored)))
}

fn whole(kind: &Kind, stored: &Stored) -> Bytes {
    match in_version(kind, &stored.value) {
        Cow::Borrowed(_) => stored.json().clone(),
        Cow::Owned(object) => to_json(&object),
    }
}

fn partial(object: &Value) -> Value {
    let metadata = object.get("metadata").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}

fn items(kind: &str, api_version: &str, metadata: &Value, objects: impl Iterator<Item = Bytes>) -> Bytes {
    let head = json!({"kind": kind, "apiVersion": api_version, "metadata": metadata}).to_string();
    let mut list = head.into_bytes();
    list.pop(); // the closing brace: the items come before it
    list.extend_from_slice(br#","items":["#);
    for (position, object) in objects.enumerate() {
        if position > 0 {
            list.push(b',');
        }
        list.extend_from_slice(&object);
    }
    list.extend_from_slice(b"]}");
    list.into()
}
