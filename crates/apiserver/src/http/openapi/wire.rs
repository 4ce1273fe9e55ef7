//! The OpenAPI v2 document in protobuf, as clients in Go ask for it: the messages of gnostic's `OpenAPIv2.proto`.

use serde_json::{Map, Value};

use crate::wire::protobuf::{bytes, double, integer};

/// Writes a document of types; what it says of paths is left to v3.
pub(super) fn write(document: &Value) -> Vec<u8> {
    let mut to = Vec::new();
    text(1, &document["swagger"], &mut to);
    let mut info = Vec::new();
    text(1, &document["info"]["title"], &mut info);
    text(2, &document["info"]["version"], &mut info);
    bytes(2, &info, &mut to);
    bytes(8, &[], &mut to);
    bytes(9, &named(&document["definitions"]), &mut to);
    to
}

/// A map of schemas, each with its name.
fn named(schemas: &Value) -> Vec<u8> {
    let mut to = Vec::new();
    for (name, of) in schemas.as_object().into_iter().flatten() {
        let mut entry = Vec::new();
        bytes(1, name.as_bytes(), &mut entry);
        bytes(2, &schema(of), &mut entry);
        bytes(1, &entry, &mut to);
    }
    to
}

/// A schema. Upstream's have no defaults in v2.
fn schema(of: &Value) -> Vec<u8> {
    let mut to = Vec::new();
    let none = Map::new();
    for (word, value) in of.as_object().unwrap_or(&none) {
        match &**word {
            "$ref" => text(1, value, &mut to),
            "format" => text(2, value, &mut to),
            "title" => text(3, value, &mut to),
            "description" => text(4, value, &mut to),
            "multipleOf" => number(6, value, &mut to),
            "maximum" => number(7, value, &mut to),
            "exclusiveMaximum" => truth(8, value, &mut to),
            "minimum" => number(9, value, &mut to),
            "exclusiveMinimum" => truth(10, value, &mut to),
            "maxLength" => count(11, value, &mut to),
            "minLength" => count(12, value, &mut to),
            "pattern" => text(13, value, &mut to),
            "maxItems" => count(14, value, &mut to),
            "minItems" => count(15, value, &mut to),
            "uniqueItems" => truth(16, value, &mut to),
            "maxProperties" => count(17, value, &mut to),
            "minProperties" => count(18, value, &mut to),
            "required" => value.as_array().into_iter().flatten().for_each(|name| text(19, name, &mut to)),
            "enum" => value.as_array().into_iter().flatten().for_each(|one| bytes(20, &any(one), &mut to)),
            "additionalProperties" => {
                let mut within = Vec::new();
                match value {
                    Value::Bool(_) => truth(2, value, &mut within),
                    _ => bytes(1, &schema(value), &mut within),
                }
                bytes(21, &within, &mut to);
            }
            "type" => within(22, |to| text(1, value, to), &mut to),
            "items" => within(23, |to| bytes(1, &schema(value), to), &mut to),
            "properties" => bytes(25, &named(value), &mut to),
            extension if extension.starts_with("x-") => within(
                31,
                |to| {
                    bytes(1, extension.as_bytes(), to);
                    bytes(2, &any(value), to);
                },
                &mut to,
            ),
            _ => {}
        }
    }
    to
}

/// Any value, as YAML: JSON is a part of it.
fn any(value: &Value) -> Vec<u8> {
    let mut to = Vec::new();
    bytes(2, value.to_string().as_bytes(), &mut to);
    to
}

/// A message in a message.
fn within(field: u32, write: impl FnOnce(&mut Vec<u8>), to: &mut Vec<u8>) {
    let mut message = Vec::new();
    write(&mut message);
    bytes(field, &message, to);
}

fn text(field: u32, value: &Value, to: &mut Vec<u8>) {
    bytes(field, value.as_str().unwrap_or_default().as_bytes(), to);
}

fn truth(field: u32, value: &Value, to: &mut Vec<u8>) {
    integer(field, (value == &Value::Bool(true)).into(), to);
}

fn count(field: u32, value: &Value, to: &mut Vec<u8>) {
    integer(field, value.as_i64().unwrap_or_default(), to);
}

fn number(field: u32, value: &Value, to: &mut Vec<u8>) {
    double(field, value.as_f64().unwrap_or_default(), to);
}
