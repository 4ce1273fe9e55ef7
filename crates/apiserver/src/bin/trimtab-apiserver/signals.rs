//! [`Signals`]: what ends the program in good order.

use std::io;

/// SIGINT, SIGTERM and SIGHUP, caught from the moment this is made.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    /// Catches the signals.
    pub(crate) fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    /// Waits for one of them.
    pub(crate) async fn any(self) {
        let [mut interrupt, mut terminate, mut hangup] = self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Ctrl-C is caught when it is waited for.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for it.
    pub(crate) async fn any(self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            eprintln!("cannot wait for Ctrl-C: {error}");
        }
    }
}
