//! The rules of the ledger, as a plain value.
//!
//! - L1: a record belongs to one UID. A write of a later object of the same name starts a new record,
//!   and what is still under way for the earlier one changes nothing: each record has its own number.
//! - L2: of the versions written to a resource the highest counts.
//! - L3: a write of which nothing is known holds its owner back, whatever the cache shows; in a strict
//!   ledger only.
//! - L4: nothing holds an owner back for longer than the time to live.
//! - L5: who was told to wait is told once when to go on, even if the cache moved while it asked.
//! - L6: a ledger that is off holds no record and no version.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    mem,
    time::Duration,
};

use tokio::time::Instant;

use super::Strictness;

#[derive(Debug)]
pub(crate) struct State<K, R, V> {
    ttl: Duration,
    strictness: Strictness,
    owners: HashMap<K, Owner<R, V>>,
    /// How far each cache is known to be.
    reached: HashMap<R, V>,
    /// Who waits for which version.
    parked: HashMap<R, BTreeMap<V, Vec<K>>>,
    /// How many records there were so far.
    records: u64,
}

/// What one object has written, until the caches show it.
#[derive(Debug)]
struct Owner<R, V> {
    record: u64,
    uid: Box<str>,
    writes: HashMap<R, Writes<V>>,
}

/// What was written to one resource.
#[derive(Debug)]
struct Writes<V> {
    highest: Option<V>,
    /// Writes that were begun and have not ended.
    under_way: usize,
    /// Some write has ended without an answer.
    unknown: bool,
    /// When something of the above last grew.
    since: Instant,
}

/// How a write ended.
#[derive(Debug)]
pub(crate) enum Outcome<V> {
    /// It made this version; a write that changed nothing, the one that was there.
    Made(V),
    /// It was refused.
    ChangedNothing,
    /// There was no answer.
    Unknown,
}

/// Why an owner has to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wait<R, V> {
    UnderWay { resource: R },
    Unknown { resource: R },
    Behind { resource: R, written: V },
}

impl<K, R, V> State<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    pub(crate) fn new(ttl: Duration, strictness: Strictness) -> Self {
        let (owners, reached, parked) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { ttl, strictness, owners, reached, parked, records: 0 }
    }

    /// A write to `resource` is about to be sent. Returns the number of the record that it is in; 0 is
    /// no record's.
    pub(crate) fn begin(&mut self, key: &K, uid: &str, resource: &R, now: Instant) -> u64 {
        if self.strictness == Strictness::Off {
            return 0; // L6
        }
        let next = self.records + 1;
        let owner = self.owners.entry(key.clone()).or_insert_with(|| Owner::new(next, uid));
        if *owner.uid != *uid {
            *owner = Owner::new(next, uid); // L1
        }
        self.records = self.records.max(owner.record);
        let writes = owner.writes.entry(resource.clone()).or_insert_with(|| Writes::new(now));
        writes.under_way += 1;
        writes.since = now;
        owner.record
    }

    /// A write that was begun has ended as `outcome` says. Returns whether its record is still there.
    pub(crate) fn end(
        &mut self,
        key: &K,
        record: u64,
        resource: &R,
        outcome: Outcome<V>,
        now: Instant,
    ) -> bool {
        let owner = self.owners.get_mut(key).filter(|owner| owner.record == record);
        let Some(writes) = owner.and_then(|owner| owner.writes.get_mut(resource)) else {
            return false;
        };
        writes.under_way -= 1;
        match outcome {
            Outcome::Made(version) => writes.raise(version, now),
            Outcome::Unknown if self.strictness == Strictness::Strict => {
                writes.unknown = true;
                writes.since = now;
            }
            Outcome::ChangedNothing | Outcome::Unknown => {}
        }
        true
    }

    /// `version` was read from the server after all unknown writes to `resource` had ended: they are in
    /// it, or are not going to be.
    pub(crate) fn resolve(&mut self, key: &K, resource: &R, version: V, now: Instant) {
        let writes = self.owners.get_mut(key).and_then(|owner| owner.writes.get_mut(resource));
        if let Some(writes) = writes.filter(|writes| writes.unknown) {
            writes.unknown = false;
            writes.raise(version, now);
        }
    }

    /// The resources whose versions decide whether `key` may act; `None` if it may in any case.
    pub(crate) fn written(&self, key: &K) -> Option<Vec<R>> {
        if self.strictness == Strictness::Off {
            return None; // L6
        }
        Some(self.owners.get(key).into_iter().flat_map(|owner| owner.writes.keys().cloned()).collect())
    }

    /// Whether the caches show all that `key` has written. `read` says how far they were a moment ago;
    /// a resource without an entry cannot be compared and holds nobody back.
    ///
    /// If they do, the record is dropped, else the key is parked. Returns the wait and how long from
    /// `now` it may last.
    pub(crate) fn check(
        &mut self,
        key: &K,
        read: &HashMap<R, Option<V>>,
        now: Instant,
    ) -> Result<(), (Wait<R, V>, Duration)> {
        let Some(owner) = self.owners.get(key) else {
            return Ok(());
        };
        for (resource, writes) in &owner.writes {
            let age = now.saturating_duration_since(writes.since);
            let Some(left) = self.ttl.checked_sub(age) else {
                continue;
            }; // L4
            let left = left + Duration::from_nanos(1); // as for counts: strictly older
            let wait = |wait| Err((wait, left));
            if writes.under_way > 0 && self.strictness == Strictness::Strict {
                return wait(Wait::UnderWay { resource: resource.clone() });
            }
            if writes.unknown {
                return wait(Wait::Unknown { resource: resource.clone() }); // L3
            }
            let Some(written) = &writes.highest else { continue };
            let read = match read.get(resource) {
                None => None,           // written since the caches were asked
                Some(None) => continue, // fail open
                Some(Some(read)) => Some(read),
            };
            // The cache may have moved since it was read; whoever moved it has said so (L5).
            if read.max(self.reached.get(resource)).is_some_and(|reached| reached >= written) {
                continue;
            }
            let parked = self.parked.entry(resource.clone()).or_default();
            let keys = parked.entry(written.clone()).or_default();
            if !keys.contains(key) {
                keys.push(key.clone());
            }
            return wait(Wait::Behind { resource: resource.clone(), written: written.clone() });
        }
        // A ledger of versions does not wait for a write that is under way, which needs the record when it
        // ends.
        if owner.writes.values().all(|writes| writes.under_way == 0) {
            self.owners.remove(key);
        }
        Ok(())
    }

    /// The cache of `resource` has reached `version`: who waited for that.
    pub(crate) fn reached(&mut self, resource: &R, version: V) -> Vec<K> {
        if self.strictness == Strictness::Off {
            return Vec::new(); // L6
        }
        let keys = match self.parked.get_mut(resource) {
            None => Vec::new(),
            Some(parked) => {
                let mut met = parked.split_off(&version);
                mem::swap(parked, &mut met); // `parked` has `version` and what is above it
                let exactly = parked.remove(&version).into_iter();
                met.into_values().chain(exactly).flatten().collect()
            }
        };
        match self.reached.get_mut(resource) {
            Some(reached) if *reached >= version => {}
            Some(reached) => *reached = version,
            None => drop(self.reached.insert(resource.clone(), version)),
        }
        keys
    }

    /// Whether the record of `key` was dropped: it is that of `uid`, or whose it is does not matter.
    pub(crate) fn clear(&mut self, key: &K, uid: Option<&str>) -> bool {
        let matches = self.owners.get(key).is_none_or(|owner| uid.is_none_or(|uid| *owner.uid == *uid));
        if matches {
            self.owners.remove(key);
        }
        matches
    }
}

impl<R, V> Owner<R, V> {
    fn new(record: u64, uid: &str) -> Self {
        Self { record, uid: uid.into(), writes: HashMap::new() }
    }
}

impl<V: Ord> Writes<V> {
    fn new(since: Instant) -> Self {
        Self { highest: None, under_way: 0, unknown: false, since }
    }

    /// L2.
    fn raise(&mut self, version: V, now: Instant) {
        self.since = now;
        if self.highest.as_ref().is_none_or(|highest| *highest < version) {
            self.highest = Some(version);
        }
    }
}

#[cfg(test)]
mod tests;
