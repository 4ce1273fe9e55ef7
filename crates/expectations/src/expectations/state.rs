//! The rules of expectations for one key, as a plain value: no lock, no clock. Tests and simulations
//! can drive them with any `now`.
//!
//! - I1: a record exists from the first `set` or `expect` to `delete`; nothing else makes or removes one.
//! - I2: only `set` and `expect` start a time; observing, raising and lowering leave it alone.
//! - I3: creations, counted deletions and each awaited UID have their own time: expecting one of
//!   them neither forgets nor prolongs the others.
//! - I4: a UID leaves the record once; observing it again, or one that was not awaited, changes nothing.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicI64, Ordering::SeqCst},
    time::Duration,
};

use tokio::time::Instant;

use crate::deadline::remaining;

/// The counts and UIDs that one key awaits.
#[derive(Debug)]
pub(crate) struct Record {
    creations: Count,
    deletions: Count,
    /// UIDs of awaited deletions, each with the moment from which it is awaited.
    uids: HashMap<Box<str>, Instant>,
}

#[derive(Debug)]
struct Count {
    /// Below zero when more was observed than expected.
    left: AtomicI64,
    since: Instant,
}

/// The creations and counted deletions that a key still awaits.
///
/// A count is below zero when more was observed than expected. Deletions awaited by UID are not included:
/// [`Expectations::awaited_uids`](crate::Expectations::awaited_uids) lists those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Creations still awaited.
    pub creations: i64,
    /// Counted deletions still awaited.
    pub deletions: i64,
}

impl Record {
    pub(crate) fn new(creations: usize, deletions: usize, now: Instant) -> Self {
        let (creations, deletions) = (Count::new(creations, now), Count::new(deletions, now));
        Self { creations, deletions, uids: HashMap::new() }
    }

    pub(crate) fn expect_creations(&mut self, count: usize, now: Instant) {
        self.creations = Count::new(count, now); // I3
    }

    pub(crate) fn expect_deletions(&mut self, count: usize, now: Instant) {
        self.deletions = Count::new(count, now); // I3
    }

    pub(crate) fn expect_uids(&mut self, uids: Vec<Box<str>>, ttl: Duration, now: Instant) {
        // Expired UIDs would otherwise stay for as long as their owner.
        self.uids.retain(|_, since| !expired(*since, ttl, now));
        self.uids.extend(uids.into_iter().map(|uid| (uid, now)));
    }

    /// Adds to the counts; either number may be negative. Each count changes atomically.
    pub(crate) fn shift(&self, creations: i64, deletions: i64) {
        self.creations.shift(creations);
        self.deletions.shift(deletions);
    }

    /// Returns whether `uid` was awaited until now (I4).
    pub(crate) fn uid_observed(&mut self, uid: &str) -> bool {
        self.uids.remove(uid).is_some()
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { creations: self.creations.left(), deletions: self.deletions.left() }
    }

    pub(crate) fn uids(&self) -> impl Iterator<Item = &str> {
        self.uids.keys().map(|uid| &**uid)
    }

    /// Returns the newest moment since which something is awaited that has not come; `None` if all
    /// came.
    pub(crate) fn awaited_since(&self) -> Option<Instant> {
        let uids = self.uids.values().copied().max();
        self.creations.awaited_since().max(self.deletions.awaited_since()).max(uids)
    }
}

impl Count {
    fn new(left: usize, since: Instant) -> Self {
        Self { left: AtomicI64::new(signed(left)), since }
    }

    fn awaited_since(&self) -> Option<Instant> {
        (self.left() > 0).then_some(self.since)
    }

    fn left(&self) -> i64 {
        self.left.load(SeqCst)
    }

    fn shift(&self, by: i64) {
        if by != 0 {
            let add = |left: i64| Some(left.saturating_add(by));
            let _previous = self.left.fetch_update(SeqCst, SeqCst, add); // never fails: `add` returns a value
        }
    }
}

fn expired(since: Instant, ttl: Duration, now: Instant) -> bool {
    remaining(since, ttl, now).is_none()
}

/// Converts a count to `i64`; a count above `i64::MAX` becomes `i64::MAX`.
pub(crate) fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
