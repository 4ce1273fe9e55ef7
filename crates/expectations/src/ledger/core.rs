//! [`Core`]: the shared state of a ledger's handles and writes, with its locks.
//!
//! Lock order: none. No two of the locks are held at once, and none while a user's function runs.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    floors::Floors,
    marks::Marks,
    metrics::Metrics,
    parking::Parking,
    record::{Expected, Outcome, Record, Ticket, Verdict},
    strictness::Strictness,
    wait::{NotReady, Pending, Reason},
    wakers::Wakers,
};
use crate::{deadline::TTL, shards::Shards, sync::Mutex};

/// The number of keys that are released under one lock.
const RELEASED_AT_ONCE: usize = 256;

/// The settings of a ledger.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) ttl: Duration,
    pub(super) strictness: Strictness,
    pub(super) name: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { ttl: TTL, strictness: Strictness::default(), name: None }
    }
}

pub(super) struct Core<K, R, V> {
    pub(super) settings: Settings,
    pub(super) records: Shards<K, Record<R, V>>,
    parking: Mutex<Parking<K, R, V>>,
    floors: Mutex<Floors<R, V>>,
    /// Whether there may be floors. Every check reads it without the lock.
    closed: AtomicBool,
    marks: Mutex<Marks<R, V>>,
    pub(super) wakers: Arc<Wakers<K>>,
    pub(super) metrics: Metrics,
    /// The number of records so far.
    numbers: AtomicU64,
}

impl<K, R, V> Core<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            metrics: Metrics::new(settings.name.as_deref()),
            settings,
            records: Shards::new(),
            parking: Mutex::new(Parking::new()),
            floors: Mutex::new(Floors::new()),
            closed: AtomicBool::new(false),
            marks: Mutex::new(Marks::new()),
            wakers: Arc::new(Wakers::new()),
            numbers: AtomicU64::new(0),
        }
    }

    /// Records that a write is about to be sent. `None` for an object that was replaced.
    pub(super) fn begin(&self, key: &K, uid: &str, resource: &R, expected: &Expected) -> Option<Ticket> {
        let now = Instant::now();
        let number = self.numbers.fetch_add(1, SeqCst);
        let mut locked = self.records.lock(key);
        let (record, made) = locked.get_or_insert_with(|| Record::new(number, uid));
        if made {
            self.metrics.record_made();
        }
        record.belong_to(uid, number).then(|| record.begin(resource, expected, now))
    }

    /// Records how a write ended.
    pub(super) fn end(
        &self,
        key: &K,
        ticket: Ticket,
        resource: &R,
        expected: &Expected,
        outcome: Outcome<V>,
    ) {
        let (now, strictness) = (Instant::now(), self.settings.strictness);
        if let Outcome::Made(version) = &outcome {
            self.marks.lock().raise(resource, version, now);
        }
        let mut locked = self.records.lock(key);
        let Some(record) = locked.get_mut() else { return };
        let wake = record.end(ticket, resource, expected, outcome, strictness, now);
        if record.is_idle() {
            locked.remove();
            self.metrics.record_dropped();
        }
        drop(locked);
        if wake {
            self.wake(std::slice::from_ref(key));
        }
    }

    /// Records that an event showed a write.
    pub(super) fn observed(&self, key: &K, resource: &R, expected: &Expected) {
        let wake = self.records.lock(key).get_mut().is_some_and(|record| record.observed(resource, expected));
        if wake {
            self.wake(std::slice::from_ref(key));
        }
    }

    /// Checks whether `key` may act.
    pub(super) fn ready(&self, key: &K, read: impl Fn(&R) -> Option<V>) -> Result<(), NotReady<R, V>> {
        let wait = |pending: Pending<R, V>| {
            self.metrics.waits(&pending.reason);
            Err(NotReady(pending))
        };
        if let Some(pending) = self.floor(key, &read) {
            return wait(pending);
        }
        loop {
            let Some(resources) = self.records.read(key, Record::versioned) else {
                return Ok(());
            };
            // A user's function, and stores have locks of their own: not under ours.
            let versions: Vec<(R, Option<V>)> =
                resources.into_iter().map(|resource| (resource.clone(), read(&resource))).collect();
            match self.check(key, &versions) {
                Verdict::Act => return Ok(()),
                Verdict::ReadAgain => {}
                Verdict::Wait(pending) => {
                    let Reason::Behind { resource, written } = &pending.reason else {
                        return wait(pending);
                    };
                    if !self.park(key, resource, written, &read) {
                        return wait(pending);
                    }
                }
            }
        }
    }

    fn check(&self, key: &K, versions: &[(R, Option<V>)]) -> Verdict<R, V> {
        let Settings { strictness, ttl, .. } = self.settings;
        let mut locked = self.records.lock(key);
        let Some(record) = locked.get_mut() else { return Verdict::Act };
        let (verdict, expired) = record.check(versions, strictness, ttl, Instant::now());
        if verdict == Verdict::Act {
            self.metrics.expired(expired);
            if !record.pass() {
                locked.remove();
                self.metrics.record_dropped();
            }
        }
        verdict
    }

    /// Parks `key` until the cache of `resource` reaches `version`. Returns whether it has done so already;
    /// then the key is not parked.
    fn park(&self, key: &K, resource: &R, version: &V, read: impl Fn(&R) -> Option<V>) -> bool {
        {
            let mut parking = self.parking.lock();
            parking.park(key, resource, version);
            self.metrics.parked(parking.len());
        }
        // The cache may have moved between the read and the parking, and `reached` have found no key. So it is
        // read again now. Without this line, such a key sleeps beside a cache that has caught up. Modelled by
        // `loom_tests::a_key_that_asks_while_the_cache_moves_is_woken_or_may_act`.
        let reached = read(resource).is_none_or(|now| now >= *version);
        if reached {
            self.unpark(key);
        }
        reached
    }

    /// Takes `key` out of the parking. Returns whether it was parked.
    pub(super) fn unpark(&self, key: &K) -> bool {
        let mut parking = self.parking.lock();
        let parked = parking.unpark(key);
        self.metrics.parked(parking.len());
        parked
    }

    /// Returns the floor that keeps every key waiting, if there is one; parks `key` if its version
    /// is known.
    fn floor(&self, key: &K, read: impl Fn(&R) -> Option<V>) -> Option<Pending<R, V>> {
        while self.closed.load(SeqCst) {
            let resources = self.floors.lock().resources();
            let versions: Vec<(R, Option<V>)> =
                resources.into_iter().map(|resource| (resource.clone(), read(&resource))).collect();
            let (pending, expired) = {
                let mut floors = self.floors.lock();
                let checked = floors.check(&versions, self.settings.ttl, Instant::now());
                self.closed.store(!floors.is_empty(), SeqCst); // under the lock, so that no `close` is missed
                checked
            };
            self.metrics.expired(expired);
            let pending = pending?;
            let Reason::Restoring { resource, version } = &pending.reason else { return Some(pending) };
            if !self.park(key, resource, version, &read) {
                return Some(pending);
            }
        }
        None
    }

    /// Closes the gate for `resource`, until its cache reaches `version` or until a version is known.
    pub(super) fn close(&self, resource: R, version: Option<V>) {
        if self.settings.strictness != Strictness::Counts {
            let mut floors = self.floors.lock();
            floors.close(resource, version, Instant::now());
            self.closed.store(true, SeqCst);
        }
    }

    /// Settles unknown outcomes of `key`, and a closed gate, with a version that was read from the server.
    pub(super) fn resolve(&self, key: &K, resource: &R, version: V) {
        if self.closed.load(SeqCst) && self.floors.lock().resolve(resource, &version) {
            return;
        }
        if let Some(record) = self.records.lock(key).get_mut() {
            record.resolve(resource, version, Instant::now());
        }
    }

    /// Wakes the keys that wait for `version` of `resource` or an earlier one.
    pub(super) fn reached(&self, resource: &R, version: &V) {
        loop {
            let released = {
                let mut parking = self.parking.lock();
                let released = parking.release(resource, version, RELEASED_AT_ONCE);
                self.metrics.parked(parking.len());
                released
            };
            self.wake(&released);
            if released.len() < RELEASED_AT_ONCE {
                return;
            }
        }
    }

    /// Drops the record of `key`, if it is that of `uid` or `uid` is `None`.
    pub(super) fn clear(&self, key: &K, uid: Option<&str>) {
        let mut locked = self.records.lock(key);
        let waited = match locked.get_mut() {
            None => false,
            Some(record) if uid.is_none_or(|uid| record.is_of(uid)) => {
                let waiting = record.is_waiting();
                locked.remove();
                self.metrics.record_dropped();
                drop(locked);
                self.unpark(key) || waiting
            }
            Some(record) => {
                uid.into_iter().for_each(|uid| record.note_gone(uid));
                return;
            }
        };
        if waited {
            self.wake(std::slice::from_ref(key)); // a successor may have been waiting for its predecessor
        }
    }

    /// Returns the highest version of each resource that was written, or is shown by its cache.
    pub(super) fn versions(&self, read: impl Fn(&R) -> Option<V>) -> Vec<(R, V)> {
        let marks = self.marks.lock().young(self.settings.ttl, Instant::now());
        let highest = |(resource, written): (R, Option<V>)| {
            let version = written.max(read(&resource))?;
            Some((resource, version))
        };
        marks.into_iter().filter_map(highest).collect()
    }

    pub(super) fn parked(&self) -> usize {
        self.parking.lock().len()
    }

    fn wake(&self, keys: &[K]) {
        self.metrics.woken(keys.len());
        self.wakers.wake(keys);
    }
}
