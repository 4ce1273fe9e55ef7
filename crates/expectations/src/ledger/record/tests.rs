//! The rules of a record, edge by edge, at times that each test makes up.

use super::*;

const TTL: Duration = Duration::from_secs(300);
const STRICT: Strictness = Strictness::Strict;

type Web = Record<&'static str, u64>;

fn record() -> (Web, Instant) {
    (Record::new(0, "u1"), Instant::now())
}

fn wrote(record: &mut Web, resource: &'static str, version: u64, now: Instant) {
    end(record, resource, &Expected::Update, Outcome::Made(version), now);
}

fn end(
    record: &mut Web,
    resource: &'static str,
    expected: &Expected,
    outcome: Outcome<u64>,
    now: Instant,
) -> bool {
    let ticket = record.begin(&resource, expected, now);
    record.end(ticket, &resource, expected, outcome, STRICT, now)
}

/// Checks with the caches of pods and sets at these versions; the reason of the wait.
fn check(
    record: &mut Web,
    pods: Option<u64>,
    sets: Option<u64>,
    now: Instant,
) -> Option<Reason<&'static str, u64>> {
    match record.check(&[("pods", pods), ("sets", sets)], STRICT, TTL, now).0 {
        Verdict::Act => None,
        Verdict::ReadAgain => panic!("every cache was read"),
        Verdict::Wait(pending) => Some(pending.reason),
    }
}

fn behind(resource: &'static str, written: u64) -> Option<Reason<&'static str, u64>> {
    Some(Reason::Behind { resource, written })
}

fn expecting(creations: usize, deletions: usize) -> Option<Reason<&'static str, u64>> {
    Some(Reason::Expecting { resource: "pods", creations, deletions })
}

/// CS-T1, L2.
#[test]
fn the_highest_version_of_each_resource_counts() {
    let (mut record, now) = record();
    for version in [5, 10, 8] {
        wrote(&mut record, "pods", version, now);
    }
    wrote(&mut record, "sets", 3, now);
    assert_eq!(check(&mut record, Some(9), Some(3), now), behind("pods", 10));
    assert_eq!(check(&mut record, Some(10), Some(2), now), behind("sets", 3));
    assert_eq!(check(&mut record, Some(10), Some(3), now), None);
}

/// CS-T2.
#[test]
fn a_key_may_act_once_every_cache_has_caught_up_or_cannot_tell() {
    let (mut record, now) = record();
    assert_eq!(check(&mut record, None, None, now), None, "no writes");
    wrote(&mut record, "pods", 10, now);
    assert_eq!(check(&mut record, None, None, now), None, "a cache that cannot tell holds nothing back");
    assert_eq!(check(&mut record, Some(5), None, now), behind("pods", 10));
    assert_eq!(check(&mut record, Some(10), None, now), None);
    assert_eq!(check(&mut record, Some(15), None, now), None);
    wrote(&mut record, "sets", 20, now);
    assert_eq!(check(&mut record, Some(15), Some(19), now), behind("sets", 20));
    assert_eq!(check(&mut record, Some(15), Some(20), now), None);
}

/// CS-T4, L1.
#[test]
fn another_uid_starts_a_new_record_and_detaches_the_old() {
    let (mut record, now) = record();
    let first = record.begin(&"pods", &Expected::Creation, now);
    assert!(record.belong_to("u1", 1), "the same UID");
    assert_eq!(record.begin(&"pods", &Expected::Creation, now), first, "the same record");
    assert!(record.belong_to("u2", 2));
    assert_eq!(check(&mut record, Some(0), None, now), None);
    let second = record.begin(&"pods", &Expected::Creation, now);
    record.end(first, &"pods", &Expected::Creation, Outcome::Made(99), STRICT, now);
    record.end(second, &"pods", &Expected::Creation, Outcome::Made(5), STRICT, now);
    assert_eq!(check(&mut record, Some(5), None, now), None);
}

/// L1. The line that it guards: the look into `replaced` in `Record::belong_to`.
#[test]
fn a_write_of_an_object_that_was_replaced_leaves_the_newer_record_alone() {
    let (mut record, now) = record();
    assert!(record.belong_to("u2", 1));
    wrote(&mut record, "pods", 9, now);
    assert!(!record.belong_to("u1", 2));
    assert_eq!(check(&mut record, Some(5), None, now), behind("pods", 9));
    record.note_gone("u0");
    assert!(!record.belong_to("u0", 3), "its deletion was seen");
}

/// L3; an unknown outcome is reported before a count, which must not hide it.
#[test]
fn an_unknown_outcome_holds_back_until_it_is_resolved_and_the_cache_has_caught_up() {
    let (mut record, now) = record();
    end(&mut record, "pods", &Expected::Creation, Outcome::Unknown, now);
    record.begin(&"sets", &Expected::Creation, now);
    assert_eq!(check(&mut record, Some(99), None, now), Some(Reason::Unknown { resource: "pods" }));
    record.resolve(&"sets", 200, now);
    record.resolve(&"pods", 100, now);
    record.resolve(&"pods", 200, now);
    assert_eq!(
        check(&mut record, Some(99), None, now),
        Some(Reason::InFlight { resource: "sets", writes: 1 }),
        "writes in flight come before versions"
    );
    let (mut record, now) = (Record::new(0, "u1"), now);
    end(&mut record, "pods", &Expected::Creation, Outcome::Unknown, now);
    record.resolve(&"pods", 100, now);
    assert_eq!(check(&mut record, Some(99), None, now), behind("pods", 100));
    assert_eq!(check(&mut record, Some(100), None, now), None);
}

/// L4.
#[test]
fn nothing_holds_back_for_longer_than_the_time_to_live_and_that_is_counted() {
    let (mut record, now) = record();
    wrote(&mut record, "pods", 10, now);
    end(&mut record, "sets", &Expected::Creation, Outcome::Unknown, now);
    let read = [("pods", Some(5)), ("sets", Some(5))];
    let (Verdict::Wait(pending), 0) = record.check(&read, STRICT, TTL, now + TTL) else { panic!("not yet") };
    assert_eq!((pending.remaining, pending.since), (Duration::from_nanos(1), now));
    assert_eq!(record.check(&read, STRICT, TTL, now + TTL + pending.remaining), (Verdict::Act, 2));
}

/// L5. The line that it guards: `return None` in `Written::pending`.
#[test]
fn counts_are_met_once_the_cache_has_reached_the_versions_whatever_events_were_missed() {
    let (mut record, now) = record();
    end(&mut record, "pods", &Expected::Creation, Outcome::Made(7), now);
    end(&mut record, "pods", &Expected::Deletion("p1".into()), Outcome::Made(8), now);
    assert_eq!(check(&mut record, Some(7), None, now), behind("pods", 8));
    assert_eq!(check(&mut record, None, None, now), expecting(1, 1), "without versions, counts decide");
    assert_eq!(check(&mut record, Some(8), None, now), None);
}

/// L5: the reply to a delete may carry no version, or none that proves anything.
#[test]
fn a_write_without_a_version_is_awaited_by_its_event() {
    let (mut record, now) = record();
    end(&mut record, "pods", &Expected::Creation, Outcome::Made(7), now);
    end(&mut record, "pods", &Expected::Deletion("p1".into()), Outcome::Unversioned, now);
    assert_eq!(check(&mut record, Some(9), None, now), expecting(1, 1));
    assert!(!record.observed(&"pods", &Expected::Creation), "the deletion is missing");
    assert!(!record.observed(&"pods", &Expected::Deletion("p2".into())));
    assert_eq!(check(&mut record, Some(9), None, now), expecting(0, 1));
    assert!(record.observed(&"pods", &Expected::Deletion("p1".into())), "the key is to be woken");
    assert!(!record.observed(&"pods", &Expected::Deletion("p1".into())), "and only once");
    assert_eq!(check(&mut record, Some(9), None, now), None);
}

#[test]
fn a_refused_write_changes_nothing() {
    let (mut record, now) = record();
    end(&mut record, "pods", &Expected::Creation, Outcome::Refused, now);
    end(&mut record, "pods", &Expected::Deletion("p1".into()), Outcome::Refused, now);
    assert_eq!(check(&mut record, Some(0), None, now), None);
}

/// L6. The line that it guards: the comparison of runs in `Record::end`.
#[test]
fn a_write_that_ends_in_a_later_run_changes_no_count_of_that_run() {
    let (mut record, now) = record();
    let old = record.begin(&"pods", &Expected::Creation, now);
    let old_delete = record.begin(&"pods", &Expected::Deletion("p1".into()), now);
    assert!(record.pass(), "two writes are open");
    end(&mut record, "pods", &Expected::Creation, Outcome::Unversioned, now);
    end(&mut record, "pods", &Expected::Deletion("p1".into()), Outcome::Unversioned, now);
    record.end(old, &"pods", &Expected::Creation, Outcome::Refused, STRICT, now);
    record.end(old_delete, &"pods", &Expected::Deletion("p1".into()), Outcome::Refused, STRICT, now);
    assert_eq!(check(&mut record, None, None, now), expecting(1, 1));
    assert!(!record.pass());
}

/// L6: the version of a late reply is evidence all the same, and so is a late loss.
#[test]
fn a_write_that_ends_in_a_later_run_is_still_waited_for() {
    let (mut record, now) = record();
    let late = record.begin(&"pods", &Expected::Creation, now);
    let lost = record.begin(&"sets", &Expected::Creation, now);
    record.pass();
    record.end(late, &"pods", &Expected::Creation, Outcome::Made(9), STRICT, now);
    assert_eq!(check(&mut record, Some(8), Some(8), now), behind("pods", 9));
    record.end(lost, &"sets", &Expected::Creation, Outcome::Unknown, STRICT, now);
    assert_eq!(check(&mut record, Some(9), Some(9), now), Some(Reason::Unknown { resource: "sets" }));
}

#[test]
fn a_key_that_waited_for_writes_in_flight_is_woken_when_the_last_has_ended() {
    let (mut record, now) = record();
    let tickets = [(); 2].map(|()| record.begin(&"pods", &Expected::Update, now));
    assert_eq!(check(&mut record, None, None, now), Some(Reason::InFlight { resource: "pods", writes: 2 }));
    assert!(!record.end(tickets[0], &"pods", &Expected::Update, Outcome::Refused, STRICT, now));
    assert!(record.end(tickets[1], &"pods", &Expected::Update, Outcome::Refused, STRICT, now));
}

#[test]
fn a_version_that_was_written_since_the_caches_were_read_is_read_again() {
    let (mut record, now) = record();
    wrote(&mut record, "pods", 5, now);
    assert_eq!(record.check(&[], STRICT, TTL, now), (Verdict::ReadAgain, 0));
}
