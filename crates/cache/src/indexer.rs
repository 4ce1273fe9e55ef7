//! [`Indexer`]: an index function with its value type erased, and the steps by which a write updates an index.

use std::{hash::Hash, marker::PhantomData, panic, sync::Arc};

use crate::{Object, contents::Contents, few::Few, postings::Postings};

/// An index function with its value type erased, and its values for the object that is being written.
///
/// A write takes the three steps below in turn, each step for all indexes, so that the processor fetches the memory of
/// all indexes at once.
pub(crate) trait Indexer<T>: Send + Sync {
    fn name(&self) -> &Arc<str>;

    /// Computes the postings of a whole store, and adds them behind those that it has.
    fn build(&self, contents: &mut Contents<T>);

    /// Step 1: calls the function with the object that will take a slot; `None` if the slot will be empty.
    fn evaluate(&mut self, new: Option<&T>);

    /// Step 2: compares the values with those of the slot; `None` if the object has no slot yet. This is the `index`-th
    /// index.
    fn compare(&mut self, contents: &Contents<T>, index: usize, slot: Option<u32>);

    /// Step 3: stores the values for the slot if they differ; usually they do not.
    fn store(&mut self, contents: &mut Contents<T>, index: usize, slot: u32);
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

    fn build(&self, contents: &mut Contents<T>) {
        let mut postings = Postings::<V>::new();
        let index = contents.postings.len();
        let slots: Vec<u32> = contents.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            let numbers = postings.replace(&[], slot, self.values(&contents.entry(slot).object));
            contents.set_numbers(slot, index, numbers.as_slice());
        }
        contents.postings.push(Box::new(postings));
    }

    fn evaluate(&mut self, new: Option<&T>) {
        self.given = new.map_or(Few::None, |new| self.values(new));
    }

    fn compare(&mut self, contents: &Contents<T>, index: usize, slot: Option<u32>) {
        self.differs = match slot {
            Some(slot) => {
                let postings = contents.postings[index].of::<V>();
                let postings = postings.expect("an indexer compares its own postings");
                !postings.are(contents.entry(slot).numbers.get(index), &self.given)
            }
            None => self.given != Few::None,
        };
    }

    fn store(&mut self, contents: &mut Contents<T>, index: usize, slot: u32) {
        let given = std::mem::take(&mut self.given);
        if self.differs
            && let Some((postings, numbers)) = contents.indexed(index, slot)
        {
            let postings = postings.of_mut::<V>().expect("an indexer writes its own postings");
            let new = postings.replace(numbers.get(index), slot, given);
            numbers.set(index, new.as_slice());
        }
    }
}
