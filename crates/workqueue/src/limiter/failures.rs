//! [`Failures`]: the number of failures of each key. Two limiters use it.

use std::{collections::HashMap, hash::Hash};

use hashbrown::DefaultHashBuilder;

#[derive(Debug, Clone)]
pub(super) struct Failures<K> {
    counts: HashMap<K, u32, DefaultHashBuilder>,
}

impl<K> Failures<K> {
    pub(super) fn new() -> Self {
        Self { counts: HashMap::default() }
    }
}

impl<K: Hash + Eq + Clone> Failures<K> {
    /// Counts a failure. Returns the number of earlier failures.
    pub(super) fn record(&mut self, key: &K) -> u32 {
        if let Some(count) = self.counts.get_mut(key) {
            let before = *count;
            *count = before.saturating_add(1);
            return before;
        }
        self.counts.insert(key.clone(), 1);
        0
    }

    /// Forgets the key. Does not hash the key if no key has failed, which is the usual case.
    pub(super) fn forget(&mut self, key: &K) {
        const KEPT: usize = 1024; // what an empty map may keep allocated after a burst
        if !self.counts.is_empty() && self.counts.remove(key).is_some() && self.counts.is_empty() {
            self.counts.shrink_to(KEPT);
        }
    }

    pub(super) fn of(&self, key: &K) -> u32 {
        self.counts.get(key).copied().unwrap_or(0)
    }
}
