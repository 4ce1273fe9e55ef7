//! [`Contents`]: what one moment of a store holds, as a plain value: no lock, no callbacks. Copies
//! share what neither has changed, so that a snapshot costs next to nothing.
//!
//! - I1: every entry is in `by_key` under its key, and nothing else is.
//! - I2: every entry with a namespace is in `by_namespace` under it, and nothing else is; no set is empty.
//! - I3: `postings[n]` says for each entry what the store's n-th index function says of its object.
//! - I4: an index of label values is in `label_indexes`, under the label's key.

use std::{hash::BuildHasher, sync::Arc};

use hashbrown::{DefaultHashBuilder, hash_table::Entry as Place};
use trimtab_selector::{Operator, Requirement, Selector};

use crate::{
    Metadata, Object, ObjectKey,
    chunks::Chunks,
    postings::{AnyPostings, Postings},
    shards::Shards,
    slots::Slots,
};

/// Parts of the table of keys: a change after a snapshot copies one of them.
const PARTS: usize = 256;

pub(crate) struct Contents<T> {
    entries: Chunks<Entry<T>>,
    by_key: Shards<u32>,
    by_namespace: Postings<Box<str>>,
    pub(crate) postings: Vec<Box<dyn AnyPostings>>,
    pub(crate) label_indexes: Vec<LabelIndex>,
    pub(crate) version: Option<String>,
    hasher: DefaultHashBuilder,
}

pub(crate) struct Entry<T> {
    pub(crate) key: ObjectKey,
    pub(crate) object: Arc<T>,
}

/// The values of a label are those of an index.
#[derive(Clone)]
pub(crate) struct LabelIndex {
    pub(crate) label: Arc<str>,
    /// Which of the postings; they are of [`LabelValue`]s.
    pub(crate) number: usize,
}

/// What an index of a label finds objects by.
pub(crate) type LabelValue = Arc<str>;

impl<T> Contents<T> {
    pub(crate) fn new() -> Self {
        Self {
            entries: Chunks::new(),
            by_key: Shards::new(PARTS),
            by_namespace: Postings::new(),
            postings: Vec::new(),
            label_indexes: Vec::new(),
            version: None,
            hasher: DefaultHashBuilder::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where the entry of that key is.
    pub(crate) fn slot(&self, key: &ObjectKey) -> Option<u32> {
        self.by_key.find(self.hasher.hash_one(key), |&slot| self.entry(slot).key == *key).copied()
    }

    pub(crate) fn get(&self, key: &ObjectKey) -> Option<&Arc<T>> {
        Some(&self.entry(self.slot(key)?).object)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Entry<T>)> {
        self.entries.iter()
    }

    /// The entry at `slot`, if there is one.
    pub(crate) fn at(&self, slot: u32) -> Option<&Entry<T>> {
        self.entries.get(slot)
    }

    /// # Panics
    ///
    /// If no entry is at `slot`: the index that named it has broken I1, I2 or I3.
    pub(crate) fn entry(&self, slot: u32) -> &Entry<T> {
        self.entries.get(slot).expect("I1–I3: an index names slots with an entry")
    }

    /// Puts an object in a slot in the place of one of the same key, which it returns. Leaves I3 to the caller.
    pub(crate) fn set(&mut self, slot: u32, object: Arc<T>) -> Arc<T> {
        let entry = self.entries.get_mut(slot).expect("I1: the slot was found by its key");
        std::mem::replace(&mut entry.object, object)
    }

    /// Puts an object in of whose key there is none, and returns its slot. Leaves I3 to the caller.
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

    /// Takes an object out. Leaves I3 to the caller.
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

    pub(crate) fn set_version(&mut self, version: &str) {
        if version.is_empty() {
            return; // an object without metadata says nothing about the store (ST-T8)
        }
        let held = self.version.get_or_insert_default();
        held.clear();
        held.push_str(version); // in place: no allocation for an event
    }

    /// The entries of a namespace, or all if it is none or empty.
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
    /// The entries that `selector` matches, of a namespace or of all. An index of a label that it demands
    /// is asked, unless the namespace is smaller than what that finds.
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
            found.iter().map(|slots| slots.len()).sum::<usize>() <= all // otherwise the namespace is the better index
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

    /// The fewest objects among which an index of a label finds all that `selector` matches.
    fn candidates(&self, selector: &Selector) -> Option<Vec<&Slots>> {
        let indexed = self.label_indexes.iter().filter_map(|index| {
            let values = required_values(selector, &index.label)?;
            let postings = self.postings[index.number].of::<LabelValue>()?.by_value();
            Some(values.iter().filter_map(|value| postings.get(value.as_str())).collect::<Vec<_>>())
        });
        indexed.min_by_key(|found| found.iter().map(|slots| slots.len()).sum::<usize>())
    }
}

/// The values of which `label` must have one; `None` if the selector has no such requirement.
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
