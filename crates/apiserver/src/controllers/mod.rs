//! The controllers that every cluster has. Each is a future over the server's commits and a client
//! to it, so that its writes obey every rule and every lever; it ends when the server is dropped.

mod definitions;
mod garbage;
mod kubelet;
mod namespace;
mod requests;
mod rounds;

use std::{future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use tokio::task::JoinSet;

pub use self::kubelet::Kubelet;
use self::requests::Requests;
use crate::ApiServer;

/// Spawns the controllers of a new server into `tasks`, which aborts them when it is dropped.
pub(crate) fn spawn(server: &ApiServer, tasks: &mut JoinSet<()>) {
    let requests = |name: &str| Requests::new(server.client_as(name));
    let core = || server.core().clone();
    let garbage = garbage::run(core(), requests("garbage-collector"), server.commits());
    tasks.spawn(reported("garbage collector", garbage));
    let namespaces = namespace::run(core(), requests("namespace-controller"), server.commits());
    tasks.spawn(reported("namespace controller", namespaces));
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
