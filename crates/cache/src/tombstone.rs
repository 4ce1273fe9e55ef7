//! [`Change`] and [`Tombstone`]: the change of one object by a write.

use std::sync::Arc;

use crate::ObjectKey;

/// A change of one object.
#[derive(Debug)]
pub enum Change<T> {
    /// The object was not in the store before.
    Added(Arc<T>),
    /// The object was replaced. Handlers compare UIDs: a deletion and a re-creation may arrive as one update.
    Updated {
        /// The state before.
        old: Arc<T>,
        /// The state now.
        new: Arc<T>,
    },
    /// The object was deleted.
    Deleted(Tombstone<T>),
}

impl<T> Change<T> {
    /// Returns the newest known state: the last one of a deleted object.
    pub fn object(&self) -> &Arc<T> {
        match self {
            Self::Added(object) | Self::Updated { new: object, .. } => object,
            Self::Deleted(tombstone) => &tombstone.object,
        }
    }
}

impl<T> Clone for Change<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Added(object) => Self::Added(object.clone()),
            Self::Updated { old, new } => Self::Updated { old: old.clone(), new: new.clone() },
            Self::Deleted(tombstone) => Self::Deleted(tombstone.clone()),
        }
    }
}

/// A deleted object in its last known state: client-go's `DeletedFinalStateUnknown`, for every deletion.
#[derive(Debug)]
pub struct Tombstone<T> {
    /// The object's key.
    pub key: ObjectKey,
    /// The last known state.
    pub object: Arc<T>,
    /// Whether the deletion was inferred because a list no longer had the object. Its state may have changed between
    /// `object` and the deletion. `false` if the server sent the state at deletion.
    pub final_state_unknown: bool,
}

impl<T> Clone for Tombstone<T> {
    fn clone(&self) -> Self {
        Self {
            key: self.key.clone(),
            object: self.object.clone(),
            final_state_unknown: self.final_state_unknown,
        }
    }
}
