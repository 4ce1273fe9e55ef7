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

/// A Service without an address.
pub(crate) fn headless_service(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}})
}

/// An object that stays after its deletion until its finalizer is removed.
pub(crate) fn finalized(name: &str) -> Value {
    json!({"metadata": {"name": name, "finalizers": ["example.com/hold"]}})
}

/// An object called `a` to apply: server-side apply needs its version and kind.
pub(crate) fn applied(api_version: &str, kind: &str, fields: Value) -> Value {
    extended(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}), fields)
}

/// An object with more fields.
pub(crate) fn extended(mut object: Value, fields: Value) -> Value {
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
    object
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
