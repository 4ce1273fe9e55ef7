//! [`Event`]: the change of one object by one commit.

use std::sync::Arc;

use tokio::time::Instant;

use super::Stored;
use crate::api::key::Key;

/// The change of an object by a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// The object was created.
    Added,
    /// The object was replaced by another state of it.
    Modified,
    /// The object is gone.
    Deleted,
}

impl ChangeKind {
    /// The word in a watch's events.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One commit, as the history keeps it.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) change: ChangeKind,
    /// The new state; of a deleted object its last, with the deletion's version.
    pub(crate) object: Arc<Stored>,
    /// The state before, if there was one.
    pub(crate) previous: Option<Arc<Stored>>,
    /// When it was committed.
    pub(crate) at: Instant,
}

impl Event {
    /// Where the object is stored.
    pub(crate) fn key(&self) -> &Key {
        &self.object.key
    }

    /// The commit's version.
    pub(crate) fn version(&self) -> u64 {
        self.object.version
    }
}
