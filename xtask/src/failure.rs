//! [`Failure`]: the reason why a command failed, as one line for the terminal.

use std::fmt;

/// The reason why a command failed. Its text is complete and can be printed as it is.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Adds the failed action to an error.
pub(crate) trait While<T> {
    /// Turns an error into a [`Failure`] that reads `<action>: <error>`.
    fn doing(self, action: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> While<T> for Result<T, E> {
    fn doing(self, action: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure(format!("{action}: {error}")))
    }
}
