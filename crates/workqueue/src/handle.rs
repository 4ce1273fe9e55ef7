//! [`Handle`]: what a [`WorkQueue`](crate::WorkQueue) and its items share.

use std::{ops::Deref, sync::Arc};

use crate::{shared::Shared, sync::Apart};

/// A reference to a queue, on cache lines of its own.
///
/// Each item counts as a reference to the handle that took it, not to the queue: workers with a handle each would
/// otherwise take the cache line of one counter from each other twice for every key.
pub(crate) struct Handle<K>(Apart<Arc<Shared<K>>>);

impl<K> Handle<K> {
    pub(crate) fn new(shared: Arc<Shared<K>>) -> Arc<Self> {
        Arc::new(Self(Apart(shared)))
    }
}

impl<K> Deref for Handle<K> {
    type Target = Arc<Shared<K>>;

    #[inline]
    fn deref(&self) -> &Arc<Shared<K>> {
        &self.0.0
    }
}
