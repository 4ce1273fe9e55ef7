//! [`Expectations`]: the lock and the clock around the rules of `state`.

use std::{fmt, hash::Hash, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    Strictness,
    state::{Counts, State, signed},
};

/// What a controller still waits to see of its own creates and deletes, by the key of the
/// controlling object.
///
/// A handle: clones share the same records. Every method takes one short lock and returns at once,
/// so it may be called in an informer's handler as well as in a reconciler. Use one `Expectations`
/// per kind of controlling object: keys of different kinds may be equal.
///
/// Deletions are counted, or better, awaited by UID: the event that sets the deletion timestamp and
/// the one that tells of the end are then one deletion, and an object of the same name that came
/// later is another.
pub struct Expectations<K> {
    state: Arc<Mutex<State<K>>>,
}

/// Settings of [`Expectations`].
#[derive(Debug, Clone)]
#[must_use = "nothing exists before `build`"]
pub struct ExpectationsBuilder {
    ttl: Duration,
    strictness: Strictness,
}

impl ExpectationsBuilder {
    /// How long an event is awaited before it is given up.
    ///
    /// Default: 5 minutes, upstream's constant. It is the way out when an event never comes (the
    /// watch was cut and a relist coalesced it, or the write was refused late), not a way to pace
    /// a controller: the longer it is, the longer such a key stands still; the shorter, the likelier
    /// a lagging cache leads to a second write.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// What holds a key back in a [`Ledger`](crate::Ledger) that [`build_ledger`](Self::build_ledger) makes.
    ///
    /// Default: [`Strictness::Strict`]. It changes nothing for [`build`](Self::build).
    pub fn strictness(mut self, strictness: Strictness) -> Self {
        self.strictness = strictness;
        self
    }

    pub(crate) fn time_to_live(&self) -> Duration {
        self.ttl
    }

    pub(crate) fn strictness_of_ledgers(&self) -> Strictness {
        self.strictness
    }

    /// Makes an empty set of expectations.
    pub fn build<K: Hash + Eq + Clone>(self) -> Expectations<K> {
        Expectations { state: Arc::new(Mutex::new(State::new(self.ttl))) }
    }
}

impl Expectations<()> {
    /// Settings, with upstream's defaults.
    pub fn builder() -> ExpectationsBuilder {
        ExpectationsBuilder { ttl: Duration::from_secs(5 * 60), strictness: Strictness::default() }
    }
}

impl<K: Hash + Eq + Clone> Expectations<K> {
    /// Makes an empty set of expectations that expire after 5 minutes.
    pub fn new() -> Self {
        Expectations::builder().build()
    }

    /// Whether everything that was expected for `key` has come, or has been waited for too long.
    ///
    /// While this is `false`, the cache may lack the controller's own writes: neither create nor
    /// delete then. Updating a status is fine. A key of which nothing is known is satisfied.
    pub fn satisfied(&self, key: &K) -> bool {
        self.expires_in(key).is_none()
    }

    /// After what time from now `key` is [`satisfied`](Self::satisfied) even if no further event comes.
    ///
    /// `None` if it is satisfied now. The event that satisfies a key also enqueues it; what nobody
    /// enqueues is a key whose event never comes. Enqueue it after this time, rather than count on a
    /// resync.
    pub fn expires_in(&self, key: &K) -> Option<Duration> {
        self.state.lock().expires_in(key, Instant::now())
    }

    /// Replaces all that is expected for `key`, awaited UIDs included, and starts its time anew.
    pub fn set(&self, key: &K, creations: usize, deletions: usize) {
        self.state.lock().set(key, creations, deletions, Instant::now());
    }

    /// Expects `count` creations, in place of those that were expected before.
    ///
    /// Call it *before* the first create is sent: the event can be faster than the reply. For each
    /// create that failed or was not sent, call [`creation_observed`](Self::creation_observed) or
    /// [`lower`](Self::lower) at once, since no event will come.
    pub fn expect_creations(&self, key: &K, count: usize) {
        self.state.lock().expect_creations(key, count, Instant::now());
    }

    /// Expects `count` deletions, in place of those that were counted before.
    ///
    /// To be called before the first delete is sent, like [`expect_creations`](Self::expect_creations).
    /// Awaited UIDs stay; prefer them ([`expect_deletions_by_uid`](Self::expect_deletions_by_uid))
    /// where objects are deleted gracefully.
    pub fn expect_deletions(&self, key: &K, count: usize) {
        self.state.lock().expect_deletions(key, count, Instant::now());
    }

    /// Expects the deletion of each object of `uids`, beside those that are awaited already.
    ///
    /// To be called before the first delete is sent. If a delete fails, or is answered with
    /// `NotFound`, call [`deletion_observed_by_uid`](Self::deletion_observed_by_uid) at once.
    pub fn expect_deletions_by_uid<U: Into<Box<str>>>(&self, key: &K, uids: impl IntoIterator<Item = U>) {
        let uids: Vec<Box<str>> = uids.into_iter().map(Into::into).collect(); // foreign code, outside the lock
        self.state.lock().expect_uids(key, uids, Instant::now());
    }

    /// One expected creation has come, or will never come.
    ///
    /// An object that is first seen with a deletion timestamp is a deletion, not a creation; an
    /// object without a controller is nobody's creation.
    pub fn creation_observed(&self, key: &K) {
        self.lower(key, 1, 0);
    }

    /// One counted deletion has come, or will never come.
    pub fn deletion_observed(&self, key: &K) {
        self.lower(key, 0, 1);
    }

    /// The object `uid` is gone or on its way out, or will never be deleted.
    ///
    /// Call it when an object is seen with a deletion timestamp and again when it is seen to be gone:
    /// only the first call counts. Returns whether the deletion was awaited.
    pub fn deletion_observed_by_uid(&self, key: &K, uid: &str) -> bool {
        self.state.lock().uid_observed(key, uid)
    }

    /// Expects more than before, without starting the time anew. Does nothing without a record.
    ///
    /// Only before the calls are sent: raising afterwards races with the events of those calls.
    pub fn raise(&self, key: &K, creations: usize, deletions: usize) {
        self.state.lock().shift(key, signed(creations), signed(deletions));
    }

    /// Expects less than before, without starting the time anew. Does nothing without a record.
    pub fn lower(&self, key: &K, creations: usize, deletions: usize) {
        self.state.lock().shift(key, -signed(creations), -signed(deletions));
    }

    /// How much is still counted for `key`; `None` without a record.
    pub fn get(&self, key: &K) -> Option<Counts> {
        self.state.lock().counts(key)
    }

    /// The UIDs whose deletion is still awaited for `key`, in no order; `None` without a record.
    pub fn awaited_uids(&self, key: &K) -> Option<Vec<Box<str>>> {
        Some(self.state.lock().uids(key)?.map(Into::into).collect())
    }

    /// Forgets `key`: its object was deleted, or replaced by another of the same name.
    ///
    /// A controller that does not call this keeps a record for every object that ever was.
    pub fn delete_expectations(&self, key: &K) {
        self.state.lock().delete(key);
    }
}

impl<K: Hash + Eq + Clone> Default for Expectations<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Clone for Expectations<K> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state) }
    }
}

impl<K: fmt::Debug> fmt::Debug for Expectations<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expectations").field("state", &*self.state.lock()).finish()
    }
}
