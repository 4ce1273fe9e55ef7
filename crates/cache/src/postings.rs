//! [`Postings`]: the objects by value of an index; [`IndexPostings`]: the values by object as well. Plain values whose
//! copies share unchanged parts.

use std::{
    any::Any,
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use hashbrown::DefaultHashBuilder;

use crate::{few::Few, places::Places, shards::Shards, slots::Slots};

/// The number of parts of the table. A change after a snapshot copies one part.
const PARTS: usize = 64;

/// Slots by value. No set of slots is empty (ST-T5).
pub(crate) struct Postings<V> {
    values: Shards<Arc<Posting<V>>>,
    hasher: DefaultHashBuilder,
}

struct Posting<V> {
    value: Arc<V>,
    slots: Slots,
}

impl<V: Hash + Eq> Postings<V> {
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
        self.values.iter().map(|posting| &*posting.value)
    }

    /// Adds a slot to a value that other objects have, and returns the stored value; `None` if no object has it.
    pub(crate) fn join<Q>(&mut self, value: &Q, slot: u32) -> Option<Arc<V>>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hasher.hash_one(value);
        let posting = Arc::make_mut(self.values.part(hash).find_mut(hash, |one| is(one, value))?);
        posting.slots.insert(slot);
        Some(posting.value.clone())
    }

    /// Adds a value with its first slot.
    pub(crate) fn found(&mut self, value: Arc<V>, slot: u32) {
        let hasher = &self.hasher;
        let hash = hasher.hash_one(&*value);
        let posting = Arc::new(Posting { value, slots: Slots::one(slot) });
        self.values.part(hash).insert_unique(hash, posting, |one| hasher.hash_one(&*one.value));
    }

    /// Removes a slot from a value.
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
                drop(found.remove()); // otherwise values that come and go would accumulate (ST-T5)
            }
        }
    }
}

fn is<V: Borrow<Q>, Q: Eq + ?Sized>(posting: &Posting<V>, value: &Q) -> bool {
    (*posting.value).borrow() == value
}

impl<V> Clone for Posting<V> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), slots: self.slots.clone() }
    }
}

impl<V> Clone for Postings<V> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), hasher: self.hasher.clone() }
    }
}

/// The postings of one index. The values of each object are kept, so that an update calls the index function for the
/// new object only, and does not touch the memory of the old one.
pub(crate) struct IndexPostings<V> {
    by_value: Postings<V>,
    /// For each slot, exactly the values under which `by_value` has it.
    by_slot: Places<Few<Arc<V>>>,
}

impl<V: Hash + Eq> IndexPostings<V> {
    pub(crate) fn new() -> Self {
        Self { by_value: Postings::new(), by_slot: Places::new() }
    }

    pub(crate) fn by_value(&self) -> &Postings<V> {
        &self.by_value
    }

    /// Returns whether the object in a slot has these values, in this order.
    pub(crate) fn has(&self, slot: u32, values: &Few<V>) -> bool {
        let held = self.by_slot.get(slot).map_or(&[][..], Few::as_slice).iter();
        held.map(|value| &**value).eq(values.as_slice())
    }

    /// Sets the values of the object in a slot.
    pub(crate) fn set(&mut self, slot: u32, values: Few<V>) {
        let held = self.by_slot.get_mut(slot);
        for stale in held.as_slice().iter().filter(|value| !values.as_slice().contains(value)) {
            self.by_value.leave(&**stale, slot);
        }
        let before = std::mem::take(held);
        for value in values {
            let kept = before.as_slice().iter().find(|held| ***held == value);
            held.push(match kept {
                Some(kept) => kept.clone(),
                None => self.by_value.join(&value, slot).unwrap_or_else(|| {
                    let value = Arc::new(value);
                    self.by_value.found(value.clone(), slot);
                    value
                }),
            });
        }
    }
}

impl<V> Clone for IndexPostings<V> {
    fn clone(&self) -> Self {
        Self { by_value: self.by_value.clone(), by_slot: self.by_slot.clone() }
    }
}

/// [`IndexPostings`] with the value type erased.
pub(crate) trait AnyPostings: Any + Send + Sync {
    fn boxed(&self) -> Box<dyn AnyPostings>;
}

impl<V: Send + Sync + 'static> AnyPostings for IndexPostings<V> {
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
    /// Returns the postings with their value type; `None` if it is another one.
    pub(crate) fn of<V: 'static>(&self) -> Option<&IndexPostings<V>> {
        (self as &dyn Any).downcast_ref()
    }

    pub(crate) fn of_mut<V: 'static>(&mut self) -> Option<&mut IndexPostings<V>> {
        (self as &mut dyn Any).downcast_mut()
    }
}
