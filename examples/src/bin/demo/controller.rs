//! The controller under test: connected, with leader election, and with a panic on request.

use std::{
    collections::BTreeSet,
    future::pending,
    panic::panic_any,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use k8s_openapi::api::apps::v1::ReplicaSet;
use trimtab_controller::{
    Action, Controller, Request,
    cache::ObjectKey,
    informer::{Informer, InformerFactory},
    leaderelection::{LeaderElector, Leadership},
};
use trimtab_examples::replicaset::{PodView, ReplicaSets};

use crate::{cluster::Cluster, failure::Failure};

/// The namespace of the controller's lease.
pub(crate) const LEASE: (&str, &str) = ("kube-system", "trimtab-replicaset");

/// The message of the requested panic.
const FUSE: &str = "the demo asked for a panic";

/// The controller and its observable state.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) controller: Arc<Controller>,
    pub(crate) sets: Informer<ReplicaSet>,
    pub(crate) pods: Informer<PodView>,
    /// Whether the next reconcile panics. The panic clears it.
    fuse: Arc<AtomicBool>,
}

impl Subject {
    /// Builds a ReplicaSet controller on `cluster`. On a real cluster it reconciles only the `declared` sets.
    pub(crate) fn new(cluster: &Cluster, declared: BTreeSet<ObjectKey>) -> Self {
        let client = cluster.controller_client();
        let informers = InformerFactory::new(client.clone());
        let sets = ReplicaSets::new(client, &informers);
        let fuse = Arc::new(AtomicBool::new(false));
        let only = cluster.server.is_none().then_some(declared);
        Self {
            controller: Arc::new(with_fuse(&sets, fuse.clone(), only)),
            sets: informers.informer(),
            pods: informers.informer(),
            fuse,
        }
    }

    /// Makes the next reconcile panic.
    pub(crate) fn light_fuse(&self) {
        self.fuse.store(true, SeqCst);
    }

    /// Returns whether the requested panic has happened.
    pub(crate) fn is_fuse_spent(&self) -> bool {
        !self.fuse.load(SeqCst)
    }
}

/// Builds a controller of all sets, or of `only` some. It panics once when the fuse is set.
fn with_fuse(sets: &ReplicaSets, fuse: Arc<AtomicBool>, only: Option<BTreeSet<ObjectKey>>) -> Controller {
    let (this, only) = (sets.clone(), Arc::new(only));
    sets.wiring().reconciler(move |request: Request| {
        let (sets, fuse, only) = (this.clone(), fuse.clone(), only.clone());
        async move {
            if only.as_ref().as_ref().is_some_and(|only| !only.contains(&request.key)) {
                return Ok(Action::done()); // somebody else's
            }
            if fuse.swap(false, SeqCst) {
                panic_any(FUSE);
            }
            sets.sync(&request.key).await
        }
    })
}

/// Hides the requested panic from the terminal: the controller reports it.
pub(crate) fn quiet_the_fuse() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref() != Some(&FUSE) {
            report(panic);
        }
    }));
}

/// Builds a candidate. It notices within a third of a second that the lease was lost or is free.
pub(crate) fn elector(cluster: &Cluster) -> Result<LeaderElector, Failure> {
    LeaderElector::builder(cluster.controller_client(), LEASE.0, LEASE.1)
        .lease_duration(Duration::from_secs(6))
        .renew_deadline(Duration::from_secs(4))
        .retry_period(Duration::from_millis(300))
        .release_on_cancel(true)
        .build()
        .map_err(|error| Failure::Cluster(error.to_string()))
}

/// Runs the controller while it holds the lease, and becomes a candidate again after a loss.
pub(crate) async fn lead(mut elector: LeaderElector, controller: Arc<Controller>) -> Result<(), Failure> {
    let work = |term: Leadership| {
        let controller = controller.clone();
        async move { controller.run(term.lost()).await }
    };
    let ended = elector.run_terms(pending(), work).await.into_output();
    ended.unwrap_or(Ok(())).map_err(|error| Failure::Cluster(format!("the controller stopped: {error}")))
}
