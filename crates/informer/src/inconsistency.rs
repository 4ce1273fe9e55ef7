//! [`Inconsistency`]: a difference between a store and the server, found by an audit.

use std::fmt;

use trimtab_cache::ObjectKey;

/// The differences between a store and the server at the same resource version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inconsistency {
    /// The version at which both were compared, as the server wrote it.
    pub resource_version: String,
    /// Objects that the server has and the store lacks.
    pub missing: Vec<ObjectKey>,
    /// Objects that the store has and the server lacks.
    pub surplus: Vec<ObjectKey>,
    /// Objects whose state in the store is not the server's.
    pub outdated: Vec<ObjectKey>,
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the store differs from the server at version {}: {} objects are missing, {} are surplus, {} are outdated",
            self.resource_version,
            self.missing.len(),
            self.surplus.len(),
            self.outdated.len()
        )
    }
}
