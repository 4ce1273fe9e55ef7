//! [`Counter`]: counts equal events on one object (`eventLogger`).

use std::num::NonZeroUsize;

use k8s_openapi::{api::core::v1::Event as CoreEvent, apimachinery::pkg::apis::meta::v1::Time};
use lru::LruCache;
use serde_json::{Value, json};

use super::aggregate::EventKey;

#[derive(Debug, Clone)]
struct Seen {
    count: i32,
    first: Option<Time>,
    name: Option<String>,
}

#[derive(Debug)]
pub(super) struct Counter {
    seen: LruCache<EventKey, Seen>,
}

impl Counter {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self { seen: LruCache::new(capacity) }
    }

    /// Gives a repeated event the name, the first time and the count of its object, and returns the patch of that object.
    pub(super) fn count(&mut self, mut event: CoreEvent, key: EventKey) -> (CoreEvent, Option<Value>) {
        let mut patch = None;
        if let Some(seen) = self.seen.get(&key) {
            event.metadata.name.clone_from(&seen.name);
            event.first_timestamp.clone_from(&seen.first);
            event.count = Some(seen.count.saturating_add(1));
            patch = Some(json!({
                "count": event.count,
                "lastTimestamp": event.last_timestamp,
                "message": event.message,
            }));
        }
        let seen = Seen {
            count: event.count.unwrap_or(1),
            first: event.first_timestamp.clone(),
            name: event.metadata.name.clone(),
        };
        self.seen.put(key, seen);
        (event, patch)
    }
}
