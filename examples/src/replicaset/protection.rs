//! The protections of the controller, each of which a simulation can remove.

use std::time::Duration;

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube_client::Client;
use trimtab_controller::{
    Writer,
    cache::{Change, Object, ObjectKey},
    expectations::Expectations,
    informer::Informer,
};

use super::{NAME, PodView};

/// A protection of the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// A set acts only if its ledger knows of no write that the cache lacks. Without it, the ledger is not asked.
    Counts,
    /// A deletion is expected of one Pod, by its UID. Without it, deletions are counted: a Pod that is first terminating
    /// and then gone counts twice.
    Uids,
    /// The versions of own writes hold a set back until the cache has reached them.
    Versions,
    /// A write without a reply holds a set back until a read has settled its outcome.
    UnknownOutcomes,
    /// The set is read from the server, and its UID compared, before the first adoption.
    FreshUid,
}

impl Protection {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Counts, Self::Uids, Self::Versions, Self::UnknownOutcomes, Self::FreshUid];

    /// The name in `replicaset/NAME`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Uids => "uids",
            Self::Versions => "versions",
            Self::UnknownOutcomes => "unknown-outcomes",
            Self::FreshUid => "fresh-uid",
        }
    }
}

/// Deletions that are counted instead of expected by UID. Cheap to clone.
#[derive(Clone)]
pub(super) struct CountedDeletions {
    counts: Expectations<ObjectKey>,
    /// Records nothing in the ledger.
    writer: Writer,
}

impl CountedDeletions {
    /// Counts every event of a Pod that is terminating or gone.
    pub(super) fn observe(client: Client, pods: &Informer<PodView>) -> Self {
        let counts = Expectations::new();
        let observed = counts.clone();
        pods.on_change(move |event| {
            let is_gone = matches!(event.change, Change::Deleted(_) | Change::UndecodableDeleted(_));
            let pod = event.metadata();
            if let Some(set) = pod.controller().filter(|_| is_gone || pod.is_being_deleted()) {
                let namespace = pod.namespace().unwrap_or_default();
                observed.deletion_observed(&ObjectKey::namespaced(namespace, &set.name));
            }
        });
        Self { counts, writer: Writer::new(client, NAME) }
    }

    /// Expects `count` deletions of Pods of `set`, and returns the writer for them. One that fails is awaited all the same.
    pub(super) fn expect(&self, set: &ReplicaSet, count: usize) -> &Writer {
        self.counts.expect_deletions(&set.key(), count);
        &self.writer
    }

    /// Returns the time for which a set waits for deletions, if it waits.
    pub(super) fn wait(&self, set: &ObjectKey) -> Option<Duration> {
        self.counts.expires_in(set)
    }
}
