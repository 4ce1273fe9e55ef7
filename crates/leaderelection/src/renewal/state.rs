//! The rules of a `LeaseCandidate`, as a plain value: the next write and its time. No lock, clock or request.
//!
//! - C1: it is renewed 5 minutes after this process last sent a renewal, by the local monotonic clock;
//!   at once if this process has sent none.
//! - C2: a ping that is later than the last renewal is answered at once, with a time that is later than
//!   the ping's, whatever the local wall clock shows.
//! - C3: only the candidate's own fields are written; the ping and fields of others stay.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::object::Spec;
use crate::{candidacy::Candidacy, clock::Moment, config::Config};

/// The rule by which the server picks among the candidates; Kubernetes has this one.
const STRATEGY: &str = "OldestEmulationVersion";
/// The server drops a candidate that was not renewed for 30 minutes.
const RENEW_EVERY: Duration = Duration::from_secs(5 * 60);

/// The fields of one candidate, and the time of their last write.
#[derive(Debug)]
pub(crate) struct Registration {
    spec: Spec,
    renewed: Option<Moment>,
}

/// The next write of a candidate to its `LeaseCandidate`.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// The object is missing: create it with this.
    Create(Spec),
    /// Merge this into the object.
    Renew(Spec),
    /// Write nothing for now.
    Rest,
}

impl Registration {
    pub(crate) fn new(config: &Config, candidacy: &Candidacy) -> Self {
        let spec = Spec {
            lease_name: config.name.clone(),
            binary_version: candidacy.binary_version.clone(),
            emulation_version: candidacy.emulation_version.clone(),
            strategy: STRATEGY.to_owned(),
            ping_time: None,
            renew_time: None,
        };
        Self { spec, renewed: None }
    }

    /// Returns the step after the object was read, or found missing.
    pub(crate) fn next(&self, found: Option<&Spec>, now: Moment, wall: Timestamp) -> Step {
        let Some(found) = found else {
            return Step::Create(self.spec_at(wall));
        };
        let ping = found.ping_time.as_ref().map(|ping| ping.0);
        let unanswered = ping > found.renew_time.as_ref().map(|renewal| renewal.0);
        let due = self.renewed.is_none_or(|at| now.since(at) >= RENEW_EVERY); // C1
        if !unanswered && !due {
            return Step::Rest;
        }
        let after_ping = ping.and_then(|ping| ping.checked_add(SignedDuration::from_micros(1)).ok());
        Step::Renew(self.spec_at(after_ping.map_or(wall, |after| after.max(wall)))) // C2, C3
    }

    /// Takes note of a successful create or renewal that was sent at `sent`.
    pub(crate) fn renewed(&mut self, sent: Moment) {
        self.renewed = Some(sent);
    }

    fn spec_at(&self, time: Timestamp) -> Spec {
        Spec { renew_time: Some(MicroTime(time)), ..self.spec.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration() -> Registration {
        let spec = Spec { lease_name: "web".into(), ..Spec::default() };
        Registration { spec, renewed: None }
    }

    fn wall() -> Timestamp {
        Timestamp::from_second(1_800_000_000).expect("a valid time")
    }

    fn at(seconds: i64) -> Timestamp {
        wall() + SignedDuration::from_secs(seconds)
    }

    /// Returns the object on the server, with a ping and a renewal so many seconds from now.
    fn found(ping: Option<i64>, renewal: Option<i64>) -> Spec {
        let time = |seconds: Option<i64>| seconds.map(|seconds| MicroTime(at(seconds)));
        Spec { ping_time: time(ping), renew_time: time(renewal), ..Spec::default() }
    }

    fn renewal(step: &Step) -> Option<Timestamp> {
        let Step::Renew(spec) = step else { return None };
        assert_eq!((spec.lease_name.as_str(), &spec.ping_time), ("web", &None), "C3");
        spec.renew_time.as_ref().map(|time| time.0)
    }

    /// LC-T1.
    #[test]
    fn a_missing_candidate_is_created() {
        let Step::Create(created) = registration().next(None, Moment(1 << 50), wall()) else {
            panic!("it is missing")
        };
        assert_eq!((created.lease_name.as_str(), created.renew_time), ("web", Some(MicroTime(wall()))));
    }

    /// C1.
    #[test]
    fn a_candidate_is_renewed_every_five_minutes_and_at_once_by_a_new_process() {
        let (mut registration, now) = (registration(), Moment(1 << 50));
        let found = found(None, Some(-1));
        assert_eq!(renewal(&registration.next(Some(&found), now, wall())), Some(wall()));
        registration.renewed(now);
        let early = now.plus(RENEW_EVERY - Duration::from_nanos(1));
        assert_eq!(registration.next(Some(&found), early, wall()), Step::Rest);
        assert_eq!(renewal(&registration.next(Some(&found), now.plus(RENEW_EVERY), wall())), Some(wall()));
    }

    /// LC-T2, C2: pings of a server whose clock is behind and ahead by an hour.
    #[test]
    fn a_ping_is_answered_at_once_with_a_later_time() {
        let (mut registration, now) = (registration(), Moment(1 << 50));
        registration.renewed(now);
        let answer =
            |ping, renewal_| renewal(&registration.next(Some(&found(Some(ping), renewal_)), now, wall()));
        assert_eq!(answer(-10, Some(-20)), Some(wall()));
        assert_eq!(answer(-10, None), Some(wall()));
        assert_eq!(answer(-3600, Some(-3601)), Some(wall()));
        assert_eq!(answer(3600, Some(-20)), Some(at(3600) + SignedDuration::from_micros(1)));
        assert_eq!(answer(-20, Some(-20)), None, "answered");
        assert_eq!(answer(-20, Some(-10)), None, "answered");
    }
}
