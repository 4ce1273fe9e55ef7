//! [`Indexer`]: an index function with its value type erased, and the steps by which a write updates an index.

use std::{hash::Hash, marker::PhantomData, panic, sync::Arc};

use crate::{
    Object,
    contents::Entry,
    few::Few,
    postings::{AnyPostings, IndexPostings},
};

/// An index function with its value type erased, and its values for the object that is being written.
///
/// A write takes the three steps below in turn, each step for all indexes, so that the processor fetches the memory of
/// all indexes at once.
pub(crate) trait Indexer<T>: Send + Sync {
    fn name(&self) -> &Arc<str>;

    /// Computes the postings of a whole store.
    fn build(&self, entries: &mut dyn Iterator<Item = (u32, &Entry<T>)>) -> Box<dyn AnyPostings>;

    /// Step 1: calls the function with the object that will take a slot; `None` if the slot will be empty.
    fn evaluate(&mut self, new: Option<&T>);

    /// Step 2: compares the values with those of the slot; `None` if the object has no slot yet.
    fn compare(&mut self, postings: &dyn AnyPostings, slot: Option<u32>);

    /// Step 3: stores the values for the slot if they differ; usually they do not.
    fn store(&mut self, postings: &mut dyn AnyPostings, slot: u32);
}

/// An [`Indexer`] of a known value type.
pub(crate) struct TypedIndexer<T, V, F> {
    name: Arc<str>,
    function: F,
    /// The values of the object that is being written.
    given: Few<V>,
    /// Whether they differ from those of the slot.
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

    /// Returns the object's values, each once; none if the function panics. The object then stays in the store, is
    /// missing from this index, and the log names both.
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

    fn evaluate(&mut self, new: Option<&T>) {
        self.given = new.map_or(Few::None, |new| self.values(new));
    }

    fn compare(&mut self, postings: &dyn AnyPostings, slot: Option<u32>) {
        let postings = postings.of::<V>().expect("an indexer compares its own postings");
        self.differs = match slot {
            Some(slot) => !postings.has(slot, &self.given),
            None => self.given != Few::None,
        };
    }

    fn store(&mut self, postings: &mut dyn AnyPostings, slot: u32) {
        let given = std::mem::take(&mut self.given);
        if self.differs {
            let postings = postings.of_mut::<V>().expect("an indexer writes its own postings");
            postings.set(slot, given);
        }
    }
}
