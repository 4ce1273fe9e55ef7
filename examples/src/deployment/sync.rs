//! One sync of one Deployment: claims its ReplicaSets, creates, scales or deletes sets, writes the status.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, DeploymentStrategy, ReplicaSet};
use kube_client::Resource;
use serde_json::json;
use trimtab_controller::{
    Action, Error as Failed,
    cache::{Metadata, Object, ObjectKey, Packed, Selector},
    ownership::{
        Claims, active_replica_sets, is_controlled_by,
        pods::{PodState, is_same_template},
        template_hash,
    },
};
use trimtab_events::NewEvent;

use super::{
    Deployments, Error, Rule,
    rollout::{self, Limits},
    sets::{self, Annotation, Sets, actual, replicas},
    status::{self, PROGRESSING, reason},
};

/// The Deployment of a sync, with the status that the sync has decided on so far.
pub(super) struct Draft {
    pub(super) deployment: Arc<Deployment>,
    pub(super) limits: Limits,
    pub(super) status: DeploymentStatus,
    /// The revision for the Deployment's annotation, if it changes.
    pub(super) revision: Option<String>,
}

/// The part of the status that a sync leads to.
enum Outcome {
    /// Counts alone: nothing is rolled out.
    Counts,
    /// Counts and the progress of the rollout.
    Progress,
    /// The Deployment itself was changed; its event leads to the next sync.
    Changed,
}

/// Returns whether all old Pods end before new ones are created.
pub(super) fn is_recreated(deployment: &Deployment) -> bool {
    strategy(deployment.spec.strategy.as_ref()) == "Recreate"
}

/// Returns the name of a strategy: that of the default one, if it has none.
pub(super) fn strategy(strategy: Option<&DeploymentStrategy>) -> &str {
    strategy
        .and_then(|strategy| strategy.type_.as_deref())
        .filter(|type_| !type_.is_empty())
        .unwrap_or("RollingUpdate")
}

impl Deployments {
    /// Brings the Deployment `key` one step closer to its spec.
    ///
    /// # Errors
    ///
    /// If a write failed. Writes that succeeded are not undone. The sync must be tried again. The error is waiting if the
    /// cache lacks an own write, and terminal if the spec cannot be obeyed.
    ///
    /// # Cancel safety
    ///
    /// If dropped, some writes may have been sent. The next sync waits until the cache shows them. Each write names the
    /// version that it changes, so a late one is refused.
    pub async fn sync(&self, key: &ObjectKey) -> Result<Action, Failed> {
        let store = self.deployments.store();
        if store.get(key).is_none() && store.get_undecodable(key).is_none() {
            self.writes.clear(key);
        }
        // Asked before the caches are read: an event in between makes them newer, not older.
        self.writes.settled(key, &self.client).await?;
        let Some(cached) = store.get(key) else { return Ok(Action::done()) };
        let deployment = cached.read().map_err(Failed::terminal)?;
        let selector = Selector::try_from(&deployment.spec.selector).map_err(Failed::terminal)?;
        let limits = Limits::of(&deployment).map_err(Failed::terminal)?;
        let limits = self.without.map_or(limits, |rule| rule.removed_from(limits));
        let status = deployment.status.clone().unwrap_or_default();
        let mut draft = Draft { deployment, limits, status, revision: None };
        if selector.is_everything() {
            return self.refuse_to_select_all(draft).await;
        }
        let mut sets = self.claim(&cached, &draft.deployment, selector).await?;
        let rolled = self.roll(&mut draft, &mut sets).await;
        let now = self.clock.now();
        let mut new = status::counts(&draft.deployment, &draft.status, &sets, &draft.limits, now);
        match rolled {
            Ok(Outcome::Changed) => return Ok(Action::done()),
            Ok(Outcome::Counts) => {}
            Ok(Outcome::Progress) => {
                status::set_progress(&draft.deployment, &draft.status, &mut new, &sets, now);
            }
            Err(error) => {
                // A failed creation and a collision are reported, and the error leads to the next try.
                self.write_status(&draft).await.ok();
                return Err(match error {
                    Error::Strategy(_) => Failed::terminal(error),
                    other => other.into(),
                });
            }
        }
        draft.status = new;
        self.write_status(&draft).await?;
        let delay = status::next_check(&draft.deployment, &draft.status, now);
        let delay = delay.filter(|_| !is_paused(&draft.deployment));
        Ok(delay.map_or_else(Action::done, Action::requeue_after))
    }

    /// Decides on the next step and takes it: upstream's `syncDeployment`.
    async fn roll(&self, draft: &mut Draft, sets: &mut Sets) -> Result<Outcome, Error> {
        let deployment = draft.deployment.clone();
        let is_being_deleted = deployment.metadata().is_being_deleted();
        if !is_being_deleted {
            status::set_paused(&deployment, &mut draft.status, self.clock.now());
        }
        self.revise(draft, sets).await?;
        if is_being_deleted {
            return Ok(Outcome::Counts);
        }
        let rollback = super::rollback::requested(&deployment);
        if is_paused(&deployment) && self.without != Some(Rule::Pause) {
            self.scale(draft, sets).await?;
            if rollback.is_none() {
                self.clean_up(&deployment, sets).await?;
            }
            return Ok(Outcome::Counts);
        }
        if let Some(revision) = rollback {
            if sets.new.is_none() {
                // The present template has a revision, too. The next sync knows it, and rolls back.
                self.new_set(draft, sets).await?;
                return Ok(Outcome::Counts);
            }
            self.roll_back(&deployment, revision, sets).await?;
            return Ok(Outcome::Changed);
        }
        if rollout::is_scaling_event(&draft.limits, sets.all()) {
            self.scale(draft, sets).await?;
            return Ok(Outcome::Counts);
        }
        let is_done = match strategy(deployment.spec.strategy.as_ref()) {
            "RollingUpdate" => self.roll_in(draft, sets).await?,
            "Recreate" => self.recreate(draft, sets).await?,
            other => return Err(Error::Strategy(other.to_owned())),
        };
        if is_done && status::is_complete(&deployment, &draft.status) {
            self.clean_up(&deployment, sets).await?;
        }
        Ok(Outcome::Progress)
    }

    /// Adopts orphans, releases sets that no longer match, and divides the rest into the new set and old ones.
    async fn claim(
        &self,
        cached: &Packed<Deployment>,
        deployment: &Deployment,
        selector: Selector,
    ) -> Result<Sets, Error> {
        let candidates = self.sets_by_owner.candidates(deployment);
        let claims = Claims::new(self.client.clone(), deployment, selector)?;
        let claimed = claims.claim(candidates).await.map_err(|error| Error::Claim(Box::new(error)))?;
        if super::rollback::requested(deployment).is_some() {
            let whole: Result<_, _> = claimed.iter().map(|set| set.read()).collect();
            return Ok(Sets::of(deployment, whole?));
        }
        Ok(Sets::slim(cached, deployment, &claimed)?)
    }

    /// Rolls out by surge and unavailability: upstream's `rolloutRolling`. One direction at a time: the next sync sees the
    /// Pods that this one has led to. Returns whether no set had to be scaled.
    async fn roll_in(&self, draft: &mut Draft, sets: &mut Sets) -> Result<bool, Error> {
        let new = self.new_set(draft, sets).await?;
        let size = rollout::scale_up_new(&draft.limits, sets.replicas(), replicas(&new));
        if size != replicas(&new) {
            self.resize(draft, sets, &new, size).await?;
            return Ok(false);
        }
        let sizes = rollout::scale_down_old(&draft.limits, &sets.old, &new);
        let mut scaled: Vec<_> = sets.old.iter().cloned().zip(sizes).collect();
        scaled.retain(|(set, size)| replicas(set) != *size);
        for (set, size) in &scaled {
            self.resize(draft, sets, set, *size).await?;
        }
        Ok(scaled.is_empty())
    }

    /// Ends all old Pods before it creates new ones: upstream's `rolloutRecreate`. Returns whether no set had to be scaled,
    /// and no old Pod is left.
    async fn recreate(&self, draft: &mut Draft, sets: &mut Sets) -> Result<bool, Error> {
        let active = active_replica_sets(sets.old.iter().cloned());
        for set in &active {
            self.resize(draft, sets, set, 0).await?;
        }
        if !active.is_empty() || self.old_pods_run(sets) {
            return Ok(false);
        }
        self.roll_in(draft, sets).await // no old Pods are left to make room for
    }

    /// Returns whether a Pod of an old set has not ended, by the sets' statuses or by the Pods themselves.
    fn old_pods_run(&self, sets: &Sets) -> bool {
        let waits = self.without != Some(Rule::Recreate);
        waits
            && sets.old.iter().any(|set| {
                let pods = self.pods_by_owner.controlled_by(set.metadata.uid());
                actual(set) > 0 || pods.iter().any(|pod| !pod.is_finished())
            })
    }

    /// Writes the annotations that the new set lacks, and notes its revision for the Deployment: the part of upstream's
    /// `getNewReplicaSet` for a set that exists.
    async fn revise(&self, draft: &mut Draft, sets: &mut Sets) -> Result<(), Error> {
        let Some(new) = sets.new.clone() else { return Ok(()) };
        let deployment = &draft.deployment;
        let annotations = new.metadata.annotations.clone().unwrap_or_default();
        let missing = sets::missing_annotations(deployment, &annotations, sets::max_revision(&sets.old) + 1);
        let min_ready = deployment.spec.min_ready_seconds.unwrap_or(0);
        if !missing.is_empty() || new.spec.min_ready_seconds.unwrap_or(0) != min_ready {
            let change =
                json!({"metadata": {"annotations": missing}, "spec": {"minReadySeconds": min_ready}});
            self.update(draft, sets, &new, change).await?;
        }
        let new = sets.new.as_ref().unwrap_or(&new);
        draft.note_revision(Annotation::Revision.of(&new.metadata));
        if status::find(&draft.status, PROGRESSING).is_none() {
            let message = format!("Found new replica set {:?}", new.metadata.name());
            draft.set_progressing("True", reason::FOUND, message, self.clock.now());
        }
        Ok(())
    }

    /// Returns the new set, and creates it if there is none: the rest of upstream's `getNewReplicaSet`.
    async fn new_set(&self, draft: &mut Draft, sets: &mut Sets) -> Result<Arc<ReplicaSet>, Error> {
        if let Some(new) = &sets.new {
            return Ok(new.clone());
        }
        let deployment = draft.deployment.clone();
        let hash =
            template_hash(&deployment.spec.template, draft.status.collision_count).map_err(Error::Hash)?;
        let next = sets::max_revision(&sets.old) + 1;
        let mut wanted = sets::new_set(&deployment, &hash, next, &draft.limits);
        // All at once if the strategy is `Recreate`: no old set wants Pods then. Before a rollback, old Pods may still run.
        let must_wait = is_recreated(&deployment) && self.old_pods_run(sets);
        let size = if must_wait { 0 } else { rollout::scale_up_new(&draft.limits, sets.replicas(), 0) };
        wanted.spec.replicas = Some(size);
        let name = wanted.metadata.name.clone().unwrap_or_default();
        let created = match self.writer.create(&*deployment, wanted).await {
            Ok(created) => {
                if size > 0 {
                    self.scaled(&deployment, &name, 0, size);
                }
                let message = format!("Created new replica set {name:?}");
                draft.set_progressing("True", reason::CREATED, message, self.clock.now());
                Arc::new(created)
            }
            Err(error) if error.is_conflict() => {
                let key = ObjectKey::namespaced(deployment.metadata().namespace().unwrap_or_default(), &name);
                let Some(taken) = self.sets.store().get(&key) else {
                    return Err(Error::Set("creating", name, error));
                };
                let taken = taken.read()?;
                let is_ours = is_controlled_by(&*taken, &*deployment);
                if !is_ours || !is_same_template(&deployment.spec.template, taken.spec.template.as_ref()) {
                    draft.status.collision_count = Some(draft.status.collision_count.unwrap_or(0) + 1);
                    return Err(Error::Collision(name));
                }
                taken
            }
            Err(error) => {
                if !error.is_namespace_terminating() {
                    let message = format!("Failed to create new replica set {name:?}: {error}");
                    let now = self.clock.now();
                    draft.set_progressing("False", reason::CREATE_FAILED, message.clone(), now);
                    let event = NewEvent::warning(reason::CREATE_FAILED, "CreateReplicaSet", message);
                    self.events.record(&deployment.object_ref(&()), event);
                }
                return Err(Error::Set("creating", name, error));
            }
        };
        draft.note_revision(Some(&next.to_string()));
        sets.new = Some(created.clone());
        Ok(created)
    }

    /// Gives each set its share after `spec.replicas` has changed, or while the Deployment is paused.
    async fn scale(&self, draft: &Draft, sets: &mut Sets) -> Result<(), Error> {
        let is_rolling = !is_recreated(&draft.deployment);
        let count = draft.status.replicas.unwrap_or(0);
        for (set, size) in rollout::scale(&draft.limits, is_rolling, sets.new.as_ref(), &sets.old, count) {
            self.resize(draft, sets, &set, size).await?;
        }
        Ok(())
    }

    /// Does nothing for a Deployment that selects every Pod, and says so.
    async fn refuse_to_select_all(&self, mut draft: Draft) -> Result<Action, Failed> {
        let note = "This deployment is selecting all pods. A non-empty selector is required.";
        let event = NewEvent::warning("SelectingAll", "SyncDeployment", note);
        self.events.record(&draft.deployment.object_ref(&()), event);
        draft.status.observed_generation = draft.deployment.metadata.generation;
        self.write_status(&draft).await?;
        Ok(Action::done())
    }
}

impl Draft {
    /// Sets the condition `Progressing`, if the Deployment has a deadline for its progress.
    fn set_progressing(&mut self, value: &str, reason: &str, message: String, now: jiff::Timestamp) {
        if status::deadline(&self.deployment).is_some() {
            status::set(&mut self.status, status::condition(PROGRESSING, value, reason, message, now));
        }
    }

    /// Notes a revision for the Deployment, unless it has it.
    fn note_revision(&mut self, revision: Option<&String>) {
        let present = Annotation::Revision.of(&self.deployment.metadata);
        if revision.is_some() && revision != present {
            self.revision = revision.cloned();
        }
    }
}

fn is_paused(deployment: &Deployment) -> bool {
    deployment.spec.paused.unwrap_or(false)
}
