//! [`Event`]: the change of one object by one commit.

use std::sync::Arc;

use tokio::time::Instant;

use super::{ChangeKind, Stored};
use crate::api::key::Key;

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
