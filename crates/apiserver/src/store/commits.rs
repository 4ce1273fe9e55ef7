//! [`Commits`]: every committed change, in order, for audits, controllers and tests.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use serde_json::Value;
use tokio::sync::mpsc;

use super::{ChangeKind, Event, Stored};

/// One committed change.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Commit {
    /// The global version that the commit made.
    pub version: u64,
    /// The plural name and the group, such as `pods` or `replicasets.apps`.
    pub resource: String,
    /// The namespace; `None` for a cluster-scoped object.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
    /// The change.
    pub change: ChangeKind,
    /// The new state; of a deleted object its last, with the deletion's version.
    pub object: StoredObject,
    /// The state before, if there was one.
    pub previous: Option<StoredObject>,
}

impl Commit {
    pub(crate) fn of(resource: &str, event: &Event) -> Self {
        Self {
            version: event.version(),
            resource: resource.to_owned(),
            namespace: event.key().namespace().map(str::to_owned),
            name: event.key().name().to_owned(),
            change: event.change,
            object: StoredObject::new(event.object.clone()),
            previous: event.previous.clone().map(StoredObject::new),
        }
    }
}

/// An object in one of its states: JSON text that is parsed when it is first looked into.
#[derive(Clone)]
pub struct StoredObject {
    stored: Arc<Stored>,
    /// With its managers.
    value: OnceLock<Arc<Value>>,
}

impl StoredObject {
    pub(crate) fn new(stored: Arc<Stored>) -> Self {
        Self { stored, value: OnceLock::new() }
    }

    pub(crate) fn stored(&self) -> &Arc<Stored> {
        &self.stored
    }

    /// The object as the JSON text that clients are sent.
    pub fn json(&self) -> &str {
        std::str::from_utf8(self.stored.json()).expect("JSON is UTF-8")
    }
}

impl Deref for StoredObject {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.value.get_or_init(|| self.stored.whole().into())
    }
}

impl fmt::Debug for StoredObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.json())
    }
}

/// A stream of all commits since it was made: none missing, none twice, in the order of their versions.
///
/// Unread commits are kept, and compaction removes none of them: drop a reader that is not used any more.
#[derive(Debug)]
pub struct Commits {
    receiver: mpsc::UnboundedReceiver<Commit>,
}

impl Commits {
    pub(crate) fn new(receiver: mpsc::UnboundedReceiver<Commit>) -> Self {
        Self { receiver }
    }

    /// The next commit, waiting until there is one; `None` once the server was dropped.
    ///
    /// # Cancel safety
    ///
    /// A `next` dropped before it completes has taken no commit.
    pub async fn next(&mut self) -> Option<Commit> {
        self.receiver.recv().await
    }

    /// The next commit, if one was made already.
    pub fn try_next(&mut self) -> Option<Commit> {
        self.receiver.try_recv().ok()
    }
}
