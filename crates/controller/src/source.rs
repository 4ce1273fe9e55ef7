//! The sources of keys: an informer, and a function from its events to keys.

use std::{hash::Hash, pin::Pin, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube_client::Resource;
use serde::de::DeserializeOwned;
use trimtab_cache::{Change, Metadata, Object, ObjectKey};
use trimtab_expectations::{Ledger, OnWake};
use trimtab_informer::{Event, Handler, Informer};
use trimtab_ownership::resolve_owner_with;
use trimtab_workqueue::WorkQueue;

/// An informer whose events become keys, without the type of its objects.
pub(crate) trait Source: Send + Sync {
    /// Returns the informer's name, for messages.
    fn name(&self) -> String;
    fn start(&self);
    fn has_synced(&self) -> bool;
    /// Returns `false` if the informer was stopped before its first list.
    fn wait_for_sync(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;
    /// Queues the keys of every existing object and of all later events, until the guard is dropped.
    fn connect(&self, queue: &WorkQueue<ObjectKey>) -> HandlerGuard;
}

/// Removes a source's event handler when dropped.
pub(crate) enum HandlerGuard {
    Informer(Handler),
    Ledger(#[expect(dead_code, reason = "held for its drop")] OnWake<ObjectKey>),
}

impl Drop for HandlerGuard {
    fn drop(&mut self) {
        if let Self::Informer(handler) = self {
            handler.remove();
        }
    }
}

/// A ledger, whose keys are queued when their wait ends.
pub(crate) struct LedgerSource<R, V>(pub(crate) Ledger<ObjectKey, R, V>);

impl<R, V> Source for LedgerSource<R, V>
where
    R: Hash + Eq + Clone + Send + Sync + 'static,
    V: Ord + Clone + Send + Sync + 'static,
{
    fn name(&self) -> String {
        "ledger".to_owned()
    }

    fn start(&self) {}

    fn has_synced(&self) -> bool {
        true
    }

    fn wait_for_sync(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(std::future::ready(true))
    }

    fn connect(&self, queue: &WorkQueue<ObjectKey>) -> HandlerGuard {
        let queue = queue.clone();
        HandlerGuard::Ledger(self.0.on_wake(move |key| {
            queue.add(key.clone());
        }))
    }
}

/// An informer, and the function that maps its events to keys.
pub(crate) struct MappedInformer<T: Object, F> {
    informer: Informer<T>,
    keys: Arc<F>,
}

impl<T: Object + DeserializeOwned, F, I> MappedInformer<T, F>
where
    F: Fn(&Event<T>) -> I + Send + Sync + 'static,
    I: IntoIterator<Item = ObjectKey>,
{
    pub(crate) fn new(informer: &Informer<T>, keys: F) -> Self {
        Self { informer: informer.clone(), keys: Arc::new(keys) }
    }
}

impl<T: Object + DeserializeOwned, F, I> Source for MappedInformer<T, F>
where
    F: Fn(&Event<T>) -> I + Send + Sync + 'static,
    I: IntoIterator<Item = ObjectKey>,
{
    fn name(&self) -> String {
        self.informer.description().to_owned()
    }

    fn start(&self) {
        self.informer.start();
    }

    fn has_synced(&self) -> bool {
        self.informer.has_synced()
    }

    fn wait_for_sync(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(self.informer.wait_for_sync())
    }

    fn connect(&self, queue: &WorkQueue<ObjectKey>) -> HandlerGuard {
        let (queue, keys) = (queue.clone(), self.keys.clone());
        HandlerGuard::Informer(self.informer.on_change(move |event| {
            for key in keys(event) {
                queue.add(key);
            }
        }))
    }
}

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
