//! [`SelectorError`]: a text or an object that is not a label selector.

use std::fmt;

use crate::quote::quoted;

/// A label selector or a requirement of one is invalid.
#[derive(Clone, PartialEq, Eq)]
pub struct SelectorError {
    /// Upstream's message.
    message: String,
    /// The text that was parsed and the byte at which the error is.
    place: Option<(String, usize)>,
}

impl SelectorError {
    /// Returns the message of Kubernetes' own parser, without the text and the position that `Display`
    /// adds.
    ///
    /// A server that rejects a selector responds with this message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the position of the error in the text, in bytes; `None` if no text was parsed.
    pub fn position(&self) -> Option<usize> {
        self.place.as_ref().map(|(_, position)| *position)
    }

    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None }
    }

    pub(super) fn at(mut self, text: &str, position: usize) -> Self {
        self.place = Some((text.to_owned(), position));
        self
    }

    /// Marks the error as one within a requirement, as upstream's parser does.
    pub(super) fn in_requirement(mut self) -> Self {
        self.message.insert_str(0, "unable to parse requirement: ");
        self
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            None => write!(f, "invalid label selector: {}", self.message),
            Some((text, position)) => {
                write!(f, "invalid label selector {text:?} at byte {position}: {}", self.message)
            }
        }
    }
}

/// The same sentence as `Display`, because a `main` that returns the error prints `Debug`.
impl fmt::Debug for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SelectorError {}

/// Validation errors of one requirement, with upstream's messages, in upstream's order.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    /// Adds an error about the string `value` at `path`, unless `detail` is empty.
    pub(super) fn invalid(&mut self, path: &str, value: &str, detail: &str) {
        self.add(path, &quoted(value), detail);
    }

    /// Adds an error about a list of values.
    pub(super) fn invalid_list(&mut self, path: &str, values: &[String], detail: &str) {
        let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
        self.add(path, &format!("[{}]", values.join(",")), detail);
    }

    pub(super) fn into_result(self) -> Result<(), SelectorError> {
        match &self.0[..] {
            [] => Ok(()),
            [one] => Err(SelectorError::new(one)),
            several => Err(SelectorError::new(format!("[{}]", several.join(", ")))),
        }
    }

    fn add(&mut self, path: &str, value: &str, detail: &str) {
        if !detail.is_empty() {
            self.0.push(format!("{path}: Invalid value: {value}: {detail}"));
        }
    }
}
