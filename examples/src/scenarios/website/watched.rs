//! A look at the reconciles of a simulated process, which requests do not show.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::sleep;
use trimtab_controller::{Action, ControllerHandle, Error, Reconcile, Request, cache::ObjectKey};
use trimtab_manager::{Manager, ManagerHandle};
use trimtab_simulation::Process;

/// The websites that a process reconciles at this moment, whichever controller does.
pub(super) struct Watched {
    process: Process,
    keys: Arc<Mutex<BTreeSet<ObjectKey>>>,
}

impl Watched {
    pub(super) fn new(process: &Process) -> Self {
        Self { process: process.clone(), keys: Arc::default() }
    }

    /// Adds the controller of websites to a manager, with its reconciler under observation.
    pub(super) fn add_to(&self, manager: &mut Manager) {
        let (wiring, operator) = trimtab_website::parts(manager);
        let watched = Self { process: self.process.clone(), keys: self.keys.clone() };
        manager.controller(wiring.reconcile_by(WatchedOperator { operator: Arc::new(operator), watched }));
    }

    fn enter(&self, key: &ObjectKey) -> Entry {
        if !self.keys.lock().insert(key.clone()) {
            self.process
                .violate("no website is reconciled twice at once", format!("{key} is in work already"));
        }
        Entry { keys: self.keys.clone(), key: key.clone() }
    }
}

struct WatchedOperator<R> {
    operator: Arc<R>,
    watched: Watched,
}

impl<R: Reconcile> Reconcile for WatchedOperator<R> {
    async fn reconcile(self: Arc<Self>, request: Request) -> Result<Action, Error> {
        let _entry = self.watched.enter(&request.key); // dropped with the reconcile, however it ends
        self.operator.clone().reconcile(request).await
    }
}

struct Entry {
    keys: Arc<Mutex<BTreeSet<ObjectKey>>>,
    key: ObjectKey,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.key);
    }
}

/// Looks again and again whether an idle controller still remembers keys: with the websites that come and go, these would
/// fill the memory. Never ends.
pub(super) async fn forgets_keys(process: &Process, manager: &ManagerHandle) {
    loop {
        sleep(Duration::from_secs(1)).await;
        for controller in manager.controllers() {
            let kept = idle_keys(&controller);
            if !kept.is_empty() {
                process.violate("an idle controller remembers no key", kept.join(", "));
            }
        }
    }
}

/// Returns the keys of a controller that is idle.
fn idle_keys(controller: &ControllerHandle) -> Vec<String> {
    let status = controller.status();
    match status.queued + status.processing + status.delayed {
        0 => controller.keys().iter().map(|key| key.key.to_string()).collect(),
        _ => Vec::new(),
    }
}
