//! [`Contents`]: what one moment of a store holds, as a plain value: no lock, no callbacks.
//!
//! - I1: every entry is in `by_key` under its key, and nothing else is.
//! - I2: every entry with a namespace is in `by_namespace` under it, and nothing else is; no set is empty.
//! - I3: `postings[n]` says for each entry what the store's n-th index function says of its object.

use std::{hash::BuildHasher, sync::Arc};

use hashbrown::{DefaultHashBuilder, HashMap, HashTable, hash_table};
use slab::Slab;

use crate::{ObjectKey, index::AnyPostings, slots::Slots};

pub(crate) struct Contents<T> {
    entries: Slab<Entry<T>>,
    by_key: HashTable<u32>,
    by_namespace: HashMap<Box<str>, Slots>,
    pub(crate) postings: Vec<AnyPostings>,
    pub(crate) version: Option<String>,
    hasher: DefaultHashBuilder,
}

pub(crate) struct Entry<T> {
    pub(crate) key: ObjectKey,
    pub(crate) object: Arc<T>,
}

impl<T> Contents<T> {
    pub(crate) fn new() -> Self {
        Self {
            entries: Slab::new(),
            by_key: HashTable::new(),
            by_namespace: HashMap::new(),
            postings: Vec::new(),
            version: None,
            hasher: DefaultHashBuilder::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, key: &ObjectKey) -> Option<&Arc<T>> {
        let slot = self.by_key.find(self.hash(key), |&slot| self.entry(slot).key == *key)?;
        Some(&self.entry(*slot).object)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Entry<T>)> {
        self.entries.iter().map(|(slot, entry)| (narrow(slot), entry))
    }

    pub(crate) fn namespace(&self, namespace: &str) -> Option<&Slots> {
        self.by_namespace.get(namespace)
    }

    /// # Panics
    ///
    /// If no entry is at `slot`: the index that named it has broken I3.
    pub(crate) fn entry(&self, slot: u32) -> &Entry<T> {
        self.entries.get(slot as usize).expect("I1–I3: an index names slots with an entry")
    }

    /// Puts an object in, and returns its slot and the object that was there. Leaves I3 to the caller.
    pub(crate) fn insert(&mut self, key: ObjectKey, object: Arc<T>) -> (u32, Option<Arc<T>>) {
        let hash = self.hash(&key);
        let (entries, hasher) = (&mut self.entries, &self.hasher);
        let at = self.by_key.entry(
            hash,
            |&slot| entries[slot as usize].key == key,
            |&slot| hasher.hash_one(&entries[slot as usize].key),
        );
        match at {
            hash_table::Entry::Occupied(at) => {
                let slot = *at.get();
                let old = std::mem::replace(&mut entries[slot as usize].object, object);
                (slot, Some(old))
            }
            hash_table::Entry::Vacant(at) => {
                let slot = narrow(entries.insert(Entry { key, object }));
                at.insert(slot);
                if let Some(namespace) = entries[slot as usize].key.namespace() {
                    self.by_namespace
                        .entry_ref(namespace)
                        .and_modify(|slots| slots.insert(slot))
                        .or_insert_with(|| Slots::one(slot));
                }
                (slot, None)
            }
        }
    }

    /// Takes an object out, and returns the slot it had. Leaves I3 to the caller.
    pub(crate) fn remove(&mut self, key: &ObjectKey) -> Option<(u32, Arc<T>)> {
        let hash = self.hash(key);
        let entries = &mut self.entries;
        let at = self.by_key.find_entry(hash, |&slot| entries[slot as usize].key == *key).ok()?;
        let (slot, _) = at.remove();
        let entry = entries.remove(slot as usize);
        if let Some(namespace) = key.namespace()
            && let Some(slots) = self.by_namespace.get_mut(namespace)
        {
            slots.remove(slot);
            if slots.is_empty() {
                self.by_namespace.remove(namespace); // I2
            }
        }
        Some((slot, entry.object))
    }

    fn hash(&self, key: &ObjectKey) -> u64 {
        self.hasher.hash_one(key)
    }
}

fn narrow(slot: usize) -> u32 {
    u32::try_from(slot).expect("a store holds fewer than 2^32 objects")
}
