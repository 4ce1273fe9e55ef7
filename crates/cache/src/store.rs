//! [`Store`]: the reading side of a cache.

use std::{fmt, hash::Hash, sync::Arc};

use crate::{
    Metadata, Object, ObjectKey, ResourceVersion, Selector, Undecodable,
    contents::{Entry, LabelIndex, LabelValue},
    few::Few,
    index::{Index, MetadataFunction},
    indexer::TypedIndexer,
    shared::Shared,
    snapshot::Snapshot,
};

/// The objects of one kind in their last known state, by key, namespace, label and index.
///
/// A handle: clones read the same objects. Only the owner of the [`StoreWriter`] writes, usually an informer. Every
/// call sees the store at one moment, at which all indexes agree with the objects; for several calls at one moment take
/// a [`snapshot`](Self::snapshot). Objects are shared and never change in place.
///
/// A call that may read many objects reads a snapshot by itself, so a reader delays the writer by no more than the
/// lookup of a few objects.
///
/// [`StoreWriter`]: crate::StoreWriter
pub struct Store<T> {
    pub(crate) shared: Arc<Shared<T>>,
}

impl<T: Object> Store<T> {
    pub(crate) fn new() -> Self {
        Self { shared: Arc::new(Shared::new()) }
    }

    /// Returns the object with this key.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<T>> {
        let contents = self.shared.read();
        let object = contents.get(key).cloned();
        let is_unfilled = object.is_none() && contents.version.is_none(); // checked on a miss only
        drop(contents);
        if is_unfilled {
            self.shared.report_unfilled();
        }
        object
    }

    /// Returns whether there is an object with this key.
    pub fn contains(&self, key: &ObjectKey) -> bool {
        self.get(key).is_some()
    }

    /// Returns the present state of the store, to be read without locks. [`Snapshot`] describes the cost.
    pub fn snapshot(&self) -> Snapshot<T> {
        Snapshot::new(self.shared.clone())
    }

    /// Returns all objects, in no particular order.
    pub fn list(&self) -> Vec<Arc<T>> {
        collect(self.shared.read_all().in_namespace(None), object)
    }

    /// Returns all objects of a namespace, in no particular order; all objects if `namespace` is empty.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<T>> {
        collect(self.shared.read_all().in_namespace(Some(namespace)), object)
    }

    /// Returns the objects that `selector` matches, of one namespace or of all, in no particular order.
    ///
    /// Looks at all objects, or at those of the namespace, unless the selector requires a value of a label that has an
    /// [index](Self::add_label_index).
    pub fn select(&self, namespace: Option<&str>, selector: &Selector) -> Vec<Arc<T>> {
        collect(self.shared.read_all().select(namespace, selector), object)
    }

    /// Returns the keys of all objects, in no particular order.
    pub fn keys(&self) -> Vec<ObjectKey> {
        collect(self.shared.read_all().in_namespace(None), |entry| entry.key.clone())
    }

    /// Returns the number of objects.
    pub fn len(&self) -> usize {
        self.shared.read().len()
    }

    /// Returns whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the objects whose last known state could not be decoded, by key.
    ///
    /// The store has their metadata. It may also have an earlier state of such an object, which [`get`](Self::get)
    /// returns; if not, the other methods of the store do not know the object. A controller that counts objects counts
    /// these as well: see [`add_metadata_index`](Self::add_metadata_index).
    pub fn undecodable(&self) -> Vec<Arc<Undecodable>> {
        self.shared.read().undecodable.values().cloned().collect()
    }

    /// Returns the metadata of the object with this key, if its last known state could not be decoded.
    pub fn get_undecodable(&self, key: &ObjectKey) -> Option<Arc<Undecodable>> {
        self.shared.read().undecodable.get(key).cloned()
    }

    /// Returns the newest resource version that the store is known to hold, as the server wrote it.
    ///
    /// `None` before the first write. Bookmarks move it as well, when no object changes. Parse it to a
    /// [`ResourceVersion`] to compare it.
    pub fn resource_version(&self) -> Option<String> {
        self.shared.read().version.clone()
    }

    /// Indexes all objects, present and future, by the values that `function` returns.
    ///
    /// An object may have no value, one, or several: `function` returns an [`Option`], an array, a `Vec` or any other
    /// collection. It must return the same values for the same object each time, and may read this store, but not add
    /// an index. If it panics, the object is missing from this index, and the log names both. `name` is for that log.
    pub fn add_index<V, I, F>(&self, name: &str, function: F) -> Index<T, V>
    where
        F: Fn(&T) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = V> + 'static,
        V: Hash + Eq + Clone + Send + Sync + 'static,
    {
        self.add_indexer(name, function, None, None)
    }

    /// Indexes all objects by values of their metadata alone, those that cannot be decoded included.
    ///
    /// Otherwise the same as [`add_index`](Self::add_index). [`Index::undecodable`] returns the undecodable objects of
    /// a value, and [`Index::keys`] and [`Index::count`] include them.
    ///
    /// ```
    /// # use k8s_openapi::api::core::v1::Pod;
    /// # use trimtab_cache::StoreWriter;
    /// # let store = StoreWriter::<Pod>::new().store().clone();
    /// let by_owner = store.add_metadata_index("owner", |metadata| metadata.controller().map(|one| one.uid.clone()));
    /// assert_eq!(by_owner.count("29b6cd2f-3c24-4a8f-a1a1-2b2b4f0c3a55"), 0);
    /// ```
    pub fn add_metadata_index<V, I, F>(&self, name: &str, function: F) -> Index<T, V>
    where
        F: Fn(&dyn Metadata) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = V>,
        V: Hash + Eq + Clone + Send + Sync + 'static,
    {
        let of_metadata = metadata_function(function);
        let of_object = of_metadata.clone();
        self.add_indexer(name, move |object: &T| of_object(object.metadata()), Some(of_metadata), None)
    }

    /// Indexes all objects by the value of a label. From then on a selector that requires a value of it, such as
    /// `app=web` or `app in (web,shop)`, looks only at the objects with that value.
    ///
    /// A label has one index: a second call returns a handle of the first. It is an index of
    /// [metadata](Self::add_metadata_index).
    pub fn add_label_index(&self, label: &str) -> Index<T, Arc<str>> {
        let key: Arc<str> = label.into();
        let of_metadata = {
            let key = key.clone();
            metadata_function(move |metadata: &dyn Metadata| metadata.label(&key).map(LabelValue::from))
        };
        let indexed = self.shared.read().label_indexes.iter().find(|one| one.label == key).cloned();
        if let Some(LabelIndex { label, number }) = indexed {
            return Index::new(self.shared.clone(), number, label, Some(of_metadata));
        }
        let of_object = {
            let key = key.clone();
            move |object: &T| object.metadata().label(&key).map(LabelValue::from)
        };
        self.add_indexer(label, of_object, Some(of_metadata), Some(key))
    }

    fn add_indexer<V, I, F>(
        &self,
        name: &str,
        function: F,
        of_metadata: Option<MetadataFunction<V>>,
        label: Option<Arc<str>>,
    ) -> Index<T, V>
    where
        F: Fn(&T) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = V> + 'static,
        V: Hash + Eq + Clone + Send + Sync + 'static,
    {
        let name: Arc<str> = name.into();
        let indexer = TypedIndexer::new(name.clone(), function);
        let mut indexers = self.shared.indexers.lock();
        // Objects cannot change while `indexers` is locked, so no write happens between this reading and the writing
        // below. No lock that readers take is held while the function runs.
        let postings = crate::indexer::Indexer::build(&indexer, &mut self.shared.contents().iter());
        let number = indexers.len();
        {
            let mut contents = self.shared.contents.write();
            let contents = Arc::make_mut(&mut contents);
            contents.postings.push(postings);
            contents.label_indexes.extend(label.map(|label| LabelIndex { label, number }));
        }
        indexers.push(Box::new(indexer));
        Index::new(self.shared.clone(), number, name, of_metadata)
    }

    /// Returns the names of the indexes, in the order in which they were added.
    pub fn index_names(&self) -> Vec<String> {
        self.shared.indexers.lock().iter().map(|indexer| indexer.name().to_string()).collect()
    }

    /// Waits until `condition` holds for this store. It is called now and after every write.
    ///
    /// One call may stand for several writes. `condition` must not wait itself.
    ///
    /// # Cancel safety
    ///
    /// Waiting changes nothing.
    pub async fn wait_for(&self, mut condition: impl FnMut(&Self) -> bool) {
        loop {
            // Enlisted before the check, so that a write after the check wakes this task. The other way round the
            // write would be missed: see the test `no_write_is_missed_by_whoever_waits_for_it`.
            let written = self.shared.written.notified();
            if condition(self) {
                return;
            }
            written.await;
        }
    }

    /// Waits until the store holds the server's state at `version` or a newer one, for instance the caller's own write.
    ///
    /// A store whose version cannot be compared counts as new enough: see [`ResourceVersion`].
    ///
    /// # Cancel safety
    ///
    /// Waiting changes nothing.
    pub async fn wait_until_at_least(&self, version: ResourceVersion) {
        let is_reached = |held: &str| held.parse().map_or(true, |held: ResourceVersion| held >= version);
        self.wait_for(|store| store.shared.read().version.as_deref().is_some_and(is_reached)).await;
    }
}

fn metadata_function<V: PartialEq, I: IntoIterator<Item = V>>(
    function: impl Fn(&dyn Metadata) -> I + Send + Sync + 'static,
) -> MetadataFunction<V> {
    Arc::new(move |metadata| function(metadata).into_iter().collect::<Few<V>>())
}

fn object<T>(entry: &Entry<T>) -> Arc<T> {
    entry.object.clone()
}

fn collect<'a, T: 'a, R>(
    entries: impl Iterator<Item = &'a Entry<T>>,
    pick: impl FnMut(&'a Entry<T>) -> R,
) -> Vec<R> {
    entries.map(pick).collect()
}

impl<T> Clone for Store<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contents = self.shared.contents();
        f.debug_struct("Store")
            .field("objects", &contents.len())
            .field("undecodable", &contents.undecodable.len())
            .field("resource_version", &contents.version)
            .field("indexes", &contents.postings.len())
            .finish()
    }
}
