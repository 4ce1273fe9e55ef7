//! [`Postings`]: which objects have which value of an index, and [`IndexPostings`]: which values each
//! object has besides. Plain values that copies share.

use std::{
    any::Any,
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use hashbrown::DefaultHashBuilder;

use crate::{few::Few, places::Places, shards::Shards, slots::Slots};

/// Parts of the table: a change after a snapshot copies one of them.
const PARTS: usize = 64;

/// Slots by value. No set in it is empty (ST-T5).
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

    /// Notes that the object in that slot has `value`, if an object has it already, and returns it as it is kept.
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

    /// Notes that the object in that slot is the first to have `value`.
    pub(crate) fn found(&mut self, value: Arc<V>, slot: u32) {
        let hasher = &self.hasher;
        let hash = hasher.hash_one(&*value);
        let posting = Arc::new(Posting { value, slots: Slots::one(slot) });
        self.values.part(hash).insert_unique(hash, posting, |one| hasher.hash_one(&*one.value));
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
                drop(found.remove()); // or values that come and go would pile up (ST-T5)
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

/// What an index knows. The values of each object are kept, so that an update asks the index function of the
/// new object alone, and the old one, which nobody may have read for hours, is left where it is.
pub(crate) struct IndexPostings<V> {
    by_value: Postings<V>,
    /// Exactly the values under which `by_value` has that slot.
    by_slot: Places<Few<Arc<V>>>,
}

impl<V: Hash + Eq> IndexPostings<V> {
    pub(crate) fn new() -> Self {
        Self { by_value: Postings::new(), by_slot: Places::new() }
    }

    pub(crate) fn by_value(&self) -> &Postings<V> {
        &self.by_value
    }

    /// Whether the object in that slot has these values, in this order.
    pub(crate) fn has(&self, slot: u32, values: &Few<V>) -> bool {
        let held = self.by_slot.get(slot).map_or(&[][..], Few::as_slice).iter();
        held.map(|value| &**value).eq(values.as_slice())
    }

    /// Gives the object in that slot these values, and no other.
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

/// [`IndexPostings`] of a value type that only their index knows.
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
    /// As the postings that they are; `None` if they are of another value type.
    pub(crate) fn of<V: 'static>(&self) -> Option<&IndexPostings<V>> {
        (self as &dyn Any).downcast_ref()
    }

    pub(crate) fn of_mut<V: 'static>(&mut self) -> Option<&mut IndexPostings<V>> {
        (self as &mut dyn Any).downcast_mut()
    }
}
