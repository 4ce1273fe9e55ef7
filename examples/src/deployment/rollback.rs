//! Rollbacks by annotation, the form that the removed API `extensions/v1beta1` left behind.
//!
//! `kubectl rollout undo` changes the template itself and needs nothing of this.

use k8s_openapi::{
    api::apps::v1::{Deployment, ReplicaSet},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube_client::{Resource, api::Patch};
use serde_json::{Value, json};
use trimtab_controller::{
    cache::Metadata,
    ownership::pods::{POD_TEMPLATE_HASH, is_same_template},
};
use trimtab_events::NewEvent;

use super::{
    Deployments, Error,
    sets::{self, Annotation, Sets},
};

/// Returns the revision to which a rollback is requested, 0 for the last one. A value that is no number is ignored.
pub(super) fn requested(deployment: &Deployment) -> Option<i64> {
    Annotation::RollbackTo.of(&deployment.metadata)?.parse().ok()
}

impl Deployments {
    /// Gives the Deployment the template and the annotations of the revision, and removes the request: upstream's
    /// `rollback`. A revision that is gone, or that has the present template, is an Event.
    pub(super) async fn roll_back(
        &self,
        deployment: &Deployment,
        revision: i64,
        sets: &Sets,
    ) -> Result<(), Error> {
        let name = deployment.metadata.name();
        let revision = if revision == 0 { sets::last_revision(sets.all()) } else { revision };
        let found = sets.all().find(|set| revision != 0 && sets::revision(&set.metadata) == Some(revision));
        let mut patch = json!({"metadata": {"annotations": {Annotation::RollbackTo.name(): null}}});
        let event = match found {
            None => {
                let note = match revision {
                    0 => "Unable to find last revision.",
                    _ => "Unable to find the revision to rollback to.",
                };
                NewEvent::warning("DeploymentRollbackRevisionNotFound", "RollBack", note)
            }
            Some(set) if is_same_template(&deployment.spec.template, set.spec.template.as_ref()) => {
                let note = format!(
                    "The rollback revision contains the same template as current deployment {name:?}"
                );
                NewEvent::warning("DeploymentRollbackTemplateUnchanged", "RollBack", note)
            }
            Some(set) => {
                patch = roll_back_to(deployment, set);
                let note = format!("Rolled back deployment {name:?} to revision {revision}");
                NewEvent::normal("DeploymentRollback", "RollBack", note)
            }
        };
        patch["metadata"]["uid"] = json!(deployment.metadata.uid);
        patch["metadata"]["resourceVersion"] = json!(deployment.metadata.resource_version);
        let written = self.writer.patch(deployment, deployment, &Patch::Merge(patch)).await;
        written.map_err(|error| Error::Write("rolling back", error))?;
        self.events.record(&deployment.object_ref(&()), event);
        Ok(())
    }
}

/// Returns the patch that gives the Deployment the template of `set`, and its annotations.
///
/// The annotations go with the template: otherwise the change cause of the present revision would stay, and be copied to
/// the set that comes back.
fn roll_back_to(deployment: &Deployment, set: &ReplicaSet) -> Value {
    let mut template = json!(set.spec.template);
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(POD_TEMPLATE_HASH);
    }
    let change = replacing(&json!(deployment.spec.template), template);
    let copied = |metadata: &ObjectMeta| -> Value {
        let all = metadata.annotations.iter().flatten().filter(|(name, _)| !Annotation::stays(name));
        all.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let mut annotations = replacing(&copied(&deployment.metadata), copied(&set.metadata));
    annotations[Annotation::RollbackTo.name()] = Value::Null;
    json!({"metadata": {"annotations": annotations}, "spec": {"template": change}})
}

/// Returns the merge patch that makes `new` of `old`: fields that `new` lacks are null. Lists are replaced as a whole.
pub(super) fn replacing(old: &Value, new: Value) -> Value {
    let (Value::Object(old), Value::Object(mut new)) = (old, new.clone()) else { return new };
    for (name, before) in old {
        let after = new.remove(name).unwrap_or(Value::Null);
        new.insert(name.clone(), replacing(before, after));
    }
    Value::Object(new)
}
