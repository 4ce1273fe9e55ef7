//! [`OwnerIndex`]: dependents by the UID of their controller, and orphans by namespace.

use std::{fmt, sync::Arc};

use trimtab_cache::{Index, Metadata, Object, Store, Undecodable};

/// An index over the objects of a store: dependents by the UID of their controller, orphans by namespace.
///
/// One line on any informer: `let pods_by_owner = OwnerIndex::add(pods.store());`. A sync then looks at the
/// owner's dependents and the orphans that it may adopt, not at the whole namespace.
pub struct OwnerIndex<T>(Index<T, Place>);

/// The place of an object in the index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    /// Controlled by the object with this UID.
    ControlledBy(Box<str>),
    /// Without a controller, in this namespace; `None` for a cluster-scoped object.
    OrphanIn(Option<Box<str>>),
    /// Without a controller, in any namespace.
    Orphan,
}

impl<T: Object> OwnerIndex<T> {
    /// Adds the index to `store`.
    pub fn add(store: &Store<T>) -> Self {
        Self(store.add_metadata_index("controller", |metadata| {
            match metadata.controller() {
                Some(owner) => [Some(Place::ControlledBy(owner.uid.as_str().into())), None],
                None => [Some(Place::OrphanIn(metadata.namespace().map(Into::into))), Some(Place::Orphan)],
            }
            .into_iter()
            .flatten()
        }))
    }

    /// Returns the dependents that the object with the UID `uid` controls, in no particular order.
    pub fn controlled_by(&self, uid: &str) -> Vec<Arc<T>> {
        self.0.get(&Place::ControlledBy(uid.into()))
    }

    /// Returns the dependents that the object with the UID `uid` controls and whose newest state cannot be decoded.
    ///
    /// A controller that counts its dependents counts these, too. If the store also has an earlier state of one,
    /// [`controlled_by`](Self::controlled_by) returns that state.
    pub fn undecodable(&self, uid: &str) -> Vec<Arc<Undecodable>> {
        self.0.undecodable(&Place::ControlledBy(uid.into()))
    }

    /// Returns the objects of `namespace` without a controller, in no particular order.
    pub fn orphans_in(&self, namespace: &str) -> Vec<Arc<T>> {
        self.0.get(&Place::OrphanIn(Some(namespace.into())))
    }

    /// Returns the objects to pass to [`Claims::claim`](crate::Claims::claim): the owner's dependents and the
    /// orphans that it may adopt. A cluster-scoped owner may adopt in every namespace.
    pub fn candidates<O: Object>(&self, owner: &O) -> Vec<Arc<T>> {
        let owner = owner.metadata();
        let mut objects = self.controlled_by(owner.uid());
        objects.extend(self.orphans(owner.namespace()));
        objects
    }

    /// Returns the objects without a controller in a namespace, or in all.
    pub(crate) fn orphans(&self, namespace: Option<&str>) -> Vec<Arc<T>> {
        match namespace {
            Some(namespace) => self.orphans_in(namespace),
            None => self.0.get(&Place::Orphan),
        }
    }
}

impl<T> Clone for OwnerIndex<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for OwnerIndex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnerIndex").field(&self.0).finish()
    }
}
