//! [`Writer::apply`]: server-side apply that sends nothing where nothing is to change.

use std::{fmt, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_client::{
    Resource,
    api::{Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use trimtab_cache::{Object, ResourceVersion, Store};

use super::{
    Writer, built,
    fields::project,
    key_of,
    memory::{ApplyKey, Memory, ROUNDS, hash_of},
};
use crate::{own_writes::name_of, requests::RequestError};

/// The outcome of an apply.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
#[non_exhaustive]
pub enum Applied<K> {
    /// Nothing was sent. This is the cached object, in which all applied fields stand.
    Unchanged(Arc<K>),
    /// The object was sent, and this is the server's reply.
    Sent {
        /// The object in the reply.
        object: Box<K>,
        /// The reason for which the request could not be omitted.
        because: Because,
    },
}

impl<K> Applied<K> {
    /// Returns the object as the server has it.
    pub fn object(&self) -> &K {
        match self {
            Self::Unchanged(object) => object,
            Self::Sent { object, .. } => object,
        }
    }

    /// Returns the reason for which a request was sent; `None` if none was.
    pub fn because(&self) -> Option<&Because> {
        match self {
            Self::Unchanged(_) => None,
            Self::Sent { because, .. } => Some(because),
        }
    }
}

/// The reason for which an apply was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Because {
    /// The writer has not applied the object before, or has forgotten it.
    First,
    /// The object differs from the one that was applied last.
    Changed,
    /// The cache has not reached the version of the last apply, so that nothing is known about its fields.
    CacheBehind,
    /// The object was deleted.
    Deleted,
    /// Another writer has changed or removed an applied field.
    FieldLost {
        /// The path of the first such field, as in `.spec.replicas`.
        path: String,
        /// The number of times in a row that this has happened, with less than ten minutes in between.
        rounds: u32,
    },
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("it was not applied before"),
            Self::Changed => f.write_str("it differs from the last apply"),
            Self::CacheBehind => f.write_str("the cache has not reached the version of the last apply"),
            Self::Deleted => f.write_str("it was deleted"),
            Self::FieldLost { path, rounds } => {
                write!(f, "{path} was changed by another writer ({rounds} times)")
            }
        }
    }
}

impl Writer {
    /// Applies `dependent` for `owner` (server-side apply, forced), in the namespace of the owner unless it has one.
    ///
    /// Sends nothing if all of this holds; otherwise the outcome says which did not:
    ///
    /// 1. `dependent` equals the last successful apply of the object by this writer.
    /// 2. `cache` has reached the version of that apply.
    /// 3. Every applied field has the value in `cache` that it had in the reply to that apply. Fields that the server or
    ///    other managers have added do not count.
    ///
    /// `cache` is the store of an informer of the kind, with whole objects.
    ///
    /// If another writer changes the same field back ten times in a row, a warning names the object, the field and the
    /// other field managers: two controllers, or two versions of one, fight over it.
    ///
    /// # Errors
    ///
    /// The owner cannot be the controller of the dependent, or the request failed.
    ///
    /// # Cancel safety
    ///
    /// An `apply` dropped before it completes counts as one with an unknown outcome.
    pub async fn apply<O, K>(
        &self,
        owner: &O,
        dependent: K,
        cache: &Store<K>,
    ) -> Result<Applied<K>, RequestError>
    where
        O: Object,
        <O::Kind as Resource>::DynamicType: Default,
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + fmt::Debug + Send + Sync + 'static,
    {
        let dependent = without_managed_fields(self.owned(owner, dependent)?);
        let wanted = to_value(&dependent)?;
        let hash = hash_of(&wanted); // without the annotation below, which changes with each leader
        let key = (name_of::<K>(), key_of(&dependent));
        let because = match self.verdict(&key, &hash, &wanted, cache)? {
            Ok(cached) => return Ok(Applied::Unchanged(cached)),
            Err(because) => because,
        };
        let dependent = self.annotated(dependent);
        let params = PatchParams::apply(&self.field_manager).force();
        let path = Self::path::<K>(dependent.meta().namespace.as_deref());
        let request = built(path.patch(key.1.name(), &params, &Patch::Apply(&dependent)))?;
        let object = self.update(owner, self.client.request::<K>(request)).await?;
        let memory = Memory {
            hash,
            version: object.meta().resource_version.as_deref().and_then(|version| version.parse().ok()),
            fields: hash_of(&project(&wanted, &to_value(&object)?)),
            managers: other_managers(object.meta(), &self.field_manager),
        };
        self.memories.set(key, memory);
        Ok(Applied::Sent { object: Box::new(object), because })
    }

    /// Returns the cached object if an apply can be omitted, or the reason why it cannot.
    fn verdict<K>(
        &self,
        key: &ApplyKey,
        hash: &str,
        wanted: &Value,
        cache: &Store<K>,
    ) -> Result<Result<Arc<K>, Because>, RequestError>
    where
        K: Resource<DynamicType = ()> + Serialize + Send + Sync + 'static,
    {
        let Some(memory) = self.memories.get(key) else { return Ok(Err(Because::First)) };
        if memory.hash != hash {
            return Ok(Err(Because::Changed));
        }
        let version = cache.resource_version(); // before the object: a change in between makes the object newer
        let cached = cache.get(&key.1);
        let of_object = cached.as_ref().and_then(|cached| cached.meta().resource_version.clone());
        let reached = |text: Option<String>| text.and_then(|text| text.parse::<ResourceVersion>().ok());
        let has_reached = memory.version.is_some()
            && (reached(version) >= memory.version || reached(of_object) >= memory.version);
        if !has_reached {
            return Ok(Err(Because::CacheBehind));
        }
        let Some(cached) = cached else { return Ok(Err(Because::Deleted)) };
        let Some(path) = memory.lost_field(wanted, &to_value(&*cached)?) else { return Ok(Ok(cached)) };
        let rounds = self.memories.undone(key);
        if rounds > 0 && rounds.is_multiple_of(ROUNDS) {
            let (kind, key) = key;
            let (managers, writer) = (memory.managers.join(", "), &*self.field_manager);
            tracing::warn!(
                %key,
                kind,
                field = %path,
                writer,
                other_managers = %managers,
                rounds,
                "two writers undo each other: another one changes this applied field back"
            );
        }
        Ok(Err(Because::FieldLost { path, rounds }))
    }
}

fn to_value(object: &impl Serialize) -> Result<Value, RequestError> {
    serde_json::to_value(object).map_err(kube_client::Error::SerdeError).map_err(RequestError::Client)
}

/// The server refuses an apply with `managedFields`.
fn without_managed_fields<K: Resource>(mut object: K) -> K {
    let metadata = object.meta_mut();
    (metadata.managed_fields, metadata.resource_version) = (None, None);
    object
}

fn other_managers(metadata: &ObjectMeta, own: &str) -> Vec<String> {
    let entries = metadata.managed_fields.iter().flatten();
    let mut names: Vec<_> =
        entries.filter_map(|entry| entry.manager.clone()).filter(|name| name != own).collect();
    names.sort();
    names.dedup();
    names
}
