//! [`Worker`]: the loop that takes keys from the queue and calls the reconciler.

use std::{future::poll_fn, panic::AssertUnwindSafe, sync::Arc, task::Poll, time::Duration};

use futures_util::FutureExt;
use tokio::{sync::watch, time::Instant};
use tracing::Instrument;
use trimtab_cache::ObjectKey;
use trimtab_workqueue::AddOptions;

use crate::{
    action::Action,
    failure::Error,
    metrics::Outcome,
    queue::KeyQueue,
    reasons::{EventKind, Reasons},
    reconciler::Reconciler,
    request::Request,
    running::Shared,
    source::set::SourceSet,
    state::{Decision, decide},
    time_limit::within_limit,
};

/// One of a controller's workers.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) controller: Arc<str>,
    pub(crate) queue: KeyQueue,
    pub(crate) reconciler: Reconciler,
    pub(crate) limits: Limits,
    pub(crate) shared: Arc<Shared>,
    pub(crate) sources: Arc<SourceSet>,
}

/// The limits of each reconcile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_retries: Option<u32>,
    pub(crate) timeout: Option<Duration>,
    /// The duration from which a reconcile is logged as slow.
    pub(crate) slow: Option<Duration>,
    /// The longest lag of a source with which a reconcile begins.
    pub(crate) lag: Option<Duration>,
}

/// The time after which a key that waits for a source is looked at again.
const RECHECK: Duration = Duration::from_secs(5);

impl Worker {
    /// Reconciles keys until the sender of `stopped` is dropped. The key that is being reconciled is finished.
    pub(crate) async fn run(self, stopped: watch::Receiver<()>) {
        let mut keys = self.queue.queue.consumer();
        let mut reasons = self.queue.reasons();
        let mut stop = stopped.clone();
        loop {
            // `next` completes the previous key: if it was added meanwhile, it is ready again.
            let is_open = tokio::select! {
                biased; // a stop takes precedence over the next key: a leader that lost its lease starts nothing more
                () = poll_fn(|_| if is_stopped(&stopped) { Poll::Ready(()) } else { Poll::Pending }) => return,
                key = keys.next() => key.is_some(),
                // Polled only by a worker that finds no key, as the registration for the stop costs as much as a key.
                _ = stop.changed() => return,
            };
            if !is_open {
                return;
            }
            let priority = keys.priority();
            if let Some(key) = keys.key() {
                let failures = self.shared.records.failures(key);
                let otherwise = if failures > 0 { EventKind::Retried } else { EventKind::Requeued };
                let reasons = self.queue.take_reasons(&mut reasons, key, otherwise);
                self.process(key, priority, failures, reasons).await;
            }
        }
    }

    async fn process(&self, key: &ObjectKey, priority: i16, failures: u32, reasons: Reasons) {
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
        let result = match self.stale_source() {
            Some(stale) => Err(Error::waiting(RECHECK, stale)),
            None => self.reconcile(request, began).instrument(span.clone()).await,
        };
        drop(active);
        span.in_scope(|| self.settle(key, priority, failures, &result, began.elapsed()));
    }

    /// Returns the source whose state is older than the limit, if there is a limit.
    fn stale_source(&self) -> Option<StaleSource> {
        let limit = self.limits.lag?;
        let mut statuses = self.sources.statuses().into_iter();
        statuses.find_map(|source| {
            let lag = source.lag.filter(|lag| *lag > limit)?;
            Some(StaleSource { name: source.name, lag })
        })
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
    async fn reconcile(&self, request: Request, began: Instant) -> Result<Action, Error> {
        let reconciling = async { self.reconciler.call(request).await };
        let reconciling = AssertUnwindSafe(reconciling).catch_unwind();
        let ended = match self.limits.timeout {
            None => reconciling.await,
            Some(limit) => match within_limit(began, limit, reconciling).await {
                Some(ended) => ended,
                None => return Err(Error::timed_out(limit)),
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
                tracing::debug!(controller, %key, on = %error, ?limit, "waiting for the cache");
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

/// The state of a source is too old to act on.
#[derive(Debug, thiserror::Error)]
#[error("the state of {name} is {} s old", lag.as_secs())]
struct StaleSource {
    name: String,
    lag: Duration,
}

/// Returns whether the sender of `stopped` was dropped.
fn is_stopped(stopped: &watch::Receiver<()>) -> bool {
    stopped.has_changed().is_err()
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
