//! [`OwnerLookup`]: finds the key of a dependent's controller.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube_client::Resource;
use trimtab_cache::{Change, Metadata, Object, ObjectKey};
use trimtab_informer::{Event, Informer};
use trimtab_ownership::resolve_owner_with;

/// Finds the key of an object's controller among the primary objects.
#[derive(Clone)]
pub(crate) struct OwnerLookup(Arc<Lookup>);

/// Maps an owner reference and the dependent's namespace to the owner's key.
type Lookup = dyn Fn(&OwnerReference, Option<&str>) -> Option<ObjectKey> + Send + Sync;

impl OwnerLookup {
    /// Looks owners up in the cache of `informer`, whose objects are of the kind that `dyntype` describes.
    pub(crate) fn new_with<T: Object>(
        informer: &Informer<T>,
        dyntype: &<T::Kind as Resource>::DynamicType,
    ) -> Self
    where
        <T::Kind as Resource>::DynamicType: Clone,
    {
        let (store, kind) = (informer.store().clone(), dyntype.clone());
        Self(Arc::new(move |reference, namespace| {
            Some(resolve_owner_with(reference, namespace, &kind, |key| store.get(key))?.key())
        }))
    }

    /// Returns the keys of the object's controller and of the controller it had before the event. Returns no key for
    /// a resync, because nothing has changed.
    pub(crate) fn controllers_of<T: Object>(
        &self,
        event: &Event<T>,
    ) -> impl Iterator<Item = ObjectKey> + use<T> {
        let states: [Option<&dyn Metadata>; 2] = match &event.change {
            Change::Updated { .. } if event.is_resync() => [None, None],
            Change::Updated { old, .. } => [Some(event.metadata()), Some(old.metadata())],
            _ => [Some(event.metadata()), None],
        };
        let [new, old] = states.map(|state| self.controller(state?));
        let old = old.filter(|old| Some(old) != new.as_ref());
        new.into_iter().chain(old)
    }

    /// Returns the key of the controller in `metadata`, if that is a primary object.
    pub(crate) fn controller(&self, metadata: &dyn Metadata) -> Option<ObjectKey> {
        (self.0)(metadata.controller()?, metadata.namespace())
    }
}
