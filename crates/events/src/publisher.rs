//! [`EventPublisher`]: writes recorded events to the API servers.

use std::{fmt, time::Duration};

use futures_util::{FutureExt, future::join_all};

use crate::sink::Sink;

/// Writes events to the API servers. Created together with an [`EventRecorder`](crate::EventRecorder).
///
/// Until [`run`](Self::run) is called, events wait in the queue.
#[must_use = "events are written only while `run` is polled"]
pub struct EventPublisher {
    pub(crate) sinks: Vec<Sink>,
    pub(crate) flush_timeout: Duration,
}

/// The number of events that were still queued at the end of the flush timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsent(pub usize);

impl EventPublisher {
    /// Returns the [flush timeout](crate::EventRecorderBuilder::flush_timeout): the time that [`run`](Self::run) takes at most
    /// after `stop` completes.
    pub fn flush_timeout(&self) -> Duration {
        self.flush_timeout
    }

    /// Writes events until `stop` completes. Then sends each queued event once, within the
    /// [flush timeout](crate::EventRecorderBuilder::flush_timeout). Also ends when every recorder was dropped and the
    /// queue is empty.
    ///
    /// # Cancel safety
    ///
    /// If dropped, the queued events are lost. The event of an open request may have been written.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Unsent {
        let stop = stop.shared();
        let runs = self.sinks.into_iter().map(|sink| sink.run(stop.clone(), self.flush_timeout));
        Unsent(join_all(runs).await.into_iter().sum())
    }
}

impl fmt::Debug for EventPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventPublisher").field("sinks", &self.sinks.len()).finish_non_exhaustive()
    }
}
