//! [`LeaderElectorBuilder`]: the settings of an elector.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use kube_client::Client;

use crate::{
    candidacy::Candidacy,
    clock::{Clock, Timer, WallClock, default_clock},
    config::{Config, ConfigError},
    elector::LeaderElector,
    event::LeaderEvent,
    hooks::Hooks,
    lease_watcher::LeaseWatcher,
};

/// Settings of a [`LeaderElector`].
#[must_use = "an elector exists after `build`"]
pub struct LeaderElectorBuilder {
    client: Client,
    config: Config,
    hooks: Hooks,
    clock: Option<Arc<dyn Clock>>,
    wall: Option<WallClock>,
}

impl LeaderElector {
    /// Settings for an election over the Lease `name` in `namespace`, with the durations of
    /// Kubernetes' own components.
    ///
    /// The Lease is created if it is missing; this takes the verbs get, create and update on
    /// `leases.coordination.k8s.io`. The client should be one of its own, made from a
    /// [`lease_client_config`](crate::lease_client_config), so that queued requests of controllers cannot
    /// delay a renewal.
    pub fn builder(
        client: Client,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> LeaderElectorBuilder {
        LeaderElectorBuilder::new(client, namespace.into(), name.into())
    }
}

impl LeaderElectorBuilder {
    fn new(client: Client, namespace: String, name: String) -> Self {
        Self {
            client,
            config: Config::new(namespace, name),
            hooks: Hooks::default(),
            clock: None,
            wall: None,
        }
    }

    /// Sets the holder identity of this candidate; it must be unique to this process.
    ///
    /// A candidate that finds its own identity in the Lease takes it for its own, without waiting.
    /// Default: the host's name (in a Pod, the Pod's name) and a random suffix.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.config.identity = identity.into();
        self
    }

    /// Sets the time that the others wait, from the last renewal that they saw, before they take the
    /// Lease.
    ///
    /// Default: 15 s, as in Kubernetes' own components. It is written to the Lease in whole seconds,
    /// rounded up, and at most 2147483647. Less than a second is refused.
    pub fn lease_duration(mut self, duration: Duration) -> Self {
        self.config.lease_duration = duration;
        self
    }

    /// Sets the time that leadership lasts after the moment when the last successful renewal was
    /// *sent*.
    ///
    /// Default: 10 s. The ratio of the lease duration to it is how much faster the clocks of others
    /// may run. Half the difference is the time that led work has to stop after a loss.
    pub fn renew_deadline(mut self, deadline: Duration) -> Self {
        self.config.renew_deadline = deadline;
        self
    }

    /// Sets the time between two renewals. A candidate waits between 1 and 2.2 times as long
    /// between two attempts.
    ///
    /// Default: 2 s.
    pub fn retry_period(mut self, period: Duration) -> Self {
        self.config.retry_period = period;
        self
    }

    /// Sets the time that led work has to stop in after a shutdown, while the Lease is still renewed
    /// for it.
    ///
    /// Default: 20 s, which leaves some of the 30 s that a Pod has to terminate. After that the work is
    /// dropped. A `Controller` of `trimtab-controller` that is led has the same grace period.
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.config.grace_period = grace_period;
        self
    }

    /// Gives the Lease back at the end of a term, so that another candidate need not wait for it to expire.
    ///
    /// Default: `false`, as upstream. The Lease is given back only after the led work has ended, and all
    /// tasks that hold a [`WorkGuard`](crate::WorkGuard).
    pub fn release_on_cancel(mut self, release: bool) -> Self {
        self.config.release_on_cancel = release;
        self
    }

    /// Makes a candidate try again when the Lease expires as it has observed it, not at its next poll.
    ///
    /// Default: `false`, as upstream. It costs one more request for each Lease that expires, and none while
    /// the leader renews. A poll sees a renewal up to 2.2 retry periods late, so a crash is followed by another leader
    /// after the lease duration and up to 2.2 retry periods: [`watch`](Self::watch) removes that delay, too.
    pub fn wake_at_expiry(mut self, wake: bool) -> Self {
        self.config.wake_at_expiry = wake;
        self
    }

    /// Makes a candidate watch the Lease, so that it learns of each renewal and of a release at once. It also wakes at
    /// the expiry, as with [`wake_at_expiry`](Self::wake_at_expiry).
    ///
    /// Default: `false`, as upstream. A crashed leader has a successor after the lease duration, not after up to
    /// 2.2 retry periods more, and a released Lease has one within 50 ms, over which the candidates are spread.
    ///
    /// What it costs: each candidate that does not lead holds one watch, opened about every 5 minutes, on which the
    /// server sends it each renewal (30 small events a minute with the default retry period). It saves the polls (about
    /// 19 reads a minute): a candidate polls only after 2.2 retry periods without an event. A leader holds no watch.
    ///
    /// This takes the verb watch on `leases`; a Role may restrict it to the Lease's name. Where a watch is
    /// refused, breaks, hangs or lags, the candidate polls as it does without one, says so once in the log, and
    /// opens the watch again after a retry period, then after twice as long, up to a minute.
    pub fn watch(mut self, watch: bool) -> Self {
        self.config.watch = watch;
        self
    }

    /// Makes a candidate learn of changes from a watch that electors share. Otherwise it does as with
    /// [`watch`](Self::watch).
    ///
    /// Default: none. For a process that stands for many Leases of a namespace: each candidate then costs neither a
    /// connection nor polls. The [`LeaseWatcher`] has to [run](LeaseWatcher::run).
    pub fn lease_watcher(mut self, watcher: &LeaseWatcher) -> Self {
        self.config.watch = true;
        self.config.watcher = Some(watcher.clone());
        self
    }

    /// Lets the API server pick the leader among the candidates, by their versions (KEP-4355).
    ///
    /// Off by default. The elector then never creates or takes the Lease. It keeps a `LeaseCandidate`
    /// (`coordination.k8s.io/v1beta1`) with its identity as the name, and leads while the server
    /// has written that name into the Lease. Once the server prefers another holder, the term
    /// ends: see [`LeaderElector::run`].
    ///
    /// A server that does not serve `LeaseCandidate`s (404) picks no leader, and a candidate that may not write its
    /// own (403) is not picked. The candidate then competes for the plain Lease, as without this option, and logs it
    /// once. It checks again at each poll.
    ///
    /// The identity must be able to name an object, and be unique among the elections of a namespace.
    /// This takes the verbs get, create and patch on `leasecandidates.coordination.k8s.io`, beside get
    /// and update on `leases`, and create for the case of the plain Lease. A `LeaseCandidate` is left to
    /// the server, which removes it half an hour after its last renewal.
    ///
    /// The server compares the times in these objects with its own clock. If this process's wall clock is
    /// behind that by more than half the difference of lease duration and renew deadline, led work may
    /// still run when the server picks another; by more than all of it, with a valid token.
    pub fn coordinated(mut self, candidacy: Candidacy) -> Self {
        self.config.coordinated = Some(candidacy);
        self
    }

    /// Reports [`metrics`](crate::metrics) under this name.
    ///
    /// Default: none, and nothing is reported. Upstream's components use the name of the Lease.
    pub fn metrics_name(mut self, name: impl Into<String>) -> Self {
        self.config.metrics_name = Some(name.into());
        self
    }

    /// Sets the seed of the jitter between two attempts of a candidate.
    ///
    /// Default: one of the machine, so that candidates do not meet at the server each time. With a paused
    /// clock, two candidates with the same seed wait for the same times.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = Some(seed);
        self
    }

    /// Labels to put on the Lease beside those that it has.
    pub fn labels<K: Into<String>, V: Into<String>>(
        mut self,
        labels: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.config.labels = labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self
    }

    /// Sets the local clock that decides when a token ends and when a Lease expires.
    ///
    /// Default: [`BootClock`](crate::BootClock) on Linux and Android, unless tokio's time is paused; else
    /// [`TokioClock`](crate::TokioClock).
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets the wall clock whose times are written to the Lease as labels. It decides nothing.
    ///
    /// Default: the system's. With another one, tests and simulations write the same times in each run.
    pub fn wall_clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.wall = Some(Arc::new(now));
        self
    }

    /// Takes away a rule that keeps the election safe, to show what the rule guards against.
    #[cfg(feature = "test-util")]
    #[doc(hidden)]
    pub fn without(mut self, rule: crate::Rule) -> Self {
        self.config.rules = crate::rules::Rules::without(rule);
        self
    }

    /// Sets a function that is called with the holder's identity whenever another holder is seen, the
    /// first one included.
    ///
    /// The identity may be this candidate's own, or empty after a release. The election's task makes the
    /// call, so it must not block. [`Observer::changes`](crate::Observer::changes) is the same as a stream.
    pub fn on_new_leader(mut self, called: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.hooks.on_new_leader = Some(Arc::new(called));
        self
    }

    /// Sets a function that is called when this candidate has become the leader and when it has stopped, with the data
    /// for an Event on the Lease.
    ///
    /// The election's task calls it, so it must not block.
    pub fn on_event(mut self, called: impl Fn(&LeaderEvent) + Send + Sync + 'static) -> Self {
        self.hooks.on_event = Some(Arc::new(called));
        self
    }

    /// Sets a function whose annotations are added to the Lease with each write that takes or renews it.
    ///
    /// With it, a leader hands a small snapshot to its successor, which finds it in
    /// [`Leadership::inherited_annotations`](crate::Leadership::inherited_annotations): for instance the
    /// newest resource versions that a ledger has written. Annotations of other keys stay. The
    /// election's task makes the call, so it must not block.
    pub fn on_renew(mut self, called: impl Fn() -> BTreeMap<String, String> + Send + Sync + 'static) -> Self {
        self.hooks.on_renew = Some(Arc::new(called));
        self
    }

    /// Makes an elector. It does nothing before [`run`](LeaderElector::run).
    ///
    /// # Errors
    ///
    /// If settings contradict each other: `lease_duration` must be longer than `renew_deadline`,
    /// which must be longer than 1.2 times `retry_period`. None may be zero, and a Lease of less than
    /// a second would never be valid. The namespace, the name and the identity must not be empty. In
    /// a [coordinated](Self::coordinated) election, if the identity cannot name an object, or a version
    /// has another form than `1.2.3`, or a later version is emulated. With a [`LeaseWatcher`], if that watches another
    /// namespace.
    pub fn build(self) -> Result<LeaderElector, ConfigError> {
        let clock = self.clock.unwrap_or_else(default_clock);
        let timer = Timer::new(clock).with_wall_clock(self.wall);
        Ok(LeaderElector::new(self.client, self.config.checked()?, self.hooks, timer))
    }
}

impl fmt::Debug for LeaderElectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderElectorBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}
