//! Bodies in protobuf, in which Go clients write the built-in kinds: read into the same JSON that they would have
//! sent, and answers written from the JSON that other clients get.

mod error;
mod message;
mod table;
mod wire;
mod writer;

use serde_json::{Map, Value};

pub(crate) use self::{
    error::Unreadable,
    writer::{bytes, double, integer},
};
use self::{
    error::{Result, malformed},
    message::Reader,
    wire::Fields,
    writer::Writer,
};

/// The media type of the bodies.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// The prefix of every body.
const MAGIC: &[u8] = b"k8s\0";

/// Reads a body: its kind, then an object of that kind.
pub(crate) fn read(body: &[u8]) -> Result<Value> {
    let Some(envelope) = body.strip_prefix(MAGIC) else {
        return malformed(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
        );
    };
    let (mut type_meta, mut raw): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields::of(envelope) {
        match field? {
            (1, value) => type_meta = value.bytes()?,
            (2, value) => raw = value.bytes()?,
            _ => {} // the content's type and coding are those of this body
        }
    }
    let (mut api_version, mut kind) = ("", "");
    for field in Fields::of(type_meta) {
        match field? {
            (1, value) => api_version = value.text()?,
            (2, value) => kind = value.text()?,
            _ => {}
        }
    }
    let table = table::table();
    let message = table.kind(api_version, kind).ok_or(Unreadable::UnknownKind)?;
    let mut object = Map::new();
    Reader::new(table).fields(message, raw, &mut object)?;
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    Ok(Value::Object(object))
}

/// Returns whether objects of a kind can be written.
pub(crate) fn has(api_version: &str, kind: &str) -> bool {
    table::table().kind(api_version, kind).is_some()
}

/// Writes an object or a list of objects with its kind; `None` of what has no form in protobuf.
pub(crate) fn write(value: &Value) -> Option<Vec<u8>> {
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    let (api_version, kind) = (text("apiVersion")?, text("kind")?);
    let object = value.as_object()?;
    let items = kind.strip_suffix("List").and_then(|of| Some((of, value.get("items")?.as_array()?)));
    let raw = match items {
        None => message(api_version, kind, object)?,
        Some((of, items)) => {
            let mut list = Vec::new();
            if let Some(metadata) = value["metadata"].as_object() {
                writer::bytes(1, &named("ListMeta", metadata), &mut list);
            }
            for item in items {
                writer::bytes(2, &message(api_version, of, item.as_object()?)?, &mut list);
            }
            list
        }
    };
    let (mut type_meta, mut body) = (Vec::new(), MAGIC.to_vec());
    writer::bytes(1, api_version.as_bytes(), &mut type_meta);
    writer::bytes(2, kind.as_bytes(), &mut type_meta);
    for (number, content) in (1..).zip([&*type_meta, &*raw, &[], &[]]) {
        writer::bytes(number, content, &mut body);
    }
    Some(body)
}

/// Writes the lines of a watch as the messages of one, each with its length before it.
pub(crate) fn write_events(lines: &[u8]) -> Vec<u8> {
    let mut events = Vec::with_capacity(lines.len());
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let event: Value = serde_json::from_slice(line).unwrap_or_default();
        let Some(object) = write(&event["object"]) else { continue };
        let (mut extension, mut message) = (Vec::new(), Vec::new());
        writer::bytes(1, &object, &mut extension);
        writer::bytes(1, event["type"].as_str().unwrap_or_default().as_bytes(), &mut message);
        writer::bytes(2, &extension, &mut message);
        events.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
        events.extend_from_slice(&message);
    }
    events
}

fn message(api_version: &str, kind: &str, object: &Map<String, Value>) -> Option<Vec<u8>> {
    match (api_version, kind) {
        ("v1", "Status") => Some(named("Status", object)),
        ("meta.k8s.io/v1", "PartialObjectMetadata") => {
            let (mut partial, none) = (Vec::new(), Map::new());
            let metadata = object.get("metadata").and_then(Value::as_object).unwrap_or(&none);
            writer::bytes(1, &named("ObjectMeta", metadata), &mut partial);
            Some(partial)
        }
        _ => {
            let table = table::table();
            table.kind(api_version, kind).map(|of| Writer::new(table).message(of, object))
        }
    }
}

/// A message of a type that all kinds share.
fn named(name: &str, object: &Map<String, Value>) -> Vec<u8> {
    let table = table::table();
    Writer::new(table).message(table.named(&format!("apimachinery.pkg.apis.meta.v1.{name}")), object)
}

#[cfg(test)]
mod tests;
