//! Where an object is stored, its [`Key`], and what a commit made of it, an [`Event`].

use std::{borrow::Borrow, fmt, sync::Arc};

use tokio::time::Instant;

use super::Stored;

/// Where an object is stored within its resource: `namespace/name`, or `name`.
///
/// Keys are ordered as etcd orders them, which is the order of lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(Arc<str>);

impl Key {
    /// The key of `name`; an empty namespace makes a cluster-scoped key.
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        if namespace.is_empty() { Self(name.into()) } else { Self([namespace, "/", name].concat().into()) }
    }

    /// A key as a continue token holds it.
    pub(crate) fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The namespace; `None` for a cluster-scoped object.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.0.split_once('/').map(|(namespace, _)| namespace)
    }

    /// The name within the namespace.
    pub(crate) fn name(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, name)| name)
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

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
