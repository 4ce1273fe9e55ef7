//! Controller references: building one, and finding the object that one refers to.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube_client::Resource;
use trimtab_cache::{Metadata, Object, ObjectKey};

/// The value that names the kind of `O` to the API.
pub(crate) type Dynamic<O> = <<O as Object>::Kind as Resource>::DynamicType;

/// An object that cannot be referred to as the owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {name:?} {reason}")]
pub struct ReferenceError {
    kind: String,
    name: String,
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("has no {0}, so it cannot be referred to as an owner")]
    Missing(&'static str),
    #[error("is in namespace {0:?} and cannot own a cluster-scoped object")]
    ClusterScoped(String),
    #[error("is in namespace {owner:?} and cannot own an object in namespace {dependent:?}")]
    OtherNamespace { owner: String, dependent: String },
    #[error("cannot control an object that {0} controls")]
    OtherController(String),
}

impl ReferenceError {
    fn new<O: Object>(owner: &O, kind: &Dynamic<O>, reason: Reason) -> Self {
        let (kind, name) = (O::Kind::kind(kind).into(), owner.metadata().name().to_owned());
        Self { kind, name, reason }
    }

    /// Returns whether another object controls the dependent already.
    pub fn is_controlled_by_another(&self) -> bool {
        matches!(self.reason, Reason::OtherController(_))
    }
}

/// Makes `owner` the controller of a dependent that is about to be created or updated.
///
/// Upstream's `SetControllerReference`. A reference to the same UID is replaced, so that none is ever
/// added twice; other owners stay. To take over an object that exists already, use
/// [`Claims`](crate::Claims).
///
/// # Errors
///
/// If the owner has no name or no UID, if another object controls the dependent already, or if the owner
/// is in a namespace and the dependent in another or in none. The garbage collector would delete such a
/// dependent. The namespace of the dependent must be set before.
pub fn set_controller_reference<O: Object>(
    owner: &O,
    dependent: &mut ObjectMeta,
) -> Result<(), ReferenceError>
where
    Dynamic<O>: Default,
{
    set_controller_reference_with(owner, &Dynamic::<O>::default(), dependent)
}

/// [`set_controller_reference`] for an owner whose kind is known at run time only.
///
/// # Errors
///
/// As [`set_controller_reference`].
pub fn set_controller_reference_with<O: Object>(
    owner: &O,
    kind: &Dynamic<O>,
    dependent: &mut ObjectMeta,
) -> Result<(), ReferenceError> {
    let reference = controller_reference_with(owner, kind)?;
    let refuse = |reason| Err(ReferenceError::new(owner, kind, reason));
    if let Some(namespace) = owner.metadata().namespace() {
        match dependent.namespace.as_deref() {
            None => return refuse(Reason::ClusterScoped(namespace.to_owned())),
            Some(other) if other != namespace => {
                let (owner, dependent) = (namespace.to_owned(), other.to_owned());
                return refuse(Reason::OtherNamespace { owner, dependent });
            }
            Some(_) => {}
        }
    }
    let owners = dependent.owner_references.get_or_insert_default();
    let is_controller =
        |other: &&OwnerReference| other.controller == Some(true) && other.uid != reference.uid;
    if let Some(other) = owners.iter().find(is_controller) {
        return refuse(Reason::OtherController(format!("{} {:?}", other.kind, other.name)));
    }
    owners.retain(|other| other.uid != reference.uid);
    owners.push(reference);
    Ok(())
}

/// Makes the reference that marks a dependent as managed by `owner`.
///
/// `controller` and `blockOwnerDeletion` are true: upstream's `NewControllerRef`. The owner is a
/// whole object or a view of one. [`set_controller_reference`] also checks the dependent.
///
/// # Errors
///
/// If the owner has no name or no UID: it never came from the server. A reference without a UID
/// would make the garbage collector delete the dependent.
pub fn controller_reference<O: Object>(owner: &O) -> Result<OwnerReference, ReferenceError>
where
    Dynamic<O>: Default,
{
    controller_reference_with(owner, &Dynamic::<O>::default())
}

/// [`controller_reference`] for an owner whose kind is known at run time only.
///
/// # Errors
///
/// If the owner has no name or no UID.
pub fn controller_reference_with<O: Object>(
    owner: &O,
    kind: &Dynamic<O>,
) -> Result<OwnerReference, ReferenceError> {
    let metadata = owner.metadata();
    let missing = match (metadata.name(), metadata.uid()) {
        ("", _) => Some("name"),
        (_, "") => Some("UID"),
        _ => None,
    };
    if let Some(missing) = missing {
        return Err(ReferenceError::new(owner, kind, Reason::Missing(missing)));
    }
    Ok(OwnerReference {
        api_version: O::Kind::api_version(kind).into(),
        kind: O::Kind::kind(kind).into(),
        name: metadata.name().to_owned(),
        uid: metadata.uid().to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    })
}

/// Returns whether `owner` manages `object`, by the UID of its controller reference.
///
/// An owner that has no UID yet controls nothing.
pub fn is_controlled_by<T: Object, O: Object>(object: &T, owner: &O) -> bool {
    let owner = owner.metadata().uid();
    !owner.is_empty() && object.metadata().controller().is_some_and(|controller| controller.uid == owner)
}

/// Finds the object of `O`'s kind that manages `dependent`, if there is one.
///
/// This is the way from an event on a dependent to the key that must be reconciled. `get` looks an
/// object up, usually in an informer's store: first in the dependent's namespace, then among
/// cluster-scoped objects. Group and kind must match, the version need not; and the UID must match,
/// so that events on the dependents of a deleted owner do not reach a later owner of the same name.
///
/// ```
/// use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
/// use trimtab_cache::{Object, ObjectKey, StoreWriter};
/// use trimtab_ownership::resolve_controller_ref;
///
/// # let pod: Pod = serde_json::from_str(r#"{"metadata": {"namespace": "default", "name": "web-1"}}"#)?;
/// let sets = StoreWriter::<ReplicaSet>::new().store().clone();
/// let key: Option<ObjectKey> = resolve_controller_ref(&pod, |key| sets.get(key)).map(|set| set.key());
/// assert_eq!(key, None, "the Pod is an orphan");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn resolve_controller_ref<T: Object, O: Object>(
    dependent: &T,
    get: impl Fn(&ObjectKey) -> Option<Arc<O>>,
) -> Option<Arc<O>>
where
    Dynamic<O>: Default,
{
    resolve_controller_ref_with(dependent, &Dynamic::<O>::default(), get)
}

/// [`resolve_controller_ref`] for owners whose kind is known at run time only.
pub fn resolve_controller_ref_with<T: Object, O: Object>(
    dependent: &T,
    kind: &Dynamic<O>,
    get: impl Fn(&ObjectKey) -> Option<Arc<O>>,
) -> Option<Arc<O>> {
    let metadata = dependent.metadata();
    resolve_owner_with(metadata.controller()?, metadata.namespace(), kind, get)
}

/// Finds the object of `O`'s kind that `reference` names, for a dependent in `namespace`.
///
/// The same as [`resolve_controller_ref`], for one reference that is at hand.
pub fn resolve_owner_with<O: Object>(
    reference: &OwnerReference,
    namespace: Option<&str>,
    kind: &Dynamic<O>,
    get: impl Fn(&ObjectKey) -> Option<Arc<O>>,
) -> Option<Arc<O>> {
    if !refers_to::<O>(reference, kind) {
        return None;
    }
    let namespaced = namespace.map(|namespace| ObjectKey::namespaced(namespace, &reference.name));
    namespaced
        .into_iter()
        .chain([ObjectKey::cluster_scoped(&reference.name)])
        .find_map(|key| get(&key).filter(|owner| owner.metadata().uid() == reference.uid))
}

/// Returns whether `reference` names an object of `O`'s group and kind, in whatever version.
fn refers_to<O: Object>(reference: &OwnerReference, kind: &Dynamic<O>) -> bool {
    let group = reference.api_version.split_once('/').map_or("", |(group, _version)| group);
    group == O::Kind::group(kind) && reference.kind == O::Kind::kind(kind)
}
