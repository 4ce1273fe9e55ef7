//! [`Operator`]: the reconciler of databases.

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube_client::{
    Api, Client, Error, Resource, ResourceExt,
    api::{DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions},
};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::timeout;
use trimtab_controller::{
    Action, Controller, Error as Failed, RunError,
    cache::{Metadata, ObjectKey},
    informer::{Informer, InformerFactory},
    ownership::controller_reference,
};

use super::{Database, DatabaseStatus, Defect, config_hash};

/// The label that names the database of a Pod or of a claim.
pub(super) const DATABASE: &str = "example.com/database";
/// The label of a Pod with the hash of its configuration.
pub(super) const HASH: &str = "example.com/config-hash";
/// The annotation of a Pod that has joined the others.
const JOINED: &str = "example.com/joined";
/// The timeout of one reconcile.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(15);
/// The delay before an unfinished database is reconciled again.
pub(super) const SOON: Duration = Duration::from_secs(2);

/// The operator. Cheap to clone.
#[derive(Clone)]
pub struct Operator {
    pub(super) client: Client,
    defect: Option<Defect>,
    databases: Informer<Database>,
    pods: Informer<Pod>,
    claims: Informer<PersistentVolumeClaim>,
    /// The joined Pods, for [`Defect::RemembersByName`].
    joined: Arc<Mutex<BTreeSet<String>>>,
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operator").field("defect", &self.defect).finish_non_exhaustive()
    }
}

/// An existing member, as in the cache.
pub(super) struct Member {
    pub(super) index: u32,
    pub(super) pod: Arc<Pod>,
}

impl Operator {
    /// Creates an operator with this defect, or without one.
    pub fn new(client: Client, informers: &InformerFactory, defect: Option<Defect>) -> Self {
        Self {
            client,
            defect,
            databases: informers.informer(),
            pods: informers.informer(),
            claims: informers.informer(),
            joined: Arc::default(),
        }
    }

    /// Runs until `shutdown` completes.
    ///
    /// # Errors
    ///
    /// As [`Controller::run`].
    ///
    /// # Cancel safety
    ///
    /// As [`Controller::run`].
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        // Of the metadata alone, which is known even of a claim that cannot be decoded.
        let of_claim = |claim: &dyn Metadata| {
            let name = claim.label(DATABASE)?;
            Some(ObjectKey::namespaced(claim.namespace()?, name))
        };
        let controller = Controller::new("database", &self.databases)
            .owns(&self.pods)
            .watches(&self.claims, move |event| of_claim(event.metadata()))
            .reconciler(move |request| {
                let this = self.clone();
                // A request may stay without a response. The next reconcile reads its object again.
                async move { timeout(RECONCILE_TIMEOUT, this.reconcile(&request.key)).await? }
            });
        controller.run(shutdown).await
    }

    pub(super) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    async fn reconcile(&self, key: &ObjectKey) -> Result<Action, Failed> {
        if self.has(Defect::GoneByCache) && self.cached_by_server(key).await?.is_none() {
            self.delete_claims(key).await?;
            return Ok(Action::requeue_after(SOON));
        }
        let Some(cached) = self.databases.store().get(key) else {
            return Ok(Action::done()); // the finalizer has seen to everything
        };
        // Every write follows from the newest state of the database, not from the cached one.
        let Some(database) = self.api::<Database>(key).get_opt(key.name()).await? else {
            return Ok(Action::requeue_after(SOON));
        };
        if database.uid() != cached.uid() {
            return Ok(Action::requeue_after(SOON)); // another one of that name: the cache is to see it first
        }
        if database.meta().deletion_timestamp.is_some() {
            return self.tear_down(key, &database).await;
        }
        if !self.has(Defect::FinalizerLate) && self.add_finalizer(key, &database).await? {
            return Ok(Action::requeue());
        }
        self.create_members(key, &database).await?;
        if self.has(Defect::FinalizerLate) {
            self.add_finalizer(key, &database).await?;
        }
        let members = self.members(key).await?;
        self.join(key, &members).await?;
        let stale = if self.has(Defect::ShrinksByCache) { self.cached_by_server(key).await? } else { None };
        let mut is_settled = self.shrink(key, stale.as_ref().unwrap_or(&database), &members).await?;
        is_settled &= self.roll_out(key, &database, &members).await?;
        is_settled &= self.update_status(key, &database, &members).await?;
        Ok(if is_settled { Action::done() } else { Action::requeue_after(SOON) })
    }

    /// Reads the database from the API server's cache, which may be behind (`resourceVersion=0`).
    async fn cached_by_server(&self, key: &ObjectKey) -> Result<Option<Database>, Error> {
        match self.api::<Database>(key).get_with(key.name(), &GetParams::any()).await {
            Err(error) if is_not_found(&error) => Ok(None),
            found => found.map(Some),
        }
    }

    pub(super) fn api<K>(&self, key: &ObjectKey) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope> + DeserializeOwned,
    {
        Api::namespaced(self.client.clone(), key.namespace().unwrap_or_default())
    }

    /// Returns the members that have a Pod, in order.
    async fn members(&self, key: &ObjectKey) -> Result<Vec<Member>, Error> {
        let pods = if self.has(Defect::DeletesByName) {
            let any_state = ListParams::default().match_any(); // as the API server's cache has them
            self.api::<Pod>(key).list(&any_state).await?.items.into_iter().map(Arc::new).collect()
        } else {
            self.pods.store().in_namespace(key.namespace().unwrap_or_default())
        };
        let mut members: Vec<Member> = pods
            .into_iter()
            .filter(|pod| belongs(&**pod, key))
            .filter_map(|pod| Some(Member { index: index(&pod.name_any())?, pod }))
            .collect();
        members.sort_by_key(|member| member.index);
        Ok(members)
    }

    /// Creates missing claims and Pods.
    async fn create_members(&self, key: &ObjectKey, database: &Database) -> Result<(), Error> {
        let namespace = key.namespace().unwrap_or_default();
        let (claims, pods) = (self.claims.store(), self.pods.store());
        for index in 0..database.spec.replicas {
            let has_claim = claims.get(&ObjectKey::namespaced(namespace, &claim_name(key, index))).is_some();
            let has_pod = pods.get(&ObjectKey::namespaced(namespace, &pod_name(key, index))).is_some();
            let with_pod = self.has(Defect::ClaimAfterPod);
            if !has_claim && !with_pod {
                self.create::<PersistentVolumeClaim>(key, &claim(key, index)).await?;
            }
            if !has_pod {
                self.create::<Pod>(key, &pod(key, database, index)).await?;
                if with_pod {
                    self.create::<PersistentVolumeClaim>(key, &claim(key, index)).await?;
                }
            }
        }
        Ok(())
    }

    async fn create<K>(&self, key: &ObjectKey, object: &Value) -> Result<(), Error>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + DeserializeOwned
            + serde::Serialize
            + Clone
            + std::fmt::Debug,
    {
        let object: K = serde_json::from_value(object.clone()).map_err(Error::SerdeError)?;
        match self.api::<K>(key).create(&PostParams::default(), &object).await {
            Err(Error::Api(status)) if status.is_already_exists() => Ok(()), // the cache will show it
            created => created.map(drop),
        }
    }

    /// Joins each new Pod to the others, once.
    async fn join(&self, key: &ObjectKey, members: &[Member]) -> Result<(), Error> {
        if self.has(Defect::RemembersByName) {
            let present: BTreeSet<String> = members.iter().map(|member| member.pod.name_any()).collect();
            self.joined.lock().retain(|name| !name.starts_with(key.name()) || present.contains(name));
        }
        for Member { pod, .. } in members {
            let name = pod.name_any();
            let has_joined = match self.has(Defect::RemembersByName) {
                true => self.joined.lock().contains(&name),
                false => pod.annotations().contains_key(JOINED),
            };
            if has_joined || !is_ready(pod) || pod.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let patch = json!({"metadata": {"annotations": {JOINED: "true"}, "uid": pod.uid()}});
            match self.api::<Pod>(key).patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await {
                Err(error) if is_not_found(&error) => {}
                Err(error) => return Err(error), // a conflict may be about another Pod of this name
                Ok(_) => drop(self.joined.lock().insert(name)),
            }
        }
        Ok(())
    }

    /// Removes surplus members, the last one first, and then their claims. Returns whether none is left.
    async fn shrink(&self, key: &ObjectKey, database: &Database, members: &[Member]) -> Result<bool, Error> {
        let replicas = database.spec.replicas;
        if let Some(last) = members.iter().rev().find(|member| member.index >= replicas) {
            let is_going = last.pod.metadata.deletion_timestamp.is_some();
            if !is_going {
                self.delete_pod(key, &last.pod).await?;
            } else if self.has(Defect::ClaimOnTermination) {
                self.delete::<PersistentVolumeClaim>(key, &claim_name(key, last.index), None).await?;
            }
            return Ok(false);
        }
        if self.has(Defect::ClaimOnTermination) {
            return Ok(true);
        }
        let mut is_clean = true;
        for claim in self.claims.store().in_namespace(key.namespace().unwrap_or_default()) {
            let name = claim.name_any();
            if belongs(&*claim, key) && index(&name).is_some_and(|index| index >= replicas) {
                is_clean = false;
                self.delete::<PersistentVolumeClaim>(key, &name, claim.uid()).await?;
            }
        }
        Ok(is_clean)
    }

    pub(super) async fn delete_pod(&self, key: &ObjectKey, pod: &Pod) -> Result<(), Error> {
        let uid = if self.has(Defect::DeletesByName) { None } else { pod.uid() };
        self.delete::<Pod>(key, &pod.name_any(), uid).await
    }

    /// Deletes an object, if it still exists. With a `uid`, only the object with this UID.
    pub(super) async fn delete<K>(
        &self,
        key: &ObjectKey,
        name: &str,
        uid: Option<String>,
    ) -> Result<(), Error>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        let only_this = uid.map(|uid| Preconditions { uid: Some(uid), resource_version: None });
        let params = DeleteParams { preconditions: only_this, ..DeleteParams::default() };
        match self.api::<K>(key).delete(name, &params).await {
            Err(error) if is_not_found(&error) => Ok(()),
            deleted => deleted.map(drop),
        }
    }

    /// Writes the status if it has changed. Returns whether all members are up.
    async fn update_status(
        &self,
        key: &ObjectKey,
        database: &Database,
        members: &[Member],
    ) -> Result<bool, Error> {
        let hash = config_hash(&database.spec.config);
        let up = members.iter().filter(|member| is_ready(&member.pod));
        let ready = u32::try_from(up.count()).unwrap_or(u32::MAX);
        let all_have_it = members.iter().all(|member| member.pod.labels().get(HASH) == Some(&hash));
        let config_hash = if all_have_it { hash } else { String::new() };
        let status = DatabaseStatus { ready, config_hash };
        if database.status.as_ref() != Some(&status) {
            let patch = Patch::Merge(json!({"metadata": {"uid": database.uid()}, "status": status}));
            match self.api::<Database>(key).patch_status(key.name(), &PatchParams::default(), &patch).await {
                Err(error) if !is_not_found(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(ready == database.spec.replicas && all_have_it)
    }
}

/// Returns whether an object carries the label of a database.
fn belongs(object: &impl ResourceExt, key: &ObjectKey) -> bool {
    object.labels().get(DATABASE).is_some_and(|name| name == key.name())
}

/// Parses the number at the end of a member's name.
pub(super) fn index(name: &str) -> Option<u32> {
    name.rsplit_once('-')?.1.parse().ok()
}

fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.is_not_found())
}

/// Returns whether a Pod's condition `Ready` is true.
pub(super) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().filter_map(|status| status.conditions.as_ref()).flatten();
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn pod_name(key: &ObjectKey, index: u32) -> String {
    format!("{}-{index}", key.name())
}

fn claim_name(key: &ObjectKey, index: u32) -> String {
    format!("data-{}-{index}", key.name())
}

fn claim(key: &ObjectKey, index: u32) -> Value {
    json!({
        "metadata": {"name": claim_name(key, index), "labels": {DATABASE: key.name()}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    })
}

fn pod(key: &ObjectKey, database: &Database, index: u32) -> Value {
    let owners: Vec<_> = controller_reference(database).into_iter().collect();
    json!({
        "metadata": {
            "name": pod_name(key, index),
            "labels": {DATABASE: key.name(), HASH: config_hash(&database.spec.config)},
            "ownerReferences": owners,
        },
        "spec": {"containers": [{"name": "database", "image": "database"}]},
    })
}
