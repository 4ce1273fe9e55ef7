//! The rules of expectations, as a plain value: no lock, no clock. Apart from the shell so that
//! tests and a simulation can drive them with any `now`.
//!
//! - I1: a record exists from the first `set` or `expect` to `delete`; nothing else makes or removes one.
//! - I2: only `set` and `expect` start a time; observing, raising and lowering leave it alone.
//! - I3: creations, counted deletions and each awaited UID have their own time: expecting one of
//!   them neither forgets nor prolongs the others.
//! - I4: a UID leaves the record once; observing it again, or one that was not awaited, changes nothing.

use std::{
    collections::{HashMap, hash_map},
    hash::Hash,
    time::Duration,
};

use tokio::time::Instant;

/// All records, by the key of the controlling object.
#[derive(Debug)]
pub(crate) struct State<K> {
    ttl: Duration,
    records: HashMap<K, Record>,
}

/// What is awaited for one key.
#[derive(Debug)]
struct Record {
    creations: Count,
    deletions: Count,
    /// UIDs of awaited deletions, each with the moment from which it is awaited.
    uids: HashMap<Box<str>, Instant>,
}

#[derive(Debug)]
struct Count {
    /// Below zero when more was observed than expected.
    left: i64,
    since: Instant,
}

/// How many creations and how many counted deletions are still awaited for a key.
///
/// Below zero when more was observed than expected. Deletions awaited by UID are not in it:
/// [`Expectations::awaited_uids`](crate::Expectations::awaited_uids) tells those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Creations still awaited.
    pub creations: i64,
    /// Counted deletions still awaited.
    pub deletions: i64,
}

impl<K: Hash + Eq + Clone> State<K> {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self { ttl, records: HashMap::new() }
    }

    /// Replaces the record, UIDs included.
    pub(crate) fn set(&mut self, key: &K, creations: usize, deletions: usize, now: Instant) {
        let mut record = Record::new(now);
        record.creations = Count::new(creations, now);
        record.deletions = Count::new(deletions, now);
        self.records.insert(key.clone(), record);
    }

    pub(crate) fn expect_creations(&mut self, key: &K, count: usize, now: Instant) {
        self.record(key, now).creations = Count::new(count, now); // I3
    }

    pub(crate) fn expect_deletions(&mut self, key: &K, count: usize, now: Instant) {
        self.record(key, now).deletions = Count::new(count, now); // I3
    }

    pub(crate) fn expect_uids(&mut self, key: &K, uids: impl IntoIterator<Item = Box<str>>, now: Instant) {
        let ttl = self.ttl;
        let record = self.record(key, now);
        // What has expired would otherwise stay for as long as its owner.
        record.uids.retain(|_, since| !expired(*since, ttl, now));
        record.uids.extend(uids.into_iter().map(|uid| (uid, now)));
    }

    /// Adds to what is awaited; either number may be negative. Without a record, does nothing (I1).
    pub(crate) fn shift(&mut self, key: &K, creations: i64, deletions: i64) {
        if let Some(record) = self.records.get_mut(key) {
            record.creations.left = record.creations.left.saturating_add(creations);
            record.deletions.left = record.deletions.left.saturating_add(deletions);
        }
    }

    /// Whether `uid` was awaited until now (I4).
    pub(crate) fn uid_observed(&mut self, key: &K, uid: &str) -> bool {
        self.records.get_mut(key).is_some_and(|record| record.uids.remove(uid).is_some())
    }

    /// How long from `now` until `key` is satisfied at the latest; `None` if it is satisfied.
    pub(crate) fn expires_in(&self, key: &K, now: Instant) -> Option<Duration> {
        let newest = self.records.get(key)?.awaited_since()?;
        // Satisfied once *older* than the time to live: without the nanosecond, whoever sleeps for
        // the answer would wake up one instant too early and ask again for ever in virtual time.
        (!expired(newest, self.ttl, now))
            .then(|| (newest + self.ttl).duration_since(now) + Duration::from_nanos(1))
    }

    pub(crate) fn counts(&self, key: &K) -> Option<Counts> {
        let Record { creations, deletions, .. } = self.records.get(key)?;
        Some(Counts { creations: creations.left, deletions: deletions.left })
    }

    pub(crate) fn uids(&self, key: &K) -> Option<impl Iterator<Item = &str>> {
        Some(self.records.get(key)?.uids.keys().map(|uid| &**uid))
    }

    pub(crate) fn delete(&mut self, key: &K) {
        self.records.remove(key);
    }

    fn record(&mut self, key: &K, now: Instant) -> &mut Record {
        match self.records.entry(key.clone()) {
            hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hash_map::Entry::Vacant(entry) => entry.insert(Record::new(now)),
        }
    }
}

impl Record {
    fn new(now: Instant) -> Self {
        Self { creations: Count::new(0, now), deletions: Count::new(0, now), uids: HashMap::new() }
    }

    /// The newest moment since which something is awaited that has not come; `None` if all came.
    fn awaited_since(&self) -> Option<Instant> {
        let uids = self.uids.values().copied().max();
        self.creations.awaited_since().max(self.deletions.awaited_since()).max(uids)
    }
}

impl Count {
    fn new(left: usize, since: Instant) -> Self {
        Self { left: signed(left), since }
    }

    fn awaited_since(&self) -> Option<Instant> {
        (self.left > 0).then_some(self.since)
    }
}

fn expired(since: Instant, ttl: Duration, now: Instant) -> bool {
    now.saturating_duration_since(since) > ttl
}

/// `usize` as a signed count; what no machine can count to is cut off.
pub(crate) fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
