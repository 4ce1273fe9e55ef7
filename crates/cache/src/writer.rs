//! [`StoreWriter`]: the writing side of a cache. Apart from [`Store`], so that readers cannot write.

use std::{fmt, sync::Arc};

use crate::{
    Change, Metadata, Object, ObjectKey, Replacement, Store, Tombstone, Undecodable, contents::Contents,
    indexer::Indexer, replacement::Outcome,
};

/// Writes a [`Store`]. A store has one writer.
///
/// Every call takes effect at one moment, for objects, indexes and resource version together, and returns the changes.
pub struct StoreWriter<T> {
    store: Store<T>,
    /// Whether only bookmarks move the store's resource version.
    by_bookmark: bool,
}

impl<T: Object> StoreWriter<T> {
    /// Creates an empty store and its writer.
    pub fn new() -> Self {
        Self { store: Store::new(), by_bookmark: false }
    }

    /// Creates a writer of which only [`bookmark`](Self::bookmark) moves the store's resource version.
    ///
    /// For a store with several sources: it is as new as the source that lags most, not as the last write.
    pub fn by_bookmark() -> Self {
        Self { by_bookmark: true, ..Self::new() }
    }

    /// Calls `function` for each read of the store that finds it without a resource version: before the first write.
    /// `len`, `is_empty` and `add_index` do not count as reads. A second function is ignored.
    ///
    /// An informer uses it to warn of a store that no writer fills. The function runs on the reader's thread, without a
    /// lock of the store.
    pub fn on_unfilled_read(&self, function: impl Fn() + Send + Sync + 'static) {
        let _ = self.store.shared.on_unfilled_read.set(Box::new(function));
    }

    /// Returns the store, to read from and to clone.
    pub fn store(&self) -> &Store<T> {
        &self.store
    }

    /// Adds an object, or replaces the one with the same key.
    ///
    /// The store's resource version becomes that of the object, if it has one: the last write wins, versions are not
    /// compared. If the object was [undecodable](Self::apply_undecodable), it no longer is.
    pub fn apply(&mut self, object: impl Into<Arc<T>>) -> Change<T> {
        let object = object.into();
        let key = object.key();
        let mut indexers = self.store.shared.indexers.lock();
        evaluate(&mut indexers, Some(&object));
        let now = self.store.shared.contents();
        let slot = now.slot(&key);
        compare(&mut indexers, &now, slot);
        drop(now); // a second reference would make `write` copy
        let old = self.write(|contents| {
            contents.set_undecodable(&key, None);
            let (slot, old) = match slot {
                Some(slot) => (slot, Some(contents.set(slot, object.clone()))),
                None => (contents.insert(key, object.clone()), None),
            };
            store(&mut indexers, contents, slot);
            self.note_version(contents, object.metadata().resource_version());
            old
        });
        drop(indexers);
        self.wake_waiting();
        match old {
            None => Change::Added(object),
            Some(old) => Change::Updated { old, new: object },
        }
    }

    /// Adds the metadata of an object that cannot be decoded, or replaces it.
    ///
    /// If the store has an earlier state of the object, it keeps that state. A state with another UID is another
    /// object's, which is deleted. The store's resource version becomes that of the metadata, if it has one.
    pub fn apply_undecodable(&mut self, undecodable: Undecodable) -> Vec<Change<T>> {
        let undecodable = Arc::new(undecodable);
        let key = undecodable.key();
        let mut indexers = self.store.shared.indexers.lock();
        let now = self.store.shared.contents();
        let other = now.slot(key).filter(|&slot| !undecodable.may_be(&*now.entry(slot).object));
        if other.is_some() {
            evaluate(&mut indexers, None);
            compare(&mut indexers, &now, other);
        }
        drop(now); // a second reference would make `write` copy
        let deleted = self.write(|contents| {
            contents.set_undecodable(key, Some(undecodable.clone()));
            self.note_version(contents, undecodable.metadata().resource_version());
            let slot = other?;
            store(&mut indexers, contents, slot);
            contents.remove(slot)
        });
        drop(indexers);
        self.wake_waiting();
        let deleted = deleted.map(|entry| {
            Change::Deleted(Tombstone { key: entry.key, object: entry.object, final_state_unknown: true })
        });
        deleted.into_iter().chain([Change::Undecodable(undecodable)]).collect()
    }

    /// Removes the object with this key, and the metadata of an undecodable one.
    ///
    /// `last` is the state at deletion, if the server sent it: the tombstone carries it, and the store takes over its
    /// resource version. Without `last` the tombstone carries the stored state, marked as not final.
    ///
    /// Returns `None` if the key was absent.
    pub fn delete(&mut self, key: &ObjectKey, last: Option<T>) -> Option<Change<T>> {
        let mut indexers = self.store.shared.indexers.lock();
        evaluate(&mut indexers, None);
        let now = self.store.shared.contents();
        let slot = now.slot(key);
        compare(&mut indexers, &now, slot);
        drop(now); // a second reference would make `write` copy
        let mut undecodable = None;
        let removed = self.write(|contents| {
            if let Some(slot) = slot {
                store(&mut indexers, contents, slot);
            }
            undecodable = contents.set_undecodable(key, None);
            if let Some(last) = &last {
                self.note_version(contents, last.metadata().resource_version());
            }
            contents.remove(slot?)
        });
        drop(indexers);
        self.wake_waiting();
        let final_state_unknown = last.is_none();
        let object = match (removed, undecodable) {
            (None, None) => return None,
            (None, Some(undecodable)) if last.is_none() => {
                return Some(Change::UndecodableDeleted(undecodable));
            }
            (removed, _) => last.map(Arc::new).or_else(|| Some(removed?.object))?,
        };
        Some(Change::Deleted(Tombstone { key: key.clone(), object, final_state_unknown }))
    }

    /// Makes the store hold exactly `objects`, in one step, and returns the changes.
    ///
    /// Deletions come first, as tombstones without a known final state; then additions and updates in the order of
    /// `objects`. An object with the UID and resource version of the stored one has not changed: the stored one stays,
    /// and no change is returned for it. Of two objects with the same key the later one counts.
    pub fn replace(&mut self, objects: Vec<T>, resource_version: &str) -> Vec<Change<T>> {
        let mut replacement = self.replacement();
        for object in objects {
            replacement.apply(object);
        }
        self.commit(replacement, resource_version)
    }

    /// Starts a replacement to be filled object by object, while the store stays as it is. It is
    /// [`replace`](Self::replace) without all objects in memory twice.
    pub fn replacement(&self) -> Replacement<T> {
        Replacement::new(&self.store)
    }

    /// Makes the store hold exactly the objects of `replacement`, as [`replace`](Self::replace) does.
    ///
    /// Undecodable objects of the replacement replace those of the store. Their changes come last, except for
    /// deletions.
    pub fn commit(&mut self, replacement: Replacement<T>, resource_version: &str) -> Vec<Change<T>> {
        let Outcome { base, mut next, gone, came } = replacement.into_outcome();
        let mut changes = Vec::with_capacity(gone.len() + came.len());
        let mut indexers = self.store.shared.indexers.lock();
        for slot in gone {
            let Some(entry) = next.remove(slot) else { continue };
            reindex(&mut indexers, &mut next, slot, None);
            let last = Tombstone { key: entry.key, object: entry.object, final_state_unknown: true };
            changes.push(Change::Deleted(last));
        }
        for slot in came {
            let old = base.at(slot).map(|entry| entry.object.clone());
            let new = next.entry(slot).object.clone();
            reindex(&mut indexers, &mut next, slot, Some(&*new));
            changes.push(match old {
                None => Change::Added(new),
                Some(old) => Change::Updated { old, new },
            });
        }
        let now = self.store.shared.contents();
        if !Arc::ptr_eq(&now, &base) {
            // The store was written to or got an index after the replacement was started.
            for indexer in &indexers[next.postings.len()..] {
                let postings = indexer.build(&mut next.iter());
                next.postings.push(postings);
            }
            next.label_indexes.clone_from(&now.label_indexes);
            changes = differences(&now, &next);
        }
        let (gone, came) = undecodable_differences(&now, &next);
        changes.splice(0..0, gone);
        changes.extend(came);
        drop((base, now));
        next.version = self.store.resource_version();
        self.note_version(&mut next, resource_version);
        let old = std::mem::replace(&mut *self.store.shared.contents.write(), Arc::new(next));
        drop(indexers);
        drop(old); // outside the locks, because freeing objects takes time
        self.wake_waiting();
        changes
    }

    /// Moves the store's resource version to `resource_version` without a change of objects.
    pub fn bookmark(&mut self, resource_version: &str) {
        self.write(|contents| contents.set_version(resource_version));
        self.wake_waiting();
    }

    /// Writes at one moment. Snapshots that are held stay as they are.
    fn write<R>(&self, edit: impl FnOnce(&mut Contents<T>) -> R) -> R {
        edit(Arc::make_mut(&mut self.store.shared.contents.write()))
    }

    /// Wakes waiting tasks, after a write and without a lock, so that they can read at once.
    fn wake_waiting(&self) {
        self.store.shared.written.notify_waiters();
    }

    fn note_version(&self, contents: &mut Contents<T>, version: &str) {
        if !self.by_bookmark {
            contents.set_version(version);
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

type Indexers<T> = [Box<dyn Indexer<T>>];

/// Calls all index functions. They are the user's, so no lock that readers take is held meanwhile.
fn evaluate<T>(indexers: &mut Indexers<T>, new: Option<&T>) {
    indexers.iter_mut().for_each(|indexer| indexer.evaluate(new));
}

fn compare<T>(indexers: &mut Indexers<T>, contents: &Contents<T>, slot: Option<u32>) {
    for (indexer, postings) in indexers.iter_mut().zip(&contents.postings) {
        indexer.compare(&**postings, slot);
    }
}

fn store<T>(indexers: &mut Indexers<T>, contents: &mut Contents<T>, slot: u32) {
    for (indexer, postings) in indexers.iter_mut().zip(&mut contents.postings) {
        indexer.store(&mut **postings, slot);
    }
}

/// Performs all three steps in contents that have no readers yet.
fn reindex<T>(indexers: &mut Indexers<T>, contents: &mut Contents<T>, slot: u32, new: Option<&T>) {
    evaluate(indexers, new);
    compare(indexers, contents, Some(slot));
    store(indexers, contents, slot);
}

/// Returns the changes from one state of a store to another.
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

/// The changes of undecodable objects from one state of a store to another: deletions, and new states.
fn undecodable_differences<T: Object>(
    old: &Contents<T>,
    new: &Contents<T>,
) -> (Vec<Change<T>>, Vec<Change<T>>) {
    // An object that is or was decodable in some state has other changes.
    let is_unknown = |key: &ObjectKey| {
        old.get(key).is_none() && new.get(key).is_none() && !new.undecodable.contains_key(key)
    };
    let gone = old.undecodable.iter().filter(|(key, _)| is_unknown(key));
    let is_new = |(key, one): &(&ObjectKey, &Arc<Undecodable>)| {
        old.undecodable.get(*key).is_none_or(|before| !Arc::ptr_eq(before, one))
    };
    let came = new.undecodable.iter().filter(is_new);
    (
        gone.map(|(_, one)| Change::UndecodableDeleted(one.clone())).collect(),
        came.map(|(_, one)| Change::Undecodable(one.clone())).collect(),
    )
}
