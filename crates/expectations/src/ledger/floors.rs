//! Versions that a cache must reach before any key may act, after a restart or with a new leader. A plain value.

use std::time::Duration;

use tokio::time::Instant;

use super::wait::{Pending, Reason};
use crate::deadline::remaining;

/// The closed resources.
#[derive(Debug)]
pub(crate) struct Floors<R, V>(Vec<Floor<R, V>>);

#[derive(Debug, Clone)]
struct Floor<R, V> {
    resource: R,
    /// `None` until it is known.
    version: Option<V>,
    since: Instant,
}

impl<R: Eq + Clone, V: Ord + Clone> Floors<R, V> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Closes the gate until the cache of `resource` reaches `version`, or until a version is known. Of
    /// several versions the highest counts.
    pub(crate) fn close(&mut self, resource: R, version: Option<V>, now: Instant) {
        match self.0.iter_mut().find(|floor| floor.resource == resource) {
            Some(floor) => floor.version = floor.version.take().max(version),
            None => self.0.push(Floor { resource, version, since: now }),
        }
    }

    /// Sets the version of a floor that has none. Returns whether there was such a floor.
    pub(crate) fn resolve(&mut self, resource: &R, version: &V) -> bool {
        let unknown = |floor: &&mut Floor<R, V>| floor.resource == *resource && floor.version.is_none();
        let floor = self.0.iter_mut().find(unknown);
        floor.map(|floor| floor.version = Some(version.clone())).is_some()
    }

    pub(crate) fn resources(&self) -> Vec<R> {
        self.0.iter().map(|floor| floor.resource.clone()).collect()
    }

    /// Removes the floors that the caches have reached, and the expired ones. Returns the number of expired
    /// floors, and the first remaining floor whose cache was read. A cache without a version holds no key
    /// back.
    pub(crate) fn check(
        &mut self,
        read: &[(R, Option<V>)],
        ttl: Duration,
        now: Instant,
    ) -> (Option<Pending<R, V>>, u64) {
        let (mut first, mut expired) = (None, 0);
        self.0.retain(|floor| {
            let known = read.iter().find(|(resource, _)| *resource == floor.resource);
            let (Some((_, read)), Some(remaining)) = (known, remaining(floor.since, ttl, now)) else {
                expired += u64::from(known.is_some());
                return known.is_none();
            };
            let resource = || floor.resource.clone();
            let reason = match (&floor.version, read) {
                (Some(version), Some(read)) if read >= version => return false,
                (Some(_), None) => return true,
                (Some(version), _) => Reason::Restoring { resource: resource(), version: version.clone() },
                (None, _) => Reason::Closed { resource: resource() },
            };
            let pending = Pending { reason, since: floor.since, remaining };
            if first.as_ref().is_none_or(|first: &Pending<R, V>| pending.reason.rank() < first.reason.rank())
            {
                first = Some(pending);
            }
            true
        });
        (first, expired)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
