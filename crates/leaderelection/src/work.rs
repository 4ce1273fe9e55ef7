//! [`WorkGuard`]: a task that belongs to led work; [`Tasks`]: the guards of an elector.

use std::{collections::BTreeMap, fmt, sync::Arc};

use tokio::sync::watch;

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
        let mut name = None;
        self.tasks.running.send_modify(|running| name = running.guards.remove(&self.id));
        drop(name); // a user's `Drop`, outside the lock
    }
}

/// The name of a guard's task in the log.
type Name = Arc<dyn fmt::Display + Send + Sync>;

/// The tasks of an elector's led work, over all its terms.
pub(crate) struct Tasks {
    running: watch::Sender<Running>,
}

#[derive(Default)]
struct Running {
    /// The number of the term that guards can join.
    term: Option<u64>,
    next: u64,
    guards: BTreeMap<u64, Name>,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self { running: watch::Sender::new(Running::default()) }
    }

    /// Lets guards join the term `number`.
    pub(crate) fn open(&self, number: u64) {
        self.running.send_modify(|running| running.term = Some(number));
    }

    /// Refuses guards from now on.
    pub(crate) fn close(&self) {
        self.running.send_modify(|running| running.term = None);
    }

    /// Returns a guard of the term `number`; `None` once that term is over.
    pub(crate) fn join(self: &Arc<Self>, number: u64, name: Name) -> Option<WorkGuard> {
        let mut id = None;
        self.running.send_if_modified(|running| {
            if running.term == Some(number) {
                running.next += 1;
                running.guards.insert(running.next, name);
                id = Some(running.next);
            }
            false // nobody waits for a guard to come
        });
        id.map(|id| WorkGuard { tasks: Arc::clone(self), id })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.running.borrow().guards.is_empty()
    }

    /// Returns the task names of all existing guards.
    pub(crate) fn names(&self) -> Vec<String> {
        let guards: Vec<Name> = self.running.borrow().guards.values().map(Arc::clone).collect();
        guards.into_iter().map(|name| name.to_string()).collect() // a user's `Display`, outside the lock
    }

    /// Waits until no guard exists.
    pub(crate) async fn ended(&self) {
        let mut running = self.running.subscribe();
        // An error means that the sender is gone; `self` holds it.
        _ = running.wait_for(|running| running.guards.is_empty()).await;
    }
}
