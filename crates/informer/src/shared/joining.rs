//! [`Joining`]: the writer of the store, with the first events of handlers that join.

use std::sync::Arc;

use trimtab_cache::StoreWriter;

use crate::delivery::Batch;

/// The most events that are kept for a further handler: some hundred bytes each.
const KEPT: usize = 10_000;

/// The writer of the store, and the first events of a handler until the next write: handlers that join one after the other,
/// as those of many controllers of a kind do, share the events and the texts of their keys.
pub(super) struct Joining<T> {
    writer: StoreWriter<T>,
    first: Option<Arc<Batch<T>>>,
}

impl<T> Joining<T> {
    pub(super) fn new(writer: StoreWriter<T>) -> Self {
        Self { writer, first: None }
    }

    /// Returns the writer, for a change.
    pub(super) fn write(&mut self) -> &mut StoreWriter<T> {
        self.first = None;
        &mut self.writer
    }

    /// Returns the events with which a handler begins.
    pub(super) fn first(&mut self, make: impl FnOnce() -> Batch<T>) -> Arc<Batch<T>> {
        if let Some(first) = &self.first {
            return first.clone();
        }
        let first = Arc::new(make());
        self.first = (first.events.len() <= KEPT && first.ends_initial).then(|| first.clone());
        first
    }
}

#[cfg(all(test, not(trimtab_loom)))]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use trimtab_cache::Change;

    use super::*;
    use crate::event::Event;

    fn batch(objects: usize, ends_initial: bool) -> Batch<ConfigMap> {
        let event = |_| Event::new(Change::Added(Arc::new(ConfigMap::default())), true);
        Batch { events: (0..objects).map(event).collect(), ends_initial }
    }

    #[test]
    fn handlers_share_their_first_events_until_the_next_write() {
        let mut joining = Joining::new(StoreWriter::new());
        let first = joining.first(|| batch(1, true));
        assert!(Arc::ptr_eq(&first, &joining.first(|| batch(9, true))));
        joining.write().bookmark("7");
        assert_eq!(joining.first(|| batch(2, true)).events.len(), 2);
    }

    #[test]
    fn the_events_of_a_large_store_and_of_a_first_list_that_goes_on_are_not_kept() {
        let mut joining = Joining::new(StoreWriter::new());
        for (objects, ends_initial) in [(KEPT + 1, true), (1, false)] {
            let first = joining.first(|| batch(objects, ends_initial));
            assert_eq!(Arc::strong_count(&first), 1);
        }
    }
}
