//! [`Postings`]: which objects have which value of an index, as a plain value that copies share.

use std::{
    any::Any,
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use hashbrown::{DefaultHashBuilder, hash_table::Entry};

use crate::{shards::Shards, slots::Slots};

/// Parts of the table: a change after a snapshot copies one of them.
const PARTS: usize = 64;

/// Slots by value. No set in it is empty (ST-T5).
#[derive(Clone)]
pub(crate) struct Postings<V> {
    values: Shards<Arc<Posting<V>>>,
    hasher: DefaultHashBuilder,
}

#[derive(Clone)]
struct Posting<V> {
    value: V,
    slots: Slots,
}

impl<V: Hash + Eq + Clone> Postings<V> {
    pub(crate) fn new() -> Self {
        Self { values: Shards::new(PARTS), hasher: DefaultHashBuilder::default() }
    }

    pub(crate) fn get<Q>(&self, value: &Q) -> Option<&Slots>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let found = self.values.find(self.hasher.hash_one(value), |one| is(one, value))?;
        Some(&found.slots)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.values.iter().map(|posting| &posting.value)
    }

    pub(crate) fn enter<Q>(&mut self, value: &Q, slot: u32)
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ToOwned + ?Sized,
        Q::Owned: Into<V>,
    {
        let hasher = &self.hasher;
        let hash = hasher.hash_one(value);
        let at = self.values.part(hash).entry(
            hash,
            |one| is(one, value),
            |one| hasher.hash_one(Borrow::<Q>::borrow(&one.value)),
        );
        match at {
            Entry::Occupied(mut at) => Arc::make_mut(at.get_mut()).slots.insert(slot),
            Entry::Vacant(at) => {
                at.insert(Arc::new(Posting { value: value.to_owned().into(), slots: Slots::one(slot) }));
            }
        }
    }

    pub(crate) fn leave<Q>(&mut self, value: &Q, slot: u32)
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hasher.hash_one(value);
        let found = self.values.part(hash).find_entry(hash, |one| is(one, value));
        if let Ok(mut found) = found {
            let posting = Arc::make_mut(found.get_mut());
            posting.slots.remove(slot);
            if posting.slots.is_empty() {
                found.remove(); // or values that come and go would pile up (ST-T5)
            }
        }
    }
}

fn is<V: Borrow<Q>, Q: Eq + ?Sized>(posting: &Posting<V>, value: &Q) -> bool {
    posting.value.borrow() == value
}

/// [`Postings`] of a value type that only their index knows.
pub(crate) trait AnyPostings: Any + Send + Sync {
    fn boxed(&self) -> Box<dyn AnyPostings>;
}

impl<V: Hash + Eq + Clone + Send + Sync + 'static> AnyPostings for Postings<V> {
    fn boxed(&self) -> Box<dyn AnyPostings> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn AnyPostings> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

impl dyn AnyPostings {
    /// As the postings that they are; `None` if they are of another value type.
    pub(crate) fn of<V: 'static>(&self) -> Option<&Postings<V>> {
        (self as &dyn Any).downcast_ref()
    }

    pub(crate) fn of_mut<V: 'static>(&mut self) -> Option<&mut Postings<V>> {
        (self as &mut dyn Any).downcast_mut()
    }
}
