//! [`Contents`]: the contents of a store at one moment, as a plain value without locks and callbacks. Copies share the
//! parts that neither has changed, so that a snapshot costs a reference count.
//!
//! - I1: every entry is in `by_key` under its key, and nothing else is.
//! - I2: every entry with a namespace is in `by_namespace` under it, and nothing else is; no set is empty.
//! - I3: `postings[n]` has for each entry the values of the store's n-th index function for its object.
//! - I4: an index of label values is in `label_indexes`, under the label's key.
//! - I5: `undecodable` has exactly the keys whose last known state could not be decoded.

use std::{collections::BTreeMap, hash::BuildHasher, sync::Arc};

use hashbrown::{DefaultHashBuilder, hash_table::Entry as Place};
use trimtab_selector::{Operator, Requirement, Selector};

use crate::{
    Metadata, Object, ObjectKey, Undecodable,
    chunks::Chunks,
    postings::{AnyPostings, Postings},
    shards::Shards,
    slots::Slots,
};

/// The number of parts of the table of keys. A change after a snapshot copies one part.
const PARTS: usize = 256;

/// Objects by slot, and the tables that find slots.
pub(crate) struct Contents<T> {
    entries: Chunks<Entry<T>>,
    by_key: Shards<u32>,
    by_namespace: Postings<Box<str>>,
    pub(crate) postings: Vec<Box<dyn AnyPostings>>,
    pub(crate) label_indexes: Vec<LabelIndex>,
    /// Usually empty; copied as a whole when it changes.
    pub(crate) undecodable: Arc<BTreeMap<ObjectKey, Arc<Undecodable>>>,
    pub(crate) version: Option<String>,
    hasher: DefaultHashBuilder,
}

/// An object under its key.
pub(crate) struct Entry<T> {
    pub(crate) key: ObjectKey,
    pub(crate) object: Arc<T>,
}

/// The index of a label's values.
#[derive(Clone)]
pub(crate) struct LabelIndex {
    pub(crate) label: Arc<str>,
    /// The position of the postings, whose values are [`LabelValue`]s.
    pub(crate) number: usize,
}

/// The value type of label indexes.
pub(crate) type LabelValue = Arc<str>;

impl<T> Contents<T> {
    pub(crate) fn new() -> Self {
        Self {
            entries: Chunks::new(),
            by_key: Shards::new(PARTS),
            by_namespace: Postings::new(),
            postings: Vec::new(),
            label_indexes: Vec::new(),
            undecodable: Arc::default(),
            version: None,
            hasher: DefaultHashBuilder::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the slot of the entry with this key.
    pub(crate) fn slot(&self, key: &ObjectKey) -> Option<u32> {
        self.by_key.find(self.hasher.hash_one(key), |&slot| self.entry(slot).key == *key).copied()
    }

    pub(crate) fn get(&self, key: &ObjectKey) -> Option<&Arc<T>> {
        Some(&self.entry(self.slot(key)?).object)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Entry<T>)> {
        self.entries.iter()
    }

    /// Returns the entry in `slot`.
    pub(crate) fn at(&self, slot: u32) -> Option<&Entry<T>> {
        self.entries.get(slot)
    }

    /// Returns the entry in a slot that an index named.
    ///
    /// # Panics
    ///
    /// If `slot` is empty: the index that named it has broken I1, I2 or I3.
    pub(crate) fn entry(&self, slot: u32) -> &Entry<T> {
        self.entries.get(slot).expect("I1–I3: an index names slots with an entry")
    }

    /// Replaces the object in a slot by one with the same key, and returns the former. The caller restores I3.
    pub(crate) fn set(&mut self, slot: u32, object: Arc<T>) -> Arc<T> {
        let entry = self.entries.get_mut(slot).expect("I1: the slot was found by its key");
        std::mem::replace(&mut entry.object, object)
    }

    /// Inserts an object whose key is absent, and returns its slot. The caller restores I3.
    pub(crate) fn insert(&mut self, key: ObjectKey, object: Arc<T>) -> u32 {
        let hash = self.hasher.hash_one(&key);
        let slot = self.entries.insert(Entry { key, object });
        let (entries, hasher) = (&self.entries, &self.hasher);
        let key = |slot: u32| &entries.get(slot).expect("I1: a slot in the table has an entry").key;
        let is_it = |&other: &u32| key(other) == key(slot);
        match self.by_key.part(hash).entry(hash, is_it, |&other| hasher.hash_one(key(other))) {
            Place::Vacant(place) => place.insert(slot),
            Place::Occupied(_) => unreachable!("I1: the caller found no entry of this key"),
        };
        if let Some(namespace) = key(slot).namespace()
            && self.by_namespace.join(namespace, slot).is_none()
        {
            self.by_namespace.found(Arc::new(namespace.into()), slot);
        }
        slot
    }

    /// Removes an object. The caller restores I3.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<Entry<T>> {
        let entry = self.entries.remove(slot)?;
        let hash = self.hasher.hash_one(&entry.key);
        if let Ok(place) = self.by_key.part(hash).find_entry(hash, |&other| other == slot) {
            place.remove();
        }
        if let Some(namespace) = entry.key.namespace() {
            self.by_namespace.leave(namespace, slot);
        }
        Some(entry)
    }

    /// Sets or removes the metadata of an undecodable object; returns the former.
    pub(crate) fn set_undecodable(
        &mut self,
        key: &ObjectKey,
        new: Option<Arc<Undecodable>>,
    ) -> Option<Arc<Undecodable>> {
        if new.is_none() && !self.undecodable.contains_key(key) {
            return None; // the usual case: nothing is copied
        }
        let undecodable = Arc::make_mut(&mut self.undecodable);
        match new {
            Some(new) => undecodable.insert(key.clone(), new),
            None => undecodable.remove(key),
        }
    }

    pub(crate) fn set_version(&mut self, version: &str) {
        if version.is_empty() {
            return; // an object without a version says nothing about the store's version (ST-T8)
        }
        let held = self.version.get_or_insert_default();
        held.clear();
        held.push_str(version); // in place: no allocation for an event
    }

    /// Returns the entries of a namespace; all entries if it is `None` or empty.
    pub(crate) fn in_namespace<'a>(
        &'a self,
        namespace: Option<&str>,
    ) -> Box<dyn Iterator<Item = &'a Entry<T>> + 'a> {
        match namespace.filter(|namespace| !namespace.is_empty()) {
            None => Box::new(self.iter().map(|(_, entry)| entry)),
            Some(namespace) => {
                let slots = self.by_namespace.get(namespace);
                Box::new(slots.into_iter().flat_map(Slots::iter).map(|slot| self.entry(slot)))
            }
        }
    }
}

impl<T: Object> Contents<T> {
    /// Returns the entries that `selector` matches, of a namespace or of all. Uses an index of a label of which the
    /// selector requires a value, unless the namespace has fewer objects than the index finds.
    pub(crate) fn select<'a>(
        &'a self,
        namespace: Option<&str>,
        selector: &'a Selector,
    ) -> Box<dyn Iterator<Item = &'a Entry<T>> + 'a> {
        let namespace = namespace.filter(|namespace| !namespace.is_empty());
        let matches = |entry: &&Entry<T>| entry.object.metadata().matches(selector);
        let all = match namespace {
            None => self.len(),
            Some(namespace) => self.by_namespace.get(namespace).map_or(0, Slots::len),
        };
        let candidates = self.candidates(selector).filter(|found| {
            found.iter().map(|slots| slots.len()).sum::<usize>() <= all // otherwise the namespace is the smaller set
        });
        let Some(candidates) = candidates else {
            return Box::new(self.in_namespace(namespace).filter(matches));
        };
        let found = candidates.into_iter().flat_map(Slots::iter).map(|slot| self.entry(slot));
        let namespace = namespace.map(Box::<str>::from);
        let found =
            found.filter(move |entry| namespace.is_none() || entry.key.namespace() == namespace.as_deref());
        if selector.requirements().is_some_and(|all| all.len() == 1) {
            return Box::new(found); // the index has met the only requirement
        }
        Box::new(found.filter(matches))
    }

    /// Returns the smallest sets of slots that together hold every match, as an index of a label finds them.
    fn candidates(&self, selector: &Selector) -> Option<Vec<&Slots>> {
        let indexed = self.label_indexes.iter().filter_map(|index| {
            let values = required_values(selector, &index.label)?;
            let postings = self.postings[index.number].of::<LabelValue>()?.by_value();
            Some(values.iter().filter_map(|value| postings.get(value.as_str())).collect::<Vec<_>>())
        });
        indexed.min_by_key(|found| found.iter().map(|slots| slots.len()).sum::<usize>())
    }
}

/// Returns the values of which `label` must have one; `None` if the selector has no such requirement.
fn required_values<'a>(selector: &'a Selector, label: &str) -> Option<&'a [String]> {
    let mut requirements = selector.requirements()?.iter();
    let is_positive = |one: &&Requirement| matches!(one.operator(), Operator::In | Operator::Equals);
    requirements.find(|one| one.key() == label && is_positive(one)).map(Requirement::values)
}

impl<T> Clone for Contents<T> {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            by_key: self.by_key.clone(),
            by_namespace: self.by_namespace.clone(),
            postings: self.postings.clone(),
            label_indexes: self.label_indexes.clone(),
            undecodable: self.undecodable.clone(),
            version: self.version.clone(),
            hasher: self.hasher.clone(),
        }
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), object: self.object.clone() }
    }
}
