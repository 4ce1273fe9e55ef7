//! The loop that takes keys from the queue and calls the reconciler, and its counters.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::sync::watch;
use trimtab_cache::ObjectKey;
use trimtab_workqueue::WorkQueue;

use crate::{
    reconciler::{Action, Error, Reconciler, Request},
    state::{Decision, decide},
};

/// One of a controller's workers.
pub(crate) struct Worker {
    pub(crate) controller: Arc<str>,
    pub(crate) queue: WorkQueue<ObjectKey>,
    pub(crate) reconciler: Reconciler,
    pub(crate) max_retries: Option<u32>,
    pub(crate) shared: Arc<Shared>,
}

impl Worker {
    /// Reconciles keys until the sender of `stopped` is dropped. The key that is being reconciled is finished.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<()>) {
        let mut keys = self.queue.consumer();
        loop {
            // `next` completes the previous key: if it was added meanwhile, it is ready again.
            let key = tokio::select! {
                biased; // a stop takes precedence over the next key: a leader that lost its lease starts nothing more
                _ = stopped.changed() => return,
                key = keys.next() => key,
            };
            let Some(key) = key else { return };
            self.process(key).await;
        }
    }

    async fn process(&self, key: &ObjectKey) {
        let failures = self.queue.num_requeues(key);
        let request = Request { key: key.clone(), attempt: failures };
        let result = self.reconcile(request).await;
        let decision = decide(&result, failures, self.max_retries);
        self.shared.count(&result, &decision);
        if let Err(error) = &result {
            self.log(key, failures, error, &decision);
        }
        if decision != Decision::Backoff {
            self.queue.forget(key);
        }
        match decision {
            Decision::Done | Decision::GiveUp => true,
            Decision::Requeue => self.queue.add(key.clone()),
            Decision::RequeueAfter(delay) => self.queue.add_after(key.clone(), delay),
            Decision::Backoff => self.queue.add_rate_limited(key.clone()),
        };
    }

    /// Calls the reconciler. A panic in the call or in the future becomes an error.
    async fn reconcile(&self, request: Request) -> Result<Action, Error> {
        let reconciling = async { self.reconciler.call(request).await };
        match AssertUnwindSafe(reconciling).catch_unwind().await {
            Ok(result) => result,
            Err(panic) => Err(Error::panicked(&*panic)),
        }
    }

    fn log(&self, key: &ObjectKey, attempt: u32, error: &Error, decision: &Decision) {
        let controller = &*self.controller;
        match decision {
            Decision::Done => tracing::debug!(controller, %key, %error, "the namespace is terminating"),
            Decision::GiveUp => {
                tracing::error!(controller, %key, attempt, %error, "reconcile failed, no retry before the next event")
            }
            _ => tracing::warn!(controller, %key, attempt, %error, "reconcile failed, retrying with backoff"),
        }
    }
}

/// The present queue and the counters of a controller. The workers and [`Controller::status`](crate::Controller::status) share them.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    queue: Mutex<Option<WorkQueue<ObjectKey>>>,
    reconciles: AtomicU64,
    failures: AtomicU64,
    panics: AtomicU64,
}

impl Shared {
    /// Starts a run, which lasts until the guard is dropped. Returns `None` if the controller is running already.
    pub(crate) fn start_run(self: &Arc<Self>, queue: &WorkQueue<ObjectKey>) -> Option<RunGuard> {
        let mut slot = self.queue.lock();
        if slot.is_some() {
            return None;
        }
        *slot = Some(queue.clone());
        Some(RunGuard(self.clone()))
    }

    fn count(&self, result: &Result<Action, Error>, decision: &Decision) {
        self.reconciles.fetch_add(1, Relaxed); // counters: they order nothing
        if let (Err(error), Decision::Backoff | Decision::GiveUp) = (result, decision) {
            self.failures.fetch_add(1, Relaxed);
            self.panics.fetch_add(error.is_panic().into(), Relaxed);
        }
    }

    pub(crate) fn status(&self) -> Status {
        let queue = self.queue.lock();
        let of_queue = |count: fn(&WorkQueue<ObjectKey>) -> usize| queue.as_ref().map_or(0, count);
        Status {
            queued: of_queue(WorkQueue::len),
            processing: of_queue(WorkQueue::processing),
            delayed: of_queue(WorkQueue::delayed),
            reconciles: self.reconciles.load(Relaxed),
            failures: self.failures.load(Relaxed),
            panics: self.panics.load(Relaxed),
        }
    }
}

/// A run in progress. Dropping it shuts the run's queue down.
#[derive(Debug)]
pub(crate) struct RunGuard(Arc<Shared>);

impl Drop for RunGuard {
    fn drop(&mut self) {
        if let Some(queue) = self.0.queue.lock().take() {
            queue.shut_down();
        }
    }
}

/// The present state of a controller's queue, and counters of all its runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Keys that are ready.
    pub queued: usize,
    /// Keys that are being reconciled.
    pub processing: usize,
    /// Keys that are delayed, by a backoff or by [`Action::requeue_after`].
    pub delayed: usize,
    /// Completed reconciles, failed ones included.
    pub reconciles: u64,
    /// Reconciles that failed with an error or a panic.
    pub failures: u64,
    /// Reconciles that panicked.
    pub panics: u64,
}
