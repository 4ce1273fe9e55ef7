//! The options of a [`Controller`].

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use trimtab_cache::ObjectKey;
use trimtab_workqueue::limiter::RateLimiter;

use crate::controller::Controller;

/// The options of the workers and of each reconcile.
impl<R> Controller<R> {
    /// Sets the number of keys that are reconciled at the same time. The default is 1; [`run`](Controller::run) returns an
    /// error for 0.
    pub fn workers(mut self, workers: usize) -> Self {
        self.config.workers = workers;
        self
    }

    /// Limits the number of keys of one namespace that are reconciled at the same time. The default is no limit but the
    /// number of workers.
    ///
    /// A limit also makes namespaces take turns, as [`fair_namespaces`](Self::fair_namespaces) does. All cluster-scoped
    /// keys count as one namespace.
    pub fn workers_per_namespace(mut self, workers: NonZeroUsize) -> Self {
        self.config.queue.per_namespace = Some(workers);
        self
    }

    /// Sets the time after which a reconcile is given up, or `None` for no limit. The default is 2 minutes;
    /// controller-runtime has none.
    ///
    /// The future of the reconcile is dropped at the `.await` where it waits, and the key is retried with backoff. A
    /// reconcile that blocks its thread is not ended.
    pub fn reconcile_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.limits.timeout = timeout.into();
        self
    }

    /// Sets the duration from which a reconcile is logged as slow, or `None` to log none. The default is 10 seconds.
    pub fn log_slower_than(mut self, duration: impl Into<Option<Duration>>) -> Self {
        self.config.limits.slow = duration.into();
        self
    }

    /// Sets the longest lag of a source with which a reconcile begins. The default is no limit.
    ///
    /// While the connection of a watch is dead, everything in its cache looks as it was. A controller that acts on absence, such
    /// as one that replaces the Pods of silent nodes, would act on all objects at once. With a limit, its keys are parked,
    /// looked at every 5 s, and reconciled once the server has been heard again. The lag of a healthy watch stays below about a
    /// minute, the time between two bookmarks: a shorter limit holds keys back in vain.
    pub fn max_lag(mut self, lag: Duration) -> Self {
        self.config.limits.lag = Some(lag);
        self
    }

    /// Sets the number of consecutive retries of a key, after which it waits for its next event. The default is
    /// unlimited. Kubernetes' Deployment controller has 15, which take about three minutes.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.config.limits.max_retries = Some(retries);
        self
    }
}

/// The options of the queue.
impl<R> Controller<R> {
    /// Sets the rate limiter of retries and of [`Action::requeue`](crate::Action::requeue). Each run makes a new one. The
    /// default is [`default_controller`](trimtab_workqueue::limiter::default_controller).
    pub fn limiter<L>(mut self, limiter: impl Fn() -> L + Send + Sync + 'static) -> Self
    where
        L: RateLimiter<ObjectKey> + 'static,
    {
        self.config.queue.limiter = Box::new(move || Box::new(limiter()));
        self
    }

    /// Sets the longest delay of a retry. The default is that of the limiter: 1000 s for a key with client-go's, reached
    /// after 18 failures in a row.
    pub fn max_backoff(mut self, delay: Duration) -> Self {
        self.config.queue.max_backoff = delay;
        self
    }

    /// Sets the priority of keys that the initial list or a resync has queued. The default is
    /// [`LOW`](trimtab_workqueue::priority::LOW), as in controller-runtime: events of changed objects come first.
    ///
    /// A key keeps its priority when it is retried or requeued, and an event of a changed object raises it.
    pub fn low_priority(mut self, priority: i16) -> Self {
        self.config.queue.low_priority = priority;
        self
    }

    /// Sets the number of arrivals that outweigh one level of priority; see
    /// [`WorkQueueBuilder::ageing`](trimtab_workqueue::WorkQueueBuilder::ageing). The default is 1000, so a key of the
    /// initial list is overtaken by at most 100,000 others.
    pub fn ageing(mut self, arrivals: NonZeroU32) -> Self {
        self.config.queue.ageing = Some(arrivals);
        self
    }

    /// Lets namespaces take turns: a namespace with many keys delays the others by one key at a time. The default is the
    /// order of arrival and priority.
    pub fn fair_namespaces(mut self) -> Self {
        self.config.queue.fair = true;
        self
    }

    /// Delays each key by `delay` after its first event, so that a burst of events is one reconcile. The default is no
    /// delay.
    ///
    /// Later events do not prolong the delay: a key that changes all the time is reconciled once in each `delay`. The end
    /// of a wait for own writes is not delayed. `workqueue_retries_total` counts each delay.
    pub fn debounce(mut self, delay: Duration) -> Self {
        self.config.queue.debounce = delay;
        self
    }
}

/// The options of the beginning and the end of a run.
impl<R> Controller<R> {
    /// Sets the time that a run waits for the first lists of its informers. The default is 2 minutes.
    pub fn sync_timeout(mut self, timeout: Duration) -> Self {
        self.config.sync_timeout = timeout;
        self
    }

    /// Sets the time that running reconciles get to finish after the shutdown. After it they are aborted: their
    /// futures are dropped at the `.await` where they wait.
    ///
    /// Default: 30 seconds. In led work it is the grace period of the elector, which is the one budget of
    /// the whole term; a longer one that is set here is an error of [`run`](Controller::run).
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.config.grace_period = Some(grace_period);
        self
    }

    /// Sets the time that aborted reconciles get to reach an `.await`; 5 seconds unless set.
    ///
    /// A reconcile that blocks its thread for longer ends the run with an error whose
    /// [`must_exit`](crate::RunError::must_exit) is `true`.
    pub fn abort_timeout(mut self, timeout: Duration) -> Self {
        self.config.abort_timeout = timeout;
        self
    }
}
