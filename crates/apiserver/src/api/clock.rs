//! [`Clock`]: the server's wall clock, which runs on `tokio::time`, so that it stands still where the
//! runtime's clock is paused.

use k8s_openapi::jiff::{Timestamp, fmt::temporal::DateTimePrinter};
use serde_json::Value;
use tokio::time::Instant;

/// A wall clock that starts at a given time and advances with the runtime's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Timestamp,
    origin: Instant,
}

impl Clock {
    /// A clock that shows `start` now.
    pub(crate) fn starting_at(start: Timestamp) -> Self {
        Self { started: start, origin: Instant::now() }
    }

    /// The time that it shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.started + self.origin.elapsed()
    }

    /// The present time, to the second, as `metav1.Time` is written.
    pub(crate) fn text(&self) -> Value {
        Value::String(self.seconds())
    }

    /// The same as a plain text.
    pub(crate) fn seconds(&self) -> String {
        seconds(self.now())
    }
}

/// `time` to the second, such as `2026-01-02T03:04:05Z`.
pub(crate) fn seconds(time: Timestamp) -> String {
    DateTimePrinter::new().precision(Some(0)).timestamp_to_string(&time)
}
