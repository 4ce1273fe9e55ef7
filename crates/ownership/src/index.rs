//! [`OwnerIndex`]: dependents by the UID of their controller, and orphans by namespace.

use std::{fmt, sync::Arc};

use trimtab_cache::{Index, Labels, Metadata, Object, Store, Undecodable};

/// An index over the objects of a store: dependents by the UID of their controller, orphans by namespace.
///
/// One line on any informer: `let pods_by_owner = OwnerIndex::add(pods.store());`. A sync then looks at the
/// owner's dependents and the orphans that it may adopt, not at the whole namespace.
pub struct OwnerIndex<T> {
    store: Store<T>,
    places: Index<T, Place>,
}

/// The dependents of an owner at one moment.
pub(crate) struct Controlled<T> {
    pub(crate) objects: Vec<Arc<T>>,
    /// Whether all of them have the same labels, so that a selector matches all of them or none.
    pub(crate) have_equal_labels: bool,
}

/// The place of an object in the index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    /// Controlled by the object with this UID.
    ControlledBy(Box<str>),
    /// Controlled by the object with this UID, with these labels and no others.
    Labelled(Box<str>, Labels),
    /// Without a controller, in this namespace; `None` for a cluster-scoped object.
    OrphanIn(Option<Box<str>>),
    /// Without a controller, in any namespace.
    Orphan,
}

impl<T: Object> OwnerIndex<T> {
    /// Adds the index to `store`.
    pub fn add(store: &Store<T>) -> Self {
        let places = store.add_metadata_index("controller", |metadata| {
            let places = match metadata.controller() {
                Some(owner) => [
                    Place::ControlledBy(owner.uid.as_str().into()),
                    Place::Labelled(owner.uid.as_str().into(), metadata.labels()),
                ],
                None => [Place::OrphanIn(metadata.namespace().map(Into::into)), Place::Orphan],
            };
            places.into_iter()
        });
        Self { store: store.clone(), places }
    }

    /// Returns the dependents that the object with the UID `uid` controls, in no particular order.
    pub fn controlled_by(&self, uid: &str) -> Vec<Arc<T>> {
        self.places.get(&Place::ControlledBy(uid.into()))
    }

    /// Returns the dependents that the object with the UID `uid` controls and whose newest state cannot be decoded.
    ///
    /// A controller that counts its dependents counts these, too. If the store also has an earlier state of one,
    /// [`controlled_by`](Self::controlled_by) returns that state.
    pub fn undecodable(&self, uid: &str) -> Vec<Arc<Undecodable>> {
        self.places.undecodable(&Place::ControlledBy(uid.into()))
    }

    /// Returns the objects of `namespace` without a controller, in no particular order.
    pub fn orphans_in(&self, namespace: &str) -> Vec<Arc<T>> {
        self.places.get(&Place::OrphanIn(Some(namespace.into())))
    }

    /// Returns the objects to pass to [`Claims::claim`](crate::Claims::claim): the owner's dependents and the
    /// orphans that it may adopt. A cluster-scoped owner may adopt in every namespace.
    pub fn candidates<O: Object>(&self, owner: &O) -> Vec<Arc<T>> {
        let owner = owner.metadata();
        let mut objects = self.controlled_by(owner.uid());
        objects.extend(self.orphans(owner.namespace()));
        objects
    }

    /// Returns the dependents that the object with the UID `uid` controls, and whether their labels are equal.
    pub(crate) fn controlled(&self, uid: &str) -> Controlled<T> {
        let now = self.store.snapshot(); // both lookups see one moment
        let objects: Vec<_> = now.indexed(&self.places, &Place::ControlledBy(uid.into())).cloned().collect();
        let have_equal_labels = objects.first().is_some_and(|first| {
            let alike = Place::Labelled(uid.into(), first.metadata().labels());
            now.indexed(&self.places, &alike).count() == objects.len()
        });
        Controlled { objects, have_equal_labels }
    }

    /// Returns the objects without a controller in a namespace, or in all.
    pub(crate) fn orphans(&self, namespace: Option<&str>) -> Vec<Arc<T>> {
        match namespace {
            Some(namespace) => self.orphans_in(namespace),
            None => self.places.get(&Place::Orphan),
        }
    }
}

impl<T> Clone for OwnerIndex<T> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), places: self.places.clone() }
    }
}

impl<T> fmt::Debug for OwnerIndex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnerIndex").field(&self.places).finish()
    }
}
