//! [`Worker`]: the loop that takes keys from the queue and calls the reconciler.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use tokio::sync::watch;
use trimtab_cache::ObjectKey;
use trimtab_workqueue::WorkQueue;

use crate::{
    reconciler::{Action, Error, Reconciler, Request},
    running::Shared,
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
