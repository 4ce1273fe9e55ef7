//! The controller under test: in a manager with leader election, and with a panic on request.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    panic::panic_any,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use k8s_openapi::api::apps::v1::ReplicaSet;
use trimtab_admin::{Admin, metrics};
use trimtab_controller::{
    Action, Controller, ControllerHandle, Request,
    cache::{ObjectKey, Packed},
    informer::Informer,
    leaderelection::Observer,
};
use trimtab_examples::replicaset::{PodView, ReplicaSets};
use trimtab_manager::Manager;

use crate::{cluster::Cluster, failure::Failure};

/// The namespace of the controller's lease.
pub(crate) const LEASE: (&str, &str) = ("kube-system", "trimtab-replicaset");

/// The message of the requested panic.
const FUSE: &str = "the demo asked for a panic";

/// The controller and its observable state.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) controller: ControllerHandle,
    pub(crate) leading: Observer,
    pub(crate) sets: Informer<Packed<ReplicaSet>>,
    pub(crate) pods: Informer<PodView>,
    /// Whether the next reconcile panics. The panic clears it.
    fuse: Arc<AtomicBool>,
}

impl Subject {
    /// Puts a ReplicaSet controller into a manager. On a real cluster it reconciles only the `declared` sets.
    pub(crate) fn new(
        cluster: &Cluster,
        declared: BTreeSet<ObjectKey>,
        admin: Option<SocketAddr>,
    ) -> Result<(Self, Manager), Failure> {
        let mut manager = manager(cluster, admin)?;
        let sets = ReplicaSets::of(&manager);
        let fuse = Arc::new(AtomicBool::new(false));
        let only = cluster.server.is_none().then_some(declared);
        let controller = with_fuse(&sets, fuse.clone(), only);
        let leading = manager.observer().ok_or_else(|| Failure::Cluster("no leader election".to_owned()))?;
        let informers = manager.informers();
        let (sets, pods) = (informers.informer(), informers.informer());
        let subject = Self { controller: controller.handle(), leading, sets, pods, fuse };
        manager.controller(controller);
        Ok((subject, manager))
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

/// Builds the manager. It notices within a third of a second that the lease was lost or is free.
fn manager(cluster: &Cluster, admin: Option<SocketAddr>) -> Result<Manager, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Cluster(error.to_string());
    let metrics = admin.map(|_| metrics::install()).transpose().map_err(|error| failed(&error))?;
    // The client of a real cluster does not retry either: `Cluster::real`.
    let mut manager = Manager::with_client_that_may_retry("trimtab-demo", cluster.controller_client())
        .leader_election(LEASE.0, LEASE.1)
        .election_settings(|elector| {
            let elector =
                elector.lease_duration(Duration::from_secs(6)).renew_deadline(Duration::from_secs(4));
            elector.retry_period(Duration::from_millis(300))
        });
    if let (Some(address), Some(metrics)) = (admin, metrics) {
        manager = manager.admin(&address.to_string(), Admin::builder().metrics(metrics).debug(true));
    }
    manager.build().map_err(|error| failed(&error))
}
