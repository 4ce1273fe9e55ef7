//! [`Store`]: the reading side of a cache.

use std::{
    fmt,
    hash::Hash,
    sync::{Arc, OnceLock},
};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tokio::sync::Notify;

use crate::{
    Index, Metadata, Object, ObjectKey, ResourceVersion, Selector, Snapshot,
    contents::{Contents, Entry, LabelIndex, LabelValue},
    index::{Indexer, TypedIndexer},
};

/// The objects of one kind as the server last told them, by key, namespace, label and index.
///
/// A handle: clones read the same objects. Writing is for the owner of the [`StoreWriter`], usually
/// an informer. Every call sees one moment of the store, in which all indexes agree with the objects;
/// [`snapshot`](Self::snapshot) makes several calls see the same. Whoever reads much reads from a snapshot,
/// so no reader keeps the writer waiting for longer than it takes to look up a few objects.
/// Objects are shared and never change in place: what was read stays as it was.
///
/// [`StoreWriter`]: crate::StoreWriter
pub struct Store<T> {
    pub(crate) shared: Arc<Shared<T>>,
}

/// Lock order: `indexers`, then `contents`.
pub(crate) struct Shared<T> {
    /// Held through every write and every `add_index`, so that the functions run beside readers but
    /// not beside each other; `contents` is locked only to put their results in.
    pub(crate) indexers: Mutex<Vec<Box<dyn Indexer<T>>>>,
    pub(crate) contents: RwLock<Arc<Contents<T>>>,
    /// Told of every write.
    pub(crate) written: Notify,
    /// Called when the store is read before its first write.
    pub(crate) on_unfilled_read: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl<T: Object> Store<T> {
    pub(crate) fn new() -> Self {
        let contents = RwLock::new(Arc::new(Contents::new()));
        let (indexers, written, on_unfilled_read) = (Mutex::default(), Notify::new(), OnceLock::new());
        Self { shared: Arc::new(Shared { indexers, contents, written, on_unfilled_read }) }
    }

    /// The object of that key, if there is one.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<T>> {
        let contents = self.read();
        let object = contents.get(key).cloned();
        let is_unfilled = object.is_none() && contents.version.is_none(); // checked on a miss only
        drop(contents);
        if is_unfilled {
            self.report_unfilled();
        }
        object
    }

    /// Whether there is an object of that key.
    pub fn contains(&self, key: &ObjectKey) -> bool {
        self.get(key).is_some()
    }

    /// The store as it is now, to be read at leisure: [`Snapshot`] says what it costs.
    pub fn snapshot(&self) -> Snapshot<T> {
        Snapshot::new(self.clone(), self.read_all())
    }

    /// All objects, in no particular order.
    pub fn list(&self) -> Vec<Arc<T>> {
        collect(self.read_all().in_namespace(None), object)
    }

    /// All objects of a namespace, in no particular order; all objects if `namespace` is empty.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<T>> {
        collect(self.read_all().in_namespace(Some(namespace)), object)
    }

    /// The objects that `selector` matches, of one namespace or of all, in no particular order.
    ///
    /// All objects are looked at, or those of the namespace, unless the selector demands a value of a label
    /// that has an [index](Self::add_label_index).
    pub fn select(&self, namespace: Option<&str>, selector: &Selector) -> Vec<Arc<T>> {
        collect(self.read_all().select(namespace, selector), object)
    }

    /// The keys of all objects, in no particular order.
    pub fn keys(&self) -> Vec<ObjectKey> {
        collect(self.read_all().in_namespace(None), |entry| entry.key.clone())
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest resource version that the store is known to hold, as the server wrote it.
    ///
    /// `None` before the first write. It also moves on bookmarks, when nothing else changes.
    pub fn resource_version(&self) -> Option<String> {
        self.read().version.clone()
    }

    /// Indexes all objects, those present and those to come, by the values that `function` gives.
    ///
    /// An object may have no value, one, or several: `function` returns an [`Option`], an array, a
    /// `Vec` or any other collection. It must give the same values each time for the same object,
    /// and may read this store but not add an index. Should it panic, the object is missing from
    /// this index and the log names both; nothing else suffers. `name` is for that log.
    pub fn add_index<V, I, F>(&self, name: &str, function: F) -> Index<T, V>
    where
        F: Fn(&T) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = V> + 'static,
        V: Hash + Eq + Clone + Send + Sync + 'static,
    {
        self.add_indexer(name, function, None)
    }

    /// Indexes all objects by the value of a label. From then on selectors that demand a value of it,
    /// `app=web` or `app in (web,shop)`, look only at the objects that have it.
    ///
    /// Asked for again, the index of a label is the one that there is.
    pub fn add_label_index(&self, label: &str) -> Index<T, Arc<str>> {
        let indexed = self.read().label_indexes.iter().find(|one| *one.label == *label).cloned();
        if let Some(LabelIndex { label, number }) = indexed {
            return Index::new(self.clone(), number, label);
        }
        let key: Arc<str> = label.into();
        let value = {
            let key = key.clone();
            move |object: &T| object.metadata().label(&key).map(LabelValue::from)
        };
        self.add_indexer(label, value, Some(key))
    }

    fn add_indexer<V, I, F>(&self, name: &str, function: F, label: Option<Arc<str>>) -> Index<T, V>
    where
        F: Fn(&T) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = V> + 'static,
        V: Hash + Eq + Clone + Send + Sync + 'static,
    {
        let name: Arc<str> = name.into();
        let indexer = TypedIndexer::new(name.clone(), function);
        let mut indexers = self.shared.indexers.lock();
        // Objects cannot change while `indexers` is locked, so nothing falls between this reading and
        // the writing below. No lock that readers take is held while the function runs.
        let postings = indexer.build(&mut self.contents().iter());
        let number = indexers.len();
        {
            let mut contents = self.shared.contents.write();
            let contents = Arc::make_mut(&mut contents);
            contents.postings.push(postings);
            contents.label_indexes.extend(label.map(|label| LabelIndex { label, number }));
        }
        indexers.push(Box::new(indexer));
        Index::new(self.clone(), number, name)
    }

    /// The names of the indexes, in the order in which they were added.
    pub fn index_names(&self) -> Vec<String> {
        self.shared.indexers.lock().iter().map(|indexer| indexer.name().to_string()).collect()
    }

    /// Waits until `condition` is true of this store: it is asked now, and after every write.
    ///
    /// Writes are not counted: it may be asked once for several. It must not wait for anything itself.
    ///
    /// # Cancel safety
    ///
    /// Waiting changes nothing.
    pub async fn wait_for(&self, mut condition: impl FnMut(&Self) -> bool) {
        loop {
            // Enlisted before the question: a write that comes after the answer then wakes this. The other
            // way round it would be missed; held by `no_write_is_missed_by_whoever_waits_for_it`.
            let written = self.shared.written.notified();
            if condition(self) {
                return;
            }
            written.await;
        }
    }

    /// Waits until the store holds what the server had at `version`, or something newer: for instance
    /// one's own write.
    ///
    /// A store whose version cannot be compared counts as new enough: see [`ResourceVersion`].
    ///
    /// # Cancel safety
    ///
    /// Waiting changes nothing.
    pub async fn wait_until_at_least(&self, version: ResourceVersion) {
        let is_there = |held: &str| held.parse().map_or(true, |held: ResourceVersion| held >= version);
        self.wait_for(|store| store.read().version.as_deref().is_some_and(is_there)).await;
    }

    /// For a few objects at most: the writer waits as long as this is held.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Arc<Contents<T>>> {
        self.shared.contents.read()
    }

    /// The contents, for a call of the store's user.
    fn read_all(&self) -> Arc<Contents<T>> {
        let contents = self.contents();
        if contents.version.is_none() {
            self.report_unfilled();
        }
        contents
    }

    /// Reports a read before the first write; see `StoreWriter::on_unfilled_read`. Called without a lock.
    #[cold]
    pub(crate) fn report_unfilled(&self) {
        if let Some(report) = self.shared.on_unfilled_read.get() {
            report();
        }
    }

    /// To be read without the lock.
    pub(crate) fn contents(&self) -> Arc<Contents<T>> {
        self.read().clone()
    }
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
        let contents = self.shared.contents.read();
        f.debug_struct("Store")
            .field("objects", &contents.len())
            .field("resource_version", &contents.version)
            .field("indexes", &contents.postings.len())
            .finish()
    }
}
