//! The protections of the controller, each of which a simulation can remove.

use std::{collections::HashMap, sync::Arc};

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::Api;
use parking_lot::Mutex;
use trimtab_controller::{
    Ledger, RequestError,
    cache::{Change, Metadata, Object, ObjectKey, Packed, Store},
    delete_by_uid,
    informer::Informer,
    within,
};

use super::{PodView, ReplicaSets, sync::DEADLINE};

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

/// Deletions that are expected by number instead of by UID. Cheap to clone.
///
/// Each deletion gets the next number of its set as its UID, and each event of a Pod that is terminating or gone reports
/// the lowest number that is left.
#[derive(Clone, Default)]
pub(super) struct NumberedDeletions {
    /// The numbers of expected and of observed deletions.
    numbers: Arc<Mutex<HashMap<ObjectKey, (u64, u64)>>>,
}

const PODS: &str = "pods";

impl NumberedDeletions {
    /// Reports the deletions of `pods` to `ledger`.
    pub(super) fn observe(
        ledger: &Ledger,
        sets: &Store<Packed<ReplicaSet>>,
        pods: &Informer<PodView>,
    ) -> Self {
        let this = Self::default();
        let (numbered, ledger, sets) = (this.clone(), ledger.clone(), sets.clone());
        pods.on_change(move |event| {
            let is_deletion = match &event.change {
                Change::Deleted(_) | Change::UndecodableDeleted(_) => true,
                _ => event.metadata().is_being_deleted(),
            };
            let Some(controller) = event.metadata().controller().filter(|_| is_deletion) else { return };
            let namespace = event.metadata().namespace().unwrap_or_default();
            let key = ObjectKey::namespaced(namespace, &controller.name);
            if sets.contains(&key)
                && let Some(number) = numbered.next_observed(&key)
            {
                ledger.deletion_observed(&key, &PODS, &number.to_string());
            }
        });
        this
    }

    fn next_observed(&self, key: &ObjectKey) -> Option<u64> {
        let mut all = self.numbers.lock();
        let (_, observed) = all.get_mut(key).filter(|(expected, observed)| observed < expected)?;
        *observed += 1;
        Some(*observed)
    }

    fn next_expected(&self, key: &ObjectKey) -> u64 {
        let mut all = self.numbers.lock();
        let (expected, _) = all.entry(key.clone()).or_default();
        *expected += 1;
        *expected
    }

    /// Deletes `pod`, and expects one deletion more for its set.
    pub(super) async fn delete(
        &self,
        sets: &ReplicaSets,
        set: &ReplicaSet,
        pod: &PodView,
    ) -> Result<(), RequestError> {
        let (key, uid) = (&set.key(), set.metadata().uid());
        let number = self.next_expected(key);
        let write = sets.writes.ledger().expect_deletion(key, uid, PODS, &number.to_string());
        let api: Api<Pod> = Api::namespaced(sets.client.clone(), key.namespace().unwrap_or_default());
        let params = delete_by_uid(pod.metadata.uid());
        let deleted = within(DEADLINE, api.delete(&pod.metadata.name, &params)).await;
        match &deleted {
            Ok(_) => write.succeeded_without_version(),
            Err(error) if error.is_refusal() => write.refused(),
            Err(_) => write.unknown(),
        }
        match deleted {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}
