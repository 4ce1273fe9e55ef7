//! [`Change`] and [`Tombstone`]: what one step of the store changed, as handlers are told it.

use std::sync::Arc;

use crate::ObjectKey;

/// What became of one object.
#[derive(Debug)]
pub enum Change<T> {
    /// The object was not in the store before.
    Added(Arc<T>),
    /// The object was replaced. Handlers compare UIDs: a deletion and a re-creation that nobody saw
    /// apart arrive as one update.
    Updated {
        /// The state that the store held.
        old: Arc<T>,
        /// The state that it holds now.
        new: Arc<T>,
    },
    /// The object is gone.
    Deleted(Tombstone<T>),
}

impl<T> Change<T> {
    /// The newest state that is known: of a deleted object, its last.
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

/// What is left of a deleted object: client-go's `DeletedFinalStateUnknown`, for every deletion.
#[derive(Debug)]
pub struct Tombstone<T> {
    /// The object's key.
    pub key: ObjectKey,
    /// The last state that was seen.
    pub object: Arc<T>,
    /// Whether the deletion was inferred: a list no longer had the object, so it may have changed
    /// after `object` and before it went. `false` if the server sent the state at deletion.
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
