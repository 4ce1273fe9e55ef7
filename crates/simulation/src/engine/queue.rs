//! [`Queue`]: what is to happen, in the order of its time.

use std::collections::BTreeMap;

/// Events by time; those of one time in the order in which they were added.
#[derive(Debug)]
pub(super) struct Queue<E> {
    events: BTreeMap<(u64, u64), E>,
    added: u64,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { events: BTreeMap::new(), added: 0 }
    }
}

impl<E> Queue<E> {
    pub(super) fn add(&mut self, at: u64, event: E) {
        self.added += 1;
        self.events.insert((at, self.added), event);
    }

    /// When the next event is due.
    pub(super) fn next_at(&self) -> Option<u64> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next event, if it is due at `now`.
    pub(super) fn due(&mut self, now: u64) -> Option<E> {
        let first = self.events.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }
}
