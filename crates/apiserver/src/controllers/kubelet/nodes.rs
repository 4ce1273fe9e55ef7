//! The nodes that Pods run on: registered once, and kept alive by a Lease each.

use std::time::Duration;

use http::{Method, Request};
use k8s_openapi::jiff::Timestamp;
use kube_client::{Client, Error};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::requests::send;
use crate::controllers::requests::path;

/// How often a Lease is renewed.
const RENEWAL: Duration = Duration::from_secs(10);
/// How long a Lease counts.
const DURATION: Duration = Duration::from_secs(40);
/// Where the Leases are.
const NAMESPACE: &str = "kube-node-lease";

/// Makes a Node exist and `Ready`.
pub(super) async fn register(client: &Client, name: &str) -> Result<Registered, Error> {
    let node = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
    });
    match send(client, Method::POST, "/api/v1/nodes", "application/json", &node).await {
        Err(Error::Api(status)) if status.code == 409 => {} // it is there already
        other => drop(other?),
    }
    let path = path("v1", "", "nodes", name);
    let node = get(client, &path).await?;
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
    let uid = node["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    Ok(Registered { name: name.to_owned(), uid })
}

/// A node that exists.
#[derive(Debug)]
pub(super) struct Registered {
    name: String,
    uid: String,
}

/// Renews the Leases of these nodes until it is dropped. What fails, the next renewal makes up for.
pub(super) async fn keep_alive(client: &Client, nodes: &[Registered]) {
    let (mut next, mut clock) = (Instant::now(), None);
    loop {
        for node in nodes {
            if let Err(error) = renew(client, node, &mut clock).await {
                tracing::debug!(node = node.name, %error, "renewing a node's lease failed");
            }
        }
        next += RENEWAL;
        sleep_until(next).await;
    }
}

/// The server's time at a moment of ours: the two clocks may differ.
type ServerClock = (Timestamp, Instant);

async fn renew(client: &Client, node: &Registered, clock: &mut Option<ServerClock>) -> Result<(), Error> {
    let (since, then) = match *clock {
        Some(known) => known,
        None => *clock.insert(ask_the_time(client).await?),
    };
    // With six digits of a second, as every MicroTime.
    let now = (since + then.elapsed()).strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    let spec =
        json!({"holderIdentity": node.name, "leaseDurationSeconds": DURATION.as_secs(), "renewTime": now});
    let renewed = path("coordination.k8s.io/v1", NAMESPACE, "leases", &node.name);
    let patch = json!({"spec": spec});
    match send(client, Method::PATCH, &renewed, "application/merge-patch+json", &patch).await {
        Err(Error::Api(status)) if status.code == 404 => {}
        other => return other,
    }
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": node.name, "ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.uid},
        ]},
        "spec": spec,
    });
    let leases = path("coordination.k8s.io/v1", NAMESPACE, "leases", "");
    send(client, Method::POST, &leases, "application/json", &lease).await
}

/// Asks the server for its time: the creation timestamp of an object that a dry run creates.
async fn ask_the_time(client: &Client) -> Result<ServerClock, Error> {
    let path = path("coordination.k8s.io/v1", NAMESPACE, "leases", "");
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"generateName": "time-"},
    });
    let request = Request::post(format!("{path}?dryRun=All"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(lease.to_string().into_bytes())
        .map_err(Error::HttpError)?;
    let lease: Value = client.request(request).await?;
    let time = lease["metadata"]["creationTimestamp"].as_str().and_then(|time| time.parse().ok());
    let time = time.ok_or_else(|| Error::Service("the API server stamped no time".into()))?;
    Ok((time, Instant::now()))
}

async fn get(client: &Client, path: &str) -> Result<Value, Error> {
    client.request(Request::get(path).body(Vec::new()).map_err(Error::HttpError)?).await
}
