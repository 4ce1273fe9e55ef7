//! [`Expectations`]: counts and awaited UIDs by key, under sharded locks and tokio's clock.

use std::{fmt, hash::Hash, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    deadline::{TTL, remaining},
    shards::Shards,
};
use state::{Record, signed};

pub use state::Counts;

mod state;

/// The creates and deletes that a controller has sent and not yet seen, by the key of the controlling
/// object.
///
/// This is upstream's `ControllerExpectations`, and is enough for a controller that only counts. A
/// [`Ledger`](crate::Ledger) also uses resource versions and remembers lost replies.
///
/// A handle: clones share the same records. Every method takes one short lock and returns at once, so
/// it may be called in an informer's handler as well as in a reconciler; observed counts of many threads do not wait for
/// each other. Use one `Expectations` for each
/// kind of controlling object, because keys of different kinds may be equal.
///
/// Deletions are counted, or better, awaited by UID. Then the event that sets the deletion timestamp and
/// the event of the removal count as one deletion, and a later object of the same name counts as another.
pub struct Expectations<K> {
    inner: Arc<Inner<K>>,
}

struct Inner<K> {
    ttl: Duration,
    records: Shards<K, Record>,
}

/// Settings of [`Expectations`].
#[derive(Debug, Clone)]
#[must_use = "nothing exists before `build`"]
pub struct ExpectationsBuilder {
    ttl: Duration,
}

impl ExpectationsBuilder {
    /// Sets the time after which an awaited event is given up.
    ///
    /// Default: 5 minutes, upstream's constant. It is the way out when an event never comes (the watch
    /// was cut and a relist coalesced it, or the write was refused late), and no way to pace a
    /// controller. A longer time makes such a key stand still for longer. A shorter time makes a second
    /// write on a lagging cache more likely. `Duration::MAX` means forever.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Makes an empty set of expectations.
    pub fn build<K: Hash + Eq + Clone>(self) -> Expectations<K> {
        Expectations { inner: Arc::new(Inner { ttl: self.ttl, records: Shards::new() }) }
    }
}

impl Expectations<()> {
    /// Returns the settings, with upstream's defaults.
    pub fn builder() -> ExpectationsBuilder {
        ExpectationsBuilder { ttl: TTL }
    }
}

impl<K: Hash + Eq + Clone> Expectations<K> {
    /// Makes an empty set of expectations that expire after 5 minutes.
    pub fn new() -> Self {
        Expectations::builder().build()
    }

    /// Returns whether every expected event of `key` has arrived or has exceeded its time to live.
    ///
    /// While this is `false`, the cache may lack the controller's own writes: neither create nor delete
    /// then. Updating a status is fine. A key without a record is satisfied.
    pub fn satisfied(&self, key: &K) -> bool {
        self.expires_in(key).is_none()
    }

    /// Returns the time from now after which `key` is [`satisfied`](Self::satisfied) even if no further event
    /// comes; `None` if it is satisfied now.
    ///
    /// An event that satisfies a key also enqueues it. A key whose event never comes is not
    /// enqueued: enqueue it after this time.
    pub fn expires_in(&self, key: &K) -> Option<Duration> {
        let since = self.inner.records.read(key, Record::awaited_since)??;
        remaining(since, self.inner.ttl, Instant::now())
    }

    /// Replaces the whole record of `key`, awaited UIDs included, and starts its time anew.
    pub fn set(&self, key: &K, creations: usize, deletions: usize) {
        let record = Record::new(creations, deletions, Instant::now());
        let mut locked = self.inner.records.lock(key);
        locked.remove();
        locked.get_or_insert_with(|| record);
    }

    /// Expects `count` creations, in place of the creations expected before.
    ///
    /// Call it *before* the first create is sent: the event can be faster than the reply. For each
    /// create that failed or was not sent, call [`creation_observed`](Self::creation_observed) or
    /// [`lower`](Self::lower) at once, since no event will come.
    pub fn expect_creations(&self, key: &K, count: usize) {
        self.record(key, |record, now| record.expect_creations(count, now));
    }

    /// Expects `count` deletions, in place of the counted deletions expected before.
    ///
    /// Call it before the first delete is sent, like [`expect_creations`](Self::expect_creations).
    /// Awaited UIDs stay. Prefer them ([`expect_deletions_by_uid`](Self::expect_deletions_by_uid))
    /// where objects are deleted gracefully.
    pub fn expect_deletions(&self, key: &K, count: usize) {
        self.record(key, |record, now| record.expect_deletions(count, now));
    }

    /// Expects the deletion of each object of `uids`, in addition to the UIDs awaited already.
    ///
    /// Call it before the first delete is sent. If a delete fails, or the reply is `NotFound`, call
    /// [`deletion_observed_by_uid`](Self::deletion_observed_by_uid) at once.
    pub fn expect_deletions_by_uid<U: Into<Box<str>>>(&self, key: &K, uids: impl IntoIterator<Item = U>) {
        let uids: Vec<Box<str>> = uids.into_iter().map(Into::into).collect(); // user code, outside the lock
        self.record(key, |record, now| record.expect_uids(uids, self.inner.ttl, now));
    }

    /// Notes that one expected creation has come, or will never come.
    ///
    /// An object that is first seen with a deletion timestamp is a deletion, not a creation. The
    /// creation of an object without a controller belongs to no key.
    pub fn creation_observed(&self, key: &K) {
        self.lower(key, 1, 0);
    }

    /// Notes that one counted deletion has come, or will never come.
    pub fn deletion_observed(&self, key: &K) {
        self.lower(key, 0, 1);
    }

    /// Notes that the object `uid` is gone or on its way out, or will never be deleted. Returns whether
    /// its deletion was awaited.
    ///
    /// Call it when an object is seen with a deletion timestamp and again when it is seen to be gone:
    /// only the first call counts.
    pub fn deletion_observed_by_uid(&self, key: &K, uid: &str) -> bool {
        self.inner.records.lock(key).get_mut().is_some_and(|record| record.uid_observed(uid))
    }

    /// Expects more than before, without starting the time anew. Does nothing without a record.
    ///
    /// Call it only before the calls are sent: raising afterwards races with the events of those calls.
    pub fn raise(&self, key: &K, creations: usize, deletions: usize) {
        self.shift(key, signed(creations), signed(deletions));
    }

    /// Expects less than before, without starting the time anew. Does nothing without a record.
    pub fn lower(&self, key: &K, creations: usize, deletions: usize) {
        self.shift(key, -signed(creations), -signed(deletions));
    }

    /// Returns the counts that `key` still awaits; `None` without a record.
    pub fn get(&self, key: &K) -> Option<Counts> {
        self.inner.records.read(key, Record::counts)
    }

    /// Returns the UIDs whose deletion `key` still awaits, in no order; `None` without a record.
    pub fn awaited_uids(&self, key: &K) -> Option<Vec<Box<str>>> {
        self.inner.records.read(key, |record| record.uids().map(Into::into).collect())
    }

    /// Removes the record of `key`: its object was deleted, or replaced by another of the same name.
    ///
    /// A controller that does not call this keeps a record of every object that ever existed.
    pub fn delete_expectations(&self, key: &K) {
        self.inner.records.lock(key).remove();
    }

    fn record(&self, key: &K, change: impl FnOnce(&mut Record, Instant)) {
        let now = Instant::now();
        let mut locked = self.inner.records.lock(key);
        change(locked.get_or_insert_with(|| Record::new(0, 0, now)).0, now);
    }

    fn shift(&self, key: &K, creations: i64, deletions: i64) {
        // The counts are atomic: threads that observe do not wait for each other.
        self.inner.records.read(key, |record| record.shift(creations, deletions));
    }
}

impl<K: Hash + Eq + Clone> Default for Expectations<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Clone for Expectations<K> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<K: fmt::Debug> fmt::Debug for Expectations<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expectations").field("records", &self.inner.records).finish()
    }
}
