//! The controller under test: wired, led, and with a fuse that makes it panic once.

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

/// Where the controller's lease is.
pub(crate) const LEASE: (&str, &str) = ("kube-system", "trimtab-replicaset");

/// What the panic that the demo asks for says.
const FUSE: &str = "the demo asked for a panic";

/// The controller, and what can be seen of it.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) controller: Arc<Controller>,
    pub(crate) sets: Informer<ReplicaSet>,
    pub(crate) pods: Informer<PodView>,
    /// When set, the next reconcile panics and clears it.
    fuse: Arc<AtomicBool>,
}

impl Subject {
    /// A ReplicaSet controller on `cluster`. On a real one it keeps to the `declared` sets.
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

    /// Whether the fuse has done what it was lit for.
    pub(crate) fn is_fuse_spent(&self) -> bool {
        !self.fuse.load(SeqCst)
    }
}

/// The controller of all sets, or of `only` some, which panics once when the fuse is lit.
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

/// Keeps the panic that the demo asks for off the screen: the controller reports it.
pub(crate) fn quiet_the_fuse() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref() != Some(&FUSE) {
            report(panic);
        }
    }));
}

/// A candidate for the lease. It notices within a third of a second that the lease was lost or is free.
pub(crate) fn elector(cluster: &Cluster) -> Result<LeaderElector, Failure> {
    LeaderElector::builder(cluster.controller_client(), LEASE.0, LEASE.1)
        .lease_duration(Duration::from_secs(6))
        .renew_deadline(Duration::from_secs(4))
        .retry_period(Duration::from_millis(300))
        .release_on_cancel(true)
        .build()
        .map_err(|error| Failure::Cluster(error.to_string()))
}

/// Runs the controller while it holds the lease, and stands for it again after it was lost.
pub(crate) async fn lead(mut elector: LeaderElector, controller: Arc<Controller>) -> Result<(), Failure> {
    let work = |term: Leadership| {
        let controller = controller.clone();
        async move { controller.run(term.lost()).await }
    };
    let ended = elector.run_terms(pending(), work).await.into_output();
    ended.unwrap_or(Ok(())).map_err(|error| Failure::Cluster(format!("the controller stopped: {error}")))
}
