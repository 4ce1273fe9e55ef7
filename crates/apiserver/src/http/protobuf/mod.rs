//! Bodies in protobuf, in which Go clients write the built-in kinds: read into the same JSON that they would have
//! sent. Answers are never written in it; the clients also take JSON.

mod message;
mod table;
mod wire;

use std::fmt;

use serde_json::{Map, Value};

use self::{message::Reader, wire::Fields};

/// The media type of the bodies.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is of a kind that has no form in protobuf, such as a custom one.
    UnknownKind,
    /// It is no such body.
    Malformed(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind => f.write_str("the kind has no form in protobuf"),
            Self::Malformed(because) => f.write_str(because),
        }
    }
}

/// A result of reading a part of a body.
type Result<T, E = Unreadable> = std::result::Result<T, E>;

fn malformed<T>(because: impl Into<String>) -> Result<T> {
    Err(Unreadable::Malformed(because.into()))
}

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

#[cfg(test)]
mod tests;
