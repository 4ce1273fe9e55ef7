//! [`FakeEvents`]: the events of a recorder for tests.

use tokio::sync::mpsc;

/// The events of [`EventRecorder::fake`](crate::EventRecorder::fake), as `TYPE REASON note`, oldest first.
#[derive(Debug)]
pub struct FakeEvents {
    pub(crate) events: mpsc::Receiver<String>,
}

impl FakeEvents {
    /// Takes the oldest event; `None` if there is none.
    pub fn take(&mut self) -> Option<String> {
        self.events.try_recv().ok()
    }

    /// Takes all events.
    pub fn take_all(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.take()).collect()
    }
}
