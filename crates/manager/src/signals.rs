//! SIGTERM and SIGINT: the first one begins the shutdown, the second one ends the process at once.

use std::{io, thread};

use tokio::{runtime::Builder, sync::oneshot};

/// The exit code of a process that a second signal ends.
const CODE: i32 = 1;

/// Returns a future that completes with the first signal.
///
/// A thread of its own waits for the signals, so that the second one ends the process even if reconciles block all threads
/// of the runtime.
pub(crate) fn first() -> io::Result<impl Future<Output = ()>> {
    let (sender, received) = oneshot::channel();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let wait = move || {
        let runtime = match Builder::new_current_thread().enable_io().build() {
            Ok(runtime) => runtime,
            Err(error) => return ready.send(Err(error)).unwrap_or_default(),
        };
        runtime.block_on(async {
            let mut signals = match Signals::new() {
                Ok(signals) => signals,
                Err(error) => return ready.send(Err(error)).unwrap_or_default(),
            };
            ready.send(Ok(())).unwrap_or_default(); // an error: nobody waits any more
            let name = signals.next().await;
            tracing::info!(signal = name, "shutting down");
            if sender.send(()).is_ok() {
                let name = signals.next().await;
                tracing::error!(signal = name, "second signal: the process ends at once");
            }
            std::process::exit(CODE); // also if the manager has stopped: nobody waits for the first signal any more
        });
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
    is_ready.recv().map_err(|_| io::Error::other("the thread for signals ended"))??;
    Ok(async move {
        if received.await.is_err() {
            std::future::pending::<()>().await; // the thread ends only with the process
        }
    })
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        _ = tokio::signal::ctrl_c().await;
        "Ctrl-C"
    }
}
