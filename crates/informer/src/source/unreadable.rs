//! [`Unreadable`]: a list item or a watch event that cannot be decoded. It does not fail its list or its watch.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{Error, IgnoredAny};
use trimtab_cache::{JsonError, ObjectKey, Undecodable};

use super::watch::EventType;

/// A list item or a watch event that could not be decoded.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// The object's key is known.
    Object(UndecodableEvent),
    /// It is unknown which object it is, or it is a bookmark.
    Malformed(Malformed),
}

/// An object that could not be decoded, by its metadata.
#[derive(Debug)]
pub(crate) struct UndecodableEvent {
    pub(crate) object: Undecodable,
    /// Whether the event was the object's deletion.
    pub(crate) deleted: bool,
}

/// An item or an event whose metadata has no readable name and namespace, or a malformed bookmark.
#[derive(Debug)]
pub(crate) struct Malformed {
    /// The readable part of the metadata; its key has no name.
    pub(crate) object: Undecodable,
    /// `None` for a list item.
    event: Option<EventType>,
}

impl Unreadable {
    /// Reads the metadata of `object`, whose decoding failed with `reason`; `event` is `None` for a list item.
    ///
    /// # Errors
    ///
    /// `object` is not JSON.
    pub(super) fn new(object: &str, reason: &JsonError, event: Option<EventType>) -> Result<Self, JsonError> {
        // serde_json checks the whole text: if it is not JSON, the list or the line is malformed.
        serde_json::from_str::<IgnoredAny>(object)?;
        // A value that is not a JSON object has no metadata.
        let object = Undecodable::read(object, reason).or_else(|_| Undecodable::read("{}", reason))?;
        let deleted = event == Some(EventType::Deleted);
        Ok(if object.key().name().is_empty() || event == Some(EventType::Bookmark) {
            Self::Malformed(Malformed { object, event })
        } else {
            Self::Object(UndecodableEvent { object, deleted })
        })
    }
}

/// Returns the error of an object without a name, which a lenient type has accepted (RE-T7, RE-T29).
pub(super) fn nameless() -> JsonError {
    JsonError::custom("metadata.name is missing or empty")
}

impl Malformed {
    /// Returns the UID by which the store may know the object; `None` if there is none to be read.
    pub(crate) fn uid(&self) -> Option<&str> {
        let uid = &*self.object.metadata().uid;
        (!uid.is_empty() && !self.is_bookmark()).then_some(uid)
    }

    pub(crate) fn is_bookmark(&self) -> bool {
        self.event == Some(EventType::Bookmark)
    }

    pub(crate) fn is_deletion(&self) -> bool {
        self.event == Some(EventType::Deleted)
    }

    /// Gives the object the key that another state of it has.
    pub(crate) fn recognised(self, key: ObjectKey) -> UndecodableEvent {
        UndecodableEvent { deleted: self.is_deletion(), object: self.object.with_key(key) }
    }

    /// Returns what it is, for logs. `number` is its number in a list.
    pub(crate) fn describe(&self, number: Option<usize>) -> String {
        let mut text = match (self.event, number) {
            (None, number) => format!("item {} of the list", number.unwrap_or_default()),
            (Some(event), None) => format!("{} event", event.name()),
            (Some(event), Some(number)) => format!("{} event {number} of the streaming list", event.name()),
        };
        let metadata = self.object.metadata();
        let fields = [("uid", &*metadata.uid), ("resourceVersion", &*metadata.resource_version)];
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            text.push_str(&format!(", {name} {value}"));
        }
        text
    }

    /// Returns a number that is the same for the same object or, if no object is known, for the same error. Positions do
    /// not count: they differ between lists.
    pub(crate) fn identity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self.uid() {
            Some(uid) => uid.hash(&mut hasher),
            None => {
                let reason = self.object.reason().chars().filter(|letter| !letter.is_ascii_digit());
                (self.is_bookmark(), reason.collect::<String>()).hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malformed(metadata: &str, event: Option<EventType>, reason: &str) -> Malformed {
        let object = format!(r#"{{"metadata":{metadata}}}"#);
        match Unreadable::new(&object, &JsonError::custom(reason), event).expect("JSON") {
            Unreadable::Malformed(malformed) => malformed,
            Unreadable::Object(object) => panic!("{object:?}"),
        }
    }

    #[test]
    fn a_malformed_object_is_described_by_its_place_and_the_rest_of_its_metadata() {
        let (rest, event) = (r#"{"name":5,"uid":"7","resourceVersion":"9"}"#, Some(EventType::Modified));
        for (metadata, event, number, expected) in [
            (rest, None, Some(3), "item 3 of the list, uid 7, resourceVersion 9"),
            (rest, event, None, "MODIFIED event, uid 7, resourceVersion 9"),
            ("{}", event, Some(3), "MODIFIED event 3 of the streaming list"),
            (
                r#"{"resourceVersion":"9"}"#,
                Some(EventType::Bookmark),
                None,
                "BOOKMARK event, resourceVersion 9",
            ),
        ] {
            assert_eq!(malformed(metadata, event, "wrong").describe(number), expected);
        }
    }

    #[test]
    fn the_same_object_and_the_same_error_have_one_identity() {
        let identity = |metadata: &str, reason: &str| malformed(metadata, None, reason).identity();
        assert_eq!(identity(r#"{"uid":"7"}"#, "a"), identity(r#"{"uid":"7"}"#, "b"));
        assert_ne!(identity(r#"{"uid":"7"}"#, "a"), identity(r#"{"uid":"8"}"#, "a"));
        assert_eq!(identity("{}", "wrong at byte 7"), identity("{}", "wrong at byte 81"));
        assert_ne!(identity("{}", "wrong"), identity("{}", "missing"));
    }
}
