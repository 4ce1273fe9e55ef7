//! [`Runnable`]: a part of the process that is no controller.

use std::{error::Error as StdError, fmt, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};

use crate::Shutdown;

/// The boxed error of a part.
pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

type Run = dyn Fn(Shutdown) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;

/// A part of the process that is no controller, such as a webhook server or a periodic job.
///
/// Its function is called when its turn in the order of the start comes. The future runs in a task of its own, and must
/// end soon after the [`Shutdown`] completes. An error or a panic ends the whole process in order; a future that
/// returns `Ok` early ends nothing.
#[derive(Clone)]
#[must_use = "a runnable runs after `Manager::runnable`"]
pub struct Runnable {
    pub(crate) name: Arc<str>,
    pub(crate) place: Place,
    run: Arc<Run>,
}

/// The place of a runnable in the order of start and stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    BeforeInformers,
    OnEveryReplica,
    Led,
}

impl Runnable {
    /// Creates a part that runs on every replica, from the time when the informers have synced.
    pub fn new<F, E>(name: &str, run: impl Fn(Shutdown) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let run = move |shutdown| run(shutdown).map(|ended| ended.map_err(Into::into)).boxed();
        Self { name: name.into(), place: Place::OnEveryReplica, run: Arc::new(run) }
    }

    /// Runs the part only while this process leads, once in each term.
    pub fn led(self) -> Self {
        Self { place: Place::Led, ..self }
    }

    /// Runs the part from before the informers start until after they have stopped, such as the server of a
    /// conversion webhook, without which a list may fail.
    pub fn before_informers(self) -> Self {
        Self { place: Place::BeforeInformers, ..self }
    }

    pub(crate) fn start(&self, shutdown: Shutdown) -> BoxFuture<'static, Result<(), BoxError>> {
        (self.run)(shutdown)
    }
}

impl fmt::Debug for Runnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runnable")
            .field("name", &self.name)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
