//! [`Ledger`]: reading one's own writes by resource version, with one question for all that may be missing.

use std::{collections::HashMap, fmt, hash::Hash, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{Expectations, ExpectationsBuilder};
use state::{Outcome, State, Wait};

pub use strictness::Strictness;

mod state;
mod strictness;

/// What each object has written, until the caches show it: by version, by UID and by count.
///
/// `K` is the key of the object whose controller writes, `R` names a resource (`"pods"`), and `V` is
/// a resource version that can be compared with others of that resource. A version that cannot be
/// compared is not recorded: count or await UIDs instead, through [`expectations`](Self::expectations).
///
/// The reconciler asks [`ready`](Self::ready) first. A key that is not ready need not be retried with
/// backoff: [`reached`](Self::reached), called by the informer's handlers, gives it back at the event
/// that it waits for.
///
/// A handle: clones share the same ledger. No method waits.
pub struct Ledger<K, R, V> {
    state: Arc<Mutex<State<K, R, V>>>,
    expectations: Expectations<K>,
}

impl ExpectationsBuilder {
    /// Makes an empty ledger; the time to live also bounds the wait for versions and unknown outcomes.
    pub fn build_ledger<K, R, V>(self) -> Ledger<K, R, V>
    where
        K: Hash + Eq + Clone,
        R: Hash + Eq + Clone,
        V: Ord + Clone,
    {
        let state = State::new(self.time_to_live(), self.strictness_of_ledgers());
        Ledger { state: Arc::new(Mutex::new(state)), expectations: self.build() }
    }
}

impl<K, R, V> Ledger<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    /// Makes an empty, [strict](Strictness::Strict) ledger whose waits end after 5 minutes.
    pub fn new() -> Self {
        Expectations::builder().build_ledger()
    }

    /// The counts and UIDs that [`ready`](Self::ready) also asks for.
    pub fn expectations(&self) -> &Expectations<K> {
        &self.expectations
    }

    /// Notes that the object `key` with the UID `uid` is about to write to `resource`.
    ///
    /// To be called *before* the request is sent. Tell the returned [`Write`] how it ended; one that is
    /// dropped, because the reconciler was cancelled or the reply was lost, has an unknown outcome.
    pub fn begin(&self, key: &K, uid: &str, resource: R) -> Write<K, R, V> {
        let record = self.state.lock().begin(key, uid, &resource, Instant::now());
        Write { ledger: self.clone(), key: key.clone(), resource, record, ended: false }
    }

    /// Notes a write that has succeeded: upstream's `WroteAt`.
    ///
    /// [`begin`](Self::begin) also covers the time before the reply, and a reply that never comes.
    pub fn wrote_at(&self, key: &K, uid: &str, resource: R, version: V) {
        self.begin(key, uid, resource).succeeded(version);
    }

    /// Tells whether the caches show all that `key` has written, so that its controller may act.
    ///
    /// `read` says how far the cache of a resource is: usually an informer's store's resource version.
    /// `None`, from a cache that cannot tell, holds nobody back. A key that is ready is forgotten,
    /// until it writes again. Not to be called while the key's own writes are under way. What holds a
    /// key back at all is the ledger's [`Strictness`].
    ///
    /// # Errors
    ///
    /// If something is missing. The key is parked when it waits for a version, and
    /// [`NotReady::expires_in`] tells when to look again in any case.
    pub fn ready(&self, key: &K, read: impl Fn(&R) -> Option<V>) -> Result<(), NotReady<R, V>> {
        let Some(written) = self.state.lock().written(key) else {
            return Ok(());
        };
        if let Some(expires_in) = self.expectations.expires_in(key) {
            return Err(NotReady { reason: Reason::Expecting, expires_in });
        }
        // Foreign code, and stores have locks of their own: not under ours.
        let read: HashMap<R, Option<V>> =
            written.into_iter().map(|resource| (resource.clone(), read(&resource))).collect();
        let checked = self.state.lock().check(key, &read, Instant::now());
        checked.map_err(|(wait, expires_in)| NotReady { reason: Reason::Wait(wait), expires_in })
    }

    /// Notes that the cache of `resource` shows `version`, and returns the keys that waited for it, to
    /// be enqueued.
    ///
    /// To be called from the informer's handlers, after the store was updated, and at bookmarks.
    #[must_use = "the keys wait for being enqueued"]
    pub fn reached(&self, resource: &R, version: V) -> Vec<K> {
        self.state.lock().reached(resource, version)
    }

    /// Settles the unknown outcomes of `key` with a version that was read from the server after them.
    ///
    /// One `LIST` with `limit=1` and no resource version is enough: its version is at least that of
    /// every write that was committed before. Once the cache shows it, the cache tells whether the
    /// writes had happened. A request that was still queued in the server may come even later, so also
    /// use names that follow from the owner, and preconditions.
    pub fn resolve(&self, key: &K, resource: &R, version: V) {
        self.state.lock().resolve(key, resource, version, Instant::now());
    }

    /// Forgets `key`, counts and UIDs included: its object is gone.
    ///
    /// With a `uid`, only if the record is that object's and not already a successor's.
    pub fn clear(&self, key: &K, uid: Option<&str>) {
        if self.state.lock().clear(key, uid) {
            self.expectations.delete_expectations(key);
        }
    }
}

impl<K, R, V> Default for Ledger<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<K, R, V> Clone for Ledger<K, R, V> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), expectations: self.expectations.clone() }
    }
}

impl<K: fmt::Debug, R: fmt::Debug, V: fmt::Debug> fmt::Debug for Ledger<K, R, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("state", &*self.state.lock())
            .field("expectations", &self.expectations)
            .finish()
    }
}

/// A write that is under way. Dropped without a word, its outcome is unknown.
#[must_use = "dropped at once, the outcome of the write is unknown"]
pub struct Write<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    ledger: Ledger<K, R, V>,
    key: K,
    resource: R,
    record: u64,
    ended: bool,
}

impl<K, R, V> Write<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    /// The server has answered with an object of this version.
    pub fn succeeded(mut self, version: V) {
        self.end(Outcome::Made(version));
    }

    /// The server has refused: nothing was changed, and no event will come.
    pub fn failed(mut self) {
        self.end(Outcome::ChangedNothing);
    }

    fn end(&mut self, outcome: Outcome<V>) {
        self.ended = true;
        self.ledger.state.lock().end(&self.key, self.record, &self.resource, outcome, Instant::now());
    }
}

impl<K, R, V> Drop for Write<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    fn drop(&mut self) {
        if !self.ended {
            self.end(Outcome::Unknown);
        }
    }
}

impl<K, R, V> fmt::Debug for Write<K, R, V>
where
    K: Hash + Eq + Clone + fmt::Debug,
    R: Hash + Eq + Clone + fmt::Debug,
    V: Ord + Clone,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("key", &self.key)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

/// A controller that must not act yet, because its caches may lack its own writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady<R, V> {
    reason: Reason<R, V>,
    expires_in: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason<R, V> {
    Expecting,
    Wait(Wait<R, V>),
}

impl<R, V> NotReady<R, V> {
    /// After what time from now to ask again, even if nobody says that the key is ready.
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// The resource of which it is unknown what was written: read it and call [`Ledger::resolve`].
    pub fn unknown(&self) -> Option<&R> {
        match &self.reason {
            Reason::Wait(Wait::Unknown { resource }) => Some(resource),
            _ => None,
        }
    }
}

impl<R: fmt::Debug, V: fmt::Display> fmt::Display for NotReady<R, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Expecting => f.write_str("creations or deletions are still expected"),
            Reason::Wait(Wait::UnderWay { resource }) => write!(f, "a write to {resource:?} is under way"),
            Reason::Wait(Wait::Unknown { resource }) => {
                write!(f, "the outcome of a write to {resource:?} is unknown")
            }
            Reason::Wait(Wait::Behind { resource, written }) => {
                write!(f, "the cache of {resource:?} is behind version {written}")
            }
        }
    }
}

impl<R: fmt::Debug, V: fmt::Debug + fmt::Display> std::error::Error for NotReady<R, V> {}
