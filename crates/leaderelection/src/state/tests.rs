//! The candidate's rules, edge by edge, at times that each test makes up.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn election() -> Election {
    Election {
        identity: "a".into(),
        duration_seconds: 15,
        labels: BTreeMap::new(),
        name: "web".into(),
        namespace: "default".into(),
        observed: None,
    }
}

/// A lease of `holder` for `seconds`, with a `renewTime` an hour in the future: nobody may care.
fn lease(version: &str, holder: &str, seconds: i32) -> Lease {
    Lease {
        metadata: ObjectMeta { resource_version: Some(version.into()), ..ObjectMeta::default() },
        spec: Some(LeaseSpec {
            holder_identity: Some(holder.into()),
            lease_duration_seconds: Some(seconds),
            lease_transitions: Some(4),
            acquire_time: Some(MicroTime(long_ago())),
            renew_time: Some(MicroTime(wall() + Duration::from_secs(3600))),
            ..LeaseSpec::default()
        }),
    }
}

fn long_ago() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn wall() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a valid time")
}

fn spec(claim: &Claim) -> &LeaseSpec {
    let (Claim::Renew(lease) | Claim::Take(lease) | Claim::Create(lease)) = claim else {
        panic!("nothing is written: {claim:?}");
    };
    lease.spec.as_ref().expect("a spec")
}

/// LE-T1: there is no lease.
#[test]
fn a_missing_lease_is_created_without_a_transition() {
    let claim = election().claim_missing(Instant::now(), wall());
    assert!(matches!(claim, Claim::Create(_)));
    let spec = spec(&claim);
    assert_eq!((spec.holder_identity.as_deref(), spec.lease_transitions), (Some("a"), Some(0)));
    assert_eq!((&spec.acquire_time, &spec.renew_time), (&Some(MicroTime(wall())), &Some(MicroTime(wall()))));
    assert_eq!(spec.lease_duration_seconds, Some(15));
}

/// LE-T1: a lease without a record, one that nobody holds, one that was given back just now.
#[test]
fn a_lease_that_nobody_holds_is_taken_at_once() {
    let now = Instant::now();
    let mut unset = lease("1", "", 15);
    unset.spec = None;
    for (lease, transitions) in [(unset, 1), (lease("1", "", 15), 5)] {
        let mut election = election();
        election.read(lease, now);
        let claim = election.claim(now, wall());
        assert!(
            matches!(&claim, Claim::Take(lease) if lease.metadata.resource_version.as_deref() == Some("1")),
            "I4"
        );
        assert_eq!(spec(&claim).lease_transitions, Some(transitions));
        assert_eq!(spec(&claim).acquire_time, Some(MicroTime(wall())));
    }
}

/// LE-T1, I1, I2: a foreign record of 3 s.
#[test]
fn a_foreign_lease_is_waited_for_as_long_as_its_holder_wrote_from_when_it_was_seen() {
    let (mut election, now) = (election(), Instant::now());
    assert_eq!(election.read(lease("1", "b", 3), now), Some("b".into()));
    assert_eq!(election.claim(now + 3 * SECOND - Duration::from_nanos(1), wall()), Claim::Held);
    let claim = election.claim(now + 3 * SECOND, wall());
    assert!(matches!(claim, Claim::Take(_)));
    assert_eq!(spec(&claim).lease_transitions, Some(5));
}

/// I3: upstream compares whole seconds and misses the second renewal of a second.
#[test]
fn every_new_version_starts_the_wait_anew_and_the_same_version_does_not() {
    let (mut election, now) = (election(), Instant::now());
    election.read(lease("1", "b", 3), now);
    assert_eq!(election.read(lease("1", "b", 3), now + SECOND), None);
    assert!(matches!(election.claim(now + 3 * SECOND, wall()), Claim::Take(_)));
    assert_eq!(election.read(lease("2", "b", 3), now + SECOND), None, "the holder is the same");
    assert_eq!(election.claim(now + 3 * SECOND, wall()), Claim::Held);
}

/// LE-T1: our own record, as after a restart. LE-T3: what is renewed keeps all that is not ours to change.
#[test]
fn an_own_record_is_renewed_without_a_transition() {
    let (mut election, now) = (election(), Instant::now());
    let mut own = lease("1", "a", 15);
    own.spec.as_mut().expect("a spec").strategy = Some("OldestEmulationVersion".into());
    election.read(own.clone(), now);
    let later = now + 60 * SECOND;
    let Claim::Renew(renewed) = election.claim(later, wall()) else { panic!("ours") };
    let mut expected = own;
    expected.metadata.name = Some("web".into());
    expected.metadata.namespace = Some("default".into());
    expected.spec.as_mut().expect("a spec").renew_time = Some(MicroTime(wall()));
    assert_eq!(renewed, expected);
    assert_eq!(election.renewal(now, wall()), Some(expected), "LE-T10: the fast path writes the same");
    assert_eq!(election.renewal(later, wall()), None, "what has expired is read first");
}

/// LL-T1.
#[test]
fn configured_labels_win_over_drift_and_others_stay() {
    let mut election = election();
    election.labels = BTreeMap::from([("app".into(), "web".into())]);
    let mut drifted = lease("1", "a", 15);
    drifted.metadata.labels =
        Some(BTreeMap::from([("app".into(), "db".into()), ("team".into(), "x".into())]));
    election.read(drifted, Instant::now());
    let renewed = election.renewal(Instant::now(), wall()).expect("ours");
    let labels = renewed.metadata.labels.expect("labels");
    assert_eq!(labels, BTreeMap::from([("app".into(), "web".into()), ("team".into(), "x".into())]));
}

/// Whoever deletes a lease does not stop its holder.
#[test]
fn a_lease_that_was_seen_alive_and_is_missing_now_is_waited_for() {
    let (mut election, now) = (election(), Instant::now());
    election.read(lease("1", "b", 3), now);
    assert_eq!(election.claim_missing(now + 2 * SECOND, wall()), Claim::Held);
    assert!(matches!(election.claim_missing(now + 3 * SECOND, wall()), Claim::Create(_)));
    election.read(lease("2", "a", 3), now);
    assert!(matches!(election.claim_missing(now, wall()), Claim::Create(_)), "our own");
}

/// LE-T4, LE-T5: the holder that was read just now decides.
#[test]
fn only_an_own_lease_is_given_back_and_its_transitions_stay() {
    let election = election();
    assert_eq!(election.release(&lease("9", "b", 15), wall()), None);
    let released = election.release(&lease("9", "a", 15), wall()).expect("ours");
    assert_eq!(released.metadata.resource_version.as_deref(), Some("9"), "I4");
    let spec = released.spec.expect("a spec");
    assert_eq!(
        (spec.holder_identity, spec.lease_duration_seconds, spec.lease_transitions),
        (Some(String::new()), Some(1), Some(4))
    );
}

/// A negative duration, which the API refuses but a bug may bring, does not hold for ever.
#[test]
fn a_lease_without_a_sensible_duration_has_expired() {
    for seconds in [Some(-1), Some(0), None] {
        let (mut election, now) = (election(), Instant::now());
        let mut odd = lease("1", "b", 3);
        odd.spec.as_mut().expect("a spec").lease_duration_seconds = seconds;
        election.read(odd, now);
        assert!(matches!(election.claim(now, wall()), Claim::Take(_)));
    }
}

/// LE-T2, I5.
#[test]
fn a_lease_that_the_server_assigns_is_renewed_by_its_holder_and_by_nobody_else() {
    let now = Instant::now();
    let assignment = |lease: Lease, later: Duration| {
        let mut election = election();
        election.read(lease, now);
        election.assignment(now + later, wall())
    };
    assert_eq!(election().assignment(now, wall()), Claim::Held, "nothing was read");
    for holder in ["b", ""] {
        assert_eq!(assignment(lease("1", holder, 3), Duration::ZERO), Claim::Held);
        assert_eq!(assignment(lease("1", holder, 3), 4 * SECOND), Claim::Held, "expired, and not ours");
    }
    let mut own = lease("1", "a", 5);
    own.spec.as_mut().expect("a spec").strategy = Some("OldestEmulationVersion".into());
    let claim = assignment(own.clone(), Duration::ZERO);
    assert!(matches!(claim, Claim::Renew(_)));
    let renewed = spec(&claim);
    assert_eq!(renewed.strategy.as_deref(), Some("OldestEmulationVersion"));
    assert_eq!((renewed.lease_transitions, renewed.lease_duration_seconds), (Some(4), Some(15)));
    assert_eq!(renewed.acquire_time, Some(MicroTime(long_ago())));
    assert_eq!(assignment(own.clone(), 5 * SECOND), Claim::Held, "expired");

    for (preferred, ends) in [("", false), ("b", true), ("a", true)] {
        own.spec.as_mut().expect("a spec").preferred_holder = Some(preferred.into());
        assert_eq!(assignment(own.clone(), Duration::ZERO) == Claim::EndOfTerm, ends, "{preferred:?}");
    }
}
