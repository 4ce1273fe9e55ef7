//! [`Stage`]: parts that start together and stop together.

use std::{any::Any, collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::{task::JoinSet, time::timeout};

use crate::{Shutdown, failures::Failures, runnable::BoxError, shutdown::Stop};

/// The time that aborted tasks get to reach an `.await`.
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Parts that start together and stop together, each in a task. Dropping it aborts them.
#[derive(Debug)]
pub(crate) struct Stage {
    failures: Failures,
    stop: Stop,
    tasks: JoinSet<()>,
    names: Names,
}

impl Stage {
    pub(crate) fn new(failures: &Failures) -> Self {
        Self { failures: failures.clone(), stop: Stop::new(), tasks: JoinSet::new(), names: Names::default() }
    }

    /// Returns the future that completes when the stage stops.
    pub(crate) fn shutdown(&self) -> Shutdown {
        self.stop.shutdown()
    }

    /// Starts a part. Its error and its panic are reported with its name.
    pub(crate) fn spawn(
        &mut self,
        name: String,
        part: impl Future<Output = Result<(), BoxError>> + Send + 'static,
    ) {
        let running = self.names.enter(name.clone());
        let failures = self.failures.clone();
        self.tasks.spawn(async move {
            let _running = running; // dropped at the end of the task, also when it is aborted
            match AssertUnwindSafe(part).catch_unwind().await {
                Ok(Ok(())) => tracing::debug!(part = name, "ended"),
                Ok(Err(cause)) => failures.failed(&name, cause),
                Err(panic) => failures.failed(&name, Panicked(message(&*panic)).into()),
            }
        });
    }

    /// Stops the parts and waits for them, for `grace_period`; then aborts and names those that are left.
    pub(crate) async fn stop(&mut self, grace_period: Duration) {
        self.stop.request();
        if timeout(grace_period, ended(&mut self.tasks)).await.is_ok() {
            return;
        }
        for part in self.names.list() {
            self.failures.unfinished(part, grace_period);
        }
        self.tasks.abort_all();
        if timeout(ABORT_TIMEOUT, ended(&mut self.tasks)).await.is_err() {
            self.failures.blocked(self.names.list());
            self.tasks.detach_all(); // nothing ends them but the end of the process
        }
    }

    /// Stops the parts, and aborts those that are left after `grace_period` without naming them: a client that keeps
    /// its connection to a server open is no failure of this process.
    pub(crate) async fn stop_quietly(&mut self, grace_period: Duration) {
        self.stop.request();
        if timeout(grace_period, ended(&mut self.tasks)).await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}

async fn ended(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
struct Panicked(String);

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

/// The names of the parts that run.
#[derive(Debug, Clone, Default)]
struct Names(Arc<Mutex<(u64, BTreeMap<u64, String>)>>);

impl Names {
    fn enter(&self, name: String) -> Running {
        let mut names = self.0.lock();
        names.0 += 1;
        let number = names.0;
        names.1.insert(number, name);
        Running { names: self.clone(), number }
    }

    fn list(&self) -> Vec<String> {
        self.0.lock().1.values().cloned().collect()
    }
}

/// Removes a name when dropped.
struct Running {
    names: Names,
    number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.names.0.lock().1.remove(&self.number);
    }
}
