//! [`EventRecorder`]: the handle through which a controller records events.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use k8s_openapi::{api::core::v1::ObjectReference, jiff::Timestamp};
use metrics::Counter;
use tokio::sync::mpsc;

use crate::{
    EventRecorderBuilder, FakeEvents, NewEvent,
    record::{Recorded, Reporter},
};

/// The longest name of an object.
const MAX_NAME: usize = 253;

/// Records events. Cheap to clone; all clones share one queue.
#[derive(Clone)]
pub struct EventRecorder {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) sinks: Vec<mpsc::Sender<Arc<Recorded>>>,
    pub(crate) fake: Option<mpsc::Sender<String>>,
    pub(crate) results: Results,
    pub(crate) clock: Clock,
    /// The last name's number, so that two events of one nanosecond differ.
    pub(crate) last_number: AtomicU64,
}

/// Tells the time that events are labelled with.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Counters of the results of recording, by `trimtab_events_total{controller,result}`.
#[derive(Clone)]
pub(crate) struct Results {
    sent: Counter,
    refused: Counter,
    dropped: Counter,
    lost: Counter,
}

impl EventRecorder {
    /// Begins to set up a recorder for `controller`, which becomes the events' reporting controller.
    pub fn builder(controller: impl Into<String>) -> EventRecorderBuilder {
        EventRecorderBuilder::new(controller.into())
    }

    /// A recorder for tests: it writes to nobody, and keeps up to `capacity` events.
    pub fn fake(capacity: usize) -> (Self, FakeEvents) {
        let (sender, events) = mpsc::channel(capacity.max(1));
        let recorder = Self::builder("fake").into_recorder(Vec::new(), Some(sender));
        (recorder, FakeEvents { events })
    }

    /// A recorder that discards every event.
    #[must_use]
    pub fn discarding() -> Self {
        Self::builder("discarding").into_recorder(Vec::new(), None)
    }

    pub(crate) fn of(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Records an event about `regarding`. Returns at once; never fails.
    ///
    /// The event lies in the namespace of the object, or in `default`. It is dropped, counted and logged if the queue is
    /// full or the reference has no kind or no name.
    pub fn record(&self, regarding: &ObjectReference, event: NewEvent) {
        let inner = &*self.inner;
        if let Some(fake) = &inner.fake {
            let text = format!("{} {} {}", event.type_, event.reason, event.note);
            if fake.try_send(text).is_err() {
                inner.results.dropped.increment(1);
            }
            return;
        }
        let at = (inner.clock)();
        let event = Recorded {
            name: self.name(regarding.name.as_deref().unwrap_or_default(), at),
            event,
            regarding: regarding.clone(),
            reporter: inner.reporter.clone(),
            at,
        };
        let is_named = |field: &Option<String>| field.as_deref().is_some_and(|text| !text.is_empty());
        if !is_named(&regarding.kind) || !is_named(&regarding.name) {
            return inner.results.dropped("its object has no kind or no name", &event);
        }
        let event = Arc::new(event);
        for sink in &inner.sinks {
            match sink.try_send(event.clone()) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(event)) => {
                    inner.results.dropped("the queue is full", &event)
                }
                Err(mpsc::error::TrySendError::Closed(event)) => {
                    inner.results.dropped("the publisher has stopped", &event);
                }
            }
        }
    }

    /// `<object>.<nanoseconds in hex>`, as client-go names events; a number more for each of one nanosecond.
    fn name(&self, object: &str, at: Timestamp) -> String {
        let now = u64::try_from(at.as_nanosecond()).unwrap_or(0);
        let next = |last: u64| Some(now.max(last + 1));
        let last = self.inner.last_number.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let number = last.map_or(now, |last| now.max(last + 1));
        let suffix = format!(".{number:x}");
        let object: String = object.chars().take(MAX_NAME - suffix.len()).collect();
        let is_valid = !object.is_empty()
            && object.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b))
            && !object.split('.').any(|part| part.is_empty() || part.starts_with('-') || part.ends_with('-'));
        if is_valid { object + &suffix } else { format!("event{suffix}") }
    }
}

impl fmt::Debug for EventRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventRecorder").field("reporter", &self.inner.reporter).finish_non_exhaustive()
    }
}

impl Results {
    pub(crate) fn of(controller: &str) -> Self {
        let counter = |result: &'static str| metrics::counter!("trimtab_events_total", "controller" => controller.to_owned(), "result" => result);
        Self {
            sent: counter("sent"),
            refused: counter("refused"),
            dropped: counter("dropped"),
            lost: counter("lost"),
        }
    }

    pub(crate) fn sent(&self) {
        self.sent.increment(1);
    }

    pub(crate) fn dropped(&self, because: &str, event: &Recorded) {
        self.dropped.increment(1);
        let reason = &event.event.reason;
        tracing::warn!(because, reason, object = event.regarding.name, "an event was dropped");
    }

    pub(crate) fn refused_quietly(&self, error: &kube_client::Error) {
        self.refused.increment(1);
        tracing::debug!(%error, "the API server refused an event");
    }

    pub(crate) fn refused(&self, error: &kube_client::Error) {
        self.refused.increment(1);
        tracing::warn!(%error, "the API server refused an event");
    }

    pub(crate) fn lost(&self, error: &kube_client::Error) {
        self.lost.increment(1);
        tracing::warn!(%error, "an event could not be written and is lost");
    }

    pub(crate) fn unsent(&self, count: usize) {
        self.lost.increment(count as u64);
        tracing::warn!(count, "events were not sent before the flush timeout");
    }
}
