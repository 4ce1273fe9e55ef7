//! [`WorkGuard`]: a task that belongs to led work; [`Tasks`]: the guards of an elector.

use std::{collections::BTreeMap, fmt, pin::pin, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Keeps the Lease from being released while it exists.
///
/// Each task that led work spawns holds one, from [`Leadership::work_guard`](crate::Leadership::work_guard).
/// Drop it when the task has ended.
#[must_use = "the guard ends when it is dropped"]
pub struct WorkGuard {
    tasks: Arc<Tasks>,
    id: u64,
}

impl fmt::Debug for WorkGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkGuard").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for WorkGuard {
    fn drop(&mut self) {
        let mut running = self.tasks.running.lock();
        let (name, is_last) = (running.guards.remove(&self.id), running.guards.is_empty());
        drop(running);
        drop(name); // a user's `Drop`, outside the lock
        if is_last {
            self.tasks.all_ended.notify_waiters();
        }
    }
}

/// The name of a guard's task in the log.
type Name = Arc<dyn fmt::Display + Send + Sync>;

/// The tasks of an elector's led work, over all its terms.
#[derive(Default)]
pub(crate) struct Tasks {
    running: Mutex<Running>,
    /// The last guard was dropped.
    all_ended: Notify,
}

#[derive(Default)]
struct Running {
    /// The number of the term that guards can join.
    term: Option<u64>,
    next: u64,
    guards: BTreeMap<u64, Name>,
}

impl Tasks {
    /// Lets guards join the term `number`.
    pub(crate) fn open(&self, number: u64) {
        self.running.lock().term = Some(number);
    }

    /// Refuses guards from now on.
    pub(crate) fn close(&self) {
        self.running.lock().term = None;
    }

    /// Returns a guard of the term `number`; `None` once that term is over.
    pub(crate) fn join(self: &Arc<Self>, number: u64, name: Name) -> Option<WorkGuard> {
        let mut running = self.running.lock();
        if running.term != Some(number) {
            drop(running);
            drop(name); // a user's `Drop`, outside the lock
            return None;
        }
        running.next += 1;
        let id = running.next;
        running.guards.insert(id, name);
        Some(WorkGuard { tasks: Arc::clone(self), id })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.running.lock().guards.is_empty()
    }

    /// Returns the task names of all existing guards.
    pub(crate) fn names(&self) -> Vec<String> {
        let guards: Vec<Name> = self.running.lock().guards.values().map(Arc::clone).collect();
        guards.into_iter().map(|name| name.to_string()).collect() // a user's `Display`, outside the lock
    }

    /// Waits until no guard exists.
    pub(crate) async fn ended(&self) {
        loop {
            let mut all_ended = pin!(self.all_ended.notified());
            all_ended.as_mut().enable(); // before the look, or the last guard could be dropped in between
            if self.is_empty() {
                return;
            }
            all_ended.await;
        }
    }
}
