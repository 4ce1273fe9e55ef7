//! The controllers that every cluster has. Each is a future over the server's commits and a client
//! to it, so that its writes obey every rule and every fault; it ends when the server is dropped.

pub(crate) mod definitions;
pub(crate) mod garbage;
mod kubelet;
pub(crate) mod namespace;
pub(crate) mod namespaced;
pub(crate) mod protection;
pub(crate) mod requests;
pub(crate) mod rounds;

use std::{future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt;

pub use self::kubelet::{Kubelet, PodPlan, SeenPod};

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

/// Runs a controller; its panic ends this controller, is logged, and harms nobody else.
pub(crate) async fn reported(name: &'static str, controller: impl Future<Output = ()>) {
    if AssertUnwindSafe(controller).catch_unwind().await.is_err() {
        tracing::error!(
            controller = name,
            "a controller of the API server panicked, and is no longer running"
        );
    }
}
