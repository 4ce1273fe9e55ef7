//! [`StoreWriter`]: the one writing side of a cache. Apart from [`Store`], so that whoever reads
//! cannot write.

use std::{fmt, sync::Arc};

use crate::{
    Change, Metadata, Object, ObjectKey, Replacement, Store, Tombstone,
    contents::Contents,
    index::{Edit, Indexer},
};

/// Writes a [`Store`]; there is one writer for each.
///
/// Every call takes effect at one moment, for objects, indexes and resource version alike, and
/// returns what it changed.
pub struct StoreWriter<T> {
    store: Store<T>,
    /// Only bookmarks move the store's resource version.
    by_bookmark: bool,
}

impl<T: Object> StoreWriter<T> {
    /// A writer of a new, empty store.
    pub fn new() -> Self {
        Self { store: Store::new(), by_bookmark: false }
    }

    /// A writer whose store has the resource version of the last [`bookmark`](Self::bookmark), whatever is
    /// written: for a store that is fed from several places, and is as new as the one that lags most.
    pub fn by_bookmark() -> Self {
        Self { by_bookmark: true, ..Self::new() }
    }

    /// The store that this writes, to read from and to clone.
    pub fn store(&self) -> &Store<T> {
        &self.store
    }

    /// Adds an object, or puts it in the place of the one that has its key.
    ///
    /// The store's resource version becomes the object's, if it has one: the last write wins, versions
    /// are not compared.
    pub fn apply(&mut self, object: impl Into<Arc<T>>) -> Change<T> {
        let object = object.into();
        let key = object.key();
        let indexers = self.store.shared.indexers.lock();
        let old = self.store.get(&key);
        let edits = edits(&indexers, old.as_deref(), Some(&object));
        {
            let mut contents = self.store.shared.contents.write();
            let (slot, _) = contents.insert(key, object.clone());
            apply_edits(edits, slot, &mut contents);
            self.wrote(&mut contents, object.metadata().resource_version());
        }
        match old {
            None => Change::Added(object),
            Some(old) => Change::Updated { old, new: object },
        }
    }

    /// Removes the object of that key; `None` if there was none.
    ///
    /// `last` is the state at deletion, if the server told it: it is what the tombstone carries, and
    /// the store takes over its resource version. Without it the tombstone carries the stored state,
    /// marked as not being final.
    pub fn delete(&mut self, key: &ObjectKey, last: Option<T>) -> Option<Change<T>> {
        let indexers = self.store.shared.indexers.lock();
        let stored = self.store.get(key);
        let edits = edits(&indexers, stored.as_deref(), None);
        let removed = {
            let mut contents = self.store.shared.contents.write();
            if let Some(last) = &last {
                self.wrote(&mut contents, last.metadata().resource_version());
            }
            let removed = contents.remove(key);
            if let Some((slot, _)) = removed {
                apply_edits(edits, slot, &mut contents);
            }
            removed
        };
        let (_, stored) = removed?;
        let final_state_unknown = last.is_none();
        let object = last.map_or(stored, Arc::new);
        Some(Change::Deleted(Tombstone { key: key.clone(), object, final_state_unknown }))
    }

    /// Makes the store hold exactly `objects`, in one step, and returns what that changed.
    ///
    /// Deletions come first, as tombstones without a known final state; then additions and updates in
    /// the order of `objects`. An object with the UID and resource version of the stored one has not
    /// changed: the stored one stays and nothing is returned for it. Of two objects with one key the
    /// later counts.
    pub fn replace(&mut self, objects: Vec<T>, resource_version: &str) -> Vec<Change<T>> {
        let mut replacement = self.replacement();
        for object in objects {
            replacement.apply(object);
        }
        self.commit(replacement, resource_version)
    }

    /// Starts a replacement that is filled bit by bit, while the store stays as it is: the way to
    /// [`replace`](Self::replace) without having all objects in memory twice.
    pub fn replacement(&self) -> Replacement<T> {
        Replacement::new(self.store.clone())
    }

    /// Makes the store hold exactly what `replacement` holds, as [`replace`](Self::replace) does.
    pub fn commit(&mut self, replacement: Replacement<T>, resource_version: &str) -> Vec<Change<T>> {
        let mut new = replacement.into_contents();
        let indexers = self.store.shared.indexers.lock();
        let changes = differences(&self.store.read(), &new);
        new.postings = indexers.iter().map(|indexer| indexer.build(&mut new.iter())).collect();
        let old = {
            let mut contents = self.store.shared.contents.write();
            new.version = contents.version.take();
            self.wrote(&mut new, resource_version);
            std::mem::replace(&mut *contents, new)
        };
        drop(indexers);
        drop(old); // outside the locks: it takes a while
        changes
    }

    /// Notes that the store is as new as `resource_version`, though nothing has changed.
    pub fn bookmark(&mut self, resource_version: &str) {
        set_version(&mut self.store.shared.contents.write(), resource_version);
    }

    fn wrote(&self, contents: &mut Contents<T>, version: &str) {
        if !self.by_bookmark {
            set_version(contents, version);
        }
    }
}

impl<T: Object> Default for StoreWriter<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for StoreWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreWriter").field(&self.store).finish()
    }
}

type Edits = Vec<(usize, Box<dyn Edit>)>;

fn edits<T>(indexers: &[Box<dyn Indexer<T>>], old: Option<&T>, new: Option<&T>) -> Edits {
    let numbered = indexers.iter().enumerate();
    numbered.filter_map(|(number, indexer)| Some((number, indexer.edit(old, new)?))).collect()
}

fn apply_edits<T>(edits: Edits, slot: u32, contents: &mut Contents<T>) {
    for (number, edit) in edits {
        edit.apply(slot, &mut contents.postings[number]);
    }
}

fn set_version<T>(contents: &mut Contents<T>, version: &str) {
    if version.is_empty() {
        return; // an object without metadata says nothing about the store (ST-T8)
    }
    let held = contents.version.get_or_insert_default();
    held.clear();
    held.push_str(version); // in place: no allocation for an event
}

fn differences<T: Object>(old: &Contents<T>, new: &Contents<T>) -> Vec<Change<T>> {
    let gone = old.iter().filter(|(_, entry)| new.get(&entry.key).is_none()).map(|(_, entry)| {
        let (key, object) = (entry.key.clone(), entry.object.clone());
        Change::Deleted(Tombstone { key, object, final_state_unknown: true })
    });
    let came = new.iter().filter_map(|(_, entry)| match old.get(&entry.key) {
        None => Some(Change::Added(entry.object.clone())),
        Some(old) if Arc::ptr_eq(old, &entry.object) => None,
        Some(old) => Some(Change::Updated { old: old.clone(), new: entry.object.clone() }),
    });
    gone.chain(came).collect()
}
