//! The highest version written to each resource, as a plain value.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tokio::time::Instant;

use crate::deadline::remaining;

/// High-water marks, each with the time at which it was set.
#[derive(Debug)]
pub(crate) struct Marks<R, V>(HashMap<R, (V, Instant)>);

impl<R: Hash + Eq + Clone, V: Ord + Clone> Marks<R, V> {
    pub(crate) fn new() -> Self {
        Self(HashMap::new())
    }

    pub(crate) fn raise(&mut self, resource: &R, version: &V, now: Instant) {
        match self.0.get_mut(resource) {
            Some((highest, since)) if *highest <= *version => (*highest, *since) = (version.clone(), now),
            Some(_) => {}
            None => drop(self.0.insert(resource.clone(), (version.clone(), now))),
        }
    }

    /// Returns every resource, with its mark unless that is older than `ttl`: after a restore of etcd, a
    /// version that no cache reaches must not be carried on forever.
    pub(crate) fn young(&self, ttl: Duration, now: Instant) -> Vec<(R, Option<V>)> {
        let mark = |(resource, (version, since)): (&R, &(V, Instant))| {
            (resource.clone(), remaining(*since, ttl, now).map(|_| version.clone()))
        };
        self.0.iter().map(mark).collect()
    }
}
