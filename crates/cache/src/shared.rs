//! [`Shared`]: the contents, the indexers and the notification that all handles of one store share.

use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tokio::sync::Notify;

use crate::{contents::Contents, indexer::Indexer};

/// Lock order: `indexers`, then `contents`.
pub(crate) struct Shared<T> {
    /// Locked during every write and every `add_index`: index functions run beside readers, but never beside each
    /// other. `contents` is locked only to put their results in.
    pub(crate) indexers: Mutex<Vec<Box<dyn Indexer<T>>>>,
    pub(crate) contents: RwLock<Arc<Contents<T>>>,
    /// Notified after every write.
    pub(crate) written: Notify,
    /// Called when the store is read before its first write.
    pub(crate) on_unfilled_read: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl<T> Shared<T> {
    pub(crate) fn new() -> Self {
        let contents = RwLock::new(Arc::new(Contents::new()));
        Self {
            indexers: Mutex::default(),
            contents,
            written: Notify::new(),
            on_unfilled_read: OnceLock::new(),
        }
    }

    /// Locks the contents to read a few objects at most: the writer waits meanwhile.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Arc<Contents<T>>> {
        self.contents.read()
    }

    /// Returns the contents, for a call of the store's user: reports a read before the first write.
    pub(crate) fn read_all(&self) -> Arc<Contents<T>> {
        let contents = self.contents();
        if contents.version.is_none() {
            self.report_unfilled();
        }
        contents
    }

    /// Reports a read before the first write; see `StoreWriter::on_unfilled_read`. Called without a lock.
    #[cold]
    pub(crate) fn report_unfilled(&self) {
        if let Some(report) = self.on_unfilled_read.get() {
            report();
        }
    }

    /// Returns the contents, to be read without the lock.
    pub(crate) fn contents(&self) -> Arc<Contents<T>> {
        self.read().clone()
    }
}
