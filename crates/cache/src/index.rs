//! [`Index`]: a typed handle that finds objects by the values of an index function.

use std::{borrow::Borrow, collections::BTreeSet, fmt, hash::Hash, panic, sync::Arc};

use crate::{
    Metadata, Object, ObjectKey, Undecodable,
    contents::{Contents, Entry},
    few::Few,
    postings::Postings,
    shared::Shared,
    slots::Slots,
};

/// Maximum number of objects that are read under the store's lock, in some microseconds. More are read from a snapshot.
const LOCKED: usize = 256;

/// An index function that needs only an object's metadata.
pub(crate) type MetadataFunction<V> = Arc<dyn Fn(&dyn Metadata) -> Few<V> + Send + Sync>;

/// Finds objects of a [`Store`](crate::Store) by the values of an index function.
///
/// Created by [`Store::add_index`](crate::Store::add_index). The handle knows the value type, so that a lookup in a
/// wrong index or with a wrong type does not compile. Each lookup sees the store at one moment: the returned state of
/// an object has the value.
pub struct Index<T, V> {
    shared: Arc<Shared<T>>,
    /// The position of the index in the store.
    number: usize,
    name: Arc<str>,
    /// `None` if the function needs the whole object.
    of_metadata: Option<MetadataFunction<V>>,
}

impl<T: Object, V: Hash + Eq + Clone + Send + Sync + 'static> Index<T, V> {
    pub(crate) fn new(
        shared: Arc<Shared<T>>,
        number: usize,
        name: Arc<str>,
        of_metadata: Option<MetadataFunction<V>>,
    ) -> Self {
        Self { shared, number, name, of_metadata }
    }

    /// Returns the name of the index, for logs; two indexes may have the same name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the objects with this value, in no particular order.
    pub fn get<Q>(&self, value: &Q) -> Vec<Arc<T>>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.collect(value, |entry| entry.object.clone())
    }

    /// Returns the keys of the objects with this value, in no particular order; with those of
    /// [`undecodable`](Self::undecodable) objects.
    pub fn keys<Q>(&self, value: &Q) -> Vec<ObjectKey>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let contents = self.shared.read_all();
        let slots = self.slots(&contents, value).into_iter().flat_map(Slots::iter);
        let decoded = slots.map(|slot| contents.entry(slot).key.clone());
        let undecodable: Vec<_> = self.undecodable_of(&contents, value).collect();
        if undecodable.is_empty() {
            return decoded.collect();
        }
        let keys: BTreeSet<_> = decoded.chain(undecodable.into_iter().map(|one| one.key().clone())).collect();
        keys.into_iter().collect()
    }

    /// Returns the number of objects with this value, [`undecodable`](Self::undecodable) objects included.
    pub fn count<Q>(&self, value: &Q) -> usize
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let contents = self.shared.read();
        if contents.undecodable.is_empty() || self.of_metadata.is_none() {
            return self.slots(&contents, value).map_or(0, Slots::len);
        }
        drop(contents);
        self.keys(value).len()
    }

    /// Returns the objects with this value whose last known state could not be decoded, by key.
    ///
    /// Their metadata has the value now. If the store also has an earlier state of such an object, [`get`](Self::get)
    /// returns it under the values of that state. An index that needs whole objects does not know them: only
    /// [`add_metadata_index`](crate::Store::add_metadata_index) and
    /// [`add_label_index`](crate::Store::add_label_index) do.
    ///
    /// All undecodable objects of the store are looked at; usually there are none.
    pub fn undecodable<Q>(&self, value: &Q) -> Vec<Arc<Undecodable>>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.undecodable_of(&self.shared.contents(), value).cloned().collect()
    }

    /// Returns the values that objects of the store have, each once, in no particular order. Values that only
    /// undecodable objects have are not among them.
    pub fn values(&self) -> Vec<V> {
        let contents = self.shared.contents();
        self.postings(&contents).into_iter().flat_map(Postings::values).cloned().collect()
    }

    pub(crate) fn is_of(&self, shared: &Arc<Shared<T>>) -> bool {
        Arc::ptr_eq(&self.shared, shared)
    }

    /// `None` in contents from before the index was added.
    pub(crate) fn postings<'a>(&self, contents: &'a Contents<T>) -> Option<&'a Postings<V>> {
        let postings = contents.postings.get(self.number)?.of::<V>();
        Some(postings.expect("an index handle is made with the postings of its own value type").by_value())
    }

    pub(crate) fn undecodable_of<'a, Q>(
        &'a self,
        contents: &'a Contents<T>,
        value: &'a Q,
    ) -> impl Iterator<Item = &'a Arc<Undecodable>>
    where
        V: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let function = self.of_metadata.as_ref();
        contents.undecodable.values().filter(move |one| {
            let values = || function.map(|function| function(one.metadata()));
            // The function is the user's: where it panics, the object has no values.
            let values = panic::catch_unwind(panic::AssertUnwindSafe(values)).unwrap_or_else(|_| {
                tracing::error!(index = &*self.name, key = %one.key(), "index function panicked");
                None
            });
            values.is_some_and(|values| values.as_slice().iter().any(|one| one.borrow() == value))
        })
    }

    fn slots<'a, Q>(&self, contents: &'a Contents<T>, value: &Q) -> Option<&'a Slots>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.postings(contents)?.get(value)
    }

    fn collect<Q, R>(&self, value: &Q, pick: impl Fn(&Entry<T>) -> R) -> Vec<R>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let mut few = self.shared.read();
        if few.version.is_none() {
            drop(few);
            self.shared.report_unfilled();
            few = self.shared.read();
        }
        let many;
        let mut contents: &Contents<T> = &few;
        let found = self.slots(contents, value).map_or(0, Slots::len);
        if found > LOCKED {
            many = Arc::clone(&few);
            drop(few);
            contents = &many;
        }
        let slots = self.slots(contents, value);
        let mut picked = Vec::with_capacity(found);
        picked.extend(slots.into_iter().flat_map(Slots::iter).map(|slot| pick(contents.entry(slot))));
        picked
    }
}

impl<T, V> Clone for Index<T, V> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            number: self.number,
            name: self.name.clone(),
            of_metadata: self.of_metadata.clone(),
        }
    }
}

impl<T, V> fmt::Debug for Index<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Returns the UID of the object's controller, as an index function: indexes dependents by their controller.
///
/// ```
/// # use k8s_openapi::api::core::v1::Pod;
/// # use trimtab_cache::{StoreWriter, controller_uid};
/// # let store = StoreWriter::<Pod>::new().store().clone();
/// let pods_by_owner = store.add_index("owner", controller_uid);
/// assert!(pods_by_owner.get("29b6cd2f-3c24-4a8f-a1a1-2b2b4f0c3a55").is_empty());
/// ```
pub fn controller_uid<T: Object>(object: &T) -> Option<String> {
    object.metadata().controller().map(|owner| owner.uid.clone())
}
