//! Kubernetes' Deployment controller, as upstream's does it (`pkg/controller/deployment`).
//!
//! ```text
//! deployments ---------------------> key \
//! sets --controller's UID----------> key  \
//!      --orphan's labels-----------> key   >-- queue --> sync: claim the sets, decide, write sets, write the status
//! Pods that are gone, if Recreate -> key  /                        ^
//! own writes of sets and status -> ledger: are they in the cache? --+
//! ```
//!
//! The decisions are functions of the objects: `rollout` has the numbers of Pods, `sets` the revisions and annotations,
//! `status` the counts and conditions. `sync` takes the decisions one after the other, and `writes` sends them.
//!
//! A set is found by the content of its template, not by its hash. So upstream's controller can continue a rollout of this
//! one, and this one a rollout of upstream's, although the hashes in the names differ.

mod rollback;
mod rollout;
mod rule;
mod sets;
mod status;
mod sync;
mod writes;

use std::{fmt, sync::Arc};

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStrategy, ReplicaSet};
use kube_client::Client;
use trimtab_controller::{
    Action, Controller, Error as Failed, OwnWrites, Reconcile, Request, RequestError, WallClock, Writer,
    cache::{Change, Object, ObjectKey, Packed, PackedError, Store},
    gates,
    informer::{Event, Informer, InformerFactory},
    keys_by_selector,
    ownership::{
        ClaimError, OwnerIndex,
        pods::{PodState, PodView},
        resolve_controller_ref,
    },
};
use trimtab_events::EventRecorder;
use trimtab_manager::Manager;

use crate::replicaset::selector;

pub use rollout::InvalidLimit;
pub use rule::Rule;

/// Upstream's name of the controller.
const NAME: &str = "deployment-controller";

/// The state of the Deployment controller. Cheap to clone.
#[derive(Clone)]
pub struct Deployments {
    client: Client,
    writer: Writer,
    events: EventRecorder,
    deployments: Informer<Packed<Deployment>>,
    sets: Informer<Packed<ReplicaSet>>,
    pods: Informer<PodView>,
    sets_by_owner: OwnerIndex<Packed<ReplicaSet>>,
    pods_by_owner: OwnerIndex<PodView>,
    writes: OwnWrites,
    clock: WallClock,
    /// The rule that a simulation removes.
    without: Option<Rule>,
}

/// A failed sync.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Sets could not be adopted or released.
    #[error("claiming ReplicaSets")]
    Claim(#[source] Box<ClaimError<Packed<ReplicaSet>>>),
    /// An object in the cache cannot be decoded.
    #[error("reading the cache")]
    Read(#[from] PackedError),
    /// The Deployment has no name or no UID, so it was not read from a server.
    #[error("referring to the Deployment")]
    Reference(#[from] trimtab_controller::ownership::ReferenceError),
    /// The number of Pods during a rollout cannot be computed.
    #[error("reading the strategy")]
    Limit(#[from] InvalidLimit),
    /// The strategy has an unknown type.
    #[error("the strategy {0:?} is neither RollingUpdate nor Recreate")]
    Strategy(String),
    /// The template has no JSON form.
    #[error("hashing the template")]
    Hash(#[source] serde_json::Error),
    /// A set could not be written; the first text says whether it was to be created, updated or deleted.
    #[error("{0} ReplicaSet {1}")]
    Set(&'static str, String, #[source] RequestError),
    /// The name of the new set belongs to an object with another template or another owner. The next sync takes another name.
    #[error("the name {0} of the new ReplicaSet is taken")]
    Collision(String),
    /// The Deployment could not be written; the text says what for.
    #[error("{0}")]
    Write(&'static str, #[source] RequestError),
}

impl fmt::Debug for Deployments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployments").field("writes", &self.writes).finish_non_exhaustive()
    }
}

impl Deployments {
    /// Creates the informers for Deployments, ReplicaSets and Pods of the whole cluster. Nothing runs yet.
    ///
    /// Call it before the informers start. A [`ReplicaSets`](crate::replicaset::ReplicaSets) of the same factory shares them.
    pub fn new(client: Client, informers: &InformerFactory, events: &EventRecorder) -> Self {
        let deployments = informers.informer::<Packed<Deployment>>();
        let sets = informers.informer::<Packed<ReplicaSet>>();
        let pods = informers.informer::<PodView>();
        let (sets_by_owner, pods_by_owner) = (OwnerIndex::add(sets.store()), OwnerIndex::add(pods.store()));
        let ledger = gates::ledger().name("deployment_controller").build();
        // Of Deployments, too: the next sync must see the status that this one wrote, such as its collision count.
        let writes = OwnWrites::new(ledger, &deployments).of(&sets).of(&deployments);
        let writer = Writer::new(client.clone(), NAME).own_writes(writes.clone());
        Self {
            client,
            writer,
            events: events.for_controller(NAME),
            deployments,
            sets,
            pods,
            sets_by_owner,
            pods_by_owner,
            writes,
            clock: WallClock::starting_now(),
            without: None,
        }
    }

    /// The same in a manager.
    pub fn of(manager: &Manager) -> Self {
        Self::new(manager.client(), manager.informers(), manager.events())
    }

    /// The same, whose wall clock begins at `now`. A simulation has a clock of its own.
    #[must_use]
    pub fn starting_at(self, now: jiff::Timestamp) -> Self {
        Self { clock: WallClock::starting_at(now), ..self }
    }

    /// The same without one of its rules, for a simulation.
    #[must_use]
    pub fn without(self, rule: Rule) -> Self {
        Self { without: Some(rule), ..self }
    }

    /// Returns the controller without its reconciler. Events of Deployments, of their sets, and of orphans that a Deployment
    /// selects wake it. So do Pods that end, if the strategy is `Recreate`, and own writes that arrive in the cache.
    pub fn wiring(&self) -> Controller<()> {
        let (deployments, sets) = (self.deployments.store().clone(), self.sets.store().clone());
        let adopters = keys_by_selector(&deployments, selector);
        Controller::new("deployment", &self.deployments)
            .owns(&self.sets)
            .watches(&self.sets, adopters)
            .watches(&self.pods, move |event| recreated_by(&deployments, &sets, event))
            .woken_by(self.writes.ledger())
            .workers(5) // upstream's `--concurrent-deployment-syncs`
    }

    /// Returns the controller, ready to run.
    pub fn controller(&self) -> Controller {
        self.wiring().reconcile_by(self.clone())
    }
}

impl Reconcile for Deployments {
    async fn reconcile(self: Arc<Self>, request: Request) -> Result<Action, Failed> {
        self.sync(&request.key).await
    }
}

/// The Deployment that waits for the end of the event's Pod before it creates new ones.
fn recreated_by(
    deployments: &Store<Packed<Deployment>>,
    sets: &Store<Packed<ReplicaSet>>,
    event: &Event<PodView>,
) -> Option<ObjectKey> {
    let has_ended = |pod: &PodView| matches!(event.change, Change::Deleted(_)) || pod.is_finished();
    let pod = event.object().filter(|pod| has_ended(pod))?;
    let set = resolve_controller_ref(&**pod, |key| sets.get(key))?;
    let deployment = resolve_controller_ref(&*set, |key| deployments.get(key))?;
    is_recreated(&deployment).then(|| deployment.key())
}

/// Reads the strategy of a Deployment, and nothing else of it.
fn is_recreated(deployment: &Packed<Deployment>) -> bool {
    let read = deployment.read_field::<DeploymentStrategy>(&["spec", "strategy"]);
    read.is_ok_and(|strategy| sync::strategy(strategy.as_ref()) == "Recreate")
}
