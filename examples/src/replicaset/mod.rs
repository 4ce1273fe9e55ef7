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
//! `cargo xtask demo` runs it and injects faults; at the end it prints a line for each set:
//!
//! ```text
//! replicaset    desired   ready   created   deleted   adopted   released   duplicates
//! shop/web           80      80        83         5         3          1            0
//! ```

mod clock;
mod observe;
mod own_writes;
mod request;
mod status;
mod sync;

use std::fmt;

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube_client::Client;
use trimtab_controller::{
    Controller, Request, gates,
    informer::{Informer, InformerFactory},
    ownership::{ClaimError, OwnerIndex, ReferenceError},
};

use clock::Clock;
use own_writes::OwnWrites;
pub use request::RequestError;
pub use trimtab_controller::ownership::pods::{PodState, PodView};

/// The number of sets that are synced at once, as upstream's `--concurrent-replicaset-syncs`.
const WORKERS: usize = 5;

/// The state of the ReplicaSet controller. Cheap to clone.
#[derive(Clone)]
pub struct ReplicaSets {
    client: Client,
    sets: Informer<ReplicaSet>,
    pods: Informer<PodView>,
    pods_by_owner: OwnerIndex<PodView>,
    ledger: OwnWrites,
    clock: Clock,
}

/// A failed sync.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A Pod could not be created.
    #[error("creating a Pod")]
    Create(#[source] RequestError),
    /// A Pod could not be deleted.
    #[error("deleting Pod {0}")]
    Delete(String, #[source] RequestError),
    /// Pods could not be adopted or released.
    #[error("claiming Pods")]
    Claim(#[source] Box<ClaimError<PodView>>),
    /// The set has no name or no UID, so it was not read from a server.
    #[error("referring to the set")]
    Reference(#[from] ReferenceError),
    /// The server could not be read to settle the unknown outcome of an earlier write.
    #[error("looking for the outcome of a write")]
    Outcome(#[source] RequestError),
    /// The status could not be written.
    #[error("writing the status")]
    Status(#[source] RequestError),
}

impl Error {
    /// Returns upstream's reason for the condition `ReplicaFailure`.
    fn reason(&self) -> &'static str {
        match self {
            Self::Delete(..) => "FailedDelete",
            _ => "FailedCreate",
        }
    }
}

impl fmt::Debug for ReplicaSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicaSets").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl ReplicaSets {
    /// Creates the informers for sets and Pods of the whole cluster. Nothing runs yet.
    pub fn new(client: Client, informers: &InformerFactory) -> Self {
        let sets = informers.informer::<ReplicaSet>();
        let pods = informers.informer::<PodView>();
        let pods_by_owner = OwnerIndex::add(pods.store());
        let ledger: OwnWrites = gates::ledger().name("replicaset_controller").build();
        // Observing begins before the first list and ends with the process, not with a term.
        observe::sets(&sets, ledger.clone());
        observe::pods(&pods, sets.store().clone(), ledger.clone());
        Self { client, sets, pods, pods_by_owner, ledger, clock: Clock::starting_now() }
    }

    /// Returns the controller without its reconciler. Events of sets, of their Pods and of orphans that a set selects wake
    /// it, and so do own writes that arrive in the cache.
    pub fn wiring(&self) -> Controller<()> {
        let sets = self.sets.store().clone();
        Controller::new("replicaset", &self.sets)
            .owns(&self.pods)
            .watches(&self.pods, move |event| observe::sets_that_select(&sets, event))
            .woken_by(&self.ledger)
            .workers(WORKERS)
    }

    /// Returns the controller, ready to run.
    pub fn controller(&self) -> Controller {
        let this = self.clone();
        self.wiring().reconciler(move |request: Request| {
            let this = this.clone();
            async move { this.sync(&request.key).await }
        })
    }
}
