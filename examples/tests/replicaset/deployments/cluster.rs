//! [`Cluster`]: an API server, a Kubelet and both controllers, with the bounds of a rollout watched at each commit.

use std::{future::pending, time::Duration};

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    core::v1::Pod,
};
use kube_client::{
    Api, Client,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use trimtab_apiserver::{ApiServer, Kubelet, PodPlan};
use trimtab_controller::informer::InformerFactory;
use trimtab_events::{EventRecorder, FakeEvents};
use trimtab_examples::{deployment::Deployments, replicaset::ReplicaSets};
use trimtab_test_support::settle;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A server, a Kubelet and the controllers. Pods of the image `broken` are never ready. Dropping it stops them.
pub(crate) struct Cluster {
    pub(crate) server: ApiServer,
    pub(crate) events: FakeEvents,
    client: Client,
    recorder: EventRecorder,
    controllers: JoinSet<()>,
    _kubelet: JoinSet<()>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        Self::start_with(|client| client)
    }

    /// The same, with controllers that use another client.
    pub(crate) fn start_with(client: impl FnOnce(Client) -> Client) -> Self {
        let server = ApiServer::builder().request_log(true).start();
        let is_broken = |image: Option<&str>| image == Some("broken");
        let kubelet = Kubelet::new(server.client())
            .startup(Duration::from_millis(500))
            .termination(Duration::from_millis(200))
            .rule(move |pod| is_broken(pod.label("image")).then(PodPlan::image_pull_fails));
        let mut tasks = JoinSet::new();
        tasks.spawn(kubelet.run(pending()));
        let (recorder, events) = EventRecorder::fake(1000);
        let client = client(server.client_as("controller"));
        let mut cluster =
            Self { server, events, client, recorder, controllers: JoinSet::new(), _kubelet: tasks };
        cluster.start_controllers();
        cluster
    }

    /// Starts both controllers, with caches of their own.
    pub(crate) fn start_controllers(&mut self) {
        let informers = InformerFactory::new(self.client.clone());
        let deployments = Deployments::new(self.client.clone(), &informers, &self.recorder).controller();
        let sets = ReplicaSets::new(self.client.clone(), &informers).controller();
        self.controllers.spawn(async move {
            let (deployments, sets) = tokio::join!(deployments.run(pending()), sets.run(pending()));
            deployments.and(sets).expect("they run until they are dropped");
        });
    }

    /// Ends both controllers in the middle of whatever they do.
    pub(crate) async fn stop_controllers(&mut self) {
        self.controllers.shutdown().await;
    }

    pub(crate) fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.server.client(), "default")
    }

    pub(crate) fn sets(&self) -> Api<ReplicaSet> {
        Api::namespaced(self.server.client(), "default")
    }

    pub(crate) async fn create(&self, replicas: i32, more: &Value) {
        let deployment = serde_json::from_value(deployment(replicas, more)).expect("a Deployment");
        self.deployments().create(&PostParams::default(), &deployment).await.expect("created");
    }

    pub(crate) async fn patch(&self, patch: Value) {
        let patch = Patch::Merge(patch);
        self.deployments().patch("web", &PatchParams::default(), &patch).await.expect("patched");
    }

    /// Changes the image, as `kubectl set image` does.
    pub(crate) async fn set_image(&self, image: &str) {
        self.patch(json!({"spec": {"template": template(image)}})).await;
    }

    pub(crate) async fn web(&self) -> Deployment {
        self.deployments().get("web").await.expect("found")
    }

    /// The status and the reason of the condition `Progressing`.
    pub(crate) async fn progressing(&self) -> (String, String) {
        let conditions = self.web().await.status.and_then(|status| status.conditions).unwrap_or_default();
        let found = conditions.into_iter().find(|one| one.type_.as_deref() == Some("Progressing"));
        found.map_or_else(Default::default, |one| {
            (one.status.unwrap_or_default(), one.reason.unwrap_or_default())
        })
    }

    /// The image, the revision, the wanted and the available Pods of each set, by revision.
    pub(crate) async fn images(&self) -> Vec<(String, String, i32, i32)> {
        let sets = self.sets().list(&ListParams::default()).await.expect("listed").items;
        let mut rows: Vec<_> = sets.iter().map(row).collect();
        rows.sort_by_key(|(_, revision, ..)| revision.parse::<i64>().unwrap_or(0));
        rows
    }

    /// All Pods, those that are being deleted included.
    pub(crate) async fn all_pods(&self) -> Vec<Pod> {
        let pods = Api::<Pod>::namespaced(self.server.client(), "default");
        pods.list(&ListParams::default()).await.expect("listed").items
    }

    /// The image of each Pod that is not being deleted.
    pub(crate) async fn pods(&self) -> Vec<String> {
        let live = self.all_pods().await.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
        let mut images: Vec<_> = live.filter_map(|pod| pod.metadata.labels?.get("image").cloned()).collect();
        images.sort();
        images
    }

    /// Creates a set without an owner and without Pods, which a Deployment `web` may adopt.
    pub(crate) async fn create_set(&self, name: &str, image: &str) -> ReplicaSet {
        let mut template = template(image);
        template["metadata"]["labels"]["pod-template-hash"] = name.into();
        let labels = template["metadata"]["labels"].clone();
        let set = json!({
            "metadata": {"name": name, "labels": labels},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
        });
        let set = serde_json::from_value(set).expect("a ReplicaSet");
        self.sets().create(&PostParams::default(), &set).await.expect("created")
    }

    /// Lets the cluster run, and checks at each step that a rolling update keeps its bounds.
    pub(crate) async fn watch_bounds(&self, time: Duration, least: usize, most: usize) {
        for _ in 0..time.as_millis() / 200 {
            settle(Duration::from_millis(200)).await;
            let pods = self.all_pods().await;
            let live: Vec<_> = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect();
            let ready = live.iter().filter(|pod| is_ready(pod)).count();
            assert!(live.len() <= most, "{} Pods of {most}", live.len());
            assert!(ready >= least, "{ready} ready Pods of {least}");
        }
    }
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|one| one.type_ == "Ready" && one.status == "True")
}

fn row(set: &ReplicaSet) -> (String, String, i32, i32) {
    let labels = set.spec.template.as_ref().and_then(|template| template.metadata.as_ref()?.labels.as_ref());
    let image = labels.and_then(|labels| labels.get("image").cloned()).unwrap_or_default();
    let annotations = set.metadata.annotations.clone().unwrap_or_default();
    let revision = annotations.get("deployment.kubernetes.io/revision").cloned().unwrap_or_default();
    let available = set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0);
    (image, revision, set.spec.replicas.unwrap_or(1), available)
}

/// The template of an image.
pub(crate) fn template(image: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": "web", "image": image}},
        "spec": {"containers": [{"name": "c", "image": image}]},
    })
}

/// A Deployment `web` of the image `v1`; `more` are more fields of its spec.
pub(crate) fn deployment(replicas: i32, more: &Value) -> Value {
    let mut spec = json!({
        "replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template("v1"),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}},
    });
    let more = more.as_object().cloned().unwrap_or_default();
    spec.as_object_mut().expect("a map").extend(more);
    json!({"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
}

/// A row of [`Cluster::images`].
pub(crate) fn image(image: &str, revision: u32, wanted: i32, available: i32) -> (String, String, i32, i32) {
    (image.to_owned(), revision.to_string(), wanted, available)
}
