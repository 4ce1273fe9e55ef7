//! One line of a watch, decoded straight into the stored type.

use std::{
    borrow::Cow,
    panic::{self, AssertUnwindSafe},
};

use serde::{
    Deserialize,
    de::{DeserializeOwned, Error},
};
use serde_json::value::RawValue;
use trimtab_cache::{Json, JsonError, ManagedFields, Object, ObjectKey};

use super::error::Status;

/// What a server tells in one line.
#[derive(Debug)]
pub(crate) enum WatchEvent<T> {
    /// The object is there, in this state: it was added or modified.
    Applied(T),
    /// The object is gone; this was its last state.
    Deleted(T),
    /// Nothing more has changed up to this version.
    Bookmark(BookmarkMeta),
    /// The watch cannot go on.
    Error(Status),
    /// Something that later servers may send.
    Unknown,
}

/// The metadata of a bookmark.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BookmarkMeta {
    pub(crate) resource_version: String,
    #[serde(default)]
    annotations: BookmarkAnnotations,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BookmarkAnnotations {
    #[serde(rename = "k8s.io/initial-events-end")]
    initial_events_end: Option<String>,
}

impl BookmarkMeta {
    /// Whether a streaming list is complete with this (WL-T13: the value decides). Without a version it is not: from
    /// where could the watch be resumed?
    pub(crate) fn ends_initial_events(&self) -> bool {
        self.annotations.initial_events_end.as_deref() == Some("true") && !self.resource_version.is_empty()
    }
}

/// An object that could not be decoded, by what could.
#[derive(Debug)]
pub(crate) struct Undecodable {
    pub(crate) key: ObjectKey,
    pub(crate) version: String,
    /// Whether the event told its deletion.
    pub(crate) deleted: bool,
    pub(crate) reason: JsonError,
}

impl<T: Object + DeserializeOwned> WatchEvent<T> {
    /// Decodes a line. The inner error is an object that is no `T`; the outer one, a line that is no event.
    pub(crate) fn decode(
        line: &[u8],
        managed_fields: ManagedFields,
    ) -> Result<Result<Self, Undecodable>, JsonError> {
        let line = std::str::from_utf8(line).map_err(JsonError::custom)?;
        let decode = || {
            let mut json = Json::new(line);
            let event = Self::read(&mut json, managed_fields)?;
            json.end()?;
            Ok(event)
        };
        match contained(decode) {
            Ok(event) => Ok(Ok(event)),
            Err(error) => {
                #[derive(Deserialize)]
                struct Outline<'a> {
                    #[serde(rename = "type")]
                    kind: EventType,
                    #[serde(borrow)]
                    object: &'a RawValue,
                }
                // By serde_json, which looks at all of it: a line that is no JSON at all is no event.
                let outline: Outline<'_> = serde_json::from_str(line)?;
                let mut wrong = Undecodable::new(outline.object.get(), error)?;
                wrong.deleted = outline.kind == EventType::Deleted;
                Ok(Err(wrong))
            }
        }
    }

    /// By hand, because a derived enum would buffer every object: here `type`, which comes first, says at
    /// once what to decode `object` into.
    fn read(json: &mut Json<'_>, managed_fields: ManagedFields) -> Result<Self, JsonError> {
        let (mut kind, mut early, mut event) = (None, None, None);
        json.members(|key, json| {
            match (&*key, kind) {
                ("type", _) => kind = Some(EventType::deserialize(json)?),
                ("object", Some(kind)) => event = Some(Self::of(kind, json, managed_fields)?),
                ("object", None) => early = Some(json.skip()?),
                _ => drop(json.skip()?),
            }
            Ok(())
        })?;
        let kind = kind.ok_or_else(|| JsonError::missing_field("type"))?;
        match (event, early) {
            (Some(event), _) => Ok(event),
            (None, Some(object)) => Self::of(kind, &mut Json::new(object), managed_fields),
            (None, None) => Err(JsonError::missing_field("object")),
        }
    }

    /// What the `object` of an event of that type tells.
    fn of(kind: EventType, json: &mut Json<'_>, managed_fields: ManagedFields) -> Result<Self, JsonError> {
        #[derive(Deserialize)]
        struct Bookmark {
            metadata: BookmarkMeta,
        }
        Ok(match kind {
            EventType::Added | EventType::Modified => Self::Applied(T::decode(json, managed_fields)?),
            EventType::Deleted => Self::Deleted(T::decode(json, managed_fields)?),
            EventType::Bookmark => Self::Bookmark(Bookmark::deserialize(json)?.metadata),
            EventType::Error => Self::Error(Status::deserialize(json)?),
            EventType::Unknown => {
                json.skip()?;
                Self::Unknown
            }
        })
    }
}

/// Decodes, in code that may be the user's: should it panic, the object is one that cannot be decoded.
pub(super) fn contained<V>(decode: impl FnOnce() -> Result<V, JsonError>) -> Result<V, JsonError> {
    let decoded = panic::catch_unwind(AssertUnwindSafe(decode));
    decoded.unwrap_or_else(|_| Err(JsonError::custom("decoding it panicked")))
}

impl Undecodable {
    /// What can be said of `object`, which gave `reason`. Its key has no name if the object has none.
    pub(crate) fn new(object: &str, reason: JsonError) -> Result<Self, JsonError> {
        #[derive(Deserialize)]
        struct Outline<'a> {
            #[serde(borrow, default)]
            metadata: Identity<'a>,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Identity<'a> {
            #[serde(borrow)]
            name: Cow<'a, str>,
            #[serde(borrow)]
            namespace: Cow<'a, str>,
            resource_version: String,
        }
        let Outline { metadata } = serde_json::from_str(object)?;
        let key = ObjectKey::namespaced(&metadata.namespace, &metadata.name);
        Ok(Self { key, version: metadata.resource_version, deleted: false, reason })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum EventType {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    fn decode(line: &str) -> String {
        match WatchEvent::<ConfigMap>::decode(line.as_bytes(), ManagedFields::Dropped) {
            Ok(Ok(WatchEvent::Applied(object))) => format!("applied {}", object.key()),
            Ok(Ok(WatchEvent::Deleted(object))) => format!("deleted {}", object.key()),
            Ok(Ok(WatchEvent::Bookmark(bookmark))) => format!("bookmark {}", bookmark.resource_version),
            Ok(Ok(WatchEvent::Error(status))) => format!("error {}", status.code),
            Ok(Ok(WatchEvent::Unknown)) => "unknown".to_owned(),
            Ok(Err(wrong)) => format!("{} of {} deleted={}", wrong.key, wrong.version, wrong.deleted),
            Err(_) => "no event".to_owned(),
        }
    }

    #[test]
    fn each_type_of_event_is_decoded_whichever_field_comes_first() {
        let metadata = r#"{"metadata":{"name":"a","namespace":"n","resourceVersion":"7"}}"#;
        let status = r#"{"kind":"Status","metadata":{},"status":"Failure","code":410}"#;
        for (kind, object, expected) in [
            ("ADDED", metadata, "applied n/a"),
            ("MODIFIED", metadata, "applied n/a"),
            ("DELETED", metadata, "deleted n/a"),
            ("BOOKMARK", metadata, "bookmark 7"),
            ("ERROR", status, "error 410"),
            ("LATER", metadata, "unknown"),
        ] {
            assert_eq!(decode(&format!(r#"{{"type":"{kind}","object":{object}}}"#)), expected);
            assert_eq!(decode(&format!(r#"{{"object":{object},"more":[],"type":"{kind}"}}"#)), expected);
        }
    }

    #[test]
    fn an_object_that_cannot_be_decoded_is_still_named() {
        let wrong = r#"{"metadata":{"name":"a","resourceVersion":"7"},"data":"text"}"#;
        let line = |kind| format!(r#"{{"type":"{kind}","object":{wrong}}}"#);
        assert_eq!(decode(&line("MODIFIED")), "a of 7 deleted=false");
        assert_eq!(decode(&line("DELETED")), "a of 7 deleted=true");
    }

    #[test]
    fn a_line_that_is_no_event_is_refused() {
        for line in ["", "nonsense", "{}", r#"{"type":"ADDED"}"#, r#"{"type":"AD"#] {
            assert_eq!(decode(line), "no event", "{line}");
        }
    }
}
