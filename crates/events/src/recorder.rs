//! [`EventRecorder`]: the handle through which a controller records events.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use k8s_openapi::{api::core::v1::ObjectReference, jiff::Timestamp};
use tokio::sync::mpsc;

use crate::{
    NewEvent,
    record::{Recorded, Reporter},
    results::Results,
};

/// The longest name of an object.
const MAX_NAME: usize = 253;

/// Records events. Cheap to clone; all clones share one queue.
#[derive(Clone)]
pub struct EventRecorder {
    reporter: Arc<Reporter>,
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) sinks: Vec<mpsc::Sender<Arc<Recorded>>>,
    pub(crate) fake: Option<mpsc::Sender<String>>,
    pub(crate) results: Results,
    pub(crate) clock: Clock,
    /// The number in the last name, so that the names of two events in one nanosecond differ.
    pub(crate) last_number: AtomicU64,
}

/// Returns the time that events are labelled with.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

impl EventRecorder {
    pub(crate) fn of(reporter: Reporter, inner: Inner) -> Self {
        Self { reporter: Arc::new(reporter), inner: Arc::new(inner) }
    }

    /// Returns a recorder with the same queue for another reporting controller: one of several in a process.
    ///
    /// Events of two controllers are never counted together. Those that are dropped or sent count for the controller of the
    /// builder in metrics.
    #[must_use]
    pub fn for_controller(&self, controller: impl Into<String>) -> Self {
        let reporter = Reporter { controller: controller.into(), ..(*self.reporter).clone() };
        Self { reporter: Arc::new(reporter), inner: self.inner.clone() }
    }

    /// Records an event about `regarding`. Returns at once; never fails.
    ///
    /// The event is created in the namespace of the object, or in `default`. It is a line of level debug in the log. It is
    /// dropped, counted and logged as a warning if the queue is full or the reference has no kind or no name.
    pub fn record(&self, regarding: &ObjectReference, event: NewEvent) {
        let inner = &*self.inner;
        if let Some(fake) = &inner.fake {
            let text = format!("{} {} {}", event.type_, event.reason, event.note);
            if fake.try_send(text).is_err() {
                inner.results.dropped_quietly();
            }
            return;
        }
        let at = (inner.clock)();
        let event = Recorded {
            name: self.name(regarding.name.as_deref().unwrap_or_default(), at),
            event,
            regarding: regarding.clone(),
            reporter: self.reporter.clone(),
            at,
        };
        let is_named = |field: &Option<String>| field.as_deref().is_some_and(|text| !text.is_empty());
        if !is_named(&regarding.kind) || !is_named(&regarding.name) {
            return inner.results.dropped("its object has no kind or no name", &event);
        }
        log(&event);
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

    /// Returns a name as client-go's: `<object>.<nanoseconds in hex>`. Events of the same nanosecond get consecutive numbers.
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

/// Writes an event to the log, as client-go's `StartStructuredLogging` does.
fn log(event: &Recorded) {
    let Recorded { event: NewEvent { type_, reason, note, .. }, regarding, .. } = event;
    let [kind, name] = [&regarding.kind, &regarding.name].map(|field| field.as_deref().unwrap_or_default());
    tracing::debug!(kind, namespace = event.namespace(), name, r#type = %type_, reason, note, "event occurred");
}

impl fmt::Debug for EventRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventRecorder").field("reporter", &self.reporter).finish_non_exhaustive()
    }
}
