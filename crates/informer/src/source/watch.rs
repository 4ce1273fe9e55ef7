//! One line of a watch, decoded straight into the stored type.

use std::panic::{self, AssertUnwindSafe};

use serde::{
    Deserialize,
    de::{DeserializeOwned, Error},
};
use serde_json::value::RawValue;
use trimtab_cache::{Json, JsonError, ManagedFields, Metadata, Object};

use super::{
    error::Status,
    unreadable::{Unreadable, nameless},
};

/// An event of a watch: one line of the body.
#[derive(Debug)]
pub(crate) enum WatchEvent<T> {
    /// The object was added or modified and has this state.
    Applied(T),
    /// The object was deleted; this was its last state.
    Deleted(T),
    /// There are no further changes up to this version.
    Bookmark(BookmarkMeta),
    /// The watch cannot continue.
    Error(Status),
    /// A type of event that this version does not know.
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
    /// Returns whether this bookmark completes a streaming list (WL-T13: the value decides). A bookmark without a
    /// version does not: the watch could not be resumed.
    pub(crate) fn ends_initial_events(&self) -> bool {
        self.annotations.initial_events_end.as_deref() == Some("true") && !self.resource_version.is_empty()
    }
}

impl<T: Object + DeserializeOwned> WatchEvent<T> {
    /// Decodes a line. The inner error is an object that is not a `T`; the outer error, a line that is not an event.
    pub(crate) fn decode(
        line: &[u8],
        managed_fields: ManagedFields,
    ) -> Result<Result<Self, Unreadable>, JsonError> {
        // As Go reads it: bytes that are not UTF-8 read as U+FFFD. They must not end every watch that has the object.
        let lossy;
        let line = match str::from_utf8(line) {
            Ok(line) => line,
            Err(_) => {
                lossy = String::from_utf8_lossy(line);
                &lossy
            }
        };
        let decode = || {
            let mut json = Json::new(line);
            let event = Self::read(&mut json, managed_fields)?;
            json.end()?;
            Ok(event)
        };
        match contained(decode) {
            Ok(Self::Applied(object) | Self::Deleted(object)) if object.metadata().name().is_empty() => {
                Self::unreadable(line, &nameless())
            }
            Ok(event) => Ok(Ok(event)),
            Err(error) => Self::unreadable(line, &error),
        }
    }

    /// Reads what can be read of an event whose decoding failed with `reason`.
    #[cold]
    fn unreadable(line: &str, reason: &JsonError) -> Result<Result<Self, Unreadable>, JsonError> {
        #[derive(Deserialize)]
        struct Outline<'a> {
            #[serde(rename = "type")]
            kind: EventType,
            #[serde(borrow)]
            object: &'a RawValue,
        }
        // serde_json checks the whole line: a line that is not JSON is not an event.
        let Outline { kind, object } = serde_json::from_str(line)?;
        match kind {
            // Whatever the error is, the server ends the watch with it.
            EventType::Error => Ok(Ok(Self::Error(Status::unreadable(reason)))),
            _ => Unreadable::new(object.get(), reason, Some(kind)).map(Err),
        }
    }

    /// Reads an event. A derived enum would buffer every object; here `type`, which comes first, decides at
    /// once into which type `object` is decoded.
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

    /// Decodes the `object` of an event of that type.
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

/// Runs `decode`, which may be a user's code. A panic becomes a decode error.
pub(super) fn contained<V>(decode: impl FnOnce() -> Result<V, JsonError>) -> Result<V, JsonError> {
    let decoded = panic::catch_unwind(AssertUnwindSafe(decode));
    decoded.unwrap_or_else(|_| Err(JsonError::custom("decoding the object panicked")))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum EventType {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
    #[serde(other)]
    Unknown,
}

impl EventType {
    /// Returns the type as the server writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
            Self::Bookmark => "BOOKMARK",
            Self::Error => "ERROR",
            Self::Unknown => "unknown",
        }
    }
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
            Ok(Err(Unreadable::Object(wrong))) => {
                let version = wrong.object.metadata().resource_version();
                format!("{} of {version:?} deleted={}", wrong.object.key(), wrong.deleted)
            }
            Ok(Err(Unreadable::Malformed(_))) => "malformed".to_owned(),
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
        assert_eq!(decode(&line("MODIFIED")), r#"a of "7" deleted=false"#);
        assert_eq!(decode(&line("DELETED")), r#"a of "7" deleted=true"#);
    }

    #[test]
    fn an_event_with_malformed_metadata_keeps_its_key_where_it_has_one() {
        for (metadata, expected) in [
            (r#"{"name":"a","resourceVersion":7}"#, r#"a of "" deleted=false"#),
            (
                r#"{"name":"a","namespace":"n","labels":"x","resourceVersion":"7"}"#,
                r#"n/a of "7" deleted=false"#,
            ),
            (r#"{"name":5,"resourceVersion":"7"}"#, "malformed"),
            (r#"{"name":"a","namespace":5}"#, "malformed"),
            (r#"{"resourceVersion":"7"}"#, "malformed"),
            (r#""text""#, "malformed"),
            ("null", "malformed"),
        ] {
            let line = format!(r#"{{"type":"ADDED","object":{{"metadata":{metadata}}}}}"#);
            assert_eq!(decode(&line), expected, "{metadata}");
        }
        assert_eq!(decode(r#"{"type":"ADDED","object":[]}"#), "malformed");
    }

    #[test]
    fn a_malformed_bookmark_is_no_object_and_a_malformed_error_is_an_error() {
        for metadata in [r#"{"name":"a","resourceVersion":7}"#, r#"{"name":"a"}"#, "null", r#""text""#] {
            let line = |kind| format!(r#"{{"type":"{kind}","object":{{"metadata":{metadata}}}}}"#);
            assert_eq!(decode(&line("BOOKMARK")), "malformed", "{metadata}");
        }
        assert_eq!(decode(r#"{"type":"ERROR","object":{"code":"410"}}"#), "error 0");
        assert_eq!(decode(r#"{"type":"ERROR","object":null}"#), "error 0");
    }

    #[test]
    fn bytes_that_are_not_utf_8_do_not_fail_an_event() {
        let line =
            b"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"},\"data\":{\"x\":\"\xff\"}}}";
        let event = WatchEvent::<ConfigMap>::decode(line, ManagedFields::Dropped);
        let Ok(Ok(WatchEvent::Applied(object))) = event else { panic!("{event:?}") };
        assert_eq!(object.data.unwrap()["x"], "\u{fffd}");
    }

    #[test]
    fn a_line_that_is_no_event_is_refused() {
        for line in ["", "nonsense", "{}", r#"{"type":"ADDED"}"#, r#"{"type":"AD"#] {
            assert_eq!(decode(line), "no event", "{line}");
        }
    }
}
