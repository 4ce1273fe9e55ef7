//! The candidate's rules, edge by edge, at times that each test makes up.

use serde_json::{Value, json};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const NOW: Moment = Moment(1 << 50);

fn after(seconds: u32) -> Moment {
    NOW.plus(seconds * SECOND)
}

fn election() -> Election {
    let mut config = Config::new("default".into(), "web".into());
    config.identity = "a".into();
    Election::new(&config)
}

fn record(lease: &Value) -> Arc<Record> {
    Record::parse(&lease.to_string()).expect("a Lease").into()
}

/// Returns a Lease of `holder` for `seconds`, as JSON. Its `renewTime` is valid to Go, and to no
/// clock here.
fn json_of(version: &str, holder: &str, seconds: i64) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "web", "namespace": "default", "resourceVersion": version},
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": seconds,
            "leaseTransitions": 4,
            "acquireTime": "1970-01-01T00:00:00.000000Z",
            "renewTime": "9999-12-31T23:59:59.999999Z",
        },
    })
}

fn lease(version: &str, holder: &str, seconds: i64) -> Arc<Record> {
    record(&json_of(version, holder, seconds))
}

fn labels() -> Labels {
    let wall = Timestamp::from_second(1_800_000_000).expect("a valid time");
    Labels { wall, annotations: BTreeMap::new() }
}

const WALL: &str = "2027-01-15T08:00:00.000000Z";

fn written(claim: &Claim) -> Value {
    let (Claim::Renew(lease) | Claim::Take(lease) | Claim::Create(lease)) = claim else {
        panic!("nothing is written: {claim:?}");
    };
    serde_json::from_slice(&lease.to_json()).expect("JSON")
}

/// LE-T1: there is no Lease.
#[test]
fn a_missing_lease_is_created_without_a_transition() {
    let claim = election().claim_missing(NOW, &labels());
    assert!(matches!(claim, Claim::Create(_)));
    let expected = json!({
        "holderIdentity": "a", "leaseDurationSeconds": 15, "leaseTransitions": 0, "acquireTime": WALL, "renewTime": WALL,
    });
    assert_eq!(written(&claim)["spec"], expected);
}

/// LE-T1: a Lease without a record, without a holder, and released just now.
#[test]
fn a_lease_that_nobody_holds_is_taken_at_once() {
    let mut absent = json_of("1", "", 15);
    absent.as_object_mut().expect("an object").remove("spec");
    let mut null = json_of("1", "", 15);
    null["spec"] = Value::Null;
    let mut no_holder = json_of("1", "", 15);
    no_holder["spec"]["holderIdentity"] = Value::Null;
    for (lease, transitions) in [(absent, 1), (null, 1), (no_holder, 5), (json_of("1", "", 15), 5)] {
        let mut election = election();
        election.read(record(&lease), NOW);
        let claim = election.claim(NOW, &labels());
        assert!(matches!(claim, Claim::Take(_)));
        let written = written(&claim);
        assert_eq!(written["metadata"]["resourceVersion"], "1", "I4");
        assert_eq!(written["spec"]["leaseTransitions"], transitions);
        assert_eq!(written["spec"]["acquireTime"], WALL);
    }
}

/// LE-T1, I1, I2: a foreign record of 3 s.
#[test]
fn a_foreign_lease_is_waited_for_as_long_as_its_holder_wrote_from_when_it_was_seen() {
    let mut election = election();
    assert_eq!(election.read(lease("1", "b", 3), NOW), Some("b".into()));
    let early = NOW.plus(3 * SECOND - Duration::from_nanos(1));
    assert_eq!(election.claim(early, &labels()), Claim::Held);
    assert_eq!(election.expires_at(), Some(after(3)));
    let claim = election.claim(after(3), &labels());
    assert!(matches!(claim, Claim::Take(_)));
    assert_eq!(written(&claim)["spec"]["leaseTransitions"], 5);
}

/// I3: upstream compares whole seconds and misses the second renewal of a second.
#[test]
fn every_new_version_starts_the_wait_anew_and_the_same_version_does_not() {
    let mut election = election();
    election.read(lease("1", "b", 3), NOW);
    assert_eq!(election.read(lease("1", "b", 3), after(1)), None);
    assert!(matches!(election.claim(after(3), &labels()), Claim::Take(_)));
    assert_eq!(election.read(lease("2", "b", 3), after(1)), None, "the holder is the same");
    assert_eq!(election.claim(after(3), &labels()), Claim::Held);
}

/// A proxy or another server that sends no version: the text decides.
#[test]
fn without_a_version_any_difference_in_the_text_is_a_change() {
    let bare = |time: &str| {
        let mut lease = json_of("1", "b", 3);
        lease["metadata"] = json!({"name": "web"});
        lease["spec"]["renewTime"] = time.into();
        record(&lease)
    };
    let mut election = election();
    election.read(bare("soon"), NOW);
    election.read(bare("soon"), after(2));
    assert_eq!(election.expires_at(), Some(after(3)));
    election.read(bare("later"), after(2));
    assert_eq!(election.expires_at(), Some(after(5)));
}

/// LE-T1: our own record, as after a restart. LE-T3: a renewal keeps all that is not ours to change, in the
/// form in which it came.
#[test]
fn an_own_record_is_renewed_without_a_transition() {
    let mut election = election();
    let mut own = json_of("1", "a", 15);
    own["metadata"]["deletionTimestamp"] = "9999-12-31T23:59:59Z".into();
    own["metadata"]["annotations"] = json!({"key": "value"});
    own["spec"]["strategy"] = "OldestEmulationVersion".into();
    own["spec"]["fromTheFuture"] = json!([1, 2.5, {"x": null}]);
    own["spec"]["acquireTime"] = "9999-12-31T23:59:59.999999Z".into();
    election.read(record(&own), NOW);
    let Claim::Renew(renewed) = election.claim(after(60), &labels()) else { panic!("ours") };
    let mut expected = own;
    expected["spec"]["renewTime"] = WALL.into();
    assert_eq!(renewed, *record(&expected));
    assert_eq!(election.renewal(NOW, &labels()), Some(renewed), "LE-T10: the fast path writes the same");
    assert_eq!(election.renewal(after(60), &labels()), None, "what has expired is read first");
}

/// LL-T1.
#[test]
fn configured_labels_and_annotations_win_over_drift_and_others_stay() {
    let mut config = Config::new("default".into(), "web".into());
    config.identity = "a".into();
    config.labels = BTreeMap::from([("app".into(), "web".into())]);
    let mut election = Election::new(&config);
    let mut drifted = json_of("1", "a", 15);
    drifted["metadata"]["labels"] = json!({"app": "db", "team": "x"});
    drifted["metadata"]["annotations"] = json!({"snapshot": "old", "other": "y"});
    election.read(record(&drifted), NOW);
    let labels = Labels { annotations: BTreeMap::from([("snapshot".into(), "new".into())]), ..labels() };
    let renewed = written(&Claim::Renew(election.renewal(NOW, &labels).expect("ours")));
    assert_eq!(renewed["metadata"]["labels"], json!({"app": "web", "team": "x"}));
    assert_eq!(renewed["metadata"]["annotations"], json!({"snapshot": "new", "other": "y"}));
}

/// Deleting a Lease does not stop its holder.
#[test]
fn a_lease_that_was_seen_alive_and_is_missing_now_is_waited_for() {
    let mut election = election();
    election.read(lease("1", "b", 3), NOW);
    assert_eq!(election.claim_missing(after(2), &labels()), Claim::Held);
    assert!(matches!(election.claim_missing(after(3), &labels()), Claim::Create(_)));
    election.read(lease("2", "a", 3), NOW);
    assert!(matches!(election.claim_missing(NOW, &labels()), Claim::Create(_)), "our own");
    election.read(lease("3", "", 3), NOW);
    assert!(matches!(election.claim_missing(NOW, &labels()), Claim::Create(_)), "nobody's");
}

/// LE-T4, LE-T5: the holder that was read just now decides.
#[test]
fn only_an_own_lease_is_given_back_and_its_transitions_stay() {
    let (election, wall) = (election(), labels().wall);
    assert_eq!(election.release(&lease("9", "b", 15), wall), None);
    let released = election.release(&lease("9", "a", 15), wall).expect("ours");
    assert_eq!(released.version(), Some("9"), "I4");
    let expected = json!({
        "holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": 4, "acquireTime": WALL, "renewTime": WALL,
    });
    assert_eq!(written(&Claim::Renew(released))["spec"], expected);
}

/// I2. Such a Lease would be free at once for client-go, while its holder may be at work.
#[test]
fn a_lease_whose_duration_means_nothing_expires_after_this_candidates_own() {
    let values = [json!(-1), json!(0), json!(null), json!("soon"), json!(2.5), json!(i64::MIN)];
    for duration in values {
        let mut election = election();
        let mut odd = json_of("1", "b", 3);
        odd["spec"]["leaseDurationSeconds"] = duration.clone();
        election.read(record(&odd), NOW);
        assert_eq!(election.claim(after(14), &labels()), Claim::Held, "{duration}");
        assert!(matches!(election.claim(after(15), &labels()), Claim::Take(_)), "{duration}");
    }
}

/// The longest duration that a Lease can carry, and more: 68 years are 68 years, and nothing overflows.
#[test]
fn a_very_long_lease_is_waited_for() {
    let last = Moment(u64::MAX - 1);
    for (seconds, at, taken) in [(i64::from(i32::MAX), NOW, true), (i64::MAX, NOW, false), (3, last, false)] {
        let mut election = election();
        election.read(lease("1", "b", seconds), at);
        assert_eq!(election.claim(at, &labels()), Claim::Held);
        let later = election.claim(at.plus(Duration::from_secs(1 << 31)), &labels());
        assert_eq!(matches!(later, Claim::Take(_)), taken || at == last, "{seconds}");
    }
}

#[test]
fn a_holder_that_cannot_be_understood_is_another_candidate() {
    let mut number = json_of("1", "b", 3);
    number["spec"]["holderIdentity"] = json!(7);
    let mut text = json_of("1", "b", 3);
    text["spec"] = json!("held");
    for (lease, holder, seconds) in [(number, "7", 3), (text, "\"held\"", 15)] {
        let mut election = election();
        assert_eq!(election.read(record(&lease), NOW).as_deref(), Some(holder));
        assert_eq!(election.claim(after(seconds - 1), &labels()), Claim::Held);
        let claim = election.claim(after(seconds), &labels());
        assert!(matches!(claim, Claim::Take(_)));
        assert_eq!(written(&claim)["spec"]["holderIdentity"], "a");
    }
}

#[test]
fn transitions_stop_at_the_largest_number_that_a_lease_can_carry() {
    let expected =
        [(json!(i32::MAX), i32::MAX), (json!(i64::MAX), i32::MAX), (json!(-5), 1), (json!("x"), 1)];
    for (transitions, next) in expected {
        let mut election = election();
        let mut lease = json_of("1", "", 3);
        lease["spec"]["leaseTransitions"] = transitions;
        election.read(record(&lease), NOW);
        assert_eq!(written(&election.claim(NOW, &labels()))["spec"]["leaseTransitions"], next);
    }
}

#[test]
fn a_response_that_is_not_a_lease_is_an_error_and_no_panic() {
    for body in
        ["", "null", "[]", "<html>", "{}", r#"{"kind":"Status"}"#, r#"{"kind":"Lease"}"#, "{\"kind\":7"]
    {
        assert!(Record::parse(body).is_err(), "{body}");
    }
}

/// LE-T2, I5.
#[test]
fn a_lease_that_the_server_assigns_is_renewed_by_its_holder_and_by_nobody_else() {
    let assignment = |lease: &Value, later: u32| {
        let mut election = election();
        election.read(record(lease), NOW);
        election.assignment(after(later), &labels())
    };
    assert_eq!(election().assignment(NOW, &labels()), Claim::Held, "nothing was read");
    for holder in ["b", ""] {
        assert_eq!(assignment(&json_of("1", holder, 3), 0), Claim::Held);
        assert_eq!(assignment(&json_of("1", holder, 3), 4), Claim::Held, "expired, and not ours");
    }
    let mut own = json_of("1", "a", 5);
    own["spec"]["strategy"] = "OldestEmulationVersion".into();
    let claim = assignment(&own, 0);
    assert!(matches!(claim, Claim::Renew(_)));
    let mut expected = own["spec"].clone();
    expected["renewTime"] = WALL.into();
    expected["leaseDurationSeconds"] = 15.into();
    assert_eq!(written(&claim)["spec"], expected);
    assert_eq!(assignment(&own, 5), Claim::Held, "expired");

    for (preferred, ends) in [("", false), ("b", true), ("a", true)] {
        own["spec"]["preferredHolder"] = preferred.into();
        assert_eq!(assignment(&own, 0) == Claim::EndOfTerm, ends, "{preferred:?}");
    }
}

/// Watches are answered from a cache, which may be behind a read.
#[test]
fn an_older_state_that_a_watch_shows_is_no_change() {
    let mut election = election();
    election.read(lease("10", "b", 15), NOW);
    assert_eq!(election.heard(lease("9", "c", 15), after(5)), None);
    assert_eq!(election.heard(lease("10", "b", 15), after(5)), None);
    assert_eq!(election.expires_at(), Some(after(15)), "10 is the newest");
    assert_eq!(election.heard(lease("11", "c", 15), after(5)).as_deref(), Some("c"));
    assert_eq!(election.expires_at(), Some(after(20)));
    assert!(!election.is_free());
    assert_eq!(election.heard(lease("12", "", 15), after(6)).as_deref(), Some(""));
    assert!(election.is_free());
}

/// A renewal that was heard moves the expiry, and says nothing about another state.
#[test]
fn a_renewal_counts_for_the_state_that_it_renews() {
    let mut election = election();
    election.read(lease("10", "b", 15), NOW);
    let renewal = |state: &Arc<Record>, version: &str| Renewal {
        state: state.clone(),
        version: version.into(),
        at: after(5),
    };
    assert!(!election.renewed(renewal(&lease("9", "b", 15), "10")), "it is known");
    assert!(!election.renewed(renewal(&lease("10", "c", 15), "11")), "another holder's");
    assert!(election.renewed(renewal(&lease("9", "b", 15), "11")), "of a renewal of the same state");
    assert_eq!((election.version(), election.expires_at()), (Some("11"), Some(after(20))));
    election.read(lease("11", "b", 15), after(9));
    assert_eq!(election.expires_at(), Some(after(20)), "the state that was heard of");
    assert_eq!(election.claim(after(19), &labels()), Claim::Held);
    election.read(lease("12", "b", 15), after(9));
    assert_eq!((election.version(), election.expires_at()), (Some("12"), Some(after(24))));
}
