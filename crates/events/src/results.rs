//! [`Results`]: counters and log lines for the results of recording.

use metrics::Counter;

use crate::record::Recorded;

/// Counters of the results of recording, by `trimtab_events_total{controller,result}`.
#[derive(Clone)]
pub(crate) struct Results {
    sent: Counter,
    refused: Counter,
    dropped: Counter,
    lost: Counter,
}

impl Results {
    pub(crate) fn new(controller: &str) -> Self {
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

    /// Counts an event that the spam filter has held back, which is its purpose and no error.
    pub(crate) fn filtered(&self, event: &Recorded) {
        self.dropped.increment(1);
        let reason = &event.event.reason;
        tracing::debug!(reason, object = event.regarding.name, "an event was filtered as spam");
    }

    pub(crate) fn dropped_quietly(&self) {
        self.dropped.increment(1);
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
