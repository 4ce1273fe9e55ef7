//! Writes of unknown outcome: a lost reply, a 5xx, a sync that was dropped with its lease. Such a write
//! may have been carried out or not; its set waits until the cache shows what the server has.

use std::{collections::HashSet, sync::Arc};

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube_client::api::ListParams;
use parking_lot::Mutex;
use trimtab_controller::cache::{Metadata, Object, ObjectKey};

use super::{Error, ReplicaSets};

/// The sets that are in doubt; a handle.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubts(Arc<Mutex<HashSet<ObjectKey>>>);

impl Doubts {
    /// The set must not act on its expectations: a write of it has an unknown outcome.
    pub(super) fn raise(&self, key: &ObjectKey) {
        self.0.lock().insert(key.clone());
    }

    /// Raises the doubt if the returned guard is dropped before [`Writing::ended`].
    pub(super) fn writing(&self, key: &ObjectKey) -> Writing {
        Writing { doubts: self.clone(), key: Some(key.clone()) }
    }

    fn concern(&self, key: &ObjectKey) -> bool {
        self.0.lock().contains(key)
    }

    fn settle(&self, key: &ObjectKey) {
        self.0.lock().remove(key);
    }
}

/// Writes are under way.
pub(super) struct Writing {
    doubts: Doubts,
    key: Option<ObjectKey>,
}

impl Writing {
    /// Every call has returned.
    pub(super) fn ended(mut self) {
        self.key = None;
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.doubts.raise(&key); // the sync was dropped where it waited
        }
    }
}

impl ReplicaSets {
    /// Whether nothing is in doubt about the set. If something is, asks the server, past every cache,
    /// which Pods the set has; once the cache has the same, the expectations have told all they can.
    pub(super) async fn is_certain(&self, key: &ObjectKey, set: &ReplicaSet) -> Result<bool, Error> {
        if !self.doubts.concern(key) {
            return Ok(true);
        }
        let uid = set.metadata().uid();
        let live = self.pod_api(key).list_metadata(&ListParams::default()).await.map_err(Error::Doubt)?;
        let own =
            live.items.iter().filter(|pod| pod.metadata.controller().is_some_and(|owner| owner.uid == uid));
        let live: HashSet<_> = own.map(|pod| (pod.metadata.uid(), pod.metadata.is_being_deleted())).collect();
        let cached = self.own_pods(set);
        let cached: HashSet<_> =
            cached.iter().map(|pod| (pod.metadata.uid(), pod.metadata.is_being_deleted())).collect();
        if live != cached {
            return Ok(false);
        }
        self.doubts.settle(key);
        self.expectations.delete_expectations(key);
        Ok(true)
    }
}
