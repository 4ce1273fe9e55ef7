//! [`Observed`]: controllers and informers whose work a test waits for.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use tokio::time::{Duration, Instant};
use trimtab_controller::{
    ControllerHandle,
    informer::{InformerFactory, Phase},
};
use trimtab_manager::ManagerHandle;

use crate::commits::CommitLog;

/// Controllers and informers of one process of a test.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) process: Process,
    /// Whether the process runs.
    pub(crate) alive: Arc<AtomicBool>,
}

#[derive(Debug)]
pub(crate) enum Process {
    Manager(ManagerHandle),
    Controllers { controllers: Vec<ControllerHandle>, informers: InformerFactory },
}

impl Observed {
    pub(crate) fn is_alive(&self) -> bool {
        self.alive.load(Relaxed) // one thread at a time asks
    }

    pub(crate) fn informers(&self) -> &InformerFactory {
        match &self.process {
            Process::Manager(manager) => manager.informers(),
            Process::Controllers { informers, .. } => informers,
        }
    }

    /// Returns the controllers that reconcile now: not those of a candidate that stands by.
    pub(crate) fn controllers(&self) -> Vec<ControllerHandle> {
        match &self.process {
            Process::Manager(manager) => manager.active_controllers(),
            Process::Controllers { controllers, .. } => controllers.clone(),
        }
    }

    /// Returns the reasons why the process has work to do before `horizon`.
    pub(crate) fn work(&self, commits: &mut CommitLog, horizon: Duration) -> Vec<String> {
        let mut work = Vec::new();
        for informer in self.informers().summaries() {
            let description = &informer.description;
            match informer.status.phase {
                Phase::NotServed { .. } => continue, // nothing can come from a kind that is not served
                _ if !informer.status.synced => work.push(format!("{description}: no first list yet")),
                _ => {}
            }
            if let Some(version) = commits.missing(&informer) {
                work.push(format!("{description}: the commit {version} is not in the store yet"));
            }
        }
        for controller in self.controllers() {
            work.extend(work_of(&controller, horizon));
        }
        work
    }

    /// Returns the leader that this process waits for, if it is a candidate: the holder of the Lease, if known.
    pub(crate) fn election(&self) -> Option<(String, Option<String>)> {
        let Process::Manager(manager) = &self.process else { return None };
        let observer = manager.observer()?;
        Some((observer.identity().to_owned(), observer.leader()))
    }
}

/// Returns the reasons why a controller has work to do before `horizon`.
fn work_of(controller: &ControllerHandle, horizon: Duration) -> Vec<String> {
    let status = controller.status();
    let name = controller.name();
    let mut work = Vec::new();
    if !status.running {
        return vec![format!("controller {name}: does not run yet")];
    }
    for (count, what) in [
        (status.queued, "queued"),
        (status.processing, "being reconciled"),
        (status.parked, "waiting for own writes"),
    ] {
        if count > 0 {
            work.push(format!("controller {name}: {count} keys are {what}"));
        }
    }
    if status.delayed > 0 {
        let end = Instant::now() + horizon;
        let due = |key: &trimtab_controller::KeyStatus| key.due.is_some_and(|due| due <= end);
        let due = controller.keys().into_iter().filter(due);
        work.extend(due.map(|key| match key.last_error {
            Some(error) => format!("controller {name}: {} is retried after {error:?}", key.key),
            None => format!("controller {name}: {} is due", key.key),
        }));
    }
    work
}
