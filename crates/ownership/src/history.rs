//! [`History`]: the `ControllerRevision`s of an owner: create, find equal, renumber, truncate.

use std::{collections::HashSet, error, fmt, sync::Arc};

use k8s_openapi::{
    api::apps::v1::ControllerRevision,
    apimachinery::pkg::{apis::meta::v1::OwnerReference, runtime::RawExtension},
};
use kube_client::{
    Api, Client,
    api::{DeleteParams, PostParams, Preconditions},
};
use serde_json::{Value, json};
use tokio::time::timeout;
use trimtab_cache::{Metadata, Object};

use crate::{
    ReferenceError, controller_reference_with,
    names::template_hash,
    reference::Dynamic,
    request::{DEADLINE, RequestError},
};

/// The label that carries a revision's hash.
const HASH_LABEL: &str = "controller.kubernetes.io/hash";

/// The revisions of one owner: upstream's `history.Interface`.
///
/// List and claim an owner's revisions as any dependents ([`Claims`](crate::Claims),
/// [`OwnerIndex`](crate::OwnerIndex)); this type writes them.
pub struct History {
    api: Api<ControllerRevision>,
    namespace: String,
    owner: OwnerReference,
}

/// A revision that could not be written.
#[derive(Debug)]
pub struct HistoryError {
    action: &'static str,
    name: String,
    cause: RequestError,
}

impl History {
    /// Creates the history of `owner`, which is a namespaced object.
    ///
    /// # Errors
    ///
    /// If the owner has no name or no UID.
    pub fn new<O: Object>(client: Client, owner: &O) -> Result<Self, ReferenceError>
    where
        Dynamic<O>: Default,
    {
        let reference = controller_reference_with(owner, &Dynamic::<O>::default())?;
        let namespace = owner.metadata().namespace().unwrap_or_default().to_owned();
        Ok(Self { api: Api::namespaced(client, &namespace), namespace, owner: reference })
    }

    /// Makes a revision of the owner with the content `data`, to be passed to [`create`](Self::create).
    ///
    /// Its name follows from the owner, the content and `collision_count`.
    ///
    /// # Errors
    ///
    /// If `data` cannot be hashed.
    pub fn revision(
        &self,
        data: &Value,
        number: i64,
        labels: impl IntoIterator<Item = (String, String)>,
        collision_count: Option<i32>,
    ) -> Result<ControllerRevision, serde_json::Error> {
        let hash = template_hash(data, collision_count)?;
        let mut labels: std::collections::BTreeMap<_, _> = labels.into_iter().collect();
        labels.insert(HASH_LABEL.to_owned(), hash.clone());
        // As JSON, because versions of Kubernetes differ in which fields are optional.
        serde_json::from_value(json!({
            "metadata": {
                "name": revision_name(&self.owner.name, &hash),
                "namespace": self.namespace,
                "labels": labels,
                "ownerReferences": [self.owner],
            },
            "data": data,
            "revision": number,
        }))
    }

    /// Creates `revision`, or returns an existing revision with the same content.
    ///
    /// If another content has the name, `collision_count` is raised and another name is tried: store the
    /// count in the owner's status. Upstream's `CreateControllerRevision`.
    ///
    /// # Errors
    ///
    /// If a request fails.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the revision may have been created. The next call returns it.
    pub async fn create(
        &self,
        mut revision: ControllerRevision,
        collision_count: &mut i32,
    ) -> Result<ControllerRevision, HistoryError> {
        loop {
            // A JSON value can always be hashed.
            let hash = template_hash(&content(&revision), Some(*collision_count)).unwrap_or_default();
            let name = revision_name(&self.owner.name, &hash);
            revision.metadata.name = Some(name.clone());
            revision.metadata.labels.get_or_insert_default().insert(HASH_LABEL.to_owned(), hash);
            let created = within_deadline(self.api.create(&PostParams::default(), &revision)).await;
            let failed = |cause| HistoryError { action: "creating", name: name.clone(), cause };
            match created {
                Err(error) if error.code() == Some(409) => {}
                created => return created.map_err(failed),
            }
            let existing = within_deadline(self.api.get(&name)).await.map_err(failed)?;
            let ours = existing.metadata().controller().is_some_and(|owner| owner.uid == self.owner.uid);
            if ours && equal_revisions(&existing, &revision) {
                return Ok(existing);
            }
            *collision_count = collision_count.saturating_add(1);
        }
    }

    /// Gives `revision` the number `number`, so that it counts as the newest. Upstream's
    /// `UpdateControllerRevision`.
    ///
    /// After a conflict the revision is read again, once.
    ///
    /// # Errors
    ///
    /// If a request fails.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the number may have been written.
    pub async fn renumber(
        &self,
        revision: &ControllerRevision,
        number: i64,
    ) -> Result<ControllerRevision, HistoryError> {
        if revision_number(revision) == number {
            return Ok(revision.clone());
        }
        let name = revision.metadata().name();
        let failed = |cause| HistoryError { action: "renumbering", name: name.to_owned(), cause };
        let renumbered = |revision: &ControllerRevision| {
            let mut revision = revision.clone();
            set(&mut revision.revision, number);
            revision
        };
        let params = PostParams::default();
        match within_deadline(self.api.replace(name, &params, &renumbered(revision))).await {
            Err(error) if error.code() == Some(409) => {}
            replaced => return replaced.map_err(failed),
        }
        let now = within_deadline(self.api.get(name)).await.map_err(failed)?;
        within_deadline(self.api.replace(name, &params, &renumbered(&now))).await.map_err(failed)
    }

    /// Deletes the oldest of `revisions` until no more than `limit` are left that are not in `live`, a list of
    /// names. Returns the number of deleted ones.
    ///
    /// # Errors
    ///
    /// If a delete fails. A revision that is gone already is no failure.
    ///
    /// # Cancel safety
    ///
    /// If dropped, some revisions may have been deleted. The next call continues from there.
    pub async fn truncate(
        &self,
        mut revisions: Vec<Arc<ControllerRevision>>,
        live: &HashSet<String>,
        limit: usize,
    ) -> Result<usize, HistoryError> {
        revisions.retain(|revision| !live.contains(revision.metadata().name()));
        sort_revisions(&mut revisions);
        let excess = revisions.len().saturating_sub(limit);
        for revision in &revisions[..excess] {
            let metadata = revision.metadata();
            let only_this = Preconditions { uid: Some(metadata.uid().to_owned()), resource_version: None };
            let params = DeleteParams { preconditions: Some(only_this), ..DeleteParams::default() };
            match within_deadline(self.api.delete(metadata.name(), &params)).await {
                Err(cause) if cause.code() != Some(404) => {
                    return Err(HistoryError { action: "deleting", name: metadata.name().to_owned(), cause });
                }
                _ => {}
            }
        }
        Ok(excess)
    }
}

/// Returns whether two revisions have the same content, whatever their names, labels and numbers are.
pub fn equal_revisions(one: &ControllerRevision, other: &ControllerRevision) -> bool {
    content(one) == content(other)
}

/// Returns the number of a revision.
pub fn revision_number(revision: &ControllerRevision) -> i64 {
    optional(revision.revision).unwrap_or(0)
}

/// Sorts revisions by number, then by age, then by name: the oldest first.
pub fn sort_revisions(revisions: &mut [Arc<ControllerRevision>]) {
    let key = |revision: &ControllerRevision| {
        let created = revision.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (revision_number(revision), created, revision.metadata().name().to_owned())
    };
    revisions.sort_by_cached_key(|revision| key(revision));
}

/// The number of a new revision: one more than the highest.
pub fn next_revision(revisions: &[Arc<ControllerRevision>]) -> i64 {
    revisions.iter().map(|revision| revision_number(revision)).max().unwrap_or(0).saturating_add(1)
}

/// Returns the content of a revision; `null` without one.
fn content(revision: &ControllerRevision) -> Value {
    optional::<RawExtension>(revision.data.clone()).map_or(Value::Null, |data| data.0)
}

/// Returns a field that is optional in some versions of Kubernetes and not in others.
fn optional<T>(field: impl Into<Option<T>>) -> Option<T> {
    field.into()
}

/// Sets a field that is optional in some versions of Kubernetes and not in others.
fn set<T, F: From<T>>(field: &mut F, value: T) {
    *field = F::from(value);
}

fn revision_name(owner: &str, hash: &str) -> String {
    // Upstream cuts the owner's name at 223, so that the whole fits into a name's 253 characters.
    let cut = owner.char_indices().map(|(index, _)| index).nth(223).unwrap_or(owner.len());
    format!("{}-{hash}", &owner[..cut])
}

async fn within_deadline<T>(
    request: impl Future<Output = kube_client::Result<T>>,
) -> Result<T, RequestError> {
    match timeout(DEADLINE, request).await {
        Ok(reply) => Ok(reply?),
        Err(_) => Err(RequestError::Deadline(DEADLINE)),
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ControllerRevision {:?}", self.action, self.name)
    }
}

impl error::Error for HistoryError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.cause)
    }
}
