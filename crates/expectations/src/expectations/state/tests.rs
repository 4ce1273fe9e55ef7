//! The rules of expectations, edge by edge, at times that each test makes up.

use super::*;

const TTL: Duration = Duration::from_secs(300);

fn expires_in(record: &Record, now: Instant) -> Option<Duration> {
    remaining(record.awaited_since()?, TTL, now)
}

fn satisfied(record: &Record, now: Instant) -> bool {
    expires_in(record, now).is_none()
}

#[test]
fn nothing_expected_is_satisfied() {
    let now = Instant::now();
    assert!(satisfied(&Record::new(0, 0, now), now));
}

/// As upstream: strictly older than the time to live.
#[test]
fn a_record_expires_one_instant_after_its_time_to_live() {
    let start = Instant::now();
    let record = Record::new(1, 0, start);
    assert_eq!(expires_in(&record, start + TTL), Some(Duration::from_nanos(1)));
    assert_eq!(expires_in(&record, start + TTL + Duration::from_nanos(1)), None);
}

/// I2.
#[test]
fn raising_does_not_prolong_a_record() {
    let start = Instant::now();
    let record = Record::new(1, 0, start);
    record.shift(5, 0);
    assert!(satisfied(&record, start + TTL + Duration::from_nanos(1)));
}

/// I3: upstream's `ExpectCreations` forgets the deletions.
#[test]
fn expecting_one_kind_keeps_the_others_with_their_own_times() {
    let start = Instant::now();
    let mut record = Record::new(0, 0, start);
    record.expect_uids(vec!["u1".into()], TTL, start);
    record.expect_deletions(1, start);
    let later = start + TTL;
    record.expect_creations(1, later);
    record.shift(-1, 0);
    assert!(!satisfied(&record, later), "the deletions are still awaited");
    record.shift(0, -1);
    assert!(!satisfied(&record, later), "the UID is still awaited");
    assert!(satisfied(&record, later + Duration::from_nanos(1)), "nothing prolonged the UID");
}

/// I3: upstream's `ExpectDeletions` of the tracking kind clobbers the set.
#[test]
fn awaiting_more_uids_keeps_those_that_are_awaited_and_drops_the_expired() {
    let start = Instant::now();
    let mut record = Record::new(0, 0, start);
    record.expect_uids(vec!["u1".into(), "u1".into()], TTL, start);
    record.expect_uids(vec!["u2".into()], TTL, start + TTL);
    let mut uids: Vec<_> = record.uids().collect();
    uids.sort_unstable();
    assert_eq!(uids, ["u1", "u2"]);
    record.expect_uids(vec!["u3".into()], TTL, start + TTL + TTL);
    assert_eq!(record.uids().count(), 2, "u1 is no longer awaited");
}

/// I4; as upstream's `UIDTrackingControllerExpectations`.
#[test]
fn a_uid_counts_once_and_an_unknown_one_not_at_all() {
    let now = Instant::now();
    let mut record = Record::new(0, 0, now);
    record.expect_uids(vec!["u1".into(), "u2".into()], TTL, now);
    assert!(!record.uid_observed("u3"));
    assert!(record.uid_observed("u1"), "the deletion timestamp was set");
    assert!(!record.uid_observed("u1"), "and now the object is gone");
    assert!(!satisfied(&record, now));
    assert!(record.uid_observed("u2"));
    assert!(satisfied(&record, now));
}
