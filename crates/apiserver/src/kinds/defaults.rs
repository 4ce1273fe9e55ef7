//! What upstream fills in where a writer leaves it out, as far as controllers and kubectl rely on it.

use serde_json::{Map, Value, json};

use super::Kind;

/// Sets the defaults of an object of `kind`. Setting them again changes nothing.
pub(super) fn set(kind: &Kind, object: &mut Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod_spec(spec(object)),
        ("apps", "ReplicaSet") => {
            let spec = spec(object);
            spec.entry("replicas").or_insert(json!(1));
            template(spec);
        }
        ("", "ReplicationController") => {
            let spec = spec(object);
            spec.entry("replicas").or_insert(json!(1));
            template(spec);
            let labels = spec
                .get("template")
                .and_then(|template| template.pointer("/metadata/labels"))
                .cloned();
            if let Some(labels) = labels {
                spec.entry("selector").or_insert(labels);
            }
        }
        ("apps", "Deployment") => deployment(spec(object)),
        ("apps", "StatefulSet") => {
            let spec = spec(object);
            spec.entry("replicas").or_insert(json!(1));
            spec.entry("podManagementPolicy").or_insert(json!("OrderedReady"));
            spec.entry("revisionHistoryLimit").or_insert(json!(10));
            let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}});
            spec.entry("updateStrategy").or_insert(rolling);
            template(spec);
        }
        ("apps", "DaemonSet") => {
            let spec = spec(object);
            spec.entry("revisionHistoryLimit").or_insert(json!(10));
            let rolling =
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}});
            spec.entry("updateStrategy").or_insert(rolling);
            template(spec);
        }
        ("", "Secret") => {
            object
                .as_object_mut()
                .expect("an object")
                .entry("type")
                .or_insert(json!("Opaque"));
        }
        _ => {}
    }
}

/// How a Pod's resources are guaranteed, from its requests and limits.
pub(super) fn qos_class(pod: &Value) -> &'static str {
    let containers = ["/spec/containers", "/spec/initContainers"]
        .into_iter()
        .filter_map(|path| pod.pointer(path));
    let containers: Vec<&Value> = containers.filter_map(Value::as_array).flatten().collect();
    let amount = |container: &Value, what: &str, resource: &str| {
        container
            .pointer(&format!("/resources/{what}/{resource}"))
            .cloned()
    };
    let resources = ["cpu", "memory"];
    let any = containers.iter().any(|container| {
        resources.iter().any(|resource| {
            amount(container, "requests", resource).is_some()
                || amount(container, "limits", resource).is_some()
        })
    });
    let all = containers.iter().all(|container| {
        resources.iter().all(|resource| {
            let limit = amount(container, "limits", resource);
            let request = amount(container, "requests", resource);
            limit.is_some() && (request.is_none() || request == limit)
        })
    });
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

fn deployment(spec: &mut Map<String, Value>) {
    spec.entry("replicas").or_insert(json!(1));
    spec.entry("revisionHistoryLimit").or_insert(json!(10));
    spec.entry("progressDeadlineSeconds").or_insert(json!(600));
    let strategy = spec.entry("strategy").or_insert(json!({}));
    if let Some(strategy) = strategy.as_object_mut() {
        let kind = strategy.entry("type").or_insert(json!("RollingUpdate"));
        if kind == "RollingUpdate" {
            let rolling = strategy.entry("rollingUpdate").or_insert(json!({}));
            if let Some(rolling) = rolling.as_object_mut() {
                rolling.entry("maxUnavailable").or_insert(json!("25%"));
                rolling.entry("maxSurge").or_insert(json!("25%"));
            }
        }
    }
    template(spec);
}

/// The defaults of the Pods that a controller makes.
fn template(spec: &mut Map<String, Value>) {
    let Some(template) = spec.get_mut("template").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(metadata) = template.entry("metadata").or_insert(json!({})).as_object_mut() {
        metadata.entry("creationTimestamp").or_insert(Value::Null);
    }
    if let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) {
        pod_spec(spec);
    }
}

fn pod_spec(spec: &mut Map<String, Value>) {
    let defaults = [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("securityContext", json!({})),
        ("schedulerName", json!("default-scheduler")),
    ];
    for (field, value) in defaults {
        spec.entry(field).or_insert(value);
    }
    for field in ["containers", "initContainers"] {
        for container in spec
            .get_mut(field)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(container) = container.as_object_mut() {
                self::container(container);
            }
        }
    }
}

fn container(container: &mut Map<String, Value>) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let is_latest = !name.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    let pull = if is_latest { "Always" } else { "IfNotPresent" };
    let defaults = [
        ("resources", json!({})),
        ("terminationMessagePath", json!("/dev/termination-log")),
        ("terminationMessagePolicy", json!("File")),
        ("imagePullPolicy", json!(pull)),
    ];
    for (field, value) in defaults {
        container.entry(field).or_insert(value);
    }
    for port in container
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(port) = port.as_object_mut() {
            port.entry("protocol").or_insert(json!("TCP"));
        }
    }
}

/// The object's spec; made if it has none.
fn spec(object: &mut Value) -> &mut Map<String, Value> {
    let object = object.as_object_mut().expect("only JSON objects are decoded");
    let spec = object.entry("spec").or_insert_with(|| json!({}));
    if !spec.is_object() {
        *spec = json!({}); // validation then tells what is missing
    }
    spec.as_object_mut().expect("made an object above")
}
