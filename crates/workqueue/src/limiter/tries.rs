//! [`Tries`]: how often each key was tried, which two limiters count.

use std::{collections::HashMap, hash::Hash};

use hashbrown::DefaultHashBuilder;

#[derive(Debug, Clone)]
pub(super) struct Tries<K> {
    counts: HashMap<K, u32, DefaultHashBuilder>,
}

impl<K> Tries<K> {
    pub(super) fn new() -> Self {
        Self { counts: HashMap::default() }
    }
}

impl<K: Hash + Eq + Clone> Tries<K> {
    /// Counts a try and returns how many came before it.
    pub(super) fn count(&mut self, key: &K) -> u32 {
        if let Some(count) = self.counts.get_mut(key) {
            let before = *count;
            *count = before.saturating_add(1);
            return before;
        }
        self.counts.insert(key.clone(), 1);
        0
    }

    /// Forgets the key; costs no hash where no key was tried, which is how most reconciles end.
    pub(super) fn forget(&mut self, key: &K) {
        const KEPT: usize = 1024; // an empty map may keep this much of a burst
        if !self.counts.is_empty() && self.counts.remove(key).is_some() && self.counts.is_empty() {
            self.counts.shrink_to(KEPT);
        }
    }

    pub(super) fn of(&self, key: &K) -> u32 {
        self.counts.get(key).copied().unwrap_or(0)
    }
}
