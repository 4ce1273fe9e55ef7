//! [`Write`]: one request that is being sent, and the report of its outcome.

use std::{fmt, hash::Hash, sync::Arc};

use super::{
    core::Core,
    record::{Expected, Outcome, Ticket},
};

/// A write that has begun and not ended. Dropped without a report, its outcome is unknown.
#[must_use = "dropped at once, the outcome of the write is unknown"]
pub struct Write<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    pub(super) core: Arc<Core<K, R, V>>,
    pub(super) key: K,
    pub(super) resource: R,
    pub(super) expected: Expected,
    /// `None` for an object that was replaced, and once the write has ended.
    pub(super) ticket: Option<Ticket>,
}

impl<K, R, V> Write<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    /// Notes that the reply carried an object of this version.
    ///
    /// The version must be at least that of the write. The reply to a delete that removed the object at
    /// once may carry the version before the delete: report
    /// [`succeeded_without_version`](Self::succeeded_without_version) for a version that the cache has
    /// already shown.
    pub fn succeeded(mut self, version: V) {
        self.end(Outcome::Made(version));
    }

    /// Notes that the write succeeded, and that the reply carried no version that can be compared.
    ///
    /// The event is then awaited by count or UID alone. Report this too for a create that was refused
    /// because the namespace is terminating: the key then waits for the time to live and does not try
    /// again at once, as upstream does.
    pub fn succeeded_without_version(mut self) {
        self.end(Outcome::Unversioned);
    }

    /// Notes that the server has refused the write: nothing has changed, and no event will come.
    ///
    /// Status codes 400 to 499 are refusals, with 408 and 499 as exceptions. A 5xx, a timeout or a broken
    /// connection is not: drop the `Write` then, or call [`unknown`](Self::unknown).
    pub fn refused(mut self) {
        self.end(Outcome::Refused);
    }

    /// Notes that there was no reply. The same as dropping the `Write`.
    pub fn unknown(self) {}

    fn end(&mut self, outcome: Outcome<V>) {
        if let Some(ticket) = self.ticket.take() {
            self.core.end(&self.key, ticket, &self.resource, &self.expected, outcome);
        }
    }
}

impl<K, R, V> Drop for Write<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    fn drop(&mut self) {
        self.end(Outcome::Unknown);
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
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}
