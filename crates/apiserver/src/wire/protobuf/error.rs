//! [`Unreadable`]: why a body in protobuf cannot be read.

use std::fmt;

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
pub(super) type Result<T, E = Unreadable> = std::result::Result<T, E>;

/// Returns the error of a malformed body.
pub(super) fn malformed<T>(because: impl Into<String>) -> Result<T> {
    Err(Unreadable::Malformed(because.into()))
}
