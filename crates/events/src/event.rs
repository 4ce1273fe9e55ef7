//! [`NewEvent`]: the content of an event before it is counted or written.

use std::{collections::BTreeMap, fmt};

use k8s_openapi::api::core::v1::ObjectReference;

/// The longest note that an API server accepts, in bytes.
const MAX_NOTE: usize = 1024;
/// The longest reason and the longest action, in bytes.
const MAX_WORD: usize = 128;

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventType {
    /// Something happened as expected.
    Normal,
    /// Something needs a person's attention.
    Warning,
}

impl EventType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An event to be recorded: a type, a reason, the action that was taken, and a note for people.
#[derive(Debug, Clone)]
#[must_use = "an event is recorded by `EventRecorder::record`"]
pub struct NewEvent {
    pub(crate) type_: EventType,
    pub(crate) reason: String,
    pub(crate) action: String,
    pub(crate) note: String,
    pub(crate) related: Option<ObjectReference>,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl NewEvent {
    /// Creates a normal event. `reason` and `action` are short words in CamelCase, such as `Created` and `CreatePod`;
    /// `note` is a sentence. Words over 128 bytes and notes over 1,024 bytes are shortened.
    pub fn normal(reason: &str, action: &str, note: impl Into<String>) -> Self {
        Self::new(EventType::Normal, reason, action, note.into())
    }

    /// Creates a warning, with the same parameters as [`normal`](Self::normal).
    pub fn warning(reason: &str, action: &str, note: impl Into<String>) -> Self {
        Self::new(EventType::Warning, reason, action, note.into())
    }

    fn new(type_: EventType, reason: &str, action: &str, note: String) -> Self {
        Self {
            type_,
            reason: shortened(reason.to_owned(), MAX_WORD),
            action: shortened(action.to_owned(), MAX_WORD),
            note: shortened(note, MAX_NOTE),
            related: None,
            annotations: BTreeMap::new(),
        }
    }

    /// Names a second object that the event is about, such as the Pod that was created for a set.
    pub fn related(self, object: ObjectReference) -> Self {
        Self { related: Some(object), ..self }
    }

    /// Adds an annotation to the event's metadata.
    pub fn annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }
}

/// Cuts `text` at a character boundary to at most `limit` bytes.
fn shortened(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let end = (0..=limit - 3).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_notes_are_cut_at_a_character_and_say_so() {
        let event = NewEvent::normal("R", "A", "ä".repeat(600));
        assert!(event.note.len() <= MAX_NOTE && event.note.ends_with("ä…"), "{} bytes", event.note.len());
        assert_eq!(NewEvent::normal(&"x".repeat(128), "A", "").reason.len(), 128);
        assert!(NewEvent::normal(&"x".repeat(129), "A", "").reason.ends_with('…'));
    }
}
