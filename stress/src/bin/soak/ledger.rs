//! [`Ledger`]: a record of adds and handlings, kept beside the queue.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use trimtab_workqueue::Item;

pub(crate) type Key = u32;

/// The last accepted add and the last handling of each key, by a clock that counts events.
///
/// Each add must be followed by a handling. The add's time is read before the add and the handling's
/// time after its key was taken, so every key that [`owed`](Self::owed) reports is a lost key.
#[derive(Default)]
pub(crate) struct Ledger {
    clock: AtomicU64,
    rows: Vec<Row>,
    /// The number of times that a key was with two workers at once.
    pub(crate) clashes: AtomicU64,
    pub(crate) adds: AtomicU64,
    pub(crate) handlings: AtomicU64,
    pub(crate) removals: AtomicU64,
    pub(crate) cancelled_gets: AtomicU64,
    pub(crate) aborted_workers: AtomicU64,
}

#[derive(Default)]
struct Row {
    added: AtomicU64,
    handled: AtomicU64,
    busy: AtomicBool,
}

impl Ledger {
    pub(crate) fn new(keys: Key) -> Self {
        Self { rows: (0..keys).map(|_| Row::default()).collect(), ..Self::default() }
    }

    pub(crate) fn keys(&self) -> Key {
        self.rows.len() as Key
    }

    /// Calls `add`, which returns whether the queue accepted the keys, and records them if it did.
    pub(crate) fn add(&self, keys: &[Key], add: impl FnOnce() -> bool) -> bool {
        let now = self.tick();
        let accepted = add();
        if accepted {
            for &key in keys {
                self.row(key).added.fetch_max(now, SeqCst);
            }
            self.adds.fetch_add(keys.len() as u64, SeqCst);
        }
        accepted
    }

    /// Records that the key was removed from the queue: earlier adds need no handling any more.
    pub(crate) fn removed(&self, key: Key) {
        self.row(key).handled.fetch_max(self.tick(), SeqCst);
        self.removals.fetch_add(1, SeqCst);
    }

    /// Records that a worker has taken a key.
    pub(crate) fn begin(self: &Arc<Self>, item: Item<Key>) -> Handling {
        self.enter(*item);
        Handling { ledger: Arc::clone(self), item }
    }

    /// The same for a worker that calls [`leave`](Self::leave) itself.
    pub(crate) fn enter(&self, key: Key) {
        let row = self.row(key);
        if row.busy.swap(true, SeqCst) {
            self.clashes.fetch_add(1, SeqCst);
        }
        row.handled.fetch_max(self.tick(), SeqCst);
        self.handlings.fetch_add(1, SeqCst);
    }

    /// Records that a worker is about to complete a key. After `done` another worker may have it.
    pub(crate) fn leave(&self, key: Key) {
        self.row(key).busy.store(false, SeqCst);
    }

    /// Returns the keys whose last add was not followed by a handling.
    pub(crate) fn owed(&self) -> Vec<Key> {
        let owed = |&key: &Key| self.row(key).added.load(SeqCst) > self.row(key).handled.load(SeqCst);
        (0..self.keys()).filter(owed).collect()
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, SeqCst) + 1
    }

    fn row(&self, key: Key) -> &Row {
        &self.rows[key as usize]
    }
}

/// A key that a worker holds; its drop completes the key.
pub(crate) struct Handling {
    ledger: Arc<Ledger>,
    item: Item<Key>,
}

impl Drop for Handling {
    /// Runs before the item's own drop.
    fn drop(&mut self) {
        self.ledger.leave(*self.item);
    }
}
