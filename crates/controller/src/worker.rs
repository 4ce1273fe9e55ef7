//! The loop that ties queue and reconciler together, and the counts that it leaves.

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
    state::{Next, next},
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
    /// Reconciles key after key until the sender of `stopped` is gone, and ends after the key in
    /// hand.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<()>) {
        let mut keys = self.queue.consumer();
        loop {
            // Asking for the next key is being done with the last: if it was added meanwhile, it is ready again.
            let key = tokio::select! {
                biased; // a stop comes before the next key: a lost leader starts nothing more
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
        let next = next(&result, failures, self.max_retries);
        self.shared.count(&result, &next);
        if let Err(error) = &result {
            self.report(key, failures, error, &next);
        }
        if next != Next::Backoff {
            self.queue.forget(key);
        }
        match next {
            Next::Settled | Next::GiveUp => true,
            Next::Again => self.queue.add(key.clone()),
            Next::After(delay) => self.queue.add_after(key.clone(), delay),
            Next::Backoff => self.queue.add_rate_limited(key.clone()),
        };
    }

    /// Calls the reconciler; a panic, in the call or in the future, becomes an error.
    async fn reconcile(&self, request: Request) -> Result<Action, Error> {
        let reconciling = async { self.reconciler.call(request).await };
        match AssertUnwindSafe(reconciling).catch_unwind().await {
            Ok(result) => result,
            Err(panic) => Err(Error::panicked(&*panic)),
        }
    }

    fn report(&self, key: &ObjectKey, attempt: u32, error: &Error, next: &Next) {
        let controller = &*self.controller;
        match next {
            Next::Settled => tracing::debug!(controller, %key, %error, "namespace is terminating"),
            Next::GiveUp => {
                tracing::error!(controller, %key, attempt, %error, "gave up until the next event")
            }
            _ => tracing::warn!(controller, %key, attempt, %error, "reconcile failed"),
        }
    }
}

/// What a controller's run shares with those who ask about it.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    queue: Mutex<Option<WorkQueue<ObjectKey>>>,
    reconciles: AtomicU64,
    failures: AtomicU64,
    panics: AtomicU64,
}

impl Shared {
    /// Marks a run as begun until the guard is dropped; `None` if there is one already.
    pub(crate) fn begin(self: &Arc<Self>, queue: &WorkQueue<ObjectKey>) -> Option<Running> {
        let mut slot = self.queue.lock();
        if slot.is_some() {
            return None;
        }
        *slot = Some(queue.clone());
        Some(Running(self.clone()))
    }

    fn count(&self, result: &Result<Action, Error>, next: &Next) {
        self.reconciles.fetch_add(1, Relaxed); // counters: they order nothing
        if let (Err(error), Next::Backoff | Next::GiveUp) = (result, next) {
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

/// A run in progress.
#[derive(Debug)]
pub(crate) struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(queue) = self.0.queue.lock().take() {
            queue.shut_down();
        }
    }
}

/// What a controller is doing, and what it has done since it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Keys that are ready and wait for a worker.
    pub queued: usize,
    /// Keys that workers are busy with.
    pub processing: usize,
    /// Keys that wait for their time.
    pub delayed: usize,
    /// Reconciles that have ended, however they did.
    pub reconciles: u64,
    /// Those of them that ended with an error or a panic.
    pub failures: u64,
    /// Those of them that panicked.
    pub panics: u64,
}
