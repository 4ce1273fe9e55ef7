//! The gate against a model that keeps only the log of what happened, and reads it from the start whenever
//! it is asked.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::{Instant, advance};
use trimtab_expectations::{Ledger, Strictness, Write};

const TTL: Duration = Duration::from_secs(10);
const KEY: &str = "web";

#[derive(Debug, Clone)]
enum Op {
    /// A write begins; it is to create, or to delete this object, or to update.
    Begin(Kind),
    /// The oldest write that has not ended ends.
    End(End),
    Created,
    Deleted(u8),
    /// The cache moves to a version.
    Cache(u64),
    /// Unknown outcomes are settled with the newest version.
    Resolve,
    Clear,
    /// The gate is asked; where it opens, a new run begins.
    Ask,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Create,
    Delete(u8),
    Update,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Made,
    Unversioned,
    Refused,
    Unknown,
}

fn op() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![
        3 => Just(Kind::Create), 2 => (0..3u8).prop_map(Kind::Delete), 1 => Just(Kind::Update)];
    let end = prop_oneof![
        4 => Just(End::Made), 1 => Just(End::Unversioned), 1 => Just(End::Refused), 1 => Just(End::Unknown)];
    prop_oneof![
        4 => kind.prop_map(Op::Begin),
        4 => end.prop_map(Op::End),
        2 => Just(Op::Created),
        2 => (0..3u8).prop_map(Op::Deleted),
        3 => (0..20u64).prop_map(Op::Cache),
        1 => Just(Op::Resolve),
        1 => Just(Op::Clear),
        4 => Just(Op::Ask),
    ]
}

/// An entry of the log. The version of an end is that of the write.
#[derive(Debug, Clone)]
enum Entry {
    Begun(usize, Kind),
    Ended(usize, End, u64),
    Created,
    Deleted(u8),
    Resolved(u64),
    Cleared,
    Opened,
}

/// Returns whether the key may act, by reading the whole log.
fn may_act(log: &[(Entry, Instant)], cache: u64, strictness: Strictness, now: Instant) -> bool {
    let cleared = log.iter().rposition(|(entry, _)| matches!(entry, Entry::Cleared)).map_or(0, |at| at + 1);
    let log = &log[cleared..];
    let run = log.iter().rposition(|(entry, _)| matches!(entry, Entry::Opened)).map_or(0, |at| at + 1);
    let known = |write: usize| {
        log.iter().any(|(entry, _)| matches!(entry, Entry::Begun(number, _) if *number == write))
    };
    let begun = |write: usize| {
        log[run..].iter().find_map(|(entry, _)| match entry {
            Entry::Begun(number, kind) if *number == write => Some(*kind),
            _ => None,
        })
    };
    let (mut highest, mut unknown, mut unversioned) = (None::<u64>, false, false);
    let (mut creations, mut uids, mut in_flight) = (0usize, Vec::new(), 0usize);
    let mut since = None;
    for (entry, at) in &log[run..] {
        match entry {
            Entry::Begun(_, kind) => {
                in_flight += 1;
                since = Some(*at);
                match kind {
                    Kind::Create => creations += 1,
                    Kind::Delete(uid) => uids.push(*uid),
                    Kind::Update => {}
                }
            }
            Entry::Ended(write, end, version) => {
                if !known(*write) {
                    continue; // its record was cleared
                }
                if let Some(kind) = begun(*write) {
                    in_flight -= 1;
                    unversioned |= *end == End::Unversioned;
                    match kind {
                        Kind::Create if matches!(end, End::Refused | End::Unknown) => {
                            creations = creations.saturating_sub(1)
                        }
                        Kind::Delete(uid) if matches!(end, End::Refused | End::Unknown) => {
                            uids.retain(|known| *known != uid)
                        }
                        _ => {}
                    }
                }
                if *end == End::Made && strictness != Strictness::Counts {
                    highest = highest.max(Some(*version));
                    since = Some(*at);
                }
                if *end == End::Unknown && strictness == Strictness::Strict {
                    unknown = true;
                    since = Some(*at);
                }
            }
            Entry::Created => creations = creations.saturating_sub(1),
            Entry::Deleted(uid) => uids.retain(|known| known != uid),
            Entry::Resolved(version) if unknown => {
                (unknown, since) = (false, Some(*at));
                highest = highest.max(Some(*version));
            }
            Entry::Resolved(_) | Entry::Cleared | Entry::Opened => {}
        }
    }
    let expired = since.is_none_or(|since| now.duration_since(since) > TTL);
    let held = match highest {
        _ if strictness == Strictness::Strict && in_flight > 0 => true,
        _ if unknown => true,
        Some(highest) if cache < highest => true,
        Some(_) if !unversioned && in_flight == 0 => false,
        _ => creations > 0 || !uids.is_empty(),
    };
    expired || !held
}

fn run(strictness: Strictness, steps: Vec<(Op, u64)>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let ledger: Ledger<&str, &str, u64> = Ledger::builder().ttl(TTL).strictness(strictness).build();
        let (mut open, mut log) = (Vec::<(usize, Write<&str, &str, u64>)>::new(), Vec::new());
        let (mut writes, mut server, mut cache) = (0, 0, 0);
        for (op, seconds) in steps {
            let mut entry = None;
            match op {
                Op::Begin(kind) => {
                    let write = match kind {
                        Kind::Create => ledger.expect_creation(&KEY, "u1", "pods"),
                        Kind::Delete(uid) => ledger.expect_deletion(&KEY, "u1", "pods", &uid.to_string()),
                        Kind::Update => ledger.expect_update(&KEY, "u1", "pods"),
                    };
                    open.push((writes, write));
                    entry = Some(Entry::Begun(writes, kind));
                    writes += 1;
                }
                Op::End(end) => {
                    if !open.is_empty() {
                        let (number, write) = open.remove(0);
                        server += u64::from(end == End::Made);
                        match end {
                            End::Made => write.succeeded(server),
                            End::Unversioned => write.succeeded_without_version(),
                            End::Refused => write.refused(),
                            End::Unknown => write.unknown(),
                        }
                        entry = Some(Entry::Ended(number, end, server));
                    }
                }
                Op::Created => {
                    ledger.creation_observed(&KEY, &"pods");
                    entry = Some(Entry::Created);
                }
                Op::Deleted(uid) => {
                    ledger.deletion_observed(&KEY, &"pods", &uid.to_string());
                    entry = Some(Entry::Deleted(uid));
                }
                Op::Cache(version) => {
                    cache = version;
                    ledger.reached(&"pods", version);
                }
                Op::Resolve => {
                    ledger.resolve(&KEY, &"pods", server);
                    entry = Some(Entry::Resolved(server));
                }
                Op::Clear => {
                    ledger.clear(&KEY, Some("u1"));
                    entry = Some(Entry::Cleared);
                }
                Op::Ask => {
                    let expected = may_act(&log, cache, strictness, Instant::now());
                    let acts = ledger.ready(&KEY, |_| Some(cache)).is_ok();
                    assert_eq!(acts, expected, "{log:#?}\ncache at {cache}");
                    entry = acts.then_some(Entry::Opened);
                }
            }
            log.extend(entry.map(|entry| (entry, Instant::now())));
            advance(Duration::from_secs(seconds)).await;
        }
    });
}

proptest! {
    #[test]
    fn the_gate_says_what_reading_the_whole_log_says(
        strictness in prop_oneof![Just(Strictness::Strict), Just(Strictness::Versions), Just(Strictness::Counts)],
        steps in prop::collection::vec((op(), prop_oneof![4 => Just(0), 2 => 1..8u64, 1 => Just(11)]), 1..60),
    ) {
        run(strictness, steps);
    }
}
