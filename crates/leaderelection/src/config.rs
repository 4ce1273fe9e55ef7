//! [`Config`]: checked settings of an elector; [`ConfigError`].

use std::{collections::BTreeMap, env, fmt, time::Duration};

use crate::{candidacy::Candidacy, lease_watcher::LeaseWatcher, rules::Rules};

/// Attempts to acquire the Lease are spread over this share of the retry period, on top of it.
pub(crate) const JITTER: f64 = 1.2;

/// The longest duration that a Lease can carry.
const LONGEST: Duration = Duration::from_secs(i32::MAX as u64);

/// The error of settings that an elector cannot be built from.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    fields: Vec<&'static str>,
    problem: String,
}

impl ConfigError {
    /// Returns the names of the invalid or contradictory settings: methods of the builder, or arguments of [`LeaderElector::builder`](crate::LeaderElector::builder).
    pub fn fields(&self) -> &[&'static str] {
        &self.fields
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.fields[0], self.problem)
    }
}

/// The sentence of `Display`: an error that `main` returns is printed by `Debug`.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Settings; the builder's methods explain each.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) identity: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) lease_duration: Duration,
    pub(crate) renew_deadline: Duration,
    pub(crate) retry_period: Duration,
    pub(crate) grace_period: Duration,
    pub(crate) release_on_cancel: bool,
    pub(crate) wake_at_expiry: bool,
    pub(crate) watch: bool,
    pub(crate) watcher: Option<LeaseWatcher>,
    pub(crate) coordinated: Option<Candidacy>,
    pub(crate) metrics_name: Option<String>,
    /// The seed of the jitter; `None` for one of the machine.
    pub(crate) seed: Option<u64>,
    pub(crate) rules: Rules,
}

impl Config {
    pub(crate) fn new(namespace: String, name: String) -> Self {
        Self {
            namespace,
            name,
            identity: unique_identity(),
            labels: BTreeMap::new(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            grace_period: Duration::from_secs(20),
            release_on_cancel: false,
            wake_at_expiry: false,
            watch: false,
            watcher: None,
            coordinated: None,
            metrics_name: None,
            seed: None,
            rules: Rules::default(),
        }
    }

    /// The checks of upstream's `NewLeaderElector` in its order, then our own. Durations that a Lease
    /// cannot carry become the longest that it can.
    pub(crate) fn checked(mut self) -> Result<Self, ConfigError> {
        self.lease_duration = self.lease_duration.min(LONGEST);
        let Self { lease_duration, renew_deadline, retry_period, .. } = &self;
        let refuse = |fields: &[&'static str], problem| Err(ConfigError { fields: fields.to_vec(), problem });
        if lease_duration <= renew_deadline {
            let problem =
                format!("of {lease_duration:?} must be longer than renew_deadline of {renew_deadline:?}");
            return refuse(&["lease_duration", "renew_deadline"], problem);
        }
        if renew_deadline.as_secs_f64() <= retry_period.as_secs_f64() * JITTER {
            let problem = format!(
                "of {renew_deadline:?} must be longer than {JITTER} × retry_period of {retry_period:?}"
            );
            return refuse(&["renew_deadline", "retry_period"], problem);
        }
        if retry_period.is_zero() {
            return refuse(&["retry_period"], "must not be zero".into());
        }
        if *lease_duration < Duration::from_secs(1) {
            return refuse(&["lease_duration"], format!("of {lease_duration:?} must be at least a second"));
        }
        for (field, value) in
            [("identity", &self.identity), ("namespace", &self.namespace), ("name", &self.name)]
        {
            if value.is_empty() {
                return refuse(&[field], "must not be empty".into());
            }
        }
        if let Some(watched) = self.watcher.as_ref().map(LeaseWatcher::namespace)
            && watched != self.namespace
        {
            let problem =
                format!("of namespace {watched:?} does not watch the Leases in {:?}", self.namespace);
            return refuse(&["lease_watcher", "namespace"], problem);
        }
        if let Some(candidacy) = &self.coordinated {
            if !is_candidate_name(&self.identity) {
                let problem = format!(
                    "of {:?} cannot be the name of a LeaseCandidate, which coordinated needs",
                    self.identity
                );
                return refuse(&["identity", "coordinated"], problem);
            }
            if let Some(problem) = candidacy.problem() {
                return refuse(&["coordinated"], problem);
            }
        }
        Ok(self)
    }

    /// Returns the duration for the Lease in whole seconds, rounded up, so that no reader waits for less than
    /// the configured duration.
    pub(crate) fn lease_duration_seconds(&self) -> i32 {
        let seconds = self.lease_duration.as_nanos().div_ceil(1_000_000_000);
        i32::try_from(seconds).unwrap_or(i32::MAX)
    }

    /// Returns the time between the end of a token and the moment when another candidate can take the
    /// Lease, by clocks that run equally fast.
    pub(crate) fn margin(&self) -> Duration {
        self.lease_duration - self.renew_deadline
    }
}

/// Upstream's rule, which is that of a ConfigMap's keys.
fn is_candidate_name(identity: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    identity.len() <= 253 && identity.chars().all(allowed) && identity != "." && !identity.starts_with("..")
}

/// Returns the host's name and a random suffix, in a form that can also name an object.
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
            identity: "a".into(),
            lease_duration: Duration::from_millis(lease),
            renew_deadline: Duration::from_millis(renew),
            retry_period: Duration::from_millis(retry),
            ..Config::new("default".into(), "web".into())
        }
    }

    /// LE-T9.
    #[test]
    fn settings_that_contradict_each_other_are_refused_by_their_names() {
        let refused = |config: Config| config.checked().map(drop).map_err(|error| error.fields().to_vec());
        assert_eq!(refused(config(15_000, 10_000, 2_000)), Ok(()));
        assert_eq!(refused(config(10_000, 10_000, 2_000)), Err(vec!["lease_duration", "renew_deadline"]));
        assert_eq!(refused(config(15_000, 2_400, 2_000)), Err(vec!["renew_deadline", "retry_period"]));
        assert_eq!(refused(config(15_000, 2_401, 2_000)), Ok(()));
        assert_eq!(refused(config(15_000, 0, 0)), Err(vec!["renew_deadline", "retry_period"]));
        assert_eq!(refused(config(0, 0, 0)), Err(vec!["lease_duration", "renew_deadline"]));
        assert_eq!(refused(config(15_000, 10_000, 0)), Err(vec!["retry_period"]));
        assert_eq!(refused(config(999, 500, 100)), Err(vec!["lease_duration"]));
        for field in ["identity", "name", "namespace"] {
            let mut empty = config(15_000, 10_000, 2_000);
            match field {
                "identity" => empty.identity.clear(),
                "name" => empty.name.clear(),
                _ => empty.namespace.clear(),
            }
            assert_eq!(refused(empty), Err(vec![field]));
        }
        let error = config(10_000, 10_000, 2_000).checked().expect_err("contradicts");
        assert_eq!(format!("{error:?}"), "lease_duration of 10s must be longer than renew_deadline of 10s");
    }

    /// Defect 2 of old: each of these panicked or wrapped.
    #[test]
    fn durations_that_no_clock_can_express_saturate_or_are_refused() {
        let longest = Config { lease_duration: Duration::MAX, ..config(0, 10_000, 2_000) };
        let longest = longest.checked().expect("the longest Lease");
        assert_eq!((longest.lease_duration, longest.lease_duration_seconds()), (LONGEST, i32::MAX));
        let refused = |config: Config| config.checked().expect_err("too long").to_string();
        let renew = Config { renew_deadline: Duration::MAX, ..config(15_000, 0, 2_000) };
        assert!(refused(renew).starts_with("lease_duration of 15s must be longer than renew_deadline of"));
        let retry = Config { retry_period: Duration::MAX, ..config(15_000, 10_000, 0) };
        assert!(
            refused(retry).starts_with("renew_deadline of 10s must be longer than 1.2 × retry_period of")
        );
        let all = Config {
            lease_duration: Duration::MAX,
            renew_deadline: Duration::MAX,
            retry_period: Duration::MAX,
            ..config(0, 0, 0)
        };
        assert!(refused(all).starts_with("lease_duration of 2147483647s"));
    }

    #[test]
    fn a_lease_is_written_with_whole_seconds_rounded_up() {
        assert_eq!(config(15_000, 10_000, 2_000).lease_duration_seconds(), 15);
        assert_eq!(config(1_001, 500, 100).lease_duration_seconds(), 2);
    }

    #[test]
    fn identities_are_unique_unless_given_and_can_name_an_object() {
        assert_ne!(unique_identity(), unique_identity());
        assert!(is_candidate_name(&unique_identity()));
    }

    #[test]
    fn a_coordinated_election_refuses_settings_that_the_server_would_refuse() {
        let refused = |identity: &str, version: &str| {
            let coordinated = Some(Candidacy::new(version));
            let config = Config { identity: identity.into(), coordinated, ..config(15_000, 10_000, 2_000) };
            config.checked().map(drop).map_err(|error| error.to_string())
        };
        for identity in ["web-0", "host_8d2f", "a.b", "-"] {
            assert_eq!(refused(identity, "1.37.0"), Ok(()));
        }
        for identity in ["a b", "a/b", ".", "..a", &"a".repeat(254)] {
            let problem = format!(
                "identity of {identity:?} cannot be the name of a LeaseCandidate, which coordinated needs"
            );
            assert_eq!(refused(identity, "1.37.0"), Err(problem));
        }
        let problem = "coordinated with version \"1\", which is not of the form 1.2.3";
        assert_eq!(refused("web-0", "1"), Err(problem.into()));
    }
}
