//! What is stored: a [`Key`], an object as [`Stored`], and the [`Event`] that a commit made of it.

use std::{
    borrow::Borrow,
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use crate::object;

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

/// One state of an object. Never changed: a write stores another one.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The commit that wrote this state.
    pub(crate) version: u64,
    /// The object, with that version in its metadata.
    pub(crate) value: Arc<Value>,
    /// The object as JSON text, made when it is first sent and shared by all who send it.
    json: OnceLock<Bytes>,
}

impl Stored {
    /// The state of `value` at `version`.
    pub(crate) fn new(version: u64, mut value: Value) -> Self {
        object::metadata_mut(&mut value).insert("resourceVersion".to_owned(), version.to_string().into());
        Self { version, value: Arc::new(value), json: OnceLock::new() }
    }

    /// What a dry run would have stored: the version in its metadata stays as it is.
    pub(crate) fn unsaved(value: Value) -> Self {
        Self { version: 0, value: Arc::new(value), json: OnceLock::new() }
    }

    /// The object as JSON text.
    pub(crate) fn json(&self) -> &Bytes {
        self.json.get_or_init(|| to_json(&self.value))
    }
}

/// `value` as JSON text.
pub(crate) fn to_json(value: &Value) -> Bytes {
    serde_json::to_vec(value).expect("a JSON value can be written").into()
}

/// What a commit did to an object.
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
    pub(crate) key: Key,
    pub(crate) change: ChangeKind,
    /// The new state; of a deleted object its last, with the deletion's version.
    pub(crate) object: Arc<Stored>,
    /// The state before, if there was one.
    pub(crate) previous: Option<Arc<Stored>>,
    /// When it was committed.
    pub(crate) at: Instant,
    /// The line that an unselective watch sends, shared by all of them.
    line: OnceLock<Bytes>,
}

impl Event {
    pub(super) fn new(
        key: Key,
        change: ChangeKind,
        object: Arc<Stored>,
        previous: Option<Arc<Stored>>,
        at: Instant,
    ) -> Self {
        Self { key, change, object, previous, at, line: OnceLock::new() }
    }

    /// The commit's version.
    pub(crate) fn version(&self) -> u64 {
        self.object.version
    }

    /// The line that a watch of everything sends for it.
    pub(crate) fn line(&self) -> Bytes {
        self.line.get_or_init(|| line(self.change.word(), self.object.json())).clone()
    }
}

/// A watch's line: the type comes before the object, because decoders have to know it first.
pub(crate) fn line(word: &str, object: &[u8]) -> Bytes {
    [br#"{"type":""#, word.as_bytes(), br#"","object":"#, object, b"}\n"].concat().into()
}
