//! [`Shutdown`]: the request to stop, as a future; [`Stop`]: its sender.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::sync::watch;
use trimtab_controller::leaderelection::Leadership;

/// Completes when the part that holds it has to stop. Clones complete together.
///
/// A led part has to stop when the process shuts down and when the Lease is lost.
#[derive(Clone)]
pub struct Shutdown {
    requested: Shared<BoxFuture<'static, ()>>,
    leadership: Option<Leadership>,
}

impl Shutdown {
    /// Returns the token of the term, if the part is led and the manager has a leader election.
    pub fn leadership(&self) -> Option<&Leadership> {
        self.leadership.as_ref()
    }

    pub(crate) fn led_by(self, leadership: Option<Leadership>) -> Self {
        Self { leadership, ..self }
    }
}

impl Future for Shutdown {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.requested.poll_unpin(context)
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown")
            .field("requested", &self.requested.peek().is_some())
            .field("leadership", &self.leadership)
            .finish()
    }
}

/// Requests a shutdown. Dropping it requests one, too.
#[derive(Debug)]
pub(crate) struct Stop {
    requested: watch::Sender<bool>,
}

impl Stop {
    pub(crate) fn new() -> Self {
        Self { requested: watch::Sender::new(false) }
    }

    pub(crate) fn request(&self) {
        self.requested.send_replace(true);
    }

    pub(crate) fn shutdown(&self) -> Shutdown {
        let mut requested = self.requested.subscribe();
        // An error means that the sender was dropped.
        let requested = async move { _ = requested.wait_for(|requested| *requested).await };
        Shutdown { requested: requested.boxed().shared(), leadership: None }
    }
}
