//! [`StoreWriter`]: the one writing side of a cache. Apart from [`Store`], so that whoever reads
//! cannot write.

use std::{fmt, sync::Arc};

use crate::{
    Change, Metadata, Object, ObjectKey, Replacement, Store, Tombstone, contents::Contents, index::Indexer,
    replacement::Outcome,
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

    /// Calls `function` for each read of the store that finds it without a resource version: before the first write.
    /// `len`, `is_empty` and `add_index` do not count as reads. A second function is ignored.
    ///
    /// It lets an informer warn of a store that nobody fills. The function runs on the reader's thread, without a
    /// lock of the store.
    pub fn on_unfilled_read(&self, function: impl Fn() + Send + Sync + 'static) {
        let _ = self.store.shared.on_unfilled_read.set(Box::new(function));
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
        let mut indexers = self.store.shared.indexers.lock();
        ask(&mut indexers, Some(&object));
        let now = self.store.contents();
        let slot = now.slot(&key);
        compare(&mut indexers, &now, slot);
        drop(now); // or `write` would copy what it writes
        let old = self.write(|contents| {
            let (slot, old) = match slot {
                Some(slot) => (slot, Some(contents.set(slot, object.clone()))),
                None => (contents.insert(key, object.clone()), None),
            };
            settle(&mut indexers, contents, slot);
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

    /// Removes the object of that key; `None` if there was none.
    ///
    /// `last` is the state at deletion, if the server told it: it is what the tombstone carries, and
    /// the store takes over its resource version. Without it the tombstone carries the stored state,
    /// marked as not being final.
    pub fn delete(&mut self, key: &ObjectKey, last: Option<T>) -> Option<Change<T>> {
        let mut indexers = self.store.shared.indexers.lock();
        ask(&mut indexers, None);
        let now = self.store.contents();
        let slot = now.slot(key);
        compare(&mut indexers, &now, slot);
        drop(now); // or `write` would copy what it writes
        let removed = self.write(|contents| {
            if let Some(slot) = slot {
                settle(&mut indexers, contents, slot);
            }
            if let Some(last) = &last {
                self.note_version(contents, last.metadata().resource_version());
            }
            contents.remove(slot?)
        });
        drop(indexers);
        self.wake_waiting();
        let final_state_unknown = last.is_none();
        let stored = removed?.object;
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
        Replacement::new(&self.store)
    }

    /// Makes the store hold exactly what `replacement` holds, as [`replace`](Self::replace) does.
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
        let now = self.store.contents();
        if !Arc::ptr_eq(&now, &base) {
            // The store went on while the list came in: written to, or given an index.
            for indexer in &indexers[next.postings.len()..] {
                let postings = indexer.build(&mut next.iter());
                next.postings.push(postings);
            }
            next.label_indexes.clone_from(&now.label_indexes);
            changes = differences(&now, &next);
        }
        drop((base, now));
        next.version = self.store.resource_version();
        self.note_version(&mut next, resource_version);
        let old = std::mem::replace(&mut *self.store.shared.contents.write(), Arc::new(next));
        drop(indexers);
        drop(old); // outside the locks: it takes a while
        self.wake_waiting();
        changes
    }

    /// Notes that the store is as new as `resource_version`, though nothing has changed.
    pub fn bookmark(&mut self, resource_version: &str) {
        self.write(|contents| contents.set_version(resource_version));
        self.wake_waiting();
    }

    /// Writes at one moment. Whoever holds a snapshot keeps it as it is.
    fn write<R>(&self, edit: impl FnOnce(&mut Contents<T>) -> R) -> R {
        edit(Arc::make_mut(&mut self.store.shared.contents.write()))
    }

    /// After a write, and without a lock: those who are woken may read at once.
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

/// No lock that readers take is held meanwhile: the functions are the user's.
fn ask<T>(indexers: &mut Indexers<T>, new: Option<&T>) {
    indexers.iter_mut().for_each(|indexer| indexer.ask(new));
}

fn compare<T>(indexers: &mut Indexers<T>, contents: &Contents<T>, slot: Option<u32>) {
    for (indexer, postings) in indexers.iter_mut().zip(&contents.postings) {
        indexer.compare(&**postings, slot);
    }
}

fn settle<T>(indexers: &mut Indexers<T>, contents: &mut Contents<T>, slot: u32) {
    for (indexer, postings) in indexers.iter_mut().zip(&mut contents.postings) {
        indexer.settle(&mut **postings, slot);
    }
}

/// All three, in contents that nobody reads yet.
fn reindex<T>(indexers: &mut Indexers<T>, contents: &mut Contents<T>, slot: u32, new: Option<&T>) {
    ask(indexers, new);
    compare(indexers, contents, Some(slot));
    settle(indexers, contents, slot);
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
