//! One line of a watch, decoded straight into the stored type.

use std::{
    borrow::Cow,
    fmt,
    marker::PhantomData,
    panic::{self, AssertUnwindSafe},
};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use trimtab_cache::{ManagedFields, Object, ObjectKey};

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
    pub(crate) reason: serde_json::Error,
}

impl<T: Object + DeserializeOwned> WatchEvent<T> {
    /// Decodes a line. The inner error is an object that is no `T`; the outer one, a line that is no event.
    pub(crate) fn decode(
        line: &[u8],
        managed_fields: ManagedFields,
    ) -> Result<Result<Self, Undecodable>, serde_json::Error> {
        let decode = || {
            let mut json = serde_json::Deserializer::from_slice(line);
            let event = json.deserialize_map(EventVisitor(managed_fields, PhantomData))?;
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
                let outline: Outline<'_> = serde_json::from_slice(line)?;
                let mut wrong = Undecodable::new(outline.object.get().as_bytes(), error)?;
                wrong.deleted = outline.kind == EventType::Deleted;
                Ok(Err(wrong))
            }
        }
    }
}

/// Decodes, in code that may be the user's: should it panic, the object is one that cannot be decoded.
pub(super) fn contained<V>(
    decode: impl FnOnce() -> Result<V, serde_json::Error>,
) -> Result<V, serde_json::Error> {
    let decoded = panic::catch_unwind(AssertUnwindSafe(decode));
    decoded.unwrap_or_else(|_| Err(serde::de::Error::custom("decoding it panicked")))
}

impl Undecodable {
    /// What can be said of `object`, which gave `reason`. Its key has no name if the object has none.
    pub(crate) fn new(object: &[u8], reason: serde_json::Error) -> Result<Self, serde_json::Error> {
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
        let Outline { metadata } = serde_json::from_slice(object)?;
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

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Type,
    Object,
    #[serde(other)]
    Other,
}

/// By hand, because a derived enum would buffer every object: here `type`, which comes first, says at
/// once what to decode `object` into.
struct EventVisitor<T>(ManagedFields, PhantomData<T>);

impl<'de, T: Object + DeserializeOwned> Visitor<'de> for EventVisitor<T> {
    type Value = WatchEvent<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a watch event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WatchEvent<T>, A::Error> {
        use serde::de::Error;

        let (mut kind, mut early, mut event) = (None, None, None);
        while let Some(field) = map.next_key()? {
            match (field, kind) {
                (Field::Type, _) => kind = Some(map.next_value()?),
                (Field::Object, Some(kind)) => {
                    event = Some(map.next_value_seed(ObjectOf(kind, self.0, PhantomData))?);
                }
                (Field::Object, None) => early = Some(map.next_value::<&RawValue>()?),
                (Field::Other, _) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
        match (event, early) {
            (Some(event), _) => Ok(event),
            (None, Some(raw)) => ObjectOf(kind, self.0, PhantomData)
                .deserialize(&mut serde_json::Deserializer::from_str(raw.get()))
                .map_err(A::Error::custom),
            (None, None) => Err(A::Error::missing_field("object")),
        }
    }
}

/// The value of `object` in an event of that type.
struct ObjectOf<T>(EventType, ManagedFields, PhantomData<T>);

impl<'de, T: Object + DeserializeOwned> DeserializeSeed<'de> for ObjectOf<T> {
    type Value = WatchEvent<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<WatchEvent<T>, D::Error> {
        #[derive(Deserialize)]
        struct Bookmark {
            metadata: BookmarkMeta,
        }
        Ok(match self.0 {
            EventType::Added | EventType::Modified => WatchEvent::Applied(T::decode(deserializer, self.1)?),
            EventType::Deleted => WatchEvent::Deleted(T::decode(deserializer, self.1)?),
            EventType::Bookmark => WatchEvent::Bookmark(Bookmark::deserialize(deserializer)?.metadata),
            EventType::Error => WatchEvent::Error(Status::deserialize(deserializer)?),
            EventType::Unknown => {
                IgnoredAny::deserialize(deserializer)?;
                WatchEvent::Unknown
            }
        })
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
