//! Controller references: building one, and finding the object that one refers to.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube_client::Resource;
use std::sync::Arc;
use trimtab_cache::{Metadata, Object, ObjectKey};

/// What the API needs to know of `K` to name it.
pub(crate) type Dynamic<O> = <<O as Object>::Kind as Resource>::DynamicType;

/// An object that cannot own another, because the server has not named it yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {name:?} has no {missing}, so it cannot be referred to as an owner")]
pub struct ReferenceError {
    kind: String,
    name: String,
    missing: &'static str,
}

/// Makes the reference that marks a dependent as managed by `owner`.
///
/// `controller` and `blockOwnerDeletion` are true: upstream's `NewControllerRef`. The owner is a
/// whole object or a view of one. Write it into the `ownerReferences` of what you create; to take
/// over what exists already, use [`Claims`](crate::Claims).
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
        let (kind, name) = (O::Kind::kind(kind).into(), metadata.name().to_owned());
        return Err(ReferenceError { kind, name, missing });
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

/// Whether `owner` is the one that manages `object`: the UID of its controller reference says so.
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
/// so that a re-created namesake is not disturbed by what its predecessor has left.
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
/// What [`resolve_controller_ref`] does, for one reference that is at hand.
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

/// Whether `reference` names an object of `O`'s group and kind, in whatever version.
fn refers_to<O: Object>(reference: &OwnerReference, kind: &Dynamic<O>) -> bool {
    let group = reference.api_version.split_once('/').map_or("", |(group, _version)| group);
    group == O::Kind::group(kind) && reference.kind == O::Kind::kind(kind)
}
