//! Disturbances that any user can cause: deleted Pods, scaled sets, changed labels.

use futures_util::future::try_join_all;
use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use rand::seq::IndexedRandom;
use serde_json::json;
use trimtab_controller::cache::{Metadata, ObjectKey};

use super::{Done, Stage};
use crate::{failure::Failure, manifests::Manifest};

/// The annotation that requests a new label for a running Pod: `key=value`.
const RELABEL: &str = "demo.trimtab/relabel";

impl Stage<'_> {
    pub(super) async fn kill_pods(&mut self) -> Result<Option<Done>, Failure> {
        let killed = self.kill(100).await?;
        Ok((!killed.is_empty()).then(|| Done::new(format!("{} Pods deleted", killed.len()))))
    }

    /// Deletes up to `count` random Pods of the declared sets and returns them. Pods of the manifests
    /// remain, because they are checked at the end.
    pub(super) async fn kill(&mut self, count: usize) -> Result<Vec<ObjectKey>, Failure> {
        let pods = Api::<Pod>::all(self.cluster.client.clone()).list(&ListParams::default()).await;
        let sets = self.audit.rows();
        let mut pods: Vec<_> =
            pods.map_err(Failure::api("listing Pods"))?.items.into_iter().map(|pod| pod.metadata).collect();
        pods.retain(|pod| {
            let key = ObjectKey::from(pod);
            let is_declared =
                self.manifests.iter().any(|manifest| manifest.is_a::<Pod>() && manifest.key() == key);
            let set = Metadata::controller(pod)
                .map(|set| ObjectKey::namespaced(key.namespace().unwrap_or_default(), &set.name));
            set.is_some_and(|set| sets.contains_key(&set)) && !pod.is_being_deleted() && !is_declared
        });
        let victims: Vec<_> = pods.choose_multiple(&mut self.random, count).map(ObjectKey::from).collect();
        let deletions = victims.iter().map(async |pod| {
            let namespace = pod.namespace().unwrap_or_default();
            let api = Api::<Pod>::namespaced(self.cluster.client.clone(), namespace);
            api.delete(pod.name(), &DeleteParams::default()).await
        });
        try_join_all(deletions).await.map_err(Failure::api("deleting Pods"))?;
        Ok(victims)
    }

    /// Adds 30 replicas to the smallest set.
    pub(super) async fn scale_up(&mut self) -> Result<Option<Done>, Failure> {
        let smallest = self.audit.rows().into_iter().min_by_key(|(_, set)| set.desired);
        match smallest {
            Some((key, set)) => self.scale(key, set.desired, set.desired + 30).await.map(Some),
            None => Ok(None),
        }
    }

    /// Removes 80 replicas of the largest set, but at most half.
    pub(super) async fn scale_down(&mut self) -> Result<Option<Done>, Failure> {
        let largest = self.audit.rows().into_iter().max_by_key(|(_, set)| set.desired);
        match largest {
            Some((key, set)) if set.desired > 0 => {
                let to = set.desired.saturating_sub(80).max(set.desired / 2);
                self.scale(key, set.desired, to).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn scale(&mut self, key: ObjectKey, from: usize, to: usize) -> Result<Done, Failure> {
        let namespace = key.namespace().unwrap_or_default();
        let api = Api::<ReplicaSet>::namespaced(self.cluster.client.clone(), namespace);
        let patch = Patch::Merge(json!({"spec": {"replicas": to}}));
        let scaled = api.patch_scale(key.name(), &PatchParams::default(), &patch).await;
        scaled.map_err(Failure::api("scaling"))?;
        let done = Done::new(format!("{key} from {from} to {to}"));
        self.wanted.replicas.insert(key, to);
        Ok(done)
    }

    /// Changes the label of the Pod whose annotation requests it.
    pub(super) async fn relabel(&mut self) -> Result<Option<Done>, Failure> {
        let Some((pod, key, value)) = self.manifests.iter().find_map(asks_for_label) else {
            return Ok(None);
        };
        let patch = Patch::Merge(json!({"metadata": {"labels": {key: value}}}));
        let api = pod.api(self.cluster.client.clone());
        let relabelled = api.patch(pod.name(), &PatchParams::default(), &patch).await;
        relabelled.map_err(Failure::api("relabelling"))?;
        self.wanted.relabelled.insert(pod.key(), (key.to_owned(), value.to_owned()));
        Ok(Some(Done::new(format!("{} is now {key}={value}", pod.describe()))))
    }
}

fn asks_for_label(pod: &Manifest) -> Option<(&Manifest, &str, &str)> {
    let annotations = pod.object.metadata.annotations.as_ref().filter(|_| pod.is_a::<Pod>())?;
    let (key, value) = annotations.get(RELABEL)?.split_once('=')?;
    Some((pod, key, value))
}
