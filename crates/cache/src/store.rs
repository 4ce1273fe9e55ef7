//! [`Store`]: the reading side of a cache.

use std::{fmt, hash::Hash, sync::Arc};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use crate::{
    Index, Object, ObjectKey, Selector,
    contents::{Contents, Entry},
    index::{Indexer, TypedIndexer},
};

/// The objects of one kind as the server last told them, by key, namespace, label and index.
///
/// A handle: clones read the same objects. Writing is for the owner of the [`StoreWriter`], usually
/// an informer. Every call sees one moment of the store, in which all indexes agree with the objects.
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
    pub(crate) contents: RwLock<Contents<T>>,
}

impl<T: Object> Store<T> {
    pub(crate) fn new() -> Self {
        let shared = Shared { indexers: Mutex::default(), contents: RwLock::new(Contents::new()) };
        Self { shared: Arc::new(shared) }
    }

    /// The object of that key, if there is one.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<T>> {
        self.read().get(key).cloned()
    }

    /// Whether there is an object of that key.
    pub fn contains(&self, key: &ObjectKey) -> bool {
        self.read().get(key).is_some()
    }

    /// All objects, in no particular order.
    pub fn list(&self) -> Vec<Arc<T>> {
        self.collect(None, |entry| Some(entry.object.clone()))
    }

    /// All objects of a namespace, in no particular order; all objects if `namespace` is empty.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<T>> {
        self.collect(Some(namespace), |entry| Some(entry.object.clone()))
    }

    /// The objects that `selector` matches, of one namespace or of all, in no particular order.
    pub fn select(&self, namespace: Option<&str>, selector: &Selector) -> Vec<Arc<T>> {
        if selector.is_nothing() {
            return Vec::new();
        }
        self.collect(namespace, |entry| {
            selector.matches_object(entry.object.metadata()).then(|| entry.object.clone())
        })
    }

    /// The keys of all objects, in no particular order.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.collect(None, |entry| Some(entry.key.clone()))
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
        let name: Arc<str> = name.into();
        let indexer = TypedIndexer::new(name.clone(), function);
        let mut indexers = self.shared.indexers.lock();
        let postings = {
            // Objects cannot change while `indexers` is locked, so nothing falls between this
            // reading and the next line's writing.
            let contents = self.shared.contents.read();
            indexer.build(&mut contents.iter())
        };
        self.shared.contents.write().postings.push(postings);
        indexers.push(Box::new(indexer));
        Index::new(self.clone(), indexers.len() - 1, name)
    }

    /// The names of the indexes, in the order in which they were added.
    pub fn index_names(&self) -> Vec<String> {
        self.shared.indexers.lock().iter().map(|indexer| indexer.name().to_string()).collect()
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Contents<T>> {
        self.shared.contents.read()
    }

    fn collect<R>(&self, namespace: Option<&str>, mut pick: impl FnMut(&Entry<T>) -> Option<R>) -> Vec<R> {
        let contents = self.read();
        let mut found = Vec::new();
        match namespace {
            None | Some("") => {
                found.reserve(contents.len());
                found.extend(contents.iter().filter_map(|(_, entry)| pick(entry)));
            }
            Some(namespace) => {
                if let Some(slots) = contents.namespace(namespace) {
                    slots.for_each(|slot| found.extend(pick(contents.entry(slot))));
                }
            }
        }
        found
    }
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
