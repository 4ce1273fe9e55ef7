//! Kubernetes' ReplicaSet controller, as upstream's does it (`pkg/controller/replicaset`).
//!
//! ```text
//! sets ---------------------> key \
//! pods --controller's UID---> key  >-- queue --> sync: claim, create or delete, write the status
//!      --orphan's labels----> key /                      ^
//! pods --observe--> ledger: are own writes in the cache?      --------+
//! ```
//!
//! [`ReplicaSets`] holds the informers, the indexes and the ledger of own writes. They live as long as the process,
//! so that a new term of leadership still knows the writes of the last one.
//!
//! `cargo xtask demo` runs it in a manager, and injects faults.

pub mod gates;
mod protection;
mod status;
mod sync;

use std::{fmt, sync::Arc};

use k8s_openapi::{api::apps::v1::ReplicaSet, apimachinery::pkg::apis::meta::v1::LabelSelector};
use kube_client::{Client, Resource};
use trimtab_controller::{
    Action, Controller, Error as Failed, OwnWrites, Reconcile, Request, RequestError, WallClock, Writer,
    cache::{Packed, PackedError, Selector},
    expectations::LedgerBuilder,
    gates::ledger_if,
    informer::{Informer, InformerFactory},
    keys_by_selector,
    ownership::{ClaimError, OwnerIndex, ReferenceError},
};
use trimtab_events::{EventRecorder, NewEvent};
use trimtab_manager::Manager;

use protection::CountedDeletions;
pub use protection::Protection;
pub use trimtab_controller::ownership::pods::{PodState, PodView};

/// Upstream's name of the controller.
const NAME: &str = "replicaset-controller";

/// The path of the Pods' spec in a set or a Deployment: most of its text, and few syncs read it.
pub(crate) const POD_SPEC: [&str; 3] = ["spec", "template", "spec"];

/// The state of the ReplicaSet controller. Cheap to clone.
#[derive(Clone)]
pub struct ReplicaSets {
    client: Client,
    sets: Informer<Packed<ReplicaSet>>,
    pods: Informer<PodView>,
    sets_by_owner: OwnerIndex<Packed<ReplicaSet>>,
    pods_by_owner: OwnerIndex<PodView>,
    writes: OwnWrites,
    writer: Writer,
    events: EventRecorder,
    clock: WallClock,
    /// The protection that a simulation removes.
    without: Option<Protection>,
    counted: Option<CountedDeletions>,
}

/// A failed sync.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request failed; the text says what it was for.
    #[error("{0}")]
    Request(&'static str, #[source] RequestError),
    /// A Pod could not be created.
    #[error("creating a Pod")]
    Create(#[source] RequestError),
    /// A Pod could not be deleted.
    #[error("deleting Pod {0}")]
    Delete(String, #[source] RequestError),
    /// Pods could not be adopted or released.
    #[error("claiming Pods")]
    Claim(#[source] Box<ClaimError<PodView>>),
    /// The set in the cache cannot be decoded.
    #[error("reading the set")]
    Read(#[from] PackedError),
    /// The set has no name or no UID, so it was not read from a server.
    #[error("referring to the set")]
    Reference(#[from] ReferenceError),
}

impl Error {
    /// Returns upstream's reason and message of the condition `ReplicaFailure`.
    fn failure(&self) -> (&'static str, String) {
        match self {
            Self::Create(error) => ("FailedCreate", error.message()),
            Self::Delete(_, error) => ("FailedDelete", format!("unable to delete pods: {}", error.message())),
            other => ("FailedCreate", other.to_string()),
        }
    }
}

impl fmt::Debug for ReplicaSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicaSets").field("writes", &self.writes).finish_non_exhaustive()
    }
}

impl ReplicaSets {
    /// Creates the informers for sets and Pods of the whole cluster. Nothing runs yet.
    pub fn new(client: Client, informers: &InformerFactory) -> Self {
        let is_consistent = gates::STALE_CONTROLLER_CONSISTENCY_REPLICA_SET.enabled();
        Self::with_ledger(client, informers, ledger_if(is_consistent))
    }

    /// The same in a manager, with Events.
    pub fn of(manager: &Manager) -> Self {
        Self::new(manager.client(), manager.informers()).events(manager.events())
    }

    /// The same with Events, of the reporting controller `replicaset-controller`.
    pub fn events(self, events: &EventRecorder) -> Self {
        Self { events: events.for_controller(NAME), ..self }
    }

    /// The same, whose own writes are recorded in a ledger of these settings.
    pub fn with_ledger(client: Client, informers: &InformerFactory, ledger: LedgerBuilder) -> Self {
        let sets = informers.informer::<Packed<ReplicaSet>>();
        let pods = informers.informer::<PodView>();
        let (sets_by_owner, pods_by_owner) = (OwnerIndex::add(sets.store()), OwnerIndex::add(pods.store()));
        // Observing begins before the first list and ends with the process, not with a term.
        let writes = OwnWrites::new(ledger.name("replicaset_controller").build(), &sets).of(&pods);
        let writer = Writer::new(client.clone(), NAME).own_writes(writes.clone());
        Self {
            client,
            sets,
            pods,
            sets_by_owner,
            pods_by_owner,
            writes,
            writer,
            events: EventRecorder::discarding(),
            clock: WallClock::starting_now(),
            without: None,
            counted: None,
        }
    }

    /// The same controller without one of its protections, for a simulation. Call it before the informers start.
    pub fn without(mut self, protection: Protection) -> Self {
        if protection == Protection::Uids {
            self.counted = Some(CountedDeletions::observe(self.client.clone(), &self.pods));
        }
        self.without = Some(protection);
        self
    }

    /// Returns the controller without its reconciler. Events of sets, of their Pods and of orphans that a set selects wake
    /// it, and so do own writes that arrive in the cache.
    pub fn wiring(&self) -> Controller<()> {
        Controller::new("replicaset", &self.sets)
            .owns(&self.pods)
            .watches(&self.pods, keys_by_selector(self.sets.store(), selector))
            .woken_by(self.writes.ledger())
            .workers(5) // upstream's `--concurrent-replicaset-syncs`
    }

    /// Returns the controller, ready to run.
    pub fn controller(&self) -> Controller {
        self.wiring().reconcile_by(self.clone())
    }

    /// Records an Event about `set`.
    fn record(&self, set: &ReplicaSet, event: NewEvent) {
        self.events.record(&set.object_ref(&()), event);
    }
}

/// Reads the selector of a set or a Deployment; `None` if it cannot be read.
pub(crate) fn selector<K: Resource + Send + Sync + 'static>(object: &Packed<K>) -> Option<Selector> {
    let selector: LabelSelector = object.read_field(&["spec", "selector"]).ok()??;
    Selector::try_from(&selector).ok()
}

impl Reconcile for ReplicaSets {
    async fn reconcile(self: Arc<Self>, request: Request) -> Result<Action, Failed> {
        self.sync(&request.key).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(spec: &str) -> Packed<ReplicaSet> {
        let set = format!(
            r#"{{"metadata": {{"name": "web-1", "uid": "u"}}, "spec": {spec}, "status": {{"replicas": 3}}}}"#
        );
        serde_json::from_str(&set).expect("an object")
    }

    #[test]
    fn a_set_is_read_without_the_spec_of_its_pods_and_nothing_else() {
        let labels = r#"{"app": "web"}"#;
        let pods = r#"{"containers": [{"name": "c", "image": "i"}]}"#;
        let template = format!(r#"{{"metadata": {{"labels": {labels}}}, "spec": {pods}}}"#);
        let set = set(&format!(
            r#"{{"replicas": 3, "minReadySeconds": 5, "selector": {{"matchLabels": {labels}}}, "template": {template}}}"#
        ));
        let (read, text) = set.read_without(&POD_SPEC).expect("a ReplicaSet");
        let mut whole = ReplicaSet::clone(&set.read().expect("a ReplicaSet"));
        let spec = whole.spec.template.as_mut().expect("a template").spec.take();
        assert_eq!((&read, text), (&whole, Some(pods)));
        assert_eq!(spec, serde_json::from_str(pods).ok());
        assert!(selector(&set).expect("a selector").matches(|key| (key == "app").then_some("web")));
    }

    #[test]
    fn a_set_that_cannot_be_read_selects_nothing() {
        for spec in ["3", "{}", r#"{"selector": 3}"#, r#"{"selector": {"matchLabels": {"-": "x"}}}"#] {
            assert!(selector(&set(spec)).is_none(), "{spec}");
        }
    }
}
