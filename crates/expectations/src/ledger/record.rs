//! The rules of the ledger for one key, as a plain value: no lock, no clock.
//!
//! - L1: a record belongs to one UID. A write of a later object of the same name starts the record anew. A
//!   write of an object that was replaced is not recorded.
//! - L2: of the versions written to a resource the highest counts.
//! - L3: a write whose outcome is unknown holds its key back, whatever the cache shows; in a strict ledger only.
//! - L4: nothing holds a key back for longer than the time to live.
//! - L5: once the cache has reached the highest version written to a resource, the resource's counts and
//!   UIDs are met, whatever events were missed. A write that succeeded without a version suspends this rule.
//! - L6: a run begins when the key may act. A write that ends in a later run than it began in changes no count.

use std::{collections::HashSet, time::Duration};

use tokio::time::Instant;

use super::{
    strictness::Strictness,
    wait::{Pending, Reason},
};
use crate::deadline::remaining;

/// The number of replaced UIDs that a record remembers.
const REPLACED: usize = 4;

/// The writes of one object, until the caches show them.
#[derive(Debug)]
pub(crate) struct Record<R, V> {
    uid: Box<str>,
    /// UIDs of earlier objects under the same key, oldest first.
    replaced: Vec<Box<str>>,
    /// Unique among all records of the ledger.
    number: u64,
    run: u64,
    /// Writes of any run that have not ended.
    open: usize,
    /// The kind of event that the key waits for since its last check, unless it waits for a version.
    waiting: Option<Waiting>,
    resources: Vec<(R, Written<V>)>,
}

/// The writes to one resource in the present run.
#[derive(Debug)]
struct Written<V> {
    highest: Option<V>,
    in_flight: usize,
    /// Writes that ended without a reply.
    unknown: usize,
    /// Some write succeeded without a version.
    unversioned: bool,
    creations: usize,
    /// Objects whose deletion is awaited.
    uids: HashSet<Box<str>>,
    /// The time at which any of the above last grew.
    since: Instant,
}

/// An event that wakes a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// The end of the last write in flight.
    End,
    /// The last event that is awaited by count or UID.
    Counts,
}

/// The event by which a write shows up in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Creation,
    Deletion(Box<str>),
    /// An update, which is recognised by its version.
    Update,
}

/// The record and run in which a write began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    number: u64,
    run: u64,
}

/// The outcome of a write.
#[derive(Debug)]
pub(crate) enum Outcome<V> {
    /// The reply carried this version.
    Made(V),
    /// It succeeded, and the reply carried no version.
    Unversioned,
    /// The server refused it: nothing has changed.
    Refused,
    /// There was no reply.
    Unknown,
}

/// The answer to a check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict<R, V> {
    Act,
    /// A version was written to a resource since the caches were read.
    ReadAgain,
    Wait(Pending<R, V>),
}

impl<R: Eq + Clone, V: Ord + Clone> Record<R, V> {
    pub(crate) fn new(number: u64, uid: &str) -> Self {
        let (replaced, resources) = (Vec::new(), Vec::new());
        Self { uid: uid.into(), replaced, number, run: 0, open: 0, waiting: None, resources }
    }

    pub(crate) fn is_of(&self, uid: &str) -> bool {
        *self.uid == *uid
    }

    /// Makes the record that of `uid`. Returns `false`, and changes nothing, if that object was replaced by
    /// the record's own (L1). `number` is a fresh one.
    pub(crate) fn belong_to(&mut self, uid: &str, number: u64) -> bool {
        if self.is_of(uid) {
            return true;
        }
        if self.replaced.iter().any(|replaced| **replaced == *uid) {
            return false;
        }
        let mut replaced = std::mem::take(&mut self.replaced);
        replaced.push(std::mem::take(&mut self.uid));
        *self = Self::new(number, uid);
        self.replaced = replaced;
        self.forget_oldest();
        true
    }

    /// Notes that the object `uid` is gone, so that a write of it does not replace this record.
    pub(crate) fn note_gone(&mut self, uid: &str) {
        self.replaced.push(uid.into());
        self.forget_oldest();
    }

    fn forget_oldest(&mut self) {
        if self.replaced.len() > REPLACED {
            self.replaced.remove(0);
        }
    }

    /// Records that a write to `resource` is about to be sent.
    pub(crate) fn begin(&mut self, resource: &R, expected: &Expected, now: Instant) -> Ticket {
        self.open += 1;
        let written = self.written(resource, now);
        written.in_flight += 1;
        written.since = now;
        match expected {
            Expected::Creation => written.creations += 1,
            Expected::Deletion(uid) => drop(written.uids.insert(uid.clone())),
            Expected::Update => {}
        }
        Ticket { number: self.number, run: self.run }
    }

    /// A write has ended. Returns whether the key waited for it and is to be woken.
    pub(crate) fn end(
        &mut self,
        ticket: Ticket,
        resource: &R,
        expected: &Expected,
        outcome: Outcome<V>,
        strictness: Strictness,
        now: Instant,
    ) -> bool {
        if ticket.number != self.number {
            return false; // L1
        }
        self.open -= 1;
        if ticket.run == self.run {
            let written = self.written(resource, now);
            written.in_flight -= 1;
            match &outcome {
                Outcome::Made(_) => {}
                Outcome::Unversioned => written.unversioned = true,
                Outcome::Refused | Outcome::Unknown => written.observed(expected),
            }
        } // L6
        match outcome {
            Outcome::Made(version) if strictness != Strictness::Counts => {
                self.written(resource, now).raise(version, now);
            }
            Outcome::Unknown if strictness == Strictness::Strict => {
                let written = self.written(resource, now);
                written.unknown += 1;
                written.since = now;
            }
            _ => {}
        }
        self.wake_if(Waiting::End, |written| written.in_flight == 0)
    }

    /// An event showed a write in the cache. Returns whether the key waited for it and is to be woken.
    pub(crate) fn observed(&mut self, resource: &R, expected: &Expected) -> bool {
        let Some(written) = self.find(resource) else { return false };
        written.observed(expected);
        self.wake_if(Waiting::Counts, |written| !written.counts())
    }

    /// A read of the server after every unknown write to `resource` had the version `version`: the writes
    /// are in it, or are not going to be.
    pub(crate) fn resolve(&mut self, resource: &R, version: V, now: Instant) {
        if let Some(written) = self.find(resource).filter(|written| written.unknown > 0) {
            written.unknown = 0;
            written.raise(version, now);
        }
    }

    /// Returns the resources whose versions decide whether the key may act.
    pub(crate) fn versioned(&self) -> Vec<R> {
        let versioned = self.resources.iter().filter(|(_, written)| written.highest.is_some());
        versioned.map(|(resource, _)| resource.clone()).collect()
    }

    /// Checks whether the caches show every write. `read` has their versions of a moment ago. For
    /// a cache without a version, counts decide.
    ///
    /// Also returns the number of waits that are over because of the time to live.
    pub(crate) fn check(
        &mut self,
        read: &[(R, Option<V>)],
        strictness: Strictness,
        ttl: Duration,
        now: Instant,
    ) -> (Verdict<R, V>, u64) {
        let (mut worst, mut expired) = (None::<Pending<R, V>>, 0);
        for (resource, written) in &self.resources {
            let read = read.iter().find(|(known, _)| known == resource).map(|(_, version)| version.as_ref());
            if read.is_none() && written.highest.is_some() {
                return (Verdict::ReadAgain, expired);
            }
            let Some(reason) = written.pending(resource, read.flatten(), strictness) else { continue };
            match remaining(written.since, ttl, now) {
                None => expired += 1, // L4
                Some(remaining) => {
                    let pending = Pending { reason, since: written.since, remaining };
                    if worst.as_ref().is_none_or(|worst| pending.reason.rank() < worst.reason.rank()) {
                        worst = Some(pending);
                    }
                }
            }
        }
        let Some(pending) = worst else { return (Verdict::Act, expired) };
        self.waiting = match pending.reason {
            Reason::InFlight { .. } => Some(Waiting::End),
            Reason::Expecting { .. } => Some(Waiting::Counts),
            _ => None, // a version wakes a key out of the parking; the reconciler settles an unknown outcome
        };
        (Verdict::Wait(pending), expired)
    }

    /// The key may act: a new run begins (L6). Returns whether the record is still needed, for writes that
    /// have not ended.
    pub(crate) fn pass(&mut self) -> bool {
        self.run += 1;
        self.waiting = None;
        self.resources.clear();
        self.open > 0
    }

    /// Returns whether nothing is recorded and no write is open.
    pub(crate) fn is_idle(&self) -> bool {
        self.open == 0 && self.resources.is_empty()
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    fn wake_if(&mut self, event: Waiting, over: impl Fn(&Written<V>) -> bool) -> bool {
        let wake = self.waiting == Some(event) && self.resources.iter().all(|(_, written)| over(written));
        if wake {
            self.waiting = None;
        }
        wake
    }

    fn find(&mut self, resource: &R) -> Option<&mut Written<V>> {
        self.resources.iter_mut().find(|(known, _)| known == resource).map(|(_, written)| written)
    }

    fn written(&mut self, resource: &R, now: Instant) -> &mut Written<V> {
        let index = self.resources.iter().position(|(known, _)| known == resource).unwrap_or_else(|| {
            self.resources.push((resource.clone(), Written::new(now)));
            self.resources.len() - 1
        });
        &mut self.resources[index].1
    }
}

impl<V: Ord + Clone> Written<V> {
    fn new(since: Instant) -> Self {
        let (highest, uids) = (None, HashSet::new());
        Self { highest, in_flight: 0, unknown: 0, unversioned: false, creations: 0, uids, since }
    }

    /// L2.
    fn raise(&mut self, version: V, now: Instant) {
        self.since = now;
        if self.highest.as_ref().is_none_or(|highest| *highest < version) {
            self.highest = Some(version);
        }
    }

    fn observed(&mut self, expected: &Expected) {
        match expected {
            Expected::Creation => self.creations = self.creations.saturating_sub(1),
            Expected::Deletion(uid) => drop(self.uids.remove(uid)),
            Expected::Update => {}
        }
    }

    /// Returns whether an event is awaited.
    fn counts(&self) -> bool {
        self.creations > 0 || !self.uids.is_empty()
    }

    fn pending<R: Clone>(
        &self,
        resource: &R,
        read: Option<&V>,
        strictness: Strictness,
    ) -> Option<Reason<R, V>> {
        let resource = || resource.clone();
        let strict = strictness == Strictness::Strict;
        if strict && self.in_flight > 0 {
            return Some(Reason::InFlight { resource: resource(), writes: self.in_flight });
        }
        if self.unknown > 0 {
            return Some(Reason::Unknown { resource: resource() }); // L3
        }
        if let (Some(written), Some(read)) = (&self.highest, read) {
            if read < written {
                return Some(Reason::Behind { resource: resource(), written: written.clone() });
            }
            if !self.unversioned && self.in_flight == 0 {
                return None; // L5
            }
        }
        self.counts().then(|| Reason::Expecting {
            resource: resource(),
            creations: self.creations,
            deletions: self.uids.len(),
        })
    }
}

#[cfg(test)]
mod tests;
