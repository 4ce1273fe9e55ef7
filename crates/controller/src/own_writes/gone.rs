//! [`GoneOwners`]: owners that the server does not have any more, while the cache still shows them.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use trimtab_cache::{Metadata, Object, ObjectKey, Store};

/// The UID that the cache shows under a key.
type CachedUid = dyn Fn(&ObjectKey) -> Option<String> + Send + Sync;

/// Owners that a write did not find. Each is forgotten with the next event about its key.
///
/// A cache may be minutes behind: its watch hangs. The garbage collector removes what an owner that is gone creates, each
/// removal starts a reconcile, and that creates again: without an end, and as fast as the server allows.
#[derive(Clone)]
pub(super) struct GoneOwners {
    uids: Arc<Mutex<HashMap<ObjectKey, String>>>,
    cached: Arc<CachedUid>,
}

impl GoneOwners {
    pub(super) fn of<T: Object>(store: &Store<T>) -> Self {
        let store = store.clone();
        let cached = move |key: &ObjectKey| Some(store.get(key)?.metadata().uid().to_owned());
        Self { uids: Arc::default(), cached: Arc::new(cached) }
    }

    /// Notes that the server has no object `key` with this UID, if the cache still shows it.
    pub(super) fn note(&self, key: &ObjectKey, uid: &str) {
        self.uids.lock().insert(key.clone(), uid.to_owned());
        // Looked at afterwards: an event that comes later forgets the owner, and one that came before is seen here.
        if (self.cached)(key).is_none_or(|cached| cached != uid) {
            self.forget(key);
        }
    }

    pub(super) fn contains(&self, key: &ObjectKey) -> bool {
        self.uids.lock().contains_key(key)
    }

    /// Forgets what was noted of a key.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.uids.lock().remove(key);
    }
}
