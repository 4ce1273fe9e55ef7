//! [`Queue`]: future events in the order of time.

use std::collections::BTreeMap;

/// Events by time. Events of the same time are in the order of their addition.
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

    /// Returns the time of the next event.
    pub(super) fn next_at(&self) -> Option<u64> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the next event, if it is due at `now`.
    pub(super) fn due(&mut self, now: u64) -> Option<E> {
        let first = self.events.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }
}
