//! Starts the controllers of a new server.

use tokio::task::JoinSet;

use super::ApiServer;
use crate::{
    api::random::Random,
    controllers::{
        Switches, definitions, garbage, namespace, namespaced, protection, reported, requests::Requests,
        rounds::Rounds,
    },
};

/// Spawns the controllers of a new server with those `namespaces` into `tasks`, which aborts them when it is
/// dropped. What they would make first is there when this returns, with UIDs from `random`.
pub(super) fn spawn(
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
        gifts.give(&server.core().registry, random, namespaces);
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
pub(super) fn spawn_definitions(server: &ApiServer, tasks: &mut JoinSet<()>) {
    let requests = Requests::new(server.client_as("definition-controller"));
    let definitions = definitions::run(server.core().clone(), requests, server.commits());
    tasks.spawn(reported("definition controller", definitions));
}
