//! [`Cluster`]: the cluster of the demo, an API server in this process or a real one.

use std::{path::Path, time::Duration};

use k8s_openapi::api::{apps::v1::ReplicaSet, coordination::v1::Lease, core::v1::Node};
use kube_client::{Api, Client, api::ListParams};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};
use trimtab_apiserver::{ApiServer, ChangeKind, Kubelet};
use trimtab_controller::{
    cache::{Object, ObjectKey, Packed},
    informer::Informer,
};
use trimtab_manager::KubeconfigArgs;

use crate::{
    audit::Audit,
    controller::{LEASE, Subject},
    failure::Failure,
    footprint::Footprint,
    manifests::Manifest,
};

/// The node that the simulated kubelet runs its Pods on.
pub(crate) const NODE: &str = "trimtab-demo";

/// The timeout of the clean-up.
const CLEAN_UP_QUICKLY: Duration = Duration::from_secs(2);
pub(crate) const CLEAN_UP: Duration = Duration::from_secs(20);

/// The background tasks. A task that ends before the demo has failed.
pub(crate) type Background = JoinSet<Result<(), Failure>>;

/// A cluster to run on.
pub(crate) struct Cluster {
    pub(crate) client: Client,
    /// The server in this process, with its faults; `None` on a real cluster.
    pub(crate) server: Option<ApiServer>,
    pub(crate) footprint: Footprint,
}

impl Cluster {
    /// Creates an API server in this process.
    pub(crate) fn embedded() -> Self {
        let server = ApiServer::start();
        Self { client: server.client(), server: Some(server), footprint: Footprint::default() }
    }

    /// Creates the cluster of a kubeconfig.
    pub(crate) async fn real(kubeconfig: &Path, context: Option<String>) -> Result<Self, Failure> {
        let args = KubeconfigArgs { kubeconfig: Some(kubeconfig.to_owned()), context };
        let mut config = args.config().await.map_err(|error| Failure::Input(error.to_string()))?;
        // A create that is sent again after a lost response makes a second Pod, because the server generates its name.
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|error| Failure::Input(error.to_string()))?;
        Ok(Self { client, server: None, footprint: Footprint::default() })
    }

    /// Returns the controller's client. On our own server, faults select it by its user agent.
    pub(crate) fn controller_client(&self) -> Client {
        self.server.as_ref().map_or_else(|| self.client.clone(), |server| server.client_as("controller"))
    }

    /// Records every change from now on: the commits of our own server, or the events of a real cluster.
    pub(crate) fn audit(&self, audit: &Audit, subject: &Subject, background: &mut Background) {
        match &self.server {
            Some(server) => drop(background.spawn(book_commits(server.commits(), audit.clone()))),
            None => {
                let (sets, pods) = (audit.clone(), audit.clone());
                let whole = |set: Option<&Packed<ReplicaSet>>| set.and_then(|set| set.read().ok());
                book_events(&subject.sets, move |old, new| {
                    sets.set(whole(old).as_deref(), whole(new).as_deref(), 0);
                });
                book_events(&subject.pods, move |old, new| pods.pod(old, new, 0));
            }
        }
    }

    /// Runs a small kubelet unless the cluster has nodes of its own; returns whether it runs.
    pub(crate) async fn run_kubelet(&self, background: &mut Background) -> Result<bool, Failure> {
        let nodes = Api::<Node>::all(self.client.clone()).list(&ListParams::default().limit(1)).await;
        if !nodes.map_err(Failure::api("listing Nodes"))?.items.is_empty() {
            return Ok(false);
        }
        self.footprint.expect(Manifest::named::<Node>(&ObjectKey::cluster_scoped(NODE))).await;
        let kubelet = Kubelet::new(self.client.clone()).node(NODE);
        let kubelet = kubelet.startup(Duration::from_millis(150)).termination(Duration::from_millis(100));
        background.spawn(async {
            kubelet.run(std::future::pending()).await;
            Ok(())
        });
        Ok(true)
    }

    /// Creates the objects of the manifests and reserves the lease's name.
    pub(crate) async fn apply(&self, manifests: &[Manifest]) -> Result<(), Failure> {
        self.footprint.expect(Manifest::named::<Lease>(&ObjectKey::namespaced(LEASE.0, LEASE.1))).await;
        for manifest in manifests {
            let created = self.footprint.create(&self.client, manifest).await;
            created.map_err(Failure::api(format_args!("applying {}", manifest.describe())))?;
        }
        Ok(())
    }

    /// Deletes the demo's objects from a real cluster; the error names those that remain.
    pub(crate) async fn clean_up(&self, is_interrupted: bool) -> Result<(), Failure> {
        match self.server {
            Some(_) => Ok(()), // the server ends with this process
            None if is_interrupted => self.footprint.clean_up(&self.client, CLEAN_UP_QUICKLY).await,
            None => self.footprint.clean_up(&self.client, CLEAN_UP).await,
        }
    }

    /// Returns the version at which the audit has seen all changes so far. A real cluster has no such version;
    /// there the audit waits a moment instead.
    pub(crate) async fn version(&self) -> u64 {
        match &self.server {
            Some(server) => server.resource_version(),
            None => {
                sleep(Duration::from_secs(1)).await;
                0
            }
        }
    }
}

async fn book_commits(mut commits: trimtab_apiserver::Commits, audit: Audit) -> Result<(), Failure> {
    while let Some(commit) = commits.next().await {
        let is_deleted = matches!(commit.change, ChangeKind::Deleted);
        let new = (!is_deleted).then_some(&*commit.object);
        let old = commit.previous.as_deref();
        match commit.resource.as_str() {
            "replicasets.apps" => audit.set(old.map(read).as_ref(), new.map(read).as_ref(), commit.version),
            "pods" => audit.pod(old.map(read).as_ref(), new.map(read).as_ref(), commit.version),
            _ => audit.other(commit.version),
        }
    }
    Ok(())
}

/// Passes on the states before and after each event.
fn book_events<T: Object>(
    informer: &Informer<T>,
    entry: impl Fn(Option<&T>, Option<&T>) + Send + Sync + 'static,
) {
    informer.on_change(move |event| {
        let (old, new) = event.change.states();
        entry(old.map(|old| &**old), new.map(|new| &**new));
    });
}

/// Decodes a committed object for the audit.
fn read<T: DeserializeOwned>(object: &Value) -> T {
    T::deserialize(object).expect("the server committed an object of its kind")
}
