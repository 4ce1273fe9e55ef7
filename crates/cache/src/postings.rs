//! [`Postings`]: the objects by value of an index. A plain value whose copies share unchanged parts.

use std::{
    any::Any,
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use hashbrown::DefaultHashBuilder;

use crate::{chunks::Chunks, few::Few, numbers::GREATEST, shards::Shards, slots::Slots};

/// The number of parts of the table. A change after a snapshot copies one part.
const PARTS: usize = 64;

/// Slots by value.
///
/// Each value has a number, by which objects keep their values: an update compares the new values with those, and leaves
/// them, without a look into the table.
///
/// - P1: `by_value` has exactly the numbers of `postings`, each under its value.
/// - P2: no set of slots is empty, or values that come and go would accumulate (ST-T5).
pub(crate) struct Postings<V> {
    postings: Chunks<Posting<V>>,
    by_value: Shards<u32>,
    hasher: DefaultHashBuilder,
}

struct Posting<V> {
    value: Arc<V>,
    /// Apart, so that a change after a snapshot copies the slots of one value.
    slots: Arc<Slots>,
}

impl<V: Hash + Eq> Postings<V> {
    pub(crate) fn new() -> Self {
        Self { postings: Chunks::new(), by_value: Shards::new(PARTS), hasher: DefaultHashBuilder::default() }
    }

    pub(crate) fn get<Q>(&self, value: &Q) -> Option<&Slots>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(&self.posting(self.number(value)?).slots)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.postings.iter().map(|(_, posting)| &*posting.value)
    }

    /// Adds a slot to a value that other objects have, and returns the value's number; `None` if no object has it.
    pub(crate) fn join<Q>(&mut self, value: &Q, slot: u32) -> Option<u32>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let number = self.number(value)?;
        Arc::make_mut(&mut self.posting_mut(number).slots).insert(slot);
        Some(number)
    }

    /// Adds a value with its first slot, and returns the value's number.
    ///
    /// # Panics
    ///
    /// With 2^32 - 2 values.
    pub(crate) fn found(&mut self, value: V, slot: u32) -> u32 {
        let Self { postings, by_value, hasher } = self;
        let hash = hasher.hash_one(&value);
        let number = postings.insert(Posting { value: Arc::new(value), slots: Arc::new(Slots::one(slot)) });
        assert!(number <= GREATEST, "an index has fewer than 2^32 - 2 values");
        let value =
            |number: u32| &*postings.get(number).expect("P1: a number that is in use has a posting").value;
        by_value.part(hash).insert_unique(hash, number, |&other| hasher.hash_one(value(other)));
        number
    }

    /// Removes a slot from the value with this number.
    pub(crate) fn leave(&mut self, number: u32, slot: u32) {
        let slots = Arc::make_mut(&mut self.posting_mut(number).slots);
        slots.remove(slot);
        if slots.is_empty() {
            let hash = self.hasher.hash_one(&*self.posting(number).value);
            if let Ok(found) = self.by_value.part(hash).find_entry(hash, |&other| other == number) {
                found.remove();
            }
            self.postings.remove(number);
        }
    }

    /// Removes a slot from a value.
    pub(crate) fn leave_value<Q>(&mut self, value: &Q, slot: u32)
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(number) = self.number(value) {
            self.leave(number, slot);
        }
    }

    /// Returns whether the numbers are those of `values`, in this order.
    pub(crate) fn are(&self, numbers: &[u32], values: &Few<V>) -> bool {
        numbers.iter().map(|&number| &*self.posting(number).value).eq(values.as_slice())
    }

    /// Sets the values of the object in a slot, which has the values `held` so far. Returns their numbers.
    pub(crate) fn replace(&mut self, held: &[u32], slot: u32, values: Few<V>) -> Few<u32> {
        let mut numbers = Few::None;
        for value in values {
            let kept = held.iter().find(|&&number| *self.posting(number).value == value);
            numbers.push(match kept {
                Some(kept) => *kept,
                None => match self.join(&value, slot) {
                    Some(number) => number,
                    None => self.found(value, slot),
                },
            });
        }
        for &number in held.iter().filter(|number| !numbers.as_slice().contains(number)) {
            self.leave(number, slot);
        }
        numbers
    }

    fn number<Q>(&self, value: &Q) -> Option<u32>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let is_it = |&number: &u32| (*self.posting(number).value).borrow() == value;
        self.by_value.find(self.hasher.hash_one(value), is_it).copied()
    }

    fn posting(&self, number: u32) -> &Posting<V> {
        self.postings.get(number).expect("P1: a number that is in use has a posting")
    }

    fn posting_mut(&mut self, number: u32) -> &mut Posting<V> {
        self.postings.get_mut(number).expect("P1: a number that is in use has a posting")
    }
}

impl<V> Clone for Posting<V> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), slots: self.slots.clone() }
    }
}

impl<V> Clone for Postings<V> {
    fn clone(&self) -> Self {
        Self { postings: self.postings.clone(), by_value: self.by_value.clone(), hasher: self.hasher.clone() }
    }
}

/// [`Postings`] with the value type erased.
pub(crate) trait AnyPostings: Any + Send + Sync {
    fn boxed(&self) -> Box<dyn AnyPostings>;
}

impl<V: Send + Sync + 'static> AnyPostings for Postings<V> {
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
    pub(crate) fn of<V: 'static>(&self) -> Option<&Postings<V>> {
        (self as &dyn Any).downcast_ref()
    }

    pub(crate) fn of_mut<V: 'static>(&mut self) -> Option<&mut Postings<V>> {
        (self as &mut dyn Any).downcast_mut()
    }
}
