//! [`ControllerHandle`]: a view of a controller, with which sources are added and removed while it runs.

use std::{collections::HashMap, fmt, sync::Arc};

use serde::de::DeserializeOwned;
use trimtab_cache::{Object, ObjectKey};
use trimtab_informer::Event;

use crate::{
    running::Shared,
    source::{
        SourceId,
        external::ExternalSource,
        owner::OwnerLookup,
        set::SourceSet,
        watch::{MappedInformer, Watch},
    },
    status::{KeyStatus, SourceStatus, Status},
};

/// A view of a controller: a handle that can be cloned and used from any task.
///
/// A source that is added while the controller runs is started and connected at once; the run does not wait for its first
/// list. It stays for later runs, which wait for it unless it is optional.
#[derive(Clone)]
pub struct ControllerHandle {
    pub(crate) name: Arc<str>,
    pub(crate) owners: OwnerLookup,
    pub(crate) sources: Arc<SourceSet>,
    pub(crate) shared: Arc<Shared>,
}

impl ControllerHandle {
    /// Returns the controller's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds the informer of a dependent kind: [`Controller::owns`](crate::Controller::owns).
    pub fn owns<T: Object + DeserializeOwned>(&self, dependents: impl Into<Watch<T>>) -> SourceId {
        let owners = self.owners.clone();
        self.watches(dependents, move |event| owners.controllers_of(event))
    }

    /// Adds the informer of another kind: [`Controller::watches`](crate::Controller::watches).
    pub fn watches<T, F, I>(&self, others: impl Into<Watch<T>>, keys: F) -> SourceId
    where
        T: Object + DeserializeOwned,
        F: Fn(&Event<T>) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = ObjectKey>,
    {
        let watch = others.into();
        let optional = watch.optional;
        self.sources.add(MappedInformer::new(watch, keys), optional)
    }

    /// Adds a source of keys outside of the cluster: [`Controller::external`](crate::Controller::external).
    pub fn external(&self, source: ExternalSource) -> SourceId {
        self.sources.add(source, true)
    }

    /// Removes a source: none of its later events queues a key. Keys that are queued stay. Returns whether it was there.
    ///
    /// The informer itself is not stopped, because others may share it.
    pub fn remove(&self, source: SourceId) -> bool {
        self.sources.remove(source)
    }

    /// Queues every object again, as a run does when it begins. Does nothing while no run has begun.
    pub fn requeue_all(&self) {
        self.sources.requeue_all();
    }

    /// Returns the present state of the controller, and the counts of all its runs.
    pub fn status(&self) -> Status {
        Status { sources: self.sources(), ..self.shared.status() }
    }

    /// Returns the state of each source.
    pub fn sources(&self) -> Vec<SourceStatus> {
        self.sources.statuses()
    }

    /// Returns the state of every key that is queued, delayed, in work, failing or waiting, in the order of the keys. For
    /// debug pages, not for decisions.
    pub fn keys(&self) -> Vec<KeyStatus> {
        let records = self.shared.records.all();
        let entries = self.shared.entries();
        let mut keys: HashMap<_, _> = records.keys().map(|key| (key.clone(), None)).collect();
        keys.extend(entries.iter().map(|entry| (entry.key.clone(), Some(entry))));
        let status = |(key, entry): (ObjectKey, _)| {
            let record = records.get(&key);
            KeyStatus::new(key, entry, record)
        };
        let mut keys: Vec<_> = keys.into_iter().map(status).collect();
        keys.sort_by(|one, other| one.key.cmp(&other.key));
        keys
    }
}

impl fmt::Debug for ControllerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControllerHandle").field("name", &self.name).finish_non_exhaustive()
    }
}
