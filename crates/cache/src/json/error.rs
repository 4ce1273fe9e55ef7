//! [`JsonError`]: a text that could not be decoded.

use std::fmt;

use serde::de;

/// A text is not JSON, or not JSON of the requested type.
#[derive(Debug)]
pub struct JsonError {
    /// `None` if the text ended within the value.
    message: Option<Box<str>>,
    at: Option<usize>,
}

impl JsonError {
    /// Returns whether the text ended within the value: with more text it may be valid.
    pub fn is_incomplete(&self) -> bool {
        self.message.is_none()
    }

    /// Returns the position of the error in the text, in bytes, if it is known.
    pub fn offset(&self) -> Option<usize> {
        self.at
    }

    #[cold]
    pub(super) fn incomplete(at: usize) -> Self {
        Self { message: None, at: Some(at) }
    }

    /// Sets the position, if it is not known yet.
    pub(super) fn at(mut self, at: usize) -> Self {
        self.at.get_or_insert(at);
        self
    }
}

/// The line and column of the other error stay in its message.
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
