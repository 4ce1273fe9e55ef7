//! The objects that cases work with.

use serde_json::{Value, json};

/// A Pod with one container.
pub(crate) fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "app:1"}]}})
}

/// A Pod that is on a node, so that its deletion takes the grace period.
pub(crate) fn bound_pod(name: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["nodeName"] = json!("nowhere");
    pod
}

/// A ConfigMap with one entry.
pub(crate) fn config_map(name: &str) -> Value {
    json!({"metadata": {"name": name}, "data": {"key": "value"}})
}

/// A Deployment or a ReplicaSet: both read the same spec.
pub(crate) fn workload(name: &str, replicas: u32) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "app:1"}]},
            },
        },
    })
}

/// A ConfigMap to apply: whole, as server-side apply wants it.
pub(crate) fn applied_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// A reference to an owner that was created.
pub(crate) fn owner(api_version: &str, kind: &str, owner: &Value, block: bool) -> Value {
    json!({
        "apiVersion": api_version,
        "kind": kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "blockOwnerDeletion": block,
    })
}
