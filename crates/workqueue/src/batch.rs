//! Many keys for one turn of the lock.

use std::hash::Hash;

use crate::{
    Item, WorkQueue,
    builder::priority,
    shared::When,
    state::{Added, Wanted},
};

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueue<K> {
    /// Adds each of the keys, now, taking the lock once. Returns how many were accepted: all or none.
    ///
    /// The keys are collected and hashed before the lock is taken, so that an iterator may be slow.
    pub fn add_many(&self, keys: impl IntoIterator<Item = K>) -> usize {
        let prepare = |key| {
            let (hash, group) = self.shared.hash_and_group(&key);
            (Some(key), hash, Wanted { priority: priority::NORMAL, due: None, group })
        };
        // Dropped after the lock, with the keys that were not taken.
        let mut keys: Vec<_> = keys.into_iter().map(prepare).collect();
        self.shared.with(When::Whenever, |state, now| {
            let add = |(key, hash, wanted): &mut _| state.add(*hash, key, *wanted, now);
            keys.iter_mut().map(add).filter(|&added| added != Added::Refused).count()
        })
    }

    /// Takes the keys that are ready, at most `max` of them, waiting until there is one.
    ///
    /// Each is its own [`Item`]. No key at all means that the queue has shut down and nothing is ready, or
    /// that `max` is zero.
    ///
    /// # Cancel safety
    ///
    /// A `get_many` dropped before it completes has taken no key.
    pub async fn get_many(&self, max: usize) -> Vec<Item<K>> {
        if max == 0 {
            return Vec::new();
        }
        let Some(first) = self.get().await else {
            return Vec::new();
        };
        let others = self.shared.take_many(max - 1);
        let others = others.into_iter().map(|taken| Item::new(&self.shared, taken));
        std::iter::once(first).chain(others).collect()
    }
}
