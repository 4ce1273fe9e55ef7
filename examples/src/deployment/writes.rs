//! The writes of a sync: sizes and changes of sets, deletions of old ones, the status.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use kube_client::{
    Api, Resource,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};
use trimtab_controller::{
    Written,
    cache::{Metadata, Object},
};
use trimtab_events::NewEvent;

use super::{
    Deployments, Error, Rule,
    rollback::replacing,
    sets::{self, Annotation, Sets, replicas},
    status,
    sync::Draft,
};

impl Deployments {
    /// Writes the number of Pods of a set and the annotations of a scaling, unless both are right: upstream's
    /// `scaleReplicaSet`.
    pub(super) async fn resize(
        &self,
        draft: &Draft,
        sets: &mut Sets,
        set: &ReplicaSet,
        size: i32,
    ) -> Result<(), Error> {
        let annotations = sets::scaled_annotations(&draft.limits);
        let existing = set.metadata.annotations.as_ref();
        let has = |(name, value)| existing.is_some_and(|all| all.get(name) == Some(value));
        let before = replicas(set);
        if before == size && annotations.iter().all(has) {
            return Ok(());
        }
        let change = json!({"metadata": {"annotations": annotations}, "spec": {"replicas": size}});
        self.update(draft, sets, set, change).await?;
        if before != size {
            self.scaled(&draft.deployment, set.metadata().name(), before, size);
        }
        Ok(())
    }

    /// Sends a change of a set. It names the version of the set, so that a change of another writer is not overwritten.
    pub(super) async fn update(
        &self,
        draft: &Draft,
        sets: &mut Sets,
        set: &ReplicaSet,
        mut change: Value,
    ) -> Result<(), Error> {
        change["metadata"]["uid"] = json!(set.metadata.uid);
        change["metadata"]["resourceVersion"] = json!(set.metadata.resource_version);
        let updated = self.writer.patch(&*draft.deployment, set, &Patch::Merge(change)).await;
        sets.replace(
            updated.map_err(|error| Error::Set("updating", set.metadata().name().to_owned(), error))?,
        );
        Ok(())
    }

    /// Deletes old sets beyond `revisionHistoryLimit`.
    pub(super) async fn clean_up(&self, deployment: &Deployment, sets: &Sets) -> Result<(), Error> {
        let Some(limit) = deployment.spec.revision_history_limit.filter(|limit| *limit != i32::MAX) else {
            return Ok(());
        };
        let limit = if self.without == Some(Rule::History) { 0 } else { limit };
        for set in sets::outdated(&sets.old, limit.try_into().unwrap_or(0)) {
            let deleted = self.writer.delete(deployment, &*set).await;
            deleted.map_err(|error| Error::Set("deleting", set.metadata().name().to_owned(), error))?;
        }
        Ok(())
    }

    /// Records that a set was scaled.
    pub(super) fn scaled(&self, deployment: &Deployment, set: &str, from: i32, to: i32) {
        let direction = if from < to { "up" } else { "down" };
        let note = format!("Scaled {direction} replica set {set} from {from} to {to}");
        let event = NewEvent::normal("ScalingReplicaSet", "ScaleReplicaSet", note);
        self.events.record(&deployment.object_ref(&()), event);
    }

    /// Writes the status and the revision, if one of them has changed.
    ///
    /// The patch names the version of the Deployment. After a conflict the next sync decides anew, by the newer object.
    pub(super) async fn write_status(&self, draft: &Draft) -> Result<(), Error> {
        let metadata = draft.deployment.metadata();
        let before = draft.deployment.status.clone().unwrap_or_default();
        if draft.revision.is_none() && !status::differs(&before, &draft.status) {
            return Ok(());
        }
        let mut patch = json!({
            "metadata": {"uid": metadata.uid(), "resourceVersion": metadata.resource_version()},
            "status": replacing(&json!(before), json!(draft.status)),
        });
        if let Some(revision) = &draft.revision {
            patch["metadata"]["annotations"] = json!({Annotation::Revision.name(): revision});
        }
        let api: Api<Written<Deployment>> =
            Api::namespaced(self.client.clone(), metadata.namespace().unwrap_or_default());
        let (params, patch) = (PatchParams::default(), Patch::Merge(patch));
        let request = api.patch_status(metadata.name(), &params, &patch);
        match self.writes.update(&draft.deployment.key(), metadata.uid(), request).await {
            Err(error) if error.is_not_found() => {
                // It was deleted, whatever the cache shows: it gets no more sets.
                self.writes.owner_not_found(&draft.deployment.key(), metadata.uid());
                Ok(())
            }
            written => written.map(drop).map_err(|error| Error::Write("writing the status", error)),
        }
    }
}
