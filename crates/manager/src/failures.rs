//! [`Failures`]: the first failure of a process; later ones go to the log.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{ManagerError, error::Kind, runnable::BoxError};

/// The first failure, shared by all parts of a process.
#[derive(Debug, Clone)]
pub(crate) struct Failures {
    first: Arc<watch::Sender<Option<ManagerError>>>,
}

impl Failures {
    pub(crate) fn new() -> Self {
        Self { first: Arc::new(watch::Sender::new(None)) }
    }

    /// Reports a part that has failed.
    pub(crate) fn failed(&self, part: &str, cause: BoxError) {
        self.report(ManagerError::failed(part, cause));
    }

    /// Reports a part that has exceeded the grace period.
    pub(crate) fn unfinished(&self, part: String, grace_period: Duration) {
        self.report(ManagerError::new(Kind::Unfinished { part, grace_period }));
    }

    /// Reports parts that cannot be ended. Replaces an earlier failure: the process cannot go on.
    pub(crate) fn blocked(&self, parts: Vec<String>) {
        let blocked = ManagerError::new(Kind::Blocked(parts));
        let earlier = self.first.send_replace(Some(blocked));
        if let Some(error) = earlier {
            tracing::error!(%error, "a part of the process failed");
        }
    }

    /// Waits for the first failure.
    pub(crate) async fn first(&self) {
        let mut first = self.first.subscribe();
        _ = first.wait_for(Option::is_some).await; // `self` holds the sender
    }

    /// Takes the first failure.
    pub(crate) fn into_result(self) -> Result<(), ManagerError> {
        self.first.send_replace(None).map_or(Ok(()), Err)
    }

    fn report(&self, error: ManagerError) {
        let mut later = Some(error);
        self.first.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                *first = later.take();
            }
            is_first
        });
        if let Some(error) = later {
            tracing::error!(%error, "another part of the process failed");
        }
    }
}
