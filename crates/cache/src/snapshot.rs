//! [`Snapshot`]: a store at one moment, for as long as it is held.

use std::{borrow::Borrow, fmt, hash::Hash, sync::Arc};

use crate::{
    Index, Object, ObjectKey, Selector, Store,
    contents::{Contents, Entry},
    slots::Slots,
};

/// What a [`Store`] held at one moment, with all its indexes. Stays as it is while the store goes on.
///
/// Taking one and cloning it costs a reference count, however many objects there are. What it reads needs
/// no lock and clones nothing. While it is held, the writer copies what it changes, in pieces of some
/// hundred objects, each once: some microseconds. What has left the store stays in memory until then.
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
    /// Of which store.
    store: Store<T>,
    contents: Arc<Contents<T>>,
}

impl<T: Object> Snapshot<T> {
    pub(crate) fn new(store: Store<T>, contents: Arc<Contents<T>>) -> Self {
        Self { store, contents }
    }

    /// The object of that key, if there was one.
    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<T>> {
        self.contents.get(key)
    }

    /// Whether there was an object of that key.
    pub fn contains(&self, key: &ObjectKey) -> bool {
        self.contents.slot(key).is_some()
    }

    /// All objects, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.contents.iter().map(|(_, entry)| &entry.object)
    }

    /// The keys of all objects, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.contents.iter().map(|(_, entry)| &entry.key)
    }

    /// All objects of a namespace, in no particular order; all objects if `namespace` is empty.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Arc<T>> {
        self.contents.in_namespace(Some(namespace)).map(object)
    }

    /// The objects that `selector` matches, of one namespace or of all, in no particular order.
    pub fn select<'a>(
        &'a self,
        namespace: Option<&str>,
        selector: &'a Selector,
    ) -> impl Iterator<Item = &'a Arc<T>> {
        self.contents.select(namespace, selector).map(object)
    }

    /// The objects for which the function of `index` gave `value`, in no particular order. None, if the
    /// index was added after the snapshot was taken.
    ///
    /// # Panics
    ///
    /// If the index is of another store.
    pub fn indexed<V, Q>(&self, index: &Index<T, V>, value: &Q) -> impl Iterator<Item = &Arc<T>>
    where
        V: Borrow<Q> + Hash + Eq + Clone + Send + Sync + 'static,
        Q: Hash + Eq + ?Sized,
    {
        assert!(index.is_of(&self.store), "the index {:?} is of another store", index.name());
        let slots = index.postings(&self.contents).and_then(|postings| postings.get(value));
        slots.into_iter().flat_map(Slots::iter).map(|slot| &self.contents.entry(slot).object)
    }

    /// How many objects there were.
    pub fn len(&self) -> usize {
        self.contents.len()
    }

    /// Whether there was no object.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The store's resource version at that moment.
    pub fn resource_version(&self) -> Option<&str> {
        self.contents.version.as_deref()
    }
}

fn object<T>(entry: &Entry<T>) -> &Arc<T> {
    &entry.object
}

impl<T> Clone for Snapshot<T> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), contents: self.contents.clone() }
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
