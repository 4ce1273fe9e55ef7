//! [`Watch`]: an informer as a source of keys, with its predicate.

use std::{fmt, pin::Pin, sync::Arc};

use serde::de::DeserializeOwned;
use trimtab_cache::{Object, ObjectKey};
use trimtab_informer::{Event, Handler, Informer, Status};

use super::{Activity, Connection, Source};
use crate::{
    predicate::{Predicate, kind_of},
    queue::Inlet,
};

/// An informer as a source of keys: optionally with a [`Predicate`] that filters its events.
///
/// The functions of a controller take an informer, which converts to a `Watch` of all its events, or a `Watch`:
///
/// ```
/// # use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
/// # use trimtab_controller::{Controller, Watch, generation_changed, informer::Informer, labels_changed};
/// # fn wire(deployments: Informer<Deployment>, pods: Informer<Pod>) -> Controller<()> {
/// Controller::new("deployment", Watch::new(&deployments).when(generation_changed()))
///     .owns(Watch::new(&pods).when(labels_changed()).optional())
/// # }
/// ```
#[must_use]
pub struct Watch<T> {
    pub(crate) informer: Informer<T>,
    predicate: Option<Predicate<T>>,
    pub(crate) optional: bool,
}

impl<T: Object> Watch<T> {
    /// Watches all events of `informer`.
    pub fn new(informer: &Informer<T>) -> Self {
        Self { informer: informer.clone(), predicate: None, optional: false }
    }

    /// Ignores the events for which `predicate` returns `false`. Of several predicates all must return `true`.
    ///
    /// A predicate does not shrink the cache; a [`Selection`](trimtab_informer::Selection) does.
    pub fn when(mut self, predicate: Predicate<T>) -> Self {
        self.predicate = Some(match self.predicate {
            Some(other) => other.and(predicate),
            None => predicate,
        });
        self
    }

    /// Lets a run of the controller begin before the informer has its first list, and go on if it never has one.
    ///
    /// A reconciler that reads the store of an optional source must expect it to be empty.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

impl<T: Object> From<&Informer<T>> for Watch<T> {
    fn from(informer: &Informer<T>) -> Self {
        Self::new(informer)
    }
}

impl<T> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("filtered", &self.predicate.is_some())
            .field("optional", &self.optional)
            .finish_non_exhaustive()
    }
}

/// An informer, and the function that maps its events to keys.
pub(crate) struct MappedInformer<T: Object, F> {
    informer: Informer<T>,
    predicate: Option<Predicate<T>>,
    keys: Arc<F>,
}

impl<T: Object + DeserializeOwned, F, I> MappedInformer<T, F>
where
    F: Fn(&Event<T>) -> I + Send + Sync + 'static,
    I: IntoIterator<Item = ObjectKey>,
{
    pub(crate) fn new(watch: Watch<T>, keys: F) -> Self {
        Self { informer: watch.informer, predicate: watch.predicate, keys: Arc::new(keys) }
    }
}

impl<T: Object + DeserializeOwned, F, I> Source for MappedInformer<T, F>
where
    F: Fn(&Event<T>) -> I + Send + Sync + 'static,
    I: IntoIterator<Item = ObjectKey>,
{
    fn name(&self) -> Arc<str> {
        self.informer.description().into()
    }

    fn start(&self) {
        self.informer.start();
    }

    fn wait_for_sync(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(self.informer.wait_for_sync())
    }

    fn activity(&self) -> Activity {
        activity_of(&self.informer.status())
    }

    fn connect(&self, inlet: Inlet) -> Connection {
        let (predicate, keys) = (self.predicate.clone(), self.keys.clone());
        let handler = self.informer.on_change(move |event| {
            if predicate.as_ref().is_some_and(|predicate| !predicate.admits(event)) {
                return;
            }
            let kind = kind_of(event);
            for key in keys(event) {
                inlet.add(key, kind, event.initial);
            }
        });
        Connection { guard: Box::new(HandlerGuard(handler)), driver: None }
    }

    fn requeue(&self, inlet: Inlet) {
        drop(self.connect(inlet)); // a connection begins with every existing object
    }
}

/// Removes an event handler when it is dropped.
struct HandlerGuard(Handler);

impl Drop for HandlerGuard {
    fn drop(&mut self) {
        self.0.remove();
    }
}

fn activity_of(status: &Status) -> Activity {
    Activity {
        synced: status.synced,
        phase: status.phase.to_string(),
        last_error: status.last_error.as_ref().map(|error| match error.hint() {
            Some(hint) => format!("{error:?}: {hint}"),
            None => format!("{error:?}"),
        }),
        failing_since: status.failing_since,
        lag: status.lag,
    }
}
