//! The ledger's rules, edge by edge, at times that each test makes up.

use super::*;

const TTL: Duration = Duration::from_secs(300);

type Ledger = State<&'static str, &'static str, u64>;

fn ledger() -> (Ledger, Instant) {
    (State::new(TTL, Strictness::Strict), Instant::now())
}

fn wrote(ledger: &mut Ledger, uid: &str, resource: &'static str, version: u64, now: Instant) {
    let record = ledger.begin(&"web", uid, &resource, now);
    assert!(ledger.end(&"web", record, &resource, Outcome::Made(version), now));
}

/// Asks with the caches of pods and sets at these versions; what is waited for.
fn check(
    ledger: &mut Ledger,
    pods: Option<u64>,
    sets: Option<u64>,
    now: Instant,
) -> Option<Wait<&'static str, u64>> {
    let read = HashMap::from([("pods", pods), ("sets", sets)]);
    ledger.check(&"web", &read, now).err().map(|(wait, _)| wait)
}

fn behind(resource: &'static str, written: u64) -> Option<Wait<&'static str, u64>> {
    Some(Wait::Behind { resource, written })
}

/// CS-T1, L2.
#[test]
fn the_highest_version_of_each_resource_counts() {
    let (mut ledger, now) = ledger();
    for version in [5, 10, 8] {
        wrote(&mut ledger, "u1", "pods", version, now);
    }
    wrote(&mut ledger, "u1", "sets", 3, now);
    assert_eq!(check(&mut ledger, Some(9), Some(3), now), behind("pods", 10));
    assert_eq!(check(&mut ledger, Some(10), Some(2), now), behind("sets", 3));
    assert_eq!(check(&mut ledger, Some(10), Some(3), now), None);
}

/// CS-T2, CS-T8: after success the record is gone.
#[test]
fn an_owner_is_ready_once_its_caches_have_caught_up_and_its_record_is_dropped() {
    let (mut ledger, now) = ledger();
    assert_eq!(check(&mut ledger, Some(0), None, now), None, "no writes");
    wrote(&mut ledger, "u1", "pods", 10, now);
    assert_eq!(check(&mut ledger, Some(5), None, now), behind("pods", 10));
    for caught_up in [10, 15] {
        wrote(&mut ledger, "u1", "pods", 10, now);
        assert_eq!(check(&mut ledger, Some(caught_up), None, now), None);
        assert_eq!(ledger.written(&"web"), Some(Vec::new()));
    }
    wrote(&mut ledger, "u1", "pods", 10, now);
    assert_eq!(check(&mut ledger, None, None, now), None, "a cache that cannot tell holds nobody back");
}

/// CS-T4, L1.
#[test]
fn another_uid_starts_a_new_record_and_detaches_the_old() {
    let (mut ledger, now) = ledger();
    let first = ledger.begin(&"web", "u1", &"pods", now);
    assert_eq!(ledger.begin(&"web", "u1", &"pods", now), first, "the same UID, the same record");
    let second = ledger.begin(&"web", "u2", &"pods", now);
    assert_ne!(first, second);
    assert!(!ledger.end(&"web", first, &"pods", Outcome::Made(99), now));
    assert!(ledger.end(&"web", second, &"pods", Outcome::Made(5), now));
    assert_eq!(check(&mut ledger, Some(5), None, now), None);
}

/// CS-T7.
#[test]
fn only_the_right_uid_or_none_clears_a_record() {
    let (mut ledger, now) = ledger();
    assert!(ledger.clear(&"web", Some("u1")), "there is none");
    wrote(&mut ledger, "u1", "pods", 10, now);
    assert!(!ledger.clear(&"web", Some("u2")));
    assert_eq!(check(&mut ledger, Some(5), None, now), behind("pods", 10));
    assert!(ledger.clear(&"web", Some("u1")));
    assert_eq!(check(&mut ledger, Some(5), None, now), None);
    wrote(&mut ledger, "u1", "pods", 10, now);
    assert!(ledger.clear(&"web", None));
    assert_eq!(check(&mut ledger, Some(5), None, now), None);
}

/// A write that ends after its record was cleared, and begun anew for the same object.
#[test]
fn a_write_of_a_cleared_record_changes_nothing() {
    let (mut ledger, now) = ledger();
    let cleared = ledger.begin(&"web", "u1", &"pods", now);
    ledger.clear(&"web", None);
    let record = ledger.begin(&"web", "u1", &"pods", now);
    assert!(!ledger.end(&"web", cleared, &"pods", Outcome::ChangedNothing, now));
    assert_eq!(check(&mut ledger, Some(5), None, now), Some(Wait::UnderWay { resource: "pods" }));
    assert!(ledger.end(&"web", record, &"pods", Outcome::ChangedNothing, now));
    assert_eq!(check(&mut ledger, Some(5), None, now), None);
}

/// L3.
#[test]
fn an_unknown_outcome_holds_back_until_it_is_resolved_and_the_cache_has_caught_up() {
    let (mut ledger, now) = ledger();
    let record = ledger.begin(&"web", "u1", &"pods", now);
    ledger.end(&"web", record, &"pods", Outcome::Unknown, now);
    assert_eq!(check(&mut ledger, Some(99), None, now), Some(Wait::Unknown { resource: "pods" }));
    ledger.resolve(&"web", &"sets", 200, now);
    ledger.resolve(&"web", &"pods", 100, now);
    ledger.resolve(&"web", &"pods", 200, now);
    assert_eq!(check(&mut ledger, Some(99), None, now), behind("pods", 100));
    assert_eq!(check(&mut ledger, Some(100), None, now), None);
}

/// L4.
#[test]
fn nothing_holds_back_for_longer_than_the_time_to_live() {
    let (mut ledger, now) = ledger();
    wrote(&mut ledger, "u1", "pods", 10, now);
    let record = ledger.begin(&"web", "u1", &"sets", now);
    ledger.end(&"web", record, &"sets", Outcome::Unknown, now);
    let read = HashMap::from([("pods", Some(5))]);
    let (_, left) = ledger.check(&"web", &read, now + TTL).expect_err("not yet");
    assert_eq!(left, Duration::from_nanos(1));
    assert_eq!(ledger.check(&"web", &read, now + TTL + left), Ok(()));
}

/// L5: each is told once, and no sooner.
#[test]
fn who_waits_is_told_when_the_cache_has_reached_the_version() {
    let (mut ledger, now) = ledger();
    wrote(&mut ledger, "u1", "pods", 10, now);
    assert_eq!(check(&mut ledger, Some(5), None, now), behind("pods", 10));
    assert_eq!(check(&mut ledger, Some(5), None, now), behind("pods", 10), "asked twice");
    assert_eq!(ledger.reached(&"sets", 10), [""; 0]);
    assert_eq!(ledger.reached(&"pods", 9), [""; 0]);
    assert_eq!(ledger.reached(&"pods", 10), ["web"]);
    assert_eq!(ledger.reached(&"pods", 11), [""; 0]);
}

/// L5: the event came between reading the cache and parking. The line that it guards:
/// `read.max(self.reached…)` in `State::check`.
#[test]
fn who_asks_while_the_cache_moves_is_not_left_waiting() {
    let (mut ledger, now) = ledger();
    wrote(&mut ledger, "u1", "pods", 10, now);
    let read = HashMap::from([("pods", Some(9))]);
    assert_eq!(ledger.reached(&"pods", 10), [""; 0]);
    assert_eq!(ledger.check(&"web", &read, now), Ok(()));
    assert_eq!(ledger.reached(&"pods", 9), [""; 0], "a cache does not go back");
    wrote(&mut ledger, "u1", "pods", 10, now);
    assert_eq!(ledger.check(&"web", &read, now), Ok(()));
}
