//! [`Change`] and [`Tombstone`]: the change of one object by a write.

use std::sync::Arc;

use crate::{Metadata, Object, ObjectKey, Undecodable};

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
    /// The object was added or changed, and its new state cannot be decoded. The store has its metadata; it keeps an
    /// earlier state that could be decoded, if there was one. When a later state can be decoded, [`Added`](Self::Added)
    /// or [`Updated`](Self::Updated) follows.
    Undecodable(Arc<Undecodable>),
    /// An object was deleted of which the store never had a state that could be decoded.
    UndecodableDeleted(Arc<Undecodable>),
}

impl<T> Change<T> {
    /// Returns the newest known state, which is the last one of a deleted object; `None` if it cannot be decoded.
    pub fn object(&self) -> Option<&Arc<T>> {
        match self {
            Self::Added(object) | Self::Updated { new: object, .. } => Some(object),
            Self::Deleted(tombstone) => Some(&tombstone.object),
            Self::Undecodable(_) | Self::UndecodableDeleted(_) => None,
        }
    }

    /// Returns the states before and after the change: only the state after for a new object, only the last known state
    /// before for a deleted one, and neither for one that cannot be decoded.
    pub fn states(&self) -> (Option<&Arc<T>>, Option<&Arc<T>>) {
        match self {
            Self::Added(new) => (None, Some(new)),
            Self::Updated { old, new } => (Some(old), Some(new)),
            Self::Deleted(tombstone) => (Some(&tombstone.object), None),
            Self::Undecodable(_) | Self::UndecodableDeleted(_) => (None, None),
        }
    }
}

impl<T: Object> Change<T> {
    /// Returns the object's key.
    pub fn key(&self) -> ObjectKey {
        match self {
            Self::Added(object) | Self::Updated { new: object, .. } => object.key(),
            Self::Deleted(tombstone) => tombstone.key.clone(),
            Self::Undecodable(object) | Self::UndecodableDeleted(object) => object.key().clone(),
        }
    }

    /// Returns the metadata of the newest known state, whether it can be decoded or not.
    pub fn metadata(&self) -> &dyn Metadata {
        match self {
            Self::Added(object) | Self::Updated { new: object, .. } => object.metadata(),
            Self::Deleted(tombstone) => tombstone.object.metadata(),
            Self::Undecodable(object) | Self::UndecodableDeleted(object) => object.metadata(),
        }
    }
}

impl<T> Clone for Change<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Added(object) => Self::Added(object.clone()),
            Self::Updated { old, new } => Self::Updated { old: old.clone(), new: new.clone() },
            Self::Deleted(tombstone) => Self::Deleted(tombstone.clone()),
            Self::Undecodable(object) => Self::Undecodable(object.clone()),
            Self::UndecodableDeleted(object) => Self::UndecodableDeleted(object.clone()),
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
