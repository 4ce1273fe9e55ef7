//! Where keys come from: an informer, and a function from its events to keys.

use std::{hash::Hash, pin::Pin, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube_client::Resource;
use serde::de::DeserializeOwned;
use trimtab_cache::{Change, Metadata, Object, ObjectKey};
use trimtab_expectations::{Ledger, OnWake};
use trimtab_informer::{Event, Handler, Informer};
use trimtab_ownership::resolve_owner_with;
use trimtab_workqueue::WorkQueue;

/// An informer whose events become keys, whatever the type of its objects.
pub(crate) trait Source: Send + Sync {
    /// The kind, for messages.
    fn name(&self) -> String;
    fn start(&self);
    fn has_synced(&self) -> bool;
    /// `false` if the informer was stopped before its first list.
    fn wait_for_sync(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;
    /// Queues the keys of every object that exists and of all later events, until the handler is
    /// dropped.
    fn connect(&self, queue: &WorkQueue<ObjectKey>) -> Connection;
}

/// A source's handler; dropping it removes it.
pub(crate) enum Connection {
    Handler(Handler),
    Wakes(#[expect(dead_code, reason = "dropping it is its use")] OnWake<ObjectKey>),
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Self::Handler(handler) = self {
            handler.remove();
        }
    }
}

/// A ledger whose woken keys are queued.
pub(crate) struct Wakes<R, V>(pub(crate) Ledger<ObjectKey, R, V>);

impl<R, V> Source for Wakes<R, V>
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

    fn connect(&self, queue: &WorkQueue<ObjectKey>) -> Connection {
        let queue = queue.clone();
        Connection::Wakes(self.0.on_wake(move |key| {
            queue.add(key.clone());
        }))
    }
}

/// An informer with the function that maps its events.
pub(crate) struct Mapped<T: Object, F> {
    informer: Informer<T>,
    keys: Arc<F>,
}

impl<T: Object + DeserializeOwned, F, I> Mapped<T, F>
where
    F: Fn(&Event<T>) -> I + Send + Sync + 'static,
    I: IntoIterator<Item = ObjectKey>,
{
    pub(crate) fn new(informer: &Informer<T>, keys: F) -> Self {
        Self { informer: informer.clone(), keys: Arc::new(keys) }
    }
}

impl<T: Object + DeserializeOwned, F, I> Source for Mapped<T, F>
where
    F: Fn(&Event<T>) -> I + Send + Sync + 'static,
    I: IntoIterator<Item = ObjectKey>,
{
    fn name(&self) -> String {
        self.informer.name().to_owned()
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

    fn connect(&self, queue: &WorkQueue<ObjectKey>) -> Connection {
        let (queue, keys) = (queue.clone(), self.keys.clone());
        Connection::Handler(self.informer.on_change(move |event| {
            for key in keys(event) {
                queue.add(key);
            }
        }))
    }
}

/// Looks a controller's key up by the reference to it.
#[derive(Clone)]
pub(crate) struct Owners(Arc<Lookup>);

/// From a reference, and the dependent's namespace, to the owner's key.
type Lookup = dyn Fn(&OwnerReference, Option<&str>) -> Option<ObjectKey> + Send + Sync;

impl Owners {
    /// The objects of `informer`'s cache, as owners.
    pub(crate) fn of<T: Object>(informer: &Informer<T>) -> Self
    where
        <T::Kind as Resource>::DynamicType: Default,
    {
        let store = informer.store().clone();
        Self(Arc::new(move |reference, namespace| {
            let kind = Default::default();
            Some(resolve_owner_with(reference, namespace, &kind, |key| store.get(key))?.key())
        }))
    }

    /// Whom the event concerns: the object's controller, and the one that it had before. A resync
    /// concerns nobody: nothing has changed.
    pub(crate) fn concerned<T: Object>(&self, event: &Event<T>) -> impl Iterator<Item = ObjectKey> + use<T> {
        let states = match &event.change {
            Change::Added(object) => [Some(object), None],
            Change::Deleted(tombstone) => [Some(&tombstone.object), None],
            Change::Updated { .. } if event.is_resync() => [None, None],
            Change::Updated { old, new } => [Some(new), Some(old)],
        };
        let [new, old] = states.map(|state| self.controller(&**state?));
        let old = old.filter(|old| Some(old) != new.as_ref());
        new.into_iter().chain(old)
    }

    fn controller<T: Object>(&self, object: &T) -> Option<ObjectKey> {
        let metadata = object.metadata();
        (self.0)(metadata.controller()?, metadata.namespace())
    }
}
