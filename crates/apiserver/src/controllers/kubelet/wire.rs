//! What the kubelet reads of a Pod, and the requests that it makes.

use std::{collections::BTreeMap, time::Duration};

use http::{Method, Request, header};
use k8s_openapi::jiff::Timestamp;
use kube_client::{Client, Error};
use serde::Deserialize;
use serde_json::{Value, json};

use super::pods::Action;
use crate::{clock::seconds, controllers::requests};

/// The fields of a Pod that matter here; the rest is never decoded.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct PodView {
    pub(super) metadata: Metadata,
    #[serde(default)]
    pub(super) spec: Spec,
    #[serde(default)]
    pub(super) status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    #[serde(default)]
    creation_timestamp: Option<String>,
    #[serde(default)]
    pub(super) deletion_timestamp: Option<String>,
    #[serde(default)]
    pub(super) deletion_grace_period_seconds: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) node_name: Option<String>,
    pub(super) scheduling_gates: Vec<Value>,
    containers: Vec<Container>,
    init_containers: Vec<Container>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    name: String,
    #[serde(default)]
    image: String,
    #[serde(default)]
    restart_policy: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    pub(super) phase: Option<String>,
    conditions: Vec<Value>,
}

/// A page of Pods.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    pub(super) metadata: ListMetadata,
    pub(super) items: Vec<PodView>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListMetadata {
    pub(super) resource_version: String,
    #[serde(default, rename = "continue")]
    pub(super) continue_: Option<String>,
}

/// Makes a Node exist and `Ready`.
pub(super) async fn register(client: &Client, name: &str) -> Result<(), Error> {
    let node = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
    });
    match send(client, Method::POST, "/api/v1/nodes", "application/json", &node).await {
        Err(Error::Api(status)) if status.code == 409 => {} // it is there already
        other => drop(other?),
    }
    let path = requests::path("v1", "", "nodes", name);
    let node: Value = client.request(Request::get(&path).body(Vec::new()).map_err(Error::HttpError)?).await?;
    // The server's time, not ours: the two clocks may differ.
    let since = &node["metadata"]["creationTimestamp"];
    let resources = json!({"cpu": "1k", "memory": "1Ti", "pods": "1M"});
    let status = json!({"status": {
        "capacity": resources,
        "allocatable": resources,
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status",
            "lastHeartbeatTime": since, "lastTransitionTime": since,
        }],
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": name}],
        "nodeInfo": {
            "architecture": "", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "",
            "kubeProxyVersion": "", "kubeletVersion": "v1.36.3", "machineID": "", "operatingSystem": "linux",
            "osImage": "", "systemUUID": "",
        },
    }});
    send(client, Method::PATCH, &format!("{path}/status"), "application/merge-patch+json", &status).await?;
    // A scheduler's taint on Nodes that were not ready yet; nobody else would take it away here.
    if node["spec"]["taints"].is_array() {
        let patch = json!({"spec": {"taints": null}});
        send(client, Method::PATCH, &path, "application/merge-patch+json", &patch).await?;
    }
    Ok(())
}

/// Does what a Pod needs.
pub(super) async fn perform(client: &Client, pod: &PodView, action: &Action) -> Result<(), Error> {
    let Metadata { namespace, name, uid, .. } = &pod.metadata;
    let path = requests::path("v1", namespace, "pods", name);
    match action {
        Action::Bind { node } => {
            let binding = json!({
                "apiVersion": "v1",
                "kind": "Binding",
                "metadata": {"name": name, "namespace": namespace, "uid": uid},
                "target": {"apiVersion": "v1", "kind": "Node", "name": node},
            });
            send(client, Method::POST, &format!("{path}/binding"), "application/json", &binding).await
        }
        Action::Start { ip, after } => {
            let patch = json!({"metadata": {"uid": uid}, "status": running(pod, ip, *after)});
            send(client, Method::PATCH, &format!("{path}/status"), "application/merge-patch+json", &patch)
                .await
        }
        Action::Remove => {
            let options = json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "gracePeriodSeconds": 0,
                "preconditions": {"uid": uid},
            });
            send(client, Method::DELETE, &path, "application/json", &options).await
        }
    }
}

/// The status of a Pod that runs.
fn running(pod: &PodView, ip: &str, startup: Duration) -> Value {
    let scheduled = pod.status.conditions.iter().find(|condition| condition["type"] == "PodScheduled");
    let scheduled = scheduled.and_then(|condition| condition["lastTransitionTime"].as_str());
    let scheduled = scheduled.or(pod.metadata.creation_timestamp.as_deref()).unwrap_or_default();
    // Counted from the server's time, so that two runs under one seed write the same.
    let now =
        scheduled.parse::<Timestamp>().map_or(scheduled.to_owned(), |scheduled| seconds(scheduled + startup));
    let ours = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"];
    let mut conditions: BTreeMap<&str, Value> = pod
        .status
        .conditions
        .iter()
        .filter_map(|condition| Some((condition["type"].as_str()?, condition.clone())))
        .collect();
    conditions.extend(ours.map(|kind| {
        let condition =
            json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
        (kind, condition)
    }));
    let status = |container: &Container, state: Value| {
        json!({
            "name": container.name, "image": container.image, "imageID": container.image,
            "containerID": format!("trimtab://{}/{}", pod.metadata.uid, container.name),
            "ready": true, "started": true, "restartCount": 0, "state": state, "lastState": {},
        })
    };
    let runs = |container: &Container| status(container, json!({"running": {"startedAt": now}}));
    let init = pod.spec.init_containers.iter().map(|container| {
        if container.restart_policy.as_deref() == Some("Always") {
            return runs(container);
        }
        let ended = json!({"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now});
        let mut status = status(container, json!({"terminated": ended}));
        status["started"] = false.into();
        status
    });
    let mut all = json!({
        "phase": "Running",
        "conditions": conditions.into_values().collect::<Vec<_>>(),
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "startTime": scheduled,
        "containerStatuses": pod.spec.containers.iter().map(runs).collect::<Vec<_>>(),
    });
    if !pod.spec.init_containers.is_empty() {
        all["initContainerStatuses"] = init.collect();
    }
    all
}

async fn send(
    client: &Client,
    method: Method,
    path: &str,
    content_type: &str,
    body: &Value,
) -> Result<(), Error> {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, content_type);
    let request = request.body(body.to_string().into_bytes()).map_err(Error::HttpError)?;
    client.request_text(request).await.map(drop)
}
