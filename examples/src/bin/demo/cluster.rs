//! Where the demo runs: on an API server in this process, or on a real cluster.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use k8s_openapi::api::{
    apps::v1::ReplicaSet,
    coordination::v1::Lease,
    core::v1::{Node, Pod},
};
use kube_client::{
    Api, Client, Config,
    api::{DeleteParams, ListParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};
use trimtab_apiserver::{ApiServer, Kubelet};
use trimtab_controller::{
    cache::{Change, Metadata, Object},
    informer::{Handler, Informer, InformerFactory},
};
use trimtab_examples::replicaset::PodView;

use crate::{audit::Audit, disturb::LEASE, failure::Failure, manifests::Manifest};

/// How long a set of a real cluster must stay untouched to show that nobody else controls it.
const PROBE: Duration = Duration::from_secs(4);

/// The node that the simulated kubelet runs its Pods on.
const NODE: &str = "trimtab-demo";

/// The name of that set.
const PROBE_NAME: &str = "trimtab-demo-probe";

/// A cluster to run on, and the tasks that belong to it. Dropping it stops them.
pub(crate) struct Cluster {
    pub(crate) client: Client,
    /// The server in this process, with its levers; `None` on a real cluster.
    pub(crate) server: Option<ApiServer>,
    tasks: JoinSet<()>,
    /// Keep a real cluster's audit going.
    _handlers: Vec<Handler>,
}

impl Cluster {
    /// An API server in this process.
    pub(crate) fn embedded() -> Self {
        let server = ApiServer::start();
        Self { client: server.client(), server: Some(server), tasks: JoinSet::new(), _handlers: Vec::new() }
    }

    /// The cluster of a kubeconfig.
    pub(crate) async fn real(kubeconfig: &PathBuf, context: Option<String>) -> Result<Self, Failure> {
        let refused = |error: String| Failure::Input(format!("{}: {error}", kubeconfig.display()));
        let file = Kubeconfig::read_from(kubeconfig).map_err(|error| refused(error.to_string()))?;
        let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(file, &options).await;
        let mut config = config.map_err(|error| refused(error.to_string()))?;
        // A create that is sent again after a lost reply makes a second Pod: the server names it.
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|error| refused(error.to_string()))?;
        Ok(Self { client, server: None, tasks: JoinSet::new(), _handlers: Vec::new() })
    }

    /// The client that the controller uses; on our own server the levers know it by its user agent.
    pub(crate) fn controller_client(&self) -> Client {
        self.server.as_ref().map_or_else(|| self.client.clone(), |server| server.client_as("controller"))
    }

    /// Listens on `address` for kubectl.
    pub(crate) async fn listen(&self, address: SocketAddr) -> Result<Option<SocketAddr>, Failure> {
        let Some(server) = &self.server else {
            return Err(Failure::Input(
                "--listen is for the server in this process, not for --kubeconfig".to_owned(),
            ));
        };
        let bound = server.listen(address).await;
        bound.map(Some).map_err(|error| Failure::Input(format!("cannot listen on {address}: {error}")))
    }

    /// Refuses a cluster whose ReplicaSets somebody controls already: a set of one replica must stay
    /// as it was created.
    pub(crate) async fn probe(&self) -> Result<(), Failure> {
        let sets = Api::<ReplicaSet>::namespaced(self.client.clone(), "default");
        let set: ReplicaSet = typed(serde_json::json!({
            "metadata": {"name": PROBE_NAME},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": PROBE_NAME}},
                "template": {
                    "metadata": {"labels": {"app": PROBE_NAME}},
                    "spec": {"containers": [{"name": "probe", "image": "registry.example/probe:1"}]},
                },
            },
        }));
        drop(sets.delete(PROBE_NAME, &DeleteParams::default()).await); // of a run that was killed
        let created =
            sets.create(&PostParams::default(), &set).await.map_err(Failure::api("creating a probe"))?;
        sleep(PROBE).await;
        let found = sets.get(PROBE_NAME).await.map_err(Failure::api("reading the probe"))?;
        let pods = Api::<Pod>::namespaced(self.client.clone(), "default");
        let labelled = ListParams::default().labels(&format!("app={PROBE_NAME}"));
        let pods = pods.list(&labelled).await.map_err(Failure::api("looking for the probe's Pods"))?;
        let untouched = found.status == created.status && pods.items.is_empty();
        sets.delete(PROBE_NAME, &DeleteParams::background())
            .await
            .map_err(Failure::api("deleting the probe"))?;
        if untouched {
            Ok(())
        } else {
            Err(Failure::Input(
                "this cluster has a ReplicaSet controller of its own: it acted on a probe. Nothing was applied"
                    .to_owned(),
            ))
        }
    }

    /// Books every change from now on: on our own server every commit, on a real cluster every event.
    pub(crate) fn audit(&mut self, audit: &Audit, informers: &InformerFactory) {
        let Some(server) = &self.server else {
            let (sets, pods) = (audit.clone(), audit.clone());
            self._handlers = vec![
                book(&informers.informer::<ReplicaSet>(), move |old, new| sets.set(old, new, 0)),
                book(&informers.informer::<PodView>(), move |old, new| pods.pod(old, new, 0)),
            ];
            return;
        };
        let (audit, mut commits) = (audit.clone(), server.commits());
        self.tasks.spawn(async move {
            while let Some(commit) = commits.next().await {
                let deleted = matches!(commit.change, trimtab_apiserver::ChangeKind::Deleted);
                let new = (!deleted).then_some(&*commit.object);
                let old = commit.previous.as_deref();
                match commit.resource.as_str() {
                    "replicasets.apps" => {
                        audit.set(old.map(read).as_ref(), new.map(read).as_ref(), commit.version)
                    }
                    "pods" => audit.pod(old.map(read).as_ref(), new.map(read).as_ref(), commit.version),
                    _ => audit.other(commit.version),
                }
            }
        });
    }

    /// Runs a small kubelet, unless the cluster has nodes of its own. Returns whether it does.
    pub(crate) async fn run_kubelet(&mut self) -> Result<bool, Failure> {
        let nodes = Api::<Node>::all(self.client.clone()).list(&ListParams::default()).await;
        let own = nodes.map_err(Failure::api("listing Nodes"))?.items;
        let ours = |node: &Node| node.metadata().name() == NODE;
        if !own.iter().all(ours) {
            return Ok(false);
        }
        let kubelet = Kubelet::new(self.client.clone()).node(NODE);
        let kubelet = kubelet.startup(Duration::from_millis(150)).termination(Duration::from_millis(100));
        self.tasks.spawn(kubelet.run(std::future::pending()));
        Ok(true)
    }

    /// Takes away from a real cluster what the demo has put there, Pods of its sets included, as there
    /// may be no garbage collector. Namespaces stay: without their controller they would end never.
    pub(crate) async fn clean_up(&mut self, manifests: &[Manifest]) -> Result<(), Failure> {
        if self.server.is_some() {
            return Ok(()); // it goes with this process
        }
        self.tasks.shutdown().await; // the kubelet would put its node back
        let now = DeleteParams::default().grace_period(0);
        for manifest in manifests.iter().rev().filter(|manifest| manifest.resource.kind != "Namespace") {
            let name = manifest.object.metadata.name.as_deref().unwrap_or_default();
            gone(manifest.api(self.client.clone()).delete(name, &now).await)?;
            let labels = &manifest.object.data["spec"]["selector"]["matchLabels"];
            if let (Some(namespace), Some(labels)) = (manifest.namespace(), labels.as_object()) {
                let labels: Vec<_> =
                    labels.iter().map(|(key, value)| format!("{key}={}", text(value))).collect();
                let own = ListParams::default().labels(&labels.join(","));
                let pods = Api::<Pod>::namespaced(self.client.clone(), namespace);
                gone(pods.delete_collection(&now, &own).await)?;
            }
        }
        gone(Api::<Lease>::namespaced(self.client.clone(), LEASE.0).delete(LEASE.1, &now).await)?;
        gone(Api::<Node>::all(self.client.clone()).delete(NODE, &now).await)
    }

    /// The version up to which the audit must have booked to know of all that was done so far. A
    /// real cluster's is not to be had; there the audit gets a moment instead.
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

/// What is not there need not be deleted.
fn gone<T>(deleted: Result<T, kube_client::Error>) -> Result<(), Failure> {
    match deleted {
        Err(kube_client::Error::Api(status)) if status.code == 404 => Ok(()),
        deleted => deleted.map(drop).map_err(Failure::api("cleaning up")),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Passes the states before and after each event on.
fn book<T: Object>(
    informer: &Informer<T>,
    entry: impl Fn(Option<&T>, Option<&T>) + Send + Sync + 'static,
) -> Handler {
    informer.on_change(move |event| match &event.change {
        Change::Added(new) => entry(None, Some(new)),
        Change::Updated { old, new } => entry(Some(old), Some(new)),
        Change::Deleted(tombstone) => entry(Some(&tombstone.object), None),
    })
}

/// The committed object as the audit reads it.
fn read<T: DeserializeOwned>(object: &Value) -> T {
    T::deserialize(object).expect("the server committed an object of its kind")
}

fn typed<T: DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).expect("a literal of the kind")
}
