//! Random operations against a model that only keeps the log of what happened and reads it from the
//! start whenever it is asked.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;
use tokio::time::{Instant, advance};
use trimtab_expectations::Expectations;

const TTL: Duration = Duration::from_secs(10);
const KEYS: u8 = 2;

#[derive(Debug, Clone)]
enum Op {
    Set(usize, usize),
    ExpectCreations(usize),
    ExpectDeletions(usize),
    ExpectUids(Vec<u8>),
    Shift(i64, i64),
    UidObserved(u8),
    Delete,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => (0..3usize, 0..3usize).prop_map(|(creations, deletions)| Op::Set(creations, deletions)),
        1 => (0..4usize).prop_map(Op::ExpectCreations),
        1 => (0..4usize).prop_map(Op::ExpectDeletions),
        1 => prop::collection::vec(0..5u8, 0..4).prop_map(Op::ExpectUids),
        4 => (-2..2i64, -2..2i64).prop_map(|(creations, deletions)| Op::Shift(creations, deletions)),
        4 => (0..6u8).prop_map(Op::UidObserved),
        1 => Just(Op::Delete),
    ]
}

/// A step: an operation on a key, then so many seconds pass.
fn step() -> impl Strategy<Value = (u8, Op, u64)> {
    (0..KEYS, op(), prop_oneof![3 => Just(0), 2 => 1..8u64, 1 => Just(10), 1 => Just(11)])
}

fn do_it(expectations: &Expectations<u8>, key: u8, op: &Op) {
    let size = |number: i64| usize::try_from(number.max(0)).expect("not negative");
    match op {
        Op::Set(creations, deletions) => expectations.set(&key, *creations, *deletions),
        Op::ExpectCreations(count) => expectations.expect_creations(&key, *count),
        Op::ExpectDeletions(count) => expectations.expect_deletions(&key, *count),
        Op::ExpectUids(uids) => expectations.expect_deletions_by_uid(&key, uids.iter().map(u8::to_string)),
        Op::Shift(creations, deletions) => {
            expectations.raise(&key, size(*creations), size(*deletions));
            expectations.lower(&key, size(-creations), size(-deletions));
        }
        Op::UidObserved(uid) => {
            expectations.deletion_observed_by_uid(&key, &uid.to_string());
        }
        Op::Delete => expectations.delete_expectations(&key),
    }
}

type Log = Vec<(u8, Op, Instant)>;

/// The operations on `key` since it was last forgotten or replaced.
fn of(log: &Log, key: u8) -> Vec<(&Op, Instant)> {
    let own: Vec<_> = log.iter().filter(|entry| entry.0 == key).map(|(_, op, at)| (op, *at)).collect();
    let start = own.iter().rposition(|(op, _)| matches!(op, Op::Delete | Op::Set(..))).unwrap_or(0);
    own[start..].to_vec()
}

/// The count of one kind and the moment it was last expected, by reading the log.
fn count(
    log: &[(&Op, Instant)],
    expected: impl Fn(&Op) -> Option<usize>,
    shift: impl Fn(&Op) -> i64,
) -> (i64, Option<Instant>) {
    let (mut left, mut since) = (0, None);
    for (op, at) in log {
        if let Some(count) = expected(op) {
            (left, since) = (i64::try_from(count).expect("a small number"), Some(*at));
        } else if makes_a_record(op) {
            since = since.or(Some(*at)); // the record was made for another kind
        } else if since.is_some() {
            left += shift(op);
        }
    }
    (left, since)
}

fn makes_a_record(op: &Op) -> bool {
    matches!(op, Op::Set(..) | Op::ExpectCreations(_) | Op::ExpectDeletions(_) | Op::ExpectUids(_))
}

fn creations(log: &[(&Op, Instant)]) -> (i64, Option<Instant>) {
    let expected = |op: &Op| match op {
        Op::Set(count, _) | Op::ExpectCreations(count) => Some(*count),
        _ => None,
    };
    count(log, expected, |op| if let Op::Shift(by, _) = op { *by } else { 0 })
}

fn deletions(log: &[(&Op, Instant)]) -> (i64, Option<Instant>) {
    let expected = |op: &Op| match op {
        Op::Set(_, count) | Op::ExpectDeletions(count) => Some(*count),
        _ => None,
    };
    count(log, expected, |op| if let Op::Shift(_, by) = op { *by } else { 0 })
}

/// UIDs that were expected and not observed since, with the moment they were last expected.
fn uids(log: &[(&Op, Instant)]) -> Vec<(u8, Instant)> {
    let last = |uid: u8| {
        log.iter().rev().find(|(op, _)| match op {
            Op::ExpectUids(uids) => uids.contains(&uid),
            Op::UidObserved(observed) => *observed == uid,
            _ => false,
        })
    };
    (0..6)
        .filter_map(|uid| match last(uid) {
            Some((Op::ExpectUids(_), at)) => Some((uid, *at)),
            _ => None,
        })
        .collect()
}

fn check(expectations: &Expectations<u8>, log: &Log) {
    let now = Instant::now();
    for key in 0..KEYS {
        let log = of(log, key);
        let exists = log.iter().any(|(op, _)| makes_a_record(op));
        let (created, created_since) = creations(&log);
        let (deleted, deleted_since) = deletions(&log);
        let live = |since: Instant| now.duration_since(since) <= TTL;
        let awaited: Vec<_> = uids(&log).into_iter().filter(|(_, since)| live(*since)).collect();
        let waits = created > 0 && created_since.is_some_and(live)
            || deleted > 0 && deleted_since.is_some_and(live)
            || !awaited.is_empty();

        assert_eq!(expectations.satisfied(&key), !waits);
        assert_eq!(
            expectations.get(&key).map(|counts| (counts.creations, counts.deletions)),
            exists.then_some((created, deleted))
        );
        let told: BTreeSet<_> = expectations.awaited_uids(&key).into_iter().flatten().collect();
        for (uid, _) in awaited {
            assert!(told.contains(&*uid.to_string()), "{uid} is awaited");
        }
    }
}

proptest! {
    #[test]
    fn expectations_say_what_reading_the_whole_log_says(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let expectations = Expectations::builder().ttl(TTL).build();
            let mut log = Log::new();
            for (key, op, seconds) in steps {
                do_it(&expectations, key, &op);
                log.push((key, op, Instant::now()));
                check(&expectations, &log);
                advance(Duration::from_secs(seconds)).await;
                check(&expectations, &log);
            }
        });
    }
}
