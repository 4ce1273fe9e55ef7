//! [`LeaderElectorBuilder`]: the settings of an elector, and what they must obey.

use std::{collections::BTreeMap, env, fmt, sync::Arc, time::Duration};

use kube_client::Client;

use crate::{candidacy::Candidacy, elector::LeaderElector};

/// Retries while standing as a candidate are spread over this much of the retry period on top of it.
pub(crate) const JITTER: f64 = 1.2;

pub(crate) type OnNewLeader = Arc<dyn Fn(&str) + Send + Sync>;

/// Settings that an elector cannot be built from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct ConfigError {
    field: &'static str,
    problem: String,
}

impl ConfigError {
    /// The name of the setting that is wrong: that of the builder's method, or an argument of
    /// [`LeaderElector::builder`].
    pub fn field(&self) -> &'static str {
        self.field
    }
}

/// Checked settings; see the builder's methods.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) identity: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) lease_duration: Duration,
    pub(crate) renew_deadline: Duration,
    pub(crate) retry_period: Duration,
    pub(crate) grace: Duration,
    pub(crate) release_on_cancel: bool,
    pub(crate) coordinated: Option<Candidacy>,
    pub(crate) metrics_name: Option<String>,
    /// Seeds the jitter; `None` for a seed of the machine's.
    pub(crate) seed: Option<u64>,
}

/// Settings of a [`LeaderElector`].
#[must_use = "nobody stands for election before `build`"]
pub struct LeaderElectorBuilder {
    client: Client,
    config: Config,
    on_new_leader: Option<OnNewLeader>,
}

impl LeaderElectorBuilder {
    pub(crate) fn new(client: Client, namespace: String, name: String) -> Self {
        let config = Config {
            namespace,
            name,
            identity: unique_identity(),
            labels: BTreeMap::new(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            grace: Duration::from_secs(20),
            release_on_cancel: false,
            coordinated: None,
            metrics_name: None,
            seed: None,
        };
        Self { client, config, on_new_leader: None }
    }

    /// The name under which this candidate holds the lease; it must be unique to this process.
    ///
    /// A candidate that finds its own identity in the lease takes it for its own, without waiting.
    /// Default: the host's name (a Pod's own name) and a random suffix.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.config.identity = identity.into();
        self
    }

    /// How long the others wait, from the last renewal that they saw, before they take the lease.
    ///
    /// Default: 15 s, as Kubernetes' own components have it. Written to the lease in whole seconds,
    /// rounded up; what is shorter than a second is refused.
    pub fn lease_duration(mut self, duration: Duration) -> Self {
        self.config.lease_duration = duration;
        self
    }

    /// How long leadership lasts after the moment the last successful renewal was *sent*.
    ///
    /// Default: 10 s. The ratio of the lease duration to it is how much faster the clocks of others
    /// may run, and half the difference is what led work has to wind down after a loss.
    pub fn renew_deadline(mut self, deadline: Duration) -> Self {
        self.config.renew_deadline = deadline;
        self
    }

    /// The time between two renewals. A candidate waits between 1 and 2.2 times as long between two tries.
    ///
    /// Default: 2 s.
    pub fn retry_period(mut self, period: Duration) -> Self {
        self.config.retry_period = period;
        self
    }

    /// How long led work may take to end after a shutdown, while the lease is still renewed for it.
    ///
    /// Default: 20 s, which leaves some of the 30 s that a Pod has to terminate. After that the work is
    /// dropped.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.config.grace = grace;
        self
    }

    /// Gives the lease back at the end of a term, so that another candidate need not wait for it to expire.
    ///
    /// Default: `false`, as upstream. The lease is given back only after the led work has ended.
    pub fn release_on_cancel(mut self, release: bool) -> Self {
        self.config.release_on_cancel = release;
        self
    }

    /// Lets the API server pick the leader among the candidates, by their versions (KEP-4355).
    ///
    /// Off by default. The elector then never creates or takes the Lease. It keeps a `LeaseCandidate`
    /// (`coordination.k8s.io/v1beta1`) of the name of its identity alive, and leads while the server
    /// has written that name into the Lease. Once the server would rather have another holder, the term
    /// ends: see [`LeaderElector::run`].
    ///
    /// A server that does not serve `LeaseCandidate`s picks nobody. While it answers 404, this candidate
    /// stands for the plain Lease, as if this had not been set, and says so in the log. It looks again
    /// each time.
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
    /// Default: none, and nothing is reported. Upstream's components use the name of the lease.
    pub fn metrics_name(mut self, name: impl Into<String>) -> Self {
        self.config.metrics_name = Some(name.into());
        self
    }

    /// Seeds the jitter between two tries of a candidate.
    ///
    /// Default: the machine is asked for a seed, so that candidates do not meet at the server each time. With a paused
    /// clock, two candidates with the same seed wait for the same times.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = Some(seed);
        self
    }

    /// Labels to put on the lease beside those that it has.
    pub fn labels<K: Into<String>, V: Into<String>>(
        mut self,
        labels: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.config.labels = labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self
    }

    /// Called with the identity of the holder whenever another one is seen, the first one included.
    ///
    /// The identity may be this candidate's own, or empty after a release. The call is made by the
    /// election's task, so it must not block.
    pub fn on_new_leader(mut self, called: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_new_leader = Some(Arc::new(called));
        self
    }

    /// Makes an elector. It does nothing before [`run`](LeaderElector::run).
    ///
    /// # Errors
    ///
    /// If the settings contradict each other: `lease_duration` must be longer than `renew_deadline`,
    /// that must be longer than 1.2 times `retry_period`, none may be zero, and a lease of less than
    /// a second would never be valid. The namespace, the name and the identity must not be empty. In
    /// a [coordinated](Self::coordinated) election, if the identity cannot name an object, or a version
    /// has another form than `1.2.3`, or a later version is emulated.
    pub fn build(self) -> Result<LeaderElector, ConfigError> {
        self.config.check()?;
        Ok(LeaderElector::new(self.client, self.config, self.on_new_leader))
    }
}

impl fmt::Debug for LeaderElectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderElectorBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Config {
    /// The checks of upstream's `NewLeaderElector` in its order, then our own.
    fn check(&self) -> Result<(), ConfigError> {
        let Self { lease_duration, renew_deadline, retry_period, .. } = self;
        let refuse = |field, problem: String| Err(ConfigError { field, problem });
        if lease_duration <= renew_deadline {
            let problem =
                format!("of {lease_duration:?} must be longer than renew_deadline of {renew_deadline:?}");
            return refuse("lease_duration", problem);
        }
        if *renew_deadline <= retry_period.mul_f64(JITTER) {
            let problem = format!(
                "of {renew_deadline:?} must be longer than {JITTER} × retry_period of {retry_period:?}"
            );
            return refuse("renew_deadline", problem);
        }
        if retry_period.is_zero() {
            return refuse("retry_period", "must not be zero".into());
        }
        if *lease_duration < Duration::from_secs(1) {
            return refuse("lease_duration", format!("of {lease_duration:?} must be at least a second"));
        }
        if i32::try_from(lease_duration.as_secs() + 1).is_err() {
            return refuse("lease_duration", format!("of {lease_duration:?} does not fit into a lease"));
        }
        for (field, value) in
            [("identity", &self.identity), ("namespace", &self.namespace), ("name", &self.name)]
        {
            if value.is_empty() {
                return refuse(field, "must not be empty".into());
            }
        }
        if let Some(candidacy) = &self.coordinated {
            if !names_a_candidate(&self.identity) {
                let problem = format!("of {:?} cannot be the name of a LeaseCandidate", self.identity);
                return refuse("identity", problem);
            }
            if let Some(problem) = candidacy.problem() {
                return refuse("coordinated", problem);
            }
        }
        Ok(())
    }

    /// The lease's duration as it is written: whole seconds, rounded up, so that nobody who reads it
    /// waits for less than was asked for.
    pub(crate) fn lease_duration_seconds(&self) -> i32 {
        let seconds = self.lease_duration.as_nanos().div_ceil(1_000_000_000);
        i32::try_from(seconds).unwrap_or(i32::MAX)
    }
}

/// Upstream's rule, which is that of a ConfigMap's keys.
fn names_a_candidate(identity: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    identity.len() <= 253 && identity.chars().all(allowed) && identity != "." && !identity.starts_with("..")
}

/// Of a form that can also name an object.
fn unique_identity() -> String {
    let suffix = format!("{:016x}", rand::random::<u64>());
    match env::var("HOSTNAME") {
        Ok(host) if !host.is_empty() => format!("{host}-{suffix}"),
        _ => suffix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lease: u64, renew: u64, retry: u64) -> Config {
        Config {
            namespace: "default".into(),
            name: "web".into(),
            identity: "a".into(),
            labels: BTreeMap::new(),
            lease_duration: Duration::from_millis(lease),
            renew_deadline: Duration::from_millis(renew),
            retry_period: Duration::from_millis(retry),
            grace: Duration::ZERO,
            release_on_cancel: false,
            coordinated: None,
            metrics_name: None,
            seed: None,
        }
    }

    /// LE-T9.
    #[test]
    fn settings_that_contradict_each_other_are_refused_by_name() {
        let refused = |config: Config| config.check().map_err(|error| error.field());
        assert_eq!(refused(config(15_000, 10_000, 2_000)), Ok(()));
        assert_eq!(refused(config(10_000, 10_000, 2_000)), Err("lease_duration"));
        assert_eq!(refused(config(15_000, 2_400, 2_000)), Err("renew_deadline"));
        assert_eq!(refused(config(15_000, 2_401, 2_000)), Ok(()));
        assert_eq!(refused(config(15_000, 0, 0)), Err("renew_deadline"));
        assert_eq!(refused(config(0, 0, 0)), Err("lease_duration"));
        assert_eq!(refused(config(15_000, 10_000, 0)), Err("retry_period"));
        assert_eq!(refused(config(999, 500, 100)), Err("lease_duration"));
        assert_eq!(refused(config(u64::MAX, 500, 100)), Err("lease_duration"));
        assert_eq!(
            refused(Config { identity: String::new(), ..config(15_000, 10_000, 2_000) }),
            Err("identity")
        );
        assert_eq!(refused(Config { name: String::new(), ..config(15_000, 10_000, 2_000) }), Err("name"));
        assert_eq!(
            refused(Config { namespace: String::new(), ..config(15_000, 10_000, 2_000) }),
            Err("namespace")
        );
        let error = config(10_000, 10_000, 2_000).check().expect_err("contradicts");
        assert_eq!(error.to_string(), "lease_duration of 10s must be longer than renew_deadline of 10s");
    }

    #[test]
    fn a_lease_is_written_with_whole_seconds_rounded_up() {
        assert_eq!(config(15_000, 10_000, 2_000).lease_duration_seconds(), 15);
        assert_eq!(config(1_001, 500, 100).lease_duration_seconds(), 2);
    }

    #[test]
    fn identities_are_unique_unless_given_and_can_name_an_object() {
        assert_ne!(unique_identity(), unique_identity());
        assert!(names_a_candidate(&unique_identity()));
    }

    #[test]
    fn a_coordinated_election_refuses_what_the_server_would_refuse() {
        let refused = |identity: &str, version: &str| {
            let coordinated = Some(Candidacy::new(version));
            let config = Config { identity: identity.into(), coordinated, ..config(15_000, 10_000, 2_000) };
            config.check().map_err(|error| error.to_string())
        };
        for identity in ["web-0", "host_8d2f", "a.b", "-"] {
            assert_eq!(refused(identity, "1.37.0"), Ok(()));
        }
        for identity in ["a b", "a/b", ".", "..a", &"a".repeat(254)] {
            let problem = format!("identity of {identity:?} cannot be the name of a LeaseCandidate");
            assert_eq!(refused(identity, "1.37.0"), Err(problem));
        }
        let problem = "coordinated with version \"1\", which is not of the form 1.2.3";
        assert_eq!(refused("web-0", "1"), Err(problem.into()));
    }
}
