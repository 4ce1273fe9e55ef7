//! The server of a test, and a log of what happened when.

use std::sync::Arc;

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Secret},
};
use kube_client::{Api, Resource, api::PostParams};
use parking_lot::Mutex;
use serde_json::json;
use tokio::time::Instant;
use trimtab_apiserver::ApiServer;
use trimtab_controller::{Action, Controller, informer::Informer};
use trimtab_manager::{Manager, ManagerBuilder, ManagerError, Runnable, Shutdown};

/// A server with one ConfigMap and one Secret, and a log.
pub(crate) struct World {
    pub(crate) server: ApiServer,
    pub(crate) log: Log,
}

impl World {
    pub(crate) async fn new() -> Self {
        let world = Self { server: ApiServer::builder().request_log(true).start(), log: Log::default() };
        world.create_map("a").await;
        let secret: Secret =
            serde_json::from_value(json!({"metadata": {"name": "password"}})).expect("a Secret");
        world.api().create(&PostParams::default(), &secret).await.expect("created");
        world
    }

    pub(crate) fn api<K: Resource<Scope = NamespaceResourceScope>>(&self) -> Api<K>
    where
        K::DynamicType: Default,
    {
        Api::default_namespaced(self.server.client_as("test"))
    }

    pub(crate) async fn create_map(&self, name: &str) {
        let map: ConfigMap =
            serde_json::from_value(json!({"metadata": {"name": name}})).expect("a ConfigMap");
        self.api().create(&PostParams::default(), &map).await.expect("created");
    }

    pub(crate) fn builder(&self) -> ManagerBuilder {
        Manager::with_client_that_may_retry("test", self.server.client_as("manager"))
    }

    pub(crate) fn manager(&self) -> Manager {
        self.builder().build().expect("sound settings")
    }

    /// Returns a controller that logs `reconcile NAME KEY`.
    pub(crate) fn controller(&self, name: &'static str, maps: &Informer<ConfigMap>) -> Controller {
        let log = self.log.clone();
        Controller::new(name, maps).reconciler(move |request| {
            log.add(format!("reconcile {name} {}", request.key));
            std::future::ready(Ok(Action::done()))
        })
    }

    /// Returns a runnable that logs its start and its stop.
    pub(crate) fn runnable(&self, name: &'static str) -> Runnable {
        let log = self.log.clone();
        Runnable::new(name, move |shutdown: Shutdown| {
            let log = log.clone();
            async move {
                log.add(format!("start {name}"));
                shutdown.await;
                log.add(format!("stop {name}"));
                Ok::<(), std::convert::Infallible>(())
            }
        })
    }
}

/// The order of events.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<(String, Instant)>>>);

impl Log {
    pub(crate) fn add(&self, line: impl Into<String>) {
        self.0.lock().push((line.into(), Instant::now()));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().iter().map(|(line, _)| line.clone()).collect()
    }

    /// Returns how often a line was logged.
    pub(crate) fn count(&self, line: &str) -> usize {
        self.0.lock().iter().filter(|(logged, _)| logged == line).count()
    }

    /// Returns the time of the last such line.
    pub(crate) fn last(&self, line: &str) -> Instant {
        let log = self.0.lock();
        let found = log.iter().rev().find(|(logged, _)| logged == line);
        found.unwrap_or_else(|| panic!("{line:?} is not in {:?}", *log)).1
    }
}

/// The line that a user reads.
pub(crate) fn line(ended: Result<(), ManagerError>) -> String {
    ended.expect_err("a failure").to_string()
}
