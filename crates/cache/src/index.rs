//! [`Index`]: a typed handle to find objects by what a function says of them; and, behind it, how a
//! store keeps indexes of any value type up to date.

use std::{borrow::Borrow, fmt, hash::Hash, marker::PhantomData, panic, sync::Arc};

use crate::{
    Metadata, Object, ObjectKey, Store,
    contents::{Contents, Entry},
    few::Few,
    postings::{AnyPostings, IndexPostings, Postings},
    slots::Slots,
};

/// So many objects are read under the store's lock, in some microseconds; more, from a snapshot.
const LOCKED: usize = 256;

/// Finds objects of a [`Store`] by the values that the index's function gives for them.
///
/// Made by [`Store::add_index`]. The handle knows the value type, so a lookup in a wrong index or
/// with a wrong type does not compile. Each lookup sees the store at one moment: an object is always
/// found under the values of the state that the lookup returns.
pub struct Index<T, V> {
    store: Store<T>,
    /// Which of the store's indexes this is.
    number: usize,
    name: Arc<str>,
    values: PhantomData<fn() -> V>,
}

impl<T: Object, V: Hash + Eq + Clone + Send + Sync + 'static> Index<T, V> {
    pub(crate) fn new(store: Store<T>, number: usize, name: Arc<str>) -> Self {
        Self { store, number, name, values: PhantomData }
    }

    /// The name that the index was given, for logs; two indexes may share one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The objects for which the function gave `value`, in no particular order.
    pub fn get<Q>(&self, value: &Q) -> Vec<Arc<T>>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.collect(value, |entry| entry.object.clone())
    }

    /// The keys of those objects, in no particular order.
    pub fn keys<Q>(&self, value: &Q) -> Vec<ObjectKey>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.collect(value, |entry| entry.key.clone())
    }

    /// How many objects the function gave `value` for.
    pub fn count<Q>(&self, value: &Q) -> usize
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let contents = self.store.read();
        self.slots(&contents, value).map_or(0, Slots::len)
    }

    /// Every value that some object in the store has, each once, in no particular order.
    pub fn values(&self) -> Vec<V> {
        let contents = self.store.contents();
        self.postings(&contents).into_iter().flat_map(Postings::values).cloned().collect()
    }

    pub(crate) fn is_of(&self, store: &Store<T>) -> bool {
        Arc::ptr_eq(&self.store.shared, &store.shared)
    }

    /// `None` in contents from before the index was added.
    pub(crate) fn postings<'a>(&self, contents: &'a Contents<T>) -> Option<&'a Postings<V>> {
        let postings = contents.postings.get(self.number)?.of::<V>();
        Some(postings.expect("an index handle is made with the postings of its own value type").by_value())
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
        let mut few = self.store.read();
        if few.version.is_none() {
            drop(few);
            self.store.report_unfilled();
            few = self.store.read();
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
        Self { store: self.store.clone(), number: self.number, name: self.name.clone(), values: PhantomData }
    }
}

impl<T, V> fmt::Debug for Index<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The UID of the owner that manages `object`, to index dependents by their controller.
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

/// An index function, its value type erased; and what it gave for the object that is being written. A write takes
/// the steps below in turn, each for all indexes: what the processor waits for in one of them it fetches together.
pub(crate) trait Indexer<T>: Send + Sync {
    fn name(&self) -> &Arc<str>;

    /// The postings of a whole store.
    fn build(&self, entries: &mut dyn Iterator<Item = (u32, &Entry<T>)>) -> Box<dyn AnyPostings>;

    /// First, asks the function of the object that is to take a slot; of none, if nothing is there any more.
    fn ask(&mut self, new: Option<&T>);

    /// Second, finds out whether what it gave differs from what the slot has. Without a slot the object is in
    /// none yet.
    fn compare(&mut self, postings: &dyn AnyPostings, slot: Option<u32>);

    /// Third, gives the slot those values, if they differ; usually they do not.
    fn settle(&mut self, postings: &mut dyn AnyPostings, slot: u32);
}

pub(crate) struct TypedIndexer<T, V, F> {
    name: Arc<str>,
    function: F,
    /// What the function gave,
    given: Few<V>,
    /// which is not what the slot has.
    differs: bool,
    types: PhantomData<fn(&T)>,
}

impl<T, V, F, I> TypedIndexer<T, V, F>
where
    T: Object,
    F: Fn(&T) -> I,
    I: IntoIterator<Item = V>,
    V: PartialEq,
{
    pub(crate) fn new(name: Arc<str>, function: F) -> Self {
        Self { name, function, given: Few::None, differs: false, types: PhantomData }
    }

    /// The object's values, each once. A function that panics gave none: the object stays in the
    /// store, is missing from this index, and the log names both.
    fn values(&self, object: &T) -> Few<V> {
        let call = panic::AssertUnwindSafe(|| (self.function)(object).into_iter().collect());
        panic::catch_unwind(call).unwrap_or_else(|_| {
            tracing::error!(index = &*self.name, key = %object.key(), "index function panicked");
            Few::None
        })
    }
}

impl<T, V, F, I> Indexer<T> for TypedIndexer<T, V, F>
where
    T: Object,
    F: Fn(&T) -> I + Send + Sync,
    I: IntoIterator<Item = V>,
    V: Hash + Eq + Send + Sync + 'static,
{
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn build(&self, entries: &mut dyn Iterator<Item = (u32, &Entry<T>)>) -> Box<dyn AnyPostings> {
        let mut postings = IndexPostings::<V>::new();
        for (slot, entry) in entries {
            postings.set(slot, self.values(&entry.object));
        }
        Box::new(postings)
    }

    fn ask(&mut self, new: Option<&T>) {
        self.given = new.map_or(Few::None, |new| self.values(new));
    }

    fn compare(&mut self, postings: &dyn AnyPostings, slot: Option<u32>) {
        let postings = postings.of::<V>().expect("an indexer is asked about postings of its own");
        self.differs = match slot {
            Some(slot) => !postings.has(slot, &self.given),
            None => self.given != Few::None,
        };
    }

    fn settle(&mut self, postings: &mut dyn AnyPostings, slot: u32) {
        let given = std::mem::take(&mut self.given);
        if self.differs {
            let postings = postings.of_mut::<V>().expect("an indexer settles postings of its own");
            postings.set(slot, given);
        }
    }
}
