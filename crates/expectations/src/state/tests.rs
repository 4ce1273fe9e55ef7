//! The rules of expectations, edge by edge, at times that each test makes up.

use super::*;

const TTL: Duration = Duration::from_secs(300);

fn state() -> (State<&'static str>, Instant) {
    (State::new(TTL), Instant::now())
}

fn satisfied(state: &State<&'static str>, now: Instant) -> bool {
    state.expires_in(&"web", now).is_none()
}

#[test]
fn nothing_expected_is_satisfied() {
    let (mut state, now) = state();
    assert!(satisfied(&state, now));
    state.set(&"web", 0, 0, now);
    assert!(satisfied(&state, now));
}

/// I1; as upstream, only an expectation makes a record.
#[test]
fn observing_raising_and_lowering_without_a_record_make_none() {
    let (mut state, _) = state();
    state.shift(&"web", 1, 1);
    assert!(!state.uid_observed(&"web", "u1"));
    assert_eq!(state.counts(&"web"), None);
}

/// As upstream: strictly older than the time to live.
#[test]
fn a_record_expires_one_instant_after_its_time_to_live() {
    let (mut state, start) = state();
    state.set(&"web", 1, 0, start);
    assert_eq!(state.expires_in(&"web", start + TTL), Some(Duration::from_nanos(1)));
    let wake = start + TTL + Duration::from_nanos(1);
    assert_eq!(state.expires_in(&"web", wake), None);
}

/// I2.
#[test]
fn raising_does_not_prolong_a_record() {
    let (mut state, start) = state();
    state.expect_creations(&"web", 1, start);
    state.shift(&"web", 5, 0);
    assert!(satisfied(&state, start + TTL + Duration::from_nanos(1)));
}

/// I3: upstream's `ExpectCreations` forgets the deletions.
#[test]
fn expecting_one_kind_keeps_the_others_with_their_own_times() {
    let (mut state, start) = state();
    state.expect_uids(&"web", ["u1".into()], start);
    state.expect_deletions(&"web", 1, start);
    let later = start + TTL;
    state.expect_creations(&"web", 1, later);
    state.shift(&"web", -1, 0);
    assert!(!satisfied(&state, later), "the deletions are still awaited");
    state.shift(&"web", 0, -1);
    assert!(!satisfied(&state, later), "the UID is still awaited");
    assert!(satisfied(&state, later + Duration::from_nanos(1)), "nothing prolonged the UID");
}

/// I3: upstream's `ExpectDeletions` of the tracking kind clobbers the set.
#[test]
fn awaiting_more_uids_keeps_those_that_are_awaited_and_drops_the_expired() {
    let (mut state, start) = state();
    state.expect_uids(&"web", ["u1".into(), "u1".into()], start);
    state.expect_uids(&"web", ["u2".into()], start + TTL);
    let mut uids: Vec<_> = state.uids(&"web").expect("a record").collect();
    uids.sort_unstable();
    assert_eq!(uids, ["u1", "u2"]);
    state.expect_uids(&"web", ["u3".into()], start + TTL + TTL);
    assert_eq!(state.uids(&"web").expect("a record").count(), 2, "u1 is not awaited any more");
}

/// I4; as upstream's `UIDTrackingControllerExpectations`.
#[test]
fn a_uid_counts_once_and_an_unknown_one_not_at_all() {
    let (mut state, now) = state();
    state.expect_uids(&"web", ["u1".into(), "u2".into()], now);
    assert!(!state.uid_observed(&"web", "u3"));
    assert!(state.uid_observed(&"web", "u1"), "the deletion timestamp was set");
    assert!(!state.uid_observed(&"web", "u1"), "and now the object is gone");
    assert!(!satisfied(&state, now));
    assert!(state.uid_observed(&"web", "u2"));
    assert!(satisfied(&state, now));
}
