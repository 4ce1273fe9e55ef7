//! The finalizer of a database, and what it sees to: Pods and claims are deleted before the database is gone.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube_client::{
    Error, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::json;
use trimtab_controller::{Action, Error as Failed, cache::ObjectKey};

use super::{
    Database, Defect, Operator,
    operator::{DATABASE, SOON},
};

const FINALIZER: &str = "example.com/claims";

impl Operator {
    /// Returns whether the finalizer had to be added.
    pub(super) async fn add_finalizer(&self, key: &ObjectKey, database: &Database) -> Result<bool, Error> {
        if database.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
            return Ok(false);
        }
        let mut finalizers = database.finalizers().to_vec();
        finalizers.push(FINALIZER.to_owned());
        self.set_finalizers(key, database, &finalizers).await?;
        Ok(true)
    }

    async fn set_finalizers(&self, key: &ObjectKey, database: &Database, to: &[String]) -> Result<(), Error> {
        let patch = json!({"metadata": {
            "finalizers": to, "uid": database.uid(), "resourceVersion": database.resource_version(),
        }});
        self.api::<Database>(key).patch(key.name(), &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// Lists all claims of a database on the server and deletes them.
    pub(super) async fn delete_claims(&self, key: &ObjectKey) -> Result<bool, Error> {
        let of_this = ListParams::default().labels(&format!("{DATABASE}={}", key.name()));
        let claims = self.api::<PersistentVolumeClaim>(key).list(&of_this).await?;
        for claim in &claims.items {
            self.delete::<PersistentVolumeClaim>(key, &claim.name_any(), claim.uid()).await?;
        }
        Ok(claims.items.is_empty())
    }

    /// Cleans up a database that is being deleted: first its Pods, then its claims, then the finalizer.
    pub(super) async fn tear_down(&self, key: &ObjectKey, database: &Database) -> Result<Action, Failed> {
        let of_this = ListParams::default().labels(&format!("{DATABASE}={}", key.name()));
        let pods = self.api::<Pod>(key).list(&of_this).await?;
        for pod in &pods.items {
            if pod.metadata.deletion_timestamp.is_none() {
                self.delete::<Pod>(key, &pod.name_any(), pod.uid()).await?;
            }
        }
        if !pods.items.is_empty() {
            return Ok(Action::requeue_after(SOON));
        }
        let mut finalizers = database.finalizers().to_vec();
        finalizers.retain(|finalizer| finalizer != FINALIZER);
        let is_held = finalizers.len() < database.finalizers().len();
        if self.has(Defect::FinalizerEarly) && is_held {
            self.set_finalizers(key, database, &finalizers).await?;
        }
        if !self.delete_claims(key).await? {
            return Ok(Action::requeue_after(SOON)); // until the server says that none is left
        }
        if !self.has(Defect::FinalizerEarly) && is_held {
            self.set_finalizers(key, database, &finalizers).await?;
        }
        Ok(Action::done())
    }
}
