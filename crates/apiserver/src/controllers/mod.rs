//! The controllers that every cluster has. Each is a future over the server's commits and a client
//! to it, so that its writes obey every rule and every fault; it ends when the server is dropped.

mod definitions;
mod garbage;
mod kubelet;
mod namespace;
mod namespaced;
mod protection;
mod requests;
mod rounds;

use std::{future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use tokio::task::JoinSet;

pub use self::kubelet::{Kubelet, PodPlan, SeenPod};
use self::{requests::Requests, rounds::Rounds};
use crate::{ApiServer, random::Random};

/// Which controllers run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Switches {
    pub(crate) garbage_collector: bool,
    pub(crate) namespaces: bool,
    pub(crate) service_accounts: bool,
    pub(crate) root_certificates: bool,
    pub(crate) volume_protection: bool,
}

impl Switches {
    /// None of them.
    pub(crate) const OFF: Self = Self {
        garbage_collector: false,
        namespaces: false,
        service_accounts: false,
        root_certificates: false,
        volume_protection: false,
    };
}

/// Spawns the controllers of a new server with those `namespaces` into `tasks`, which aborts them when it is
/// dropped. What they would make first is there when this returns, with UIDs from `random`.
pub(crate) fn spawn(
    server: &ApiServer,
    switches: Switches,
    namespaces: &[&str],
    random: &Random,
    tasks: &mut JoinSet<()>,
) {
    let requests = |name: &str| Requests::new(server.client_as(name));
    let core = || server.core().clone();
    if switches.garbage_collector {
        let garbage = garbage::run(core(), requests("garbage-collector"), server.commits());
        tasks.spawn(reported("garbage collector", garbage));
    }
    if switches.namespaces {
        let emptied = namespace::run(core(), requests("namespace-controller"), server.commits());
        tasks.spawn(reported("namespace controller", emptied));
    }
    if switches.volume_protection {
        let released = protection::run(requests("volume-protection-controller"), server.commits());
        tasks.spawn(reported("volume protection controller", released));
    }
    if switches.service_accounts || switches.root_certificates {
        let certificate = switches.root_certificates.then(|| certificate(server));
        let gifts = namespaced::Gifts { account: switches.service_accounts, certificate };
        gifts.give(server.core(), random, namespaces);
        let requests = requests("namespaced-objects-controller");
        let given = namespaced::run(requests, server.commits(), gifts, Rounds::tending(namespaces));
        tasks.spawn(reported("controller of namespaced objects", given));
    }
}

/// The certificate that clients within the cluster are to trust.
#[cfg(feature = "tls")]
fn certificate(server: &ApiServer) -> String {
    server.certificate().to_owned()
}

/// Without TLS there is none.
#[cfg(not(feature = "tls"))]
fn certificate(_: &ApiServer) -> String {
    String::new()
}

/// Spawns what is part of serving custom kinds, whichever other controllers run.
pub(crate) fn spawn_definitions(server: &ApiServer, tasks: &mut JoinSet<()>) {
    let requests = Requests::new(server.client_as("definition-controller"));
    let definitions = definitions::run(server.core().clone(), requests, server.commits());
    tasks.spawn(reported("definition controller", definitions));
}

/// Runs a controller; its panic ends this controller, is logged, and harms nobody else.
async fn reported(name: &'static str, controller: impl Future<Output = ()>) {
    if AssertUnwindSafe(controller).catch_unwind().await.is_err() {
        tracing::error!(
            controller = name,
            "a controller of the API server panicked, and is no longer running"
        );
    }
}
