//! One sync of one set: claims its Pods, creates or deletes Pods, writes the status.

use std::{convert::Infallible, sync::Arc};

use futures_util::future::join_all;
use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::PodTemplateSpec};
use kube_client::ResourceExt;
use trimtab_controller::{
    Action, Error as Failed, RequestError,
    cache::{Metadata, Object, ObjectKey, Packed, Selector, Undecodable},
    expectations::slow_start_batch,
    ownership::{
        Claims,
        pods::{DeletionOrder, PodState, PodView, pod_from_template},
    },
};
use trimtab_events::NewEvent;

use super::{
    Error, POD_SPEC, ReplicaSets, gates,
    protection::Protection,
    status::{Replicas, min_ready},
};

/// The largest number of Pods that one sync creates or deletes, as upstream's `BurstReplicas`.
const BURST: usize = 500;

impl ReplicaSets {
    /// Brings the set `key` one step closer to its spec.
    ///
    /// # Errors
    ///
    /// If a write failed. Writes that succeeded are not undone. The sync must be tried again.
    ///
    /// # Cancel safety
    ///
    /// If dropped, some writes may have been sent. The next syncs wait until the cache shows every write that the
    /// server had committed by then. A request that was still queued in the server may create a surplus Pod later,
    /// which is deleted again.
    pub async fn sync(&self, key: &ObjectKey) -> Result<Action, Failed> {
        let Some(cached) = self.sets.store().get(key) else {
            if self.sets.store().get_undecodable(key).is_none() {
                self.writes.clear(key);
            }
            return Ok(Action::done());
        };
        let (set, _) = cached.read_without(&POD_SPEC).map_err(Failed::terminal)?;
        let selector = Selector::try_from(&set.spec.selector).map_err(Failed::terminal)?;
        // Asked before the Pods are read: an event in between makes them newer, not older.
        let wait = self.writes.wait(key, &self.client);
        let waits = match self.without {
            Some(Protection::Counts) => None,
            _ => wait.await.map_err(failed("looking for the outcome of a write"))?,
        };
        let waits = waits.or_else(|| self.counted.as_ref()?.wait(key));
        let terminating = self.terminating(&set, &selector);
        let active = self.claim(&set, selector).await?;
        let acted = match waits {
            None if !set.metadata().is_being_deleted() => self.act(&cached, &set, &active).await,
            _ => Ok(()), // it waits for its own writes, or is being deleted: only its status is written
        };
        let now = self.clock.now();
        let replicas = Replicas { active: &active, terminating, failure: acted.as_ref().err(), now };
        let written = self.writer.overwrite_status(&set, |set| replicas.change_of(set)).await;
        written.map_err(failed("writing the status"))?;
        acted?;
        let min_ready = min_ready(&set);
        let available_in = active.iter().filter_map(|pod| pod.available_in(min_ready, now)).min();
        let delay = waits.into_iter().chain(available_in).min();
        Ok(delay.map_or_else(Action::done, Action::requeue_after))
    }

    /// Adopts orphans, releases Pods that no longer match, and returns the set's active Pods.
    async fn claim(&self, set: &ReplicaSet, selector: Selector) -> Result<Vec<Arc<PodView>>, Error> {
        let mut pods = self.pods_by_owner.candidates(set);
        pods.retain(|pod| pod.is_active());
        let mut claims = Claims::new(self.client.clone(), set, selector)?;
        if self.without == Some(Protection::FreshUid) {
            claims = claims.can_adopt(|| async { Ok::<_, Infallible>(()) });
        }
        claims.claim(pods).await.map_err(|error| Error::Claim(Box::new(error)))
    }

    /// Returns the number of the set's terminating Pods, if the gate says that it is reported.
    fn terminating(&self, set: &ReplicaSet, selector: &Selector) -> Option<usize> {
        gates::DEPLOYMENT_REPLICA_SET_TERMINATING_REPLICAS.enabled().then(|| {
            let own = self.pods_by_owner.controlled_by(set.metadata().uid());
            let is_claimed = |pod: &&Arc<PodView>| selector.matches(|label| pod.metadata.labels.get(label));
            own.iter().filter(|pod| pod.is_terminating()).filter(is_claimed).count()
        })
    }

    /// Creates missing Pods, or deletes surplus ones.
    async fn act(
        &self,
        cached: &Packed<ReplicaSet>,
        set: &ReplicaSet,
        active: &[Arc<PodView>],
    ) -> Result<(), Error> {
        let desired = usize::try_from(set.spec.replicas.unwrap_or(1)).unwrap_or(0);
        // A Pod that cannot be decoded lives, as far as anybody knows.
        let undecodable = self.pods_by_owner.undecodable(set.metadata().uid());
        let lives = |pod: &&Arc<Undecodable>| {
            !pod.metadata().is_being_deleted() && !self.pods.store().contains(pod.key())
        };
        match active.len() + undecodable.iter().filter(lives).count() {
            enough if enough == desired => Ok(()),
            few if few < desired => self.create(cached, set, (desired - few).min(BURST)).await,
            many => {
                let excess = (many - desired).min(active.len()).min(BURST);
                self.delete(set, self.surplus(set, active, excess)).await
            }
        }
    }

    /// Creates `count` Pods in batches of 1, 2, 4 …, so that a refusal costs one call and not 500.
    async fn create(&self, cached: &Packed<ReplicaSet>, set: &ReplicaSet, count: usize) -> Result<(), Error> {
        let template: Option<PodTemplateSpec> = cached.read_field(&["spec", "template"])?;
        let pod = pod_from_template(set.metadata().name(), &template.unwrap_or_default());
        let batch = slow_start_batch(count, 1, async |_| {
            match self.writer.create_written(cached, pod.clone()).await {
                Ok(created) => {
                    let note = format!("Created pod: {}", created.name_any());
                    self.record(set, NewEvent::normal("SuccessfulCreate", "Create", note));
                    Ok(())
                }
                // The namespace is terminating, and its Pods with it: no reason to try again at once.
                Err(error) if error.is_namespace_terminating() => Ok(()),
                Err(error) => {
                    let note = format!("Error creating: {}", error.message());
                    self.record(set, NewEvent::warning("FailedCreate", "Create", note));
                    Err(error)
                }
            }
        });
        batch.await.into_result().map(drop).map_err(Error::Create)
    }

    /// Returns the Pods that go first. Their neighbours are the Pods of all sets of the same owner: those of an old set of a
    /// Deployment go from the nodes where the new set has Pods already. A set without an owner has none.
    fn surplus(&self, set: &ReplicaSet, active: &[Arc<PodView>], excess: usize) -> Vec<Arc<PodView>> {
        let owner = set.metadata().controller();
        let siblings = owner.map(|owner| self.sets_by_owner.controlled_by(&owner.uid)).unwrap_or_default();
        let pods = siblings.iter().flat_map(|set| self.pods_by_owner.controlled_by(set.metadata().uid()));
        let order = DeletionOrder::at(self.clock.now()).related(&pods.collect::<Vec<_>>());
        order.deletion_cost(gates::POD_DELETION_COST.enabled()).first(excess, active.to_vec())
    }

    /// Deletes `pods` concurrently.
    async fn delete(&self, set: &ReplicaSet, pods: Vec<Arc<PodView>>) -> Result<(), Error> {
        let counted = self.counted.as_ref().map(|counted| counted.expect(set, pods.len()));
        let writer = counted.unwrap_or(&self.writer);
        let deletions = pods.iter().map(async |pod| {
            let name = &pod.metadata.name;
            let deleted = writer.delete(set, &**pod).await;
            let event = match &deleted {
                Ok(()) => NewEvent::normal("SuccessfulDelete", "Delete", format!("Deleted pod: {name}")),
                Err(error) => {
                    let note = format!("Error deleting: {}", error.message());
                    NewEvent::warning("FailedDelete", "Delete", note)
                }
            };
            self.record(set, event);
            deleted.map_err(|error| Error::Delete(name.clone(), error))
        });
        join_all(deletions).await.into_iter().collect()
    }
}

/// Returns what makes an error of a failed request.
fn failed(action: &'static str) -> impl FnOnce(RequestError) -> Error {
    move |cause| Error::Request(action, cause)
}
