//! [`Ledger`]: the writes of each object until the caches show them, and one gate for all of them.

use std::{fmt, hash::Hash, sync::Arc};

use self::core::{Core, Settings};
use record::Expected;

pub use builder::LedgerBuilder;
pub use metrics::Status;
pub use snapshot::{ParseSnapshotError, Snapshot};
pub use strictness::Strictness;
pub use wait::{NotReady, Reason};
pub use wakers::OnWake;
pub use write::Write;

mod builder;
mod core;
mod floors;
mod marks;
pub(crate) mod metrics;
mod parking;
mod record;
mod snapshot;
mod strictness;
mod wait;
mod wakers;
mod write;

/// The writes of each object, until the caches show them: by count, by UID, by version, and without a reply.
///
/// `K` is the key of the object whose controller writes, `R` names a resource (`"pods"`), and `V` is a
/// resource version that can be compared with others of that resource.
///
/// A reconciler asks [`ready`](Self::ready) first. A key that must wait is woken by the event that ends its
/// wait ([`on_wake`](Self::on_wake)); it need not be retried with backoff. Before each request the
/// reconciler calls [`expect_creation`](Self::expect_creation), [`expect_deletion`](Self::expect_deletion)
/// or [`expect_update`](Self::expect_update), and reports the outcome to the returned [`Write`]. The
/// informer's handlers call [`creation_observed`](Self::creation_observed),
/// [`deletion_observed`](Self::deletion_observed) and [`reached`](Self::reached).
///
/// A handle: clones share the same ledger. No method waits.
pub struct Ledger<K, R, V> {
    core: Arc<Core<K, R, V>>,
}

impl<K, R, V> Ledger<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    /// Makes an empty, [strict](Strictness::Strict) ledger whose waits end after 5 minutes.
    pub fn new() -> Self {
        Self::of(Core::new(Settings::default()))
    }

    fn of(core: Core<K, R, V>) -> Self {
        Self { core: Arc::new(core) }
    }

    /// Notes that the object `key` with the UID `uid` is about to create an object of `resource`.
    ///
    /// Call it *before* the request is sent: the event can be faster than the reply.
    pub fn expect_creation(&self, key: &K, uid: &str, resource: R) -> Write<K, R, V> {
        self.begin(key, uid, resource, Expected::Creation)
    }

    /// Notes that the object `key` with the UID `uid` is about to delete the object `dependent` of
    /// `resource`, given by its UID.
    ///
    /// Call it *before* the request is sent. For a delete that finds nothing (404), call
    /// [`Write::refused`].
    pub fn expect_deletion(&self, key: &K, uid: &str, resource: R, dependent: &str) -> Write<K, R, V> {
        self.begin(key, uid, resource, Expected::Deletion(dependent.into()))
    }

    /// Notes that the object `key` with the UID `uid` is about to update, patch or apply an object of
    /// `resource`.
    ///
    /// Call it *before* the request is sent.
    pub fn expect_update(&self, key: &K, uid: &str, resource: R) -> Write<K, R, V> {
        self.begin(key, uid, resource, Expected::Update)
    }

    /// Notes a write that has succeeded with `version`: upstream's `WroteAt`.
    ///
    /// [`expect_update`](Self::expect_update) also covers the time before the reply, and a reply that is
    /// lost.
    pub fn wrote_at(&self, key: &K, uid: &str, resource: R, version: V) {
        self.expect_update(key, uid, resource).succeeded(version);
    }

    fn begin(&self, key: &K, uid: &str, resource: R, expected: Expected) -> Write<K, R, V> {
        let ticket = self.core.begin(key, uid, &resource, &expected);
        Write { core: Arc::clone(&self.core), key: key.clone(), resource, expected, ticket }
    }

    /// Asks whether the caches show everything that `key` has written, so that its controller may act.
    ///
    /// `read` returns the version of a resource's cache: usually the resource version of an informer's
    /// store. For `None`, from a cache without a version, counts decide. Do not call it while
    /// the key's own requests are running: a work queue gives each key to one worker at a time.
    ///
    /// A controller that must wait should still write its status.
    ///
    /// # Errors
    ///
    /// If the key must wait. It is woken by the event that ends the wait; enqueue it after
    /// [`NotReady::expires_in`] as a safety net. If [`NotReady::unknown`] names a resource, read its version
    /// from the server, call [`resolve`](Self::resolve), and ask again.
    pub fn ready(&self, key: &K, read: impl Fn(&R) -> Option<V>) -> Result<(), NotReady<R, V>> {
        self.core.ready(key, read)
    }

    /// Calls `wake` for each key whose wait has ended, until the returned guard is dropped.
    ///
    /// `wake` puts the key into a work queue. It runs inside the call that ended the wait, mostly in an
    /// informer's handler.
    pub fn on_wake(&self, wake: impl Fn(&K) + Send + Sync + 'static) -> OnWake<K> {
        self.core.wakers.add(wake)
    }

    /// Notes that the cache of `resource` shows the creation of an object that `key` controls.
    ///
    /// Call it in the informer's handler. An object that is first seen with a deletion timestamp is a
    /// [deletion](Self::deletion_observed).
    pub fn creation_observed(&self, key: &K, resource: &R) {
        self.core.observed(key, resource, &Expected::Creation);
    }

    /// Notes that the cache of `resource` shows the object with the UID `dependent`, which `key` controls,
    /// as gone or as being deleted.
    ///
    /// Call it for both events: only the first counts.
    pub fn deletion_observed(&self, key: &K, resource: &R, dependent: &str) {
        self.core.observed(key, resource, &Expected::Deletion(dependent.into()));
    }

    /// Notes that the cache of `resource` shows `version`, and wakes the keys that wait for it.
    ///
    /// Call it after the store was updated: in the informer's handlers, at bookmarks and after a relist.
    #[expect(clippy::needless_pass_by_value, reason = "callers have just parsed the version")]
    pub fn reached(&self, resource: &R, version: V) {
        self.core.reached(resource, &version);
    }

    /// Settles the unknown outcomes of `key` with a version that was read from the server after them.
    ///
    /// One `LIST` with `limit=1` and no resource version is enough: its version is at least that of
    /// every write that was committed before. Once the cache has reached it, the cache shows whether the
    /// writes have happened. A request that the server still had in a queue may be committed even later, so also
    /// use names that follow from the owner, and preconditions.
    ///
    /// The same version opens a gate that was [closed](Self::close).
    pub fn resolve(&self, key: &K, resource: &R, version: V) {
        self.core.resolve(key, resource, version);
    }

    /// Removes the record of `key`: its object is gone.
    ///
    /// With a `uid`, only the record of that object: the record of a successor of the same name stays.
    pub fn clear(&self, key: &K, uid: Option<&str>) {
        self.core.clear(key, uid);
    }

    /// Closes the gate for every key, until the caches of `resources` are known to be new enough.
    ///
    /// For a process that has restarted or has become the leader, and has no [`Snapshot`]. The first check
    /// returns [`NotReady::unknown`], and the caller reads the server. [`resolve`](Self::resolve) with the version
    /// of the read opens the gate once the cache has reached it. This costs one read for each resource, and one
    /// more for each key that is checked before the first read has returned. Does nothing at
    /// [`Strictness::Counts`].
    pub fn close(&self, resources: impl IntoIterator<Item = R>) {
        resources.into_iter().for_each(|resource| self.core.close(resource, None));
    }

    /// Closes the gate for every key, until the caches have reached the versions of `snapshot`.
    ///
    /// This costs no read. The snapshot must come from the process that wrote before: it does not cover
    /// writes of that process after the snapshot was made. Does nothing at [`Strictness::Counts`].
    pub fn restore(&self, snapshot: Snapshot<R, V>) {
        snapshot.into_iter().for_each(|(resource, version)| self.core.close(resource, Some(version)));
    }

    /// Returns the highest version of each resource that was written, or that its cache shows.
    ///
    /// Write it where the next leader finds it, for instance into an annotation of the Lease.
    pub fn snapshot(&self, read: impl Fn(&R) -> Option<V>) -> Snapshot<R, V> {
        self.core.versions(read).into_iter().collect()
    }

    /// Returns the ledger's numbers.
    pub fn status(&self) -> Status {
        self.core.metrics.status(self.core.parked())
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
        Self { core: Arc::clone(&self.core) }
    }
}

impl<K: fmt::Debug, R: fmt::Debug, V: fmt::Debug> fmt::Debug for Ledger<K, R, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("settings", &self.core.settings)
            .field("records", &self.core.records)
            .finish_non_exhaustive()
    }
}
