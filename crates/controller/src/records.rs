//! [`KeyRecords`]: the keys that fail or wait, with their last error.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use tokio::time::Instant;
use trimtab_cache::ObjectKey;

/// The record of a key that fails or waits.
#[derive(Debug, Clone)]
pub(crate) struct KeyRecord {
    /// The number of consecutive failures.
    pub(crate) failures: u32,
    /// The last error of a key that fails or was given up.
    pub(crate) error: Option<Arc<str>>,
    /// The own write that the key waits for.
    pub(crate) waits_for: Option<Arc<str>>,
    /// The time of the first failure in a row, or of the begin of the wait.
    pub(crate) since: Instant,
}

impl KeyRecord {
    fn new() -> Self {
        Self { failures: 0, error: None, waits_for: None, since: Instant::now() }
    }
}

/// The records of the keys that fail or wait. A key that succeeds has none.
#[derive(Debug, Default)]
pub(crate) struct KeyRecords {
    records: Mutex<HashMap<ObjectKey, KeyRecord>>,
    /// The number of records: as long as there are none, a reconcile need not lock the table.
    ///
    /// Relaxed: the record of a key is written by the worker that holds the key, and read by the next worker that takes it
    /// from the queue, whose lock orders the two.
    len: AtomicUsize,
}

impl KeyRecords {
    /// Returns the number of consecutive failures of a key.
    pub(crate) fn failures(&self, key: &ObjectKey) -> u32 {
        if self.len.load(Relaxed) == 0 {
            return 0;
        }
        self.records.lock().get(key).map_or(0, |record| record.failures)
    }

    pub(crate) fn succeeded(&self, key: &ObjectKey) {
        if self.len.load(Relaxed) > 0 {
            self.change(|records| _ = records.remove(key));
        }
    }

    /// Counts a failure. A key that is given up begins again at 0.
    pub(crate) fn failed(&self, key: &ObjectKey, error: &str, is_given_up: bool) {
        self.change(|records| {
            let record = records.entry(key.clone()).or_insert_with(KeyRecord::new);
            record.failures = if is_given_up { 0 } else { record.failures.saturating_add(1) };
            record.error = Some(error.into());
            record.waits_for = None;
        });
    }

    pub(crate) fn parked(&self, key: &ObjectKey, on: &str) {
        self.change(|records| {
            records.entry(key.clone()).or_insert_with(KeyRecord::new).waits_for = Some(on.into());
        });
    }

    /// Returns the number of failing keys and of waiting keys.
    pub(crate) fn count(&self) -> (usize, usize) {
        let records = self.records.lock();
        let waiting = records.values().filter(|record| record.waits_for.is_some()).count();
        (records.values().filter(|record| record.error.is_some()).count(), waiting)
    }

    pub(crate) fn all(&self) -> HashMap<ObjectKey, KeyRecord> {
        self.records.lock().clone()
    }

    pub(crate) fn clear(&self) {
        self.change(HashMap::clear);
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<ObjectKey, KeyRecord>)) {
        let mut records = self.records.lock();
        change(&mut records);
        self.len.store(records.len(), Relaxed);
    }
}
