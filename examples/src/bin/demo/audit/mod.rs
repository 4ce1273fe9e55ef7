//! [`Audit`]: a record of every change of a declared ReplicaSet and of its Pods, in the order of the
//! commits. It finds sets that ever had too many Pods, and uses neither caches nor the controller.

mod page;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use k8s_openapi::api::apps::v1::ReplicaSet;
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};
use trimtab_controller::cache::{Metadata, Object, ObjectKey};
use trimtab_examples::replicaset::PodView;

use self::page::Page;
pub(crate) use self::page::Row;

/// The record; clones share it.
#[derive(Clone)]
pub(crate) struct Audit {
    books: Arc<Mutex<Books>>,
    changed: Arc<watch::Sender<()>>,
}

struct Books {
    /// The sets of the manifests; others are ignored.
    declared: BTreeSet<ObjectKey>,
    /// By the set's UID, so that a later set of the same name has its own page.
    pages: HashMap<String, Page>,
    version: u64,
    changes: u64,
}

impl Audit {
    /// Starts an empty record of these sets.
    pub(crate) fn new(declared: BTreeSet<ObjectKey>) -> Self {
        let books = Books { declared, pages: HashMap::new(), version: 0, changes: 0 };
        Self { books: Arc::new(Mutex::new(books)), changed: Arc::default() }
    }

    /// Records a change of a ReplicaSet.
    pub(crate) fn set(&self, old: Option<&ReplicaSet>, new: Option<&ReplicaSet>, version: u64) {
        self.book(version, |books, now| match (old, new) {
            (Some(old), None) => drop(books.pages.remove(old.metadata().uid())),
            (_, Some(new)) => {
                if let Some(page) = books.page(Owner { key: new.key(), uid: new.metadata().uid() }) {
                    page.set(new, now);
                }
            }
            (None, None) => {}
        });
    }

    /// Records a change of a Pod.
    pub(crate) fn pod(&self, old: Option<&PodView>, new: Option<&PodView>, version: u64) {
        self.book(version, |books, now| {
            let (was, is) = (old.and_then(Owner::of), new.and_then(Owner::of));
            let stays = was == is;
            if let (Some(pod), Some(page)) = (old, was.and_then(|owner| books.page(owner))) {
                page.forget(pod);
                if !stays {
                    *(if new.is_none() { &mut page.counts.deleted } else { &mut page.counts.released }) += 1;
                }
            }
            if let (Some(pod), Some(page)) = (new, is.and_then(|owner| books.page(owner))) {
                page.hold(pod, now);
                if !stays {
                    *(if old.is_none() { &mut page.counts.created } else { &mut page.counts.adopted }) += 1;
                }
            }
        });
    }

    /// Records a change of another kind.
    pub(crate) fn other(&self, version: u64) {
        self.book(version, |_, _| {});
    }

    fn book(&self, version: u64, entry: impl FnOnce(&mut Books, Instant)) {
        let mut books = self.books.lock();
        entry(&mut books, Instant::now());
        books.version = books.version.max(version);
        books.changes += 1;
        drop(books);
        self.changed.send_replace(());
    }

    /// Returns the counts of the declared sets that exist.
    pub(crate) fn rows(&self) -> BTreeMap<ObjectKey, Row> {
        let books = self.books.lock();
        books.pages.values().filter_map(|page| Some((page.key.clone(), page.row()?))).collect()
    }

    /// Returns the number of recorded changes.
    pub(crate) fn changes(&self) -> u64 {
        self.books.lock().changes
    }

    /// Waits until all changes up to `version` are recorded and every declared set has converged.
    pub(crate) async fn converged(&self, version: u64) {
        let mut changed = self.changed.subscribe();
        while !self.books.lock().are_converged(version) {
            if changed.changed().await.is_err() {
                return; // unreachable: `self` holds the sender
            }
        }
    }
}

impl Books {
    /// Returns the page of a set; `None` if it is not declared.
    fn page(&mut self, owner: Owner<'_>) -> Option<&mut Page> {
        let Owner { key, uid } = owner;
        self.declared
            .contains(&key)
            .then(|| self.pages.entry(uid.to_owned()).or_insert_with(|| Page::new(key)))
    }

    fn are_converged(&self, version: u64) -> bool {
        let converged = self.pages.values().filter(|page| page.is_converged()).map(|page| &page.key);
        self.version >= version && converged.collect::<BTreeSet<_>>().len() == self.declared.len()
    }
}

/// The set that controls a Pod.
#[derive(PartialEq, Eq)]
struct Owner<'a> {
    key: ObjectKey,
    uid: &'a str,
}

impl<'a> Owner<'a> {
    fn of(pod: &'a PodView) -> Option<Self> {
        let owner = pod.metadata.controller().filter(|owner| owner.kind == "ReplicaSet")?;
        let namespace = pod.metadata.namespace().unwrap_or_default();
        Some(Self { key: ObjectKey::namespaced(namespace, &owner.name), uid: &owner.uid })
    }
}
