//! [`Commits`]: every committed change, in order, for audits, controllers and tests.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::storage::{ChangeKind, Event};

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
    /// What was done to it.
    pub change: ChangeKind,
    /// The new state; of a deleted object its last, with the deletion's version.
    pub object: Arc<Value>,
    /// The state before, if there was one.
    pub previous: Option<Arc<Value>>,
}

impl Commit {
    pub(crate) fn of(resource: &str, event: &Event) -> Self {
        Self {
            version: event.version(),
            resource: resource.to_owned(),
            namespace: event.key.namespace().map(str::to_owned),
            name: event.key.name().to_owned(),
            change: event.change,
            object: event.object.value.clone(),
            previous: event.previous.as_ref().map(|previous| previous.value.clone()),
        }
    }
}

/// A stream of all commits since it was made: none missing, none twice, in the order of their versions.
///
/// What is not read yet is kept, and compaction takes nothing from it: drop what nobody reads.
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
