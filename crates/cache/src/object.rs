//! [`Object`] and [`Metadata`]: the traits of objects that can be cached; [`MetaView`], the usual metadata of a view.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube_client::Resource;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use trimtab_selector::Selector;

use crate::{Json, JsonError, Labels, ManagedFields, ObjectKey, OwnerReferences, Time};

/// A Kubernetes object, whole or in part: its kind and its metadata.
///
/// Every [`kube_client::Resource`] is one. A *view*, a struct with the few fields that a controller reads, becomes one
/// in two lines. The decoder skips all other fields of the object, which costs little time and no memory:
///
/// ```
/// use k8s_openapi::api::core::v1::Pod;
/// use serde::Deserialize;
/// use trimtab_cache::{MetaView, Metadata, Object};
///
/// #[derive(Debug, Deserialize)]
/// struct PodView {
///     metadata: MetaView,
///     status: Phase,
/// }
///
/// #[derive(Debug, Deserialize)]
/// struct Phase {
///     phase: String,
/// }
///
/// impl Object for PodView {
///     type Kind = Pod;
///     fn metadata(&self) -> &impl Metadata { &self.metadata }
/// }
///
/// let pod: PodView = serde_json::from_str(
///     r#"{"metadata": {"namespace": "default", "name": "web"}, "status": {"phase": "Running"}}"#,
/// )?;
/// assert_eq!(pod.key().as_str(), "default/web");
/// assert_eq!(pod.status.phase, "Running");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Object: Send + Sync + 'static {
    /// The kind, which determines the API path, group and version.
    type Kind: Resource;

    /// Returns the object's metadata.
    fn metadata(&self) -> &impl Metadata;

    /// Decodes an object of this form from the server's text.
    ///
    /// The default is right for views, which have no `managedFields`. Whole objects are decoded without
    /// `managedFields`, unless [`ManagedFields::Kept`] is given.
    ///
    /// # Errors
    ///
    /// If the text is not such an object.
    fn decode(json: &mut Json<'_>, managed_fields: ManagedFields) -> Result<Self, JsonError>
    where
        Self: DeserializeOwned,
    {
        let _ = managed_fields;
        Self::deserialize(json)
    }

    /// Drops fields that are not worth storing. Called once, before the object is stored. Does nothing by default.
    fn prune(&mut self) {}

    /// Returns the key under which the object is cached and queued.
    fn key(&self) -> ObjectKey {
        let metadata = self.metadata();
        ObjectKey::namespaced(metadata.namespace().unwrap_or_default(), metadata.name())
    }
}

impl<K: Resource + Send + Sync + 'static> Object for K {
    type Kind = K;

    fn metadata(&self) -> &impl Metadata {
        self.meta()
    }

    fn decode(json: &mut Json<'_>, managed_fields: ManagedFields) -> Result<Self, JsonError>
    where
        Self: DeserializeOwned,
    {
        match managed_fields {
            ManagedFields::Dropped => Self::deserialize(json.without_managed_fields()),
            ManagedFields::Kept => Self::deserialize(json),
        }
    }
}

/// The metadata fields that caching, matching and owning need.
///
/// A field that the server has not set reads as empty.
pub trait Metadata {
    /// Returns the name, unique within the kind and namespace at any one time.
    fn name(&self) -> &str;
    /// Returns the namespace; `None` for a cluster-scoped object.
    fn namespace(&self) -> Option<&str>;
    /// Returns the UID, which distinguishes an object from a later one with the same name.
    fn uid(&self) -> &str;
    /// Returns the resource version of this state, as the server wrote it.
    fn resource_version(&self) -> &str;
    /// Returns the value of the label `key`.
    fn label(&self, key: &str) -> Option<&str>;
    /// Returns all labels. Equal labels share one text, so that they are compared and kept at little cost.
    fn labels(&self) -> Labels;
    /// Returns the owner references, that of the controller included.
    fn owner_references(&self) -> &[OwnerReference];
    /// Returns the time at which deletion was requested; `None` if it was not.
    fn deletion_timestamp(&self) -> Option<Time>;

    /// Returns the owner reference of the controller, the one owner that manages the object: upstream's
    /// `GetControllerOf`.
    fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references().iter().find(|owner| owner.controller == Some(true))
    }

    /// Returns whether the labels meet all requirements of `selector`.
    fn matches(&self, selector: &Selector) -> bool {
        selector.matches(|key| self.label(key))
    }

    /// Returns whether deletion was requested. A finalizer or a grace period may still delay it.
    fn is_being_deleted(&self) -> bool {
        self.deletion_timestamp().is_some()
    }
}

impl Metadata for ObjectMeta {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    fn uid(&self) -> &str {
        self.uid.as_deref().unwrap_or_default()
    }

    fn resource_version(&self) -> &str {
        self.resource_version.as_deref().unwrap_or_default()
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.labels.as_ref()?.get(key).map(String::as_str)
    }

    fn labels(&self) -> Labels {
        self.labels.iter().flatten().collect()
    }

    fn owner_references(&self) -> &[OwnerReference] {
        self.owner_references.as_deref().unwrap_or_default()
    }

    fn deletion_timestamp(&self) -> Option<Time> {
        self.deletion_timestamp.as_ref().map(Time::from)
    }
}

/// The metadata that a view usually needs. It has only the annotations that `A` names, and no `managedFields`.
///
/// ```
/// use serde::Deserialize;
/// use trimtab_cache::MetaView;
///
/// #[derive(Debug, Default, Deserialize)]
/// #[serde(default)]
/// struct Notes {
///     #[serde(rename = "controller.kubernetes.io/pod-deletion-cost")]
///     deletion_cost: Option<String>,
/// }
///
/// let metadata: MetaView<Notes> = serde_json::from_str(
///     r#"{"name": "web", "annotations": {"controller.kubernetes.io/pod-deletion-cost": "7", "more": "text"}}"#,
/// )?;
/// assert_eq!(metadata.annotations.deletion_cost.as_deref(), Some("7"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, bound = "A: Default + Deserialize<'de>")]
pub struct MetaView<A = IgnoredAny> {
    /// The name within the namespace.
    pub name: String,
    /// The namespace; `None` for a cluster-scoped object.
    pub namespace: Option<String>,
    /// The UID.
    pub uid: String,
    /// The resource version of this state.
    pub resource_version: String,
    /// The labels.
    pub labels: Labels,
    /// The annotations that the view reads; none by default.
    pub annotations: A,
    /// The owner references.
    pub owner_references: OwnerReferences,
    /// The time at which the server created the object.
    pub creation_timestamp: Option<Time>,
    /// The time at which deletion was requested.
    pub deletion_timestamp: Option<Time>,
}

impl<A> Metadata for MetaView<A> {
    fn name(&self) -> &str {
        &self.name
    }

    fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key)
    }

    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn owner_references(&self) -> &[OwnerReference] {
        &self.owner_references
    }

    fn deletion_timestamp(&self) -> Option<Time> {
        self.deletion_timestamp
    }
}
