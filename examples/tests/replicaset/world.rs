//! [`World`]: an API server, a Kubelet and the controller.

use std::{future::pending, time::Duration};

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::{
    Api,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::task::JoinSet;
use trimtab_apiserver::{ApiServer, ChangeKind, Commits, Kubelet};
use trimtab_controller::{
    cache::{Metadata, Object},
    informer::InformerFactory,
};
use trimtab_events::{EventRecorder, FakeEvents};
use trimtab_examples::replicaset::ReplicaSets;

use crate::Gates;

/// A server, a kubelet and the controller. Dropping it stops them.
pub(crate) struct World {
    pub(crate) server: ApiServer,
    pub(crate) commits: Commits,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) events: FakeEvents,
}

impl World {
    pub(crate) fn new(gates: Gates) -> Self {
        Self::over(ApiServer::start(), gates)
    }

    pub(crate) fn over(server: ApiServer, gates: Gates) -> Self {
        let commits = server.commits();
        let mut tasks = JoinSet::new();
        let kubelet = Kubelet::new(server.client()).startup(Duration::from_millis(100));
        tasks.spawn(kubelet.run(pending()));
        let client = server.client_as("controller");
        let informers = InformerFactory::new(client.clone());
        let _gates = gates.enter();
        let (recorder, events) = EventRecorder::fake(1000);
        let controller = ReplicaSets::new(client, &informers).events(&recorder).controller();
        tasks.spawn(async move { controller.run(pending()).await.expect("it runs until it is dropped") });
        Self { server, commits, tasks, events }
    }

    pub(crate) fn sets(&self) -> Api<ReplicaSet> {
        Api::namespaced(self.server.client(), "default")
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.server.client(), "default")
    }

    pub(crate) async fn create_set(&self, name: &str, replicas: usize) -> ReplicaSet {
        self.sets().create(&PostParams::default(), &set(name, replicas)).await.expect("created")
    }

    pub(crate) async fn create_pod(&self, name: &str, app: &str) {
        let pod = json!({
            "metadata": {"name": name, "labels": {"app": app}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        });
        let pod = serde_json::from_value(pod).expect("a Pod");
        self.pods().create(&PostParams::default(), &pod).await.expect("created");
    }

    pub(crate) async fn scale(&self, name: &str, replicas: usize) {
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        self.sets().patch_scale(name, &PatchParams::default(), &patch).await.expect("scaled");
    }

    /// The names of the Pods that `set` controls and that are not being deleted.
    pub(crate) async fn pods_of(&self, set: &str) -> Vec<String> {
        let pods = self.pods().list(&ListParams::default()).await.expect("listed").items;
        let own = |pod: &&Pod| pod.metadata().controller().is_some_and(|owner| owner.name == set);
        let live = pods.iter().filter(own).filter(|pod| pod.metadata.deletion_timestamp.is_none());
        live.map(|pod| pod.metadata().name().to_owned()).collect()
    }

    /// `(replicas, ready, observed generation is the present one)`.
    pub(crate) async fn status(&self, set: &str) -> (i32, i32, bool) {
        let set = self.sets().get(set).await.expect("found");
        let status = set.status.unwrap_or_default();
        let told = status.observed_generation == set.metadata.generation;
        (status.replicas, status.ready_replicas.unwrap_or(0), told)
    }

    /// Returns the number of Pods created since the last call.
    pub(crate) async fn created(&mut self) -> usize {
        let (mut created, last) = (0, self.server.resource_version());
        while let Some(commit) = self.commits.next().await {
            created += usize::from(commit.resource == "pods" && commit.change == ChangeKind::Added);
            if commit.version >= last {
                break;
            }
        }
        created
    }
}

pub(crate) fn set(name: &str, replicas: usize) -> ReplicaSet {
    let set = json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    });
    serde_json::from_value(set).expect("a ReplicaSet")
}

/// Long enough for a set to converge, much shorter than an expectation lives.
pub(crate) const CONVERGED: Duration = Duration::from_secs(20);
