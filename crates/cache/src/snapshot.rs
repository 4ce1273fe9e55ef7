//! [`Snapshot`]: a store at one moment.

use std::{borrow::Borrow, fmt, hash::Hash, sync::Arc};

use crate::{
    Object, ObjectKey, Selector, Undecodable,
    contents::{Contents, Entry},
    index::Index,
    shared::Shared,
    slots::Slots,
};

/// The objects and indexes of a [`Store`](crate::Store) at one moment. It does not change when the store does.
///
/// Taking and cloning a snapshot costs a reference count, whatever the number of objects. Reading needs no lock and
/// clones nothing. While a snapshot is held, the writer copies the parts that it changes, each once: some hundred
/// objects, in some microseconds. Objects that have left the store stay in memory until the snapshot is dropped.
///
/// ```
/// # use k8s_openapi::api::core::v1::Pod;
/// # use trimtab_cache::{Metadata, Object, StoreWriter, controller_uid};
/// # let store = StoreWriter::<Pod>::new().store().clone();
/// let by_owner = store.add_index("owner", controller_uid);
/// let snapshot = store.snapshot();
/// let deleted = snapshot.iter().filter(|pod| pod.metadata().is_being_deleted()).count();
/// let owned = snapshot.indexed(&by_owner, "29b6cd2f-3c24-4a8f-a1a1-2b2b4f0c3a55").count();
/// # assert_eq!((deleted, owned), (0, 0));
/// ```
pub struct Snapshot<T> {
    /// The store that the snapshot is of.
    shared: Arc<Shared<T>>,
    contents: Arc<Contents<T>>,
}

impl<T: Object> Snapshot<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>) -> Self {
        Self { contents: shared.read_all(), shared }
    }

    /// Returns the object with this key.
    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<T>> {
        self.contents.get(key)
    }

    /// Returns whether there is an object with this key.
    pub fn contains(&self, key: &ObjectKey) -> bool {
        self.contents.slot(key).is_some()
    }

    /// Returns all objects, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.contents.iter().map(|(_, entry)| &entry.object)
    }

    /// Returns the keys of all objects, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.contents.iter().map(|(_, entry)| &entry.key)
    }

    /// Returns all objects of a namespace, in no particular order; all objects if `namespace` is empty.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Arc<T>> {
        self.contents.in_namespace(Some(namespace)).map(object)
    }

    /// Returns the objects that `selector` matches, of one namespace or of all, in no particular order.
    pub fn select<'a>(
        &'a self,
        namespace: Option<&str>,
        selector: &'a Selector,
    ) -> impl Iterator<Item = &'a Arc<T>> {
        self.contents.select(namespace, selector).map(object)
    }

    /// Returns the objects with this value in `index`, in no particular order. None, if the index was added after the
    /// snapshot was taken.
    ///
    /// # Panics
    ///
    /// If the index belongs to another store.
    pub fn indexed<V, Q>(&self, index: &Index<T, V>, value: &Q) -> impl Iterator<Item = &Arc<T>>
    where
        V: Borrow<Q> + Hash + Eq + Clone + Send + Sync + 'static,
        Q: Hash + Eq + ?Sized,
    {
        self.check(index);
        let slots = index.postings(&self.contents).and_then(|postings| postings.get(value));
        slots.into_iter().flat_map(Slots::iter).map(|slot| &self.contents.entry(slot).object)
    }

    /// Returns the objects whose state at that moment could not be decoded, by key: see
    /// [`Store::undecodable`](crate::Store::undecodable).
    pub fn undecodable(&self) -> impl ExactSizeIterator<Item = &Arc<Undecodable>> {
        self.contents.undecodable.values()
    }

    /// Returns the undecodable objects with this value in `index`, by key: see [`Index::undecodable`].
    ///
    /// # Panics
    ///
    /// If the index belongs to another store.
    pub fn indexed_undecodable<'a, V, Q>(
        &'a self,
        index: &'a Index<T, V>,
        value: &'a Q,
    ) -> impl Iterator<Item = &'a Arc<Undecodable>>
    where
        V: Borrow<Q> + Hash + Eq + Clone + Send + Sync + 'static,
        Q: Hash + Eq + ?Sized,
    {
        self.check(index);
        index.undecodable_of(&self.contents, value)
    }

    fn check<V: Hash + Eq + Clone + Send + Sync + 'static>(&self, index: &Index<T, V>) {
        assert!(index.is_of(&self.shared), "the index {:?} belongs to another store", index.name());
    }

    /// Returns the number of objects.
    pub fn len(&self) -> usize {
        self.contents.len()
    }

    /// Returns whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the store's resource version at that moment.
    pub fn resource_version(&self) -> Option<&str> {
        self.contents.version.as_deref()
    }
}

fn object<T>(entry: &Entry<T>) -> &Arc<T> {
    &entry.object
}

impl<T> Clone for Snapshot<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), contents: self.contents.clone() }
    }
}

impl<T> fmt::Debug for Snapshot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("objects", &self.contents.len())
            .field("resource_version", &self.contents.version)
            .finish_non_exhaustive()
    }
}
