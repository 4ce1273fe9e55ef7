//! [`ChangeKind`]: the change of an object by a commit.

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
