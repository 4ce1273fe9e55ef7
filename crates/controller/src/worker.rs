//! [`Worker`]: the loop that takes keys from the queue and calls the reconciler.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tracing::Instrument;
use trimtab_cache::ObjectKey;
use trimtab_workqueue::AddOptions;

use crate::{
    action::Action,
    failure::Error,
    metrics::Outcome,
    queue::KeyQueue,
    reasons::EventKind,
    reconciler::Reconciler,
    request::Request,
    running::Shared,
    state::{Decision, decide},
};

/// One of a controller's workers.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) controller: Arc<str>,
    pub(crate) queue: KeyQueue,
    pub(crate) reconciler: Reconciler,
    pub(crate) limits: Limits,
    pub(crate) shared: Arc<Shared>,
}

/// The limits of each reconcile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_retries: Option<u32>,
    pub(crate) timeout: Option<Duration>,
    /// The duration from which a reconcile is logged as slow.
    pub(crate) slow: Option<Duration>,
}

impl Worker {
    /// Reconciles keys until the sender of `stopped` is dropped. The key that is being reconciled is finished.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<()>) {
        let mut keys = self.queue.queue.consumer();
        loop {
            // `next` completes the previous key: if it was added meanwhile, it is ready again.
            let is_open = tokio::select! {
                biased; // a stop takes precedence over the next key: a leader that lost its lease starts nothing more
                _ = stopped.changed() => return,
                key = keys.next() => key.is_some(),
            };
            if !is_open {
                return;
            }
            let priority = keys.priority();
            if let Some(key) = keys.key() {
                self.process(key, priority).await;
            }
        }
    }

    async fn process(&self, key: &ObjectKey, priority: i16) {
        let failures = self.shared.records.failures(key);
        let otherwise = if failures > 0 { EventKind::Retried } else { EventKind::Requeued };
        let reasons = self.queue.take_reasons(key, otherwise);
        let span = tracing::info_span!(
            "reconcile",
            controller = &*self.controller,
            %key,
            attempt = failures,
            %reasons,
            priority,
        );
        let request = Request { key: key.clone(), attempt: failures, reasons, priority };
        let began = Instant::now();
        let active = self.shared.metrics.active();
        let result = self.reconcile(request).instrument(span.clone()).await;
        drop(active);
        span.in_scope(|| self.settle(key, priority, failures, &result, began.elapsed()));
    }

    /// Counts and logs a reconcile that has ended, and adds its key again where the result asks for it.
    fn settle(
        &self,
        key: &ObjectKey,
        priority: i16,
        failures: u32,
        result: &Result<Action, Error>,
        took: Duration,
    ) {
        let decision = decide(result, failures, self.limits.max_retries);
        self.shared.count(result, decision, took);
        if self.limits.slow.is_some_and(|slow| took >= slow) {
            tracing::warn!(controller = &*self.controller, %key, ?took, "slow reconcile");
        }
        self.record(key, failures, result, decision);
        let priority = result.as_ref().ok().and_then(|action| action.priority).unwrap_or(priority);
        let options = AddOptions::new().priority(priority);
        if !matches!(decision, Decision::Backoff | Decision::RequeueRateLimited | Decision::Park(_)) {
            self.queue.queue.forget(key);
        }
        let options = match decision {
            Decision::Done | Decision::GiveUp => return,
            Decision::RequeueNow => options,
            Decision::RequeueRateLimited | Decision::Backoff => options.rate_limited(),
            Decision::RequeueAfter(delay) | Decision::RetryAfter(delay) | Decision::Park(delay) => {
                options.after(delay)
            }
        };
        self.queue.queue.add_with(key.clone(), options);
    }

    /// Calls the reconciler. A panic in the call or in the future becomes an error, and so does a timeout.
    async fn reconcile(&self, request: Request) -> Result<Action, Error> {
        let reconciling = async { self.reconciler.call(request).await };
        let reconciling = AssertUnwindSafe(reconciling).catch_unwind();
        let ended = match self.limits.timeout {
            None => reconciling.await,
            Some(limit) => match timeout(limit, reconciling).await {
                Ok(ended) => ended,
                Err(_) => return Err(Error::timed_out(limit)),
            },
        };
        ended.unwrap_or_else(|panic| Err(Error::panicked(&*panic)))
    }

    /// Keeps the record of a key that fails or waits, and logs its error.
    fn record(&self, key: &ObjectKey, attempt: u32, result: &Result<Action, Error>, decision: Decision) {
        let (controller, records) = (&*self.controller, &self.shared.records);
        let Err(error) = result else { return records.succeeded(key) };
        match decision {
            Decision::Park(limit) => {
                tracing::debug!(controller, %key, on = %error, ?limit, "waiting for own writes");
                records.parked(key, &error.to_string());
            }
            Decision::GiveUp => {
                tracing::error!(controller, %key, attempt, %error, "reconcile failed, no retry before the next event");
                records.failed(key, &error.to_string(), true);
            }
            Decision::Backoff | Decision::RetryAfter(_) => {
                tracing::warn!(controller, %key, attempt, %error, "reconcile failed, retrying with backoff");
                records.failed(key, &error.to_string(), false);
            }
            _ => {
                tracing::debug!(controller, %key, %error, "the namespace is terminating");
                records.succeeded(key);
            }
        }
    }
}

impl Decision {
    /// Returns the value of the metric label `result`.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Done => Outcome::Success,
            Self::RequeueNow | Self::RequeueRateLimited => Outcome::Requeue,
            Self::RequeueAfter(_) | Self::Park(_) => Outcome::RequeueAfter,
            Self::Backoff | Self::RetryAfter(_) | Self::GiveUp => Outcome::Error,
        }
    }
}
