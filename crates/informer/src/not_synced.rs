//! [`NotSyncedError`]: the informers that have not synced in time.

use std::fmt;

use crate::status::Status;

/// Some informers have not synced in time.
///
/// `Debug` prints the same sentence as `Display`, so that the error is readable when `main` returns it.
pub struct NotSyncedError {
    missing: Vec<NotSynced>,
}

/// An informer that has not synced.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NotSynced {
    /// The informer's [description](crate::Informer::description).
    pub description: String,
    /// The informer's status.
    pub status: Status,
}

impl NotSyncedError {
    pub(crate) fn new(missing: Vec<NotSynced>) -> Self {
        Self { missing }
    }

    /// Returns the informers that have not synced, sorted by description.
    pub fn informers(&self) -> &[NotSynced] {
        &self.missing
    }
}

impl fmt::Display for NotSyncedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not synced: ")?;
        for (number, NotSynced { description, status }) in self.missing.iter().enumerate() {
            let semicolon = if number > 0 { "; " } else { "" };
            write!(f, "{semicolon}{description} (")?;
            let missing = status.sources.iter().filter(|source| !source.synced);
            for (number, source) in missing.enumerate() {
                f.write_str(if number > 0 { ", " } else { "" })?;
                if let (Some(namespace), 2..) = (&source.namespace, status.sources.len()) {
                    write!(f, "in {namespace}: ")?;
                }
                source.phase.fmt(f)?;
                if let Some(error) = &source.last_error {
                    write!(f, ": {error}")?;
                }
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for NotSyncedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for NotSyncedError {}
