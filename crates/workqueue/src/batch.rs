//! `add_many` and `get_many`: several keys under one lock.

use std::hash::Hash;

use crate::{
    index::IN_FLIGHT,
    item::Item,
    priority,
    queue::WorkQueue,
    shared::ClockRead,
    state::{AddParams, Added},
};

impl<K: Hash + Eq + Clone + Send + 'static> WorkQueue<K> {
    /// Adds all the keys now, under one lock. Returns the number of accepted keys: all of them, or 0 after a
    /// shutdown.
    ///
    /// The keys are collected and hashed before the queue is locked, so a slow iterator does not block the queue.
    pub fn add_many(&self, keys: impl IntoIterator<Item = K>) -> usize {
        let prepare = |key| {
            let (hash, group) = self.shared.hash_and_group(&key);
            (Some(key), hash, AddParams { priority: priority::NORMAL, due: None, group })
        };
        // Dropped after the lock is released, together with the keys that the queue already held.
        let mut keys: Vec<_> = keys.into_iter().map(prepare).collect();
        self.shared.with_state(ClockRead::IfMeasured, |state, now| {
            let add_batch = |batch: &mut [_]| {
                state.preload(batch.iter().map(|(_, hash, _)| *hash));
                let add = |(key, hash, params): &mut _| state.add(*hash, key, *params, now);
                batch.iter_mut().map(add).filter(|&added| added != Added::Refused).count()
            };
            keys.chunks_mut(IN_FLIGHT).map(add_batch).sum()
        })
    }

    /// Takes at most `max` ready keys. Waits until at least one key is ready.
    ///
    /// Each key is an [`Item`] of its own. An empty result means that the queue has shut down and no key is
    /// ready, or that `max` is zero.
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
