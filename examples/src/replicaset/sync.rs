//! One sync of one set: claim its Pods, create or delete as many as it takes, tell the status.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions},
};
use serde_json::json;
use trimtab_controller::{
    Action, Error as Failed,
    cache::{Metadata, Object, ObjectKey, Selector},
    expectations::slow_start_batch,
    ownership::{Claims, controller_reference},
};

use super::{Error, Owner, PodView, ReplicaSets, own_writes::ended, rank, status};

/// The most Pods that one sync creates or deletes, as upstream's `BurstReplicas`.
const BURST: usize = 500;

impl ReplicaSets {
    /// Brings the set `key` one step nearer to what its spec asks for.
    ///
    /// # Errors
    ///
    /// When a write failed. The sync is to be tried again; what succeeded is not undone.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, some writes may have been sent. The next syncs wait until the cache shows every
    /// write that the server had committed by then. A request that it still had in a queue may come
    /// later and make a Pod too many, which is deleted again.
    pub async fn sync(&self, key: &ObjectKey) -> Result<Action, Failed> {
        let Some(set) = self.sets.store().get(key) else {
            self.ledger.clear(key, None);
            return Ok(Action::done());
        };
        let selector = Selector::try_from(&set.spec.selector).map_err(Failed::terminal)?;
        // Asked before the Pods are read: an event in between makes them newer, not older.
        let waits = self.waits(key).await?;
        let active = self.claim(&set, selector).await?;
        let acted = match waits {
            None if !set.metadata().is_being_deleted() => self.act(key, &set, &active).await,
            _ => Ok(()), // it waits for its own writes, or is on its way out: the status is all it gets
        };
        let available_in = self.tell(&set, &active, acted.as_ref().err()).await?;
        acted?;
        Ok(match waits.into_iter().chain(available_in).min() {
            Some(delay) => Action::requeue_after(delay),
            None => Action::done(),
        })
    }

    /// The set's active Pods, after orphans were adopted and strangers released.
    async fn claim(&self, set: &ReplicaSet, selector: Selector) -> Result<Vec<Arc<PodView>>, Error> {
        let namespace = set.metadata().namespace().unwrap_or_default();
        let mut pods = self.own_pods(set);
        pods.extend(self.pods_by_owner.get(&Owner::NobodyIn(namespace.to_owned())));
        pods.retain(|pod| pod.is_active());
        let claims = Claims::new(self.client.clone(), set, selector)?;
        claims.claim(pods).await.map_err(|error| Error::Claim(Box::new(error)))
    }

    pub(super) fn own_pods(&self, set: &ReplicaSet) -> Vec<Arc<PodView>> {
        self.pods_by_owner.get(&Owner::Uid(set.metadata().uid().to_owned()))
    }

    /// Creates what is missing, or deletes what is too much.
    async fn act(&self, key: &ObjectKey, set: &ReplicaSet, active: &[Arc<PodView>]) -> Result<(), Error> {
        let desired = usize::try_from(set.spec.replicas.unwrap_or(1)).unwrap_or(0);
        match active.len() {
            enough if enough == desired => Ok(()),
            few if few < desired => self.create(key, set, (desired - few).min(BURST)).await,
            many => {
                let excess = (many - desired).min(BURST);
                self.delete(key, set, rank::to_delete(active.to_vec(), excess, self.clock.now())).await
            }
        }
    }

    /// Creates `count` Pods in batches of 1, 2, 4 …, so that a refusal costs one call and not 500.
    async fn create(&self, key: &ObjectKey, set: &ReplicaSet, count: usize) -> Result<(), Error> {
        let pod = pod_for(set)?;
        let (api, params) = (self.pod_api(key), PostParams::default());
        let expecting = self.expecting(key);
        self.expectations().expect_creations(key, count); // before the first call: its event may be faster
        let batch = slow_start_batch(count, 1, async |_| {
            let write = self.write(key, set.metadata().uid());
            let created = api.create(&params, &pod).await;
            ended(write, created.as_ref().map(Some));
            match created {
                Ok(_) => Ok(()),
                // The namespace is going, and its Pods with it: not to be tried again at once.
                Err(error) if is_terminating(&error) => Ok(()),
                Err(error) => {
                    self.expectations().creation_observed(key); // no event, or none to count on
                    Err(error)
                }
            }
        })
        .await;
        self.expectations().lower(key, batch.skipped, 0);
        expecting.complete();
        batch.into_result().map(drop).map_err(Error::Create)
    }

    async fn delete(&self, key: &ObjectKey, set: &ReplicaSet, pods: Vec<Arc<PodView>>) -> Result<(), Error> {
        let api = self.pod_api(key);
        let expecting = self.expecting(key);
        let uids = pods.iter().map(|pod| pod.metadata.uid.as_str());
        self.expectations().expect_deletions_by_uid(key, uids);
        let deletions = pods.iter().map(async |pod| {
            let PodView { metadata, .. } = &**pod;
            let only_this = Preconditions { uid: Some(metadata.uid.clone()), resource_version: None };
            let params = DeleteParams { preconditions: Some(only_this), ..DeleteParams::default() };
            let write = self.write(key, set.metadata().uid());
            let deleted = api.delete(&metadata.name, &params).await;
            ended(write, deleted.as_ref().map(|reply| reply.as_ref().left()));
            let Err(error) = deleted else { return Ok(()) };
            self.expectations().deletion_observed_by_uid(key, &metadata.uid);
            if is_gone(&error) { Ok(()) } else { Err(Error::Delete(metadata.name.clone(), error)) }
        });
        let deleted = join_all(deletions).await;
        expecting.complete();
        deleted.into_iter().collect()
    }

    /// Writes the status if it tells anything new. Returns after what time the next Pod that is ready
    /// becomes available.
    async fn tell(
        &self,
        set: &ReplicaSet,
        active: &[Arc<PodView>],
        failure: Option<&Error>,
    ) -> Result<Option<Duration>, Error> {
        let now = self.clock.now();
        let terminating = self.own_pods(set).iter().filter(|pod| pod.is_terminating()).count();
        let replicas = status::Replicas { set, active, terminating };
        let status = replicas.status(failure, now);
        if status::differs(set.status.as_ref(), &status) {
            let api = Api::<ReplicaSet>::namespaced(
                self.client.clone(),
                set.metadata().namespace().unwrap_or_default(),
            );
            // A merge patch of the status alone: no conflict with whoever changes the spec. The UID
            // keeps it from a later set of the same name; `null` takes conditions away.
            let mut patch = json!({"metadata": {"uid": set.metadata().uid()}, "status": status});
            patch["status"]["conditions"] = json!(status.conditions);
            let patch = Patch::Merge(patch);
            match api.patch_status(set.metadata().name(), &PatchParams::default(), &patch).await {
                Err(error) if !is_gone(&error) => return Err(Error::Status(error)),
                _ => {}
            }
        }
        Ok(active.iter().filter_map(|pod| pod.available_in(replicas.min_ready(), now)).min())
    }

    pub(super) fn pod_api(&self, key: &ObjectKey) -> Api<Pod> {
        Api::namespaced(self.client.clone(), key.namespace().unwrap_or_default())
    }
}

/// A Pod as the set's template asks for, controlled by the set. The server completes its name.
fn pod_for(set: &ReplicaSet) -> Result<Pod, Error> {
    let template = set.spec.template.clone().unwrap_or_default();
    let mut pod = Pod { metadata: template.metadata.unwrap_or_default(), spec: template.spec, status: None };
    pod.metadata.generate_name = Some(format!("{}-", set.metadata().name()));
    pod.metadata.owner_references = Some(vec![controller_reference(set)?]);
    Ok(pod)
}

fn code(error: &kube_client::Error) -> Option<u16> {
    match error {
        kube_client::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// There is no such object any more, or another of the same name.
fn is_gone(error: &kube_client::Error) -> bool {
    matches!(code(error), Some(404 | 409))
}

fn is_terminating(error: &kube_client::Error) -> bool {
    let kube_client::Error::Api(status) = error else {
        return false;
    };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}
