//! [`JsonError`]: why a text could not be read.

use std::fmt;

use serde::de;

/// Why a text is no JSON, or not the JSON that was asked for.
#[derive(Debug)]
pub struct JsonError {
    /// `None` if the text ended before the value did.
    message: Option<Box<str>>,
    at: Option<usize>,
}

impl JsonError {
    /// Whether the text ended before the value did: with more of it, it may be right.
    pub fn is_incomplete(&self) -> bool {
        self.message.is_none()
    }

    /// Where in the text that was, in bytes, if it is known.
    pub fn offset(&self) -> Option<usize> {
        self.at
    }

    #[cold]
    pub(super) fn incomplete(at: usize) -> Self {
        Self { message: None, at: Some(at) }
    }

    /// What is said by who does not know where it happened, happened here.
    pub(super) fn at(mut self, at: usize) -> Self {
        self.at.get_or_insert(at);
        self
    }
}

/// Its own place, a line and a column, stays in the message.
impl From<serde_json::Error> for JsonError {
    #[cold]
    fn from(error: serde_json::Error) -> Self {
        let message = (!error.is_eof()).then(|| error.to_string().into());
        Self { message, at: None }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.as_deref().unwrap_or("the text ends before the value does"))?;
        self.at.map_or(Ok(()), |at| write!(f, " at byte {at}"))
    }
}

impl std::error::Error for JsonError {}

impl de::Error for JsonError {
    #[cold]
    fn custom<M: fmt::Display>(message: M) -> Self {
        Self { message: Some(message.to_string().into()), at: None }
    }
}
