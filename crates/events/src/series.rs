//! [`SeriesState`]: repeated events as series of `events.k8s.io/v1`, as a plain value.
//!
//! - S1: the first of equal events creates an object, the second sends a series with a count of two, later ones are only
//!   counted.
//! - S2: an unsent count is sent when the series ends, every 30 minutes, and at shutdown.
//! - S3: at most `capacity` series are remembered; the least recently used one is forgotten first.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use k8s_openapi::{api::core::v1::ObjectReference, jiff::Timestamp};
use lru::LruCache;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    EventType,
    record::Recorded,
    write::{Object, Write},
};

/// The time without an event after which a series has ended.
const FINISHED_AFTER: Duration = Duration::from_secs(6 * 60);
/// The interval at which an open series is sent, so that its object does not expire on the server.
const REFRESHED_AFTER: Duration = Duration::from_secs(30 * 60);

/// The key of a series. Events of one series may differ in their notes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    controller: String,
    type_: EventType,
    action: String,
    reason: String,
    regarding: [Option<String>; 6],
    related: Option<[Option<String>; 6]>,
}

#[derive(Debug)]
struct Series {
    first: Arc<Recorded>,
    last_event: Instant,
    last_time: Timestamp,
    last_sent: Instant,
    count: i32,
    sent: i32,
}

/// The open series.
#[derive(Debug)]
pub(crate) struct SeriesState {
    series: LruCache<Key, Series>,
}

impl SeriesState {
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self { series: LruCache::new(capacity) }
    }

    /// Adds an event to its series. Returns the request for it, if one is due (S1), and one with the last count of the
    /// series that was forgotten in exchange (S3).
    pub(crate) fn observe(&mut self, event: Arc<Recorded>, now: Instant) -> impl Iterator<Item = Write> {
        let key = Key::of(&event);
        let mut writes = [None, None];
        if let Some(series) = self.series.get_mut(&key) {
            (series.last_event, series.last_time) = (now, event.at);
            series.count = series.count.saturating_add(1);
            if series.count == 2 {
                writes[0] = Some(series.send(now));
            }
        } else {
            writes[1] = Some(Write { object: Object::Events(Box::new(event.to_event(None))), patch: None });
            let series = Series {
                last_event: now,
                last_time: event.at,
                last_sent: now,
                count: 1,
                sent: 1,
                first: event,
            };
            if let Some((_, mut forgotten)) = self.series.push(key, series) {
                writes[0] = (forgotten.count != forgotten.sent).then(|| forgotten.send(now));
            }
        }
        writes.into_iter().flatten()
    }

    /// Ends the series that had no event for six minutes, and refreshes the others (S2).
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<Write> {
        let mut writes = Vec::new();
        while let Some((_, oldest)) = self.series.peek_lru()
            && now.duration_since(oldest.last_event) >= FINISHED_AFTER
        {
            if let Some((_, mut ended)) = self.series.pop_lru()
                && ended.count != ended.sent
            {
                writes.push(ended.send(now));
            }
        }
        for (_, open) in &mut self.series {
            if open.count > 1 && now.duration_since(open.last_sent) >= REFRESHED_AFTER {
                writes.push(open.send(now));
            }
        }
        writes
    }

    /// Returns the time at which [`tick`](Self::tick) is due.
    pub(crate) fn next_tick(&self) -> Option<Instant> {
        let ends = self.series.peek_lru().map(|(_, oldest)| oldest.last_event + FINISHED_AFTER);
        let open = self.series.iter().filter(|(_, series)| series.count > 1);
        let refreshed = open.map(|(_, series)| series.last_sent + REFRESHED_AFTER).min();
        ends.into_iter().chain(refreshed).min()
    }

    /// Returns the unsent counts (S2) and forgets every series.
    pub(crate) fn finish(&mut self, now: Instant) -> Vec<Write> {
        let mut writes = Vec::new();
        while let Some((_, mut series)) = self.series.pop_lru() {
            if series.count != series.sent {
                writes.push(series.send(now));
            }
        }
        writes
    }
}

impl Series {
    fn send(&mut self, now: Instant) -> Write {
        self.last_sent = now;
        self.sent = self.count;
        let event = self.first.to_event(Some((self.count, self.last_time)));
        let patch = json!({ "series": event.series });
        Write { object: Object::Events(Box::new(event)), patch: Some(patch) }
    }
}

impl Key {
    fn of(recorded: &Recorded) -> Self {
        let event = &recorded.event;
        Self {
            controller: recorded.reporter.controller.clone(),
            type_: event.type_,
            action: event.action.clone(),
            reason: event.reason.clone(),
            regarding: reference(&recorded.regarding),
            related: event.related.as_ref().map(reference),
        }
    }
}

/// Returns the fields that identify an object. The resource version is not one of them.
fn reference(object: &ObjectReference) -> [Option<String>; 6] {
    let ObjectReference { api_version, kind, namespace, name, uid, field_path, .. } = object;
    [api_version, kind, namespace, name, uid, field_path].map(Clone::clone)
}
