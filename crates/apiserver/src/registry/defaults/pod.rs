//! The defaults of Pods and of the templates that Pods are made from.

use serde_json::{Map, Value, json};

use super::{
    Fields, fill, items, object, quantities,
    volume::{reference, volume},
};

/// Sets the defaults of a Pod, and what upstream's admission adds to every Pod.
pub(in crate::registry) fn pod(spec: &mut Fields) {
    pod_spec(spec);
    fill(spec, [("enableServiceLinks", true)]);
    fill(spec, [("priority", 0)]);
    fill(spec, [("preemptionPolicy", "PreemptLowerPriority")]);
    if spec.get("schedulingGates").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        spec.remove("schedulingGates");
    }
    for field in ["containers", "initContainers"] {
        items(spec, field).for_each(request_what_is_limited);
    }
    tolerate(spec);
    // A template keeps it.
    if spec["terminationGracePeriodSeconds"].as_i64().is_some_and(|seconds| seconds < 0) {
        spec.insert("terminationGracePeriodSeconds".to_owned(), json!(1));
    }
}

/// Sets the defaults of the template in a workload's spec.
pub(in crate::registry) fn template(spec: &mut Fields) {
    let Some(template) = spec.get_mut("template").and_then(Value::as_object_mut) else { return };
    template.entry("metadata").or_insert_with(|| json!({}));
    if let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) {
        pod_spec(spec);
    }
}

fn pod_spec(spec: &mut Fields) {
    fill(
        spec,
        [("restartPolicy", "Always"), ("dnsPolicy", "ClusterFirst"), ("schedulerName", "default-scheduler")],
    );
    fill(spec, [("terminationGracePeriodSeconds", 30)]);
    fill(spec, [("securityContext", json!({}))]);
    let mut accounts =
        ["serviceAccountName", "serviceAccount"].into_iter().filter_map(|field| spec.get(field));
    if let Some(account) = accounts.find(|account| **account != "").cloned() {
        spec.insert("serviceAccountName".to_owned(), account.clone());
        spec.insert("serviceAccount".to_owned(), account); // its old name
    }
    let shares_ports = spec.get("hostNetwork") == Some(&json!(true));
    for field in ["initContainers", "containers"] {
        items(spec, field).for_each(|item| container(item, shares_ports));
    }
    items(spec, "ephemeralContainers").for_each(|item| container(item, false));
    items(spec, "volumes").for_each(volume);
    quantities(spec, "overhead");
}

fn container(container: &mut Fields, shares_ports: bool) {
    fill(container, [("resources", json!({}))]);
    fill(
        container,
        [("terminationMessagePath", "/dev/termination-log"), ("terminationMessagePolicy", "File")],
    );
    if container.get("imagePullPolicy").is_none_or(Value::is_null) {
        let policy = pull_policy(container.get("image").and_then(Value::as_str).unwrap_or_default());
        container.insert("imagePullPolicy".to_owned(), policy.into());
    }
    for port in items(container, "ports") {
        fill(port, [("protocol", "TCP")]);
        if let (true, Some(number)) = (shares_ports, port.get("containerPort").cloned()) {
            fill(port, [("hostPort", number)]);
        }
    }
    for variable in items(container, "env") {
        if let Some(from) = object(variable, "valueFrom") {
            reference(from);
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = object(container, name) {
            self::probe(probe);
        }
    }
    if let Some(lifecycle) = object(container, "lifecycle") {
        for hook in ["postStart", "preStop"] {
            if let Some(get) = object(lifecycle, hook).and_then(|hook| object(hook, "httpGet")) {
                http_get(get);
            }
        }
    }
    if let Some(resources) = object(container, "resources") {
        ["limits", "requests"].iter().for_each(|what| quantities(resources, what));
    }
}

/// Returns when an image is pulled by default: an image without a tag, or the latest, every time.
fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or_default();
    let is_reference =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'/' | b'@');
    // What is no name of an image has no tag.
    let is_latest = image.bytes().all(is_reference)
        && !name.contains('@')
        && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if is_latest { "Always" } else { "IfNotPresent" }
}

fn probe(probe: &mut Fields) {
    fill(
        probe,
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)],
    );
    if let Some(get) = object(probe, "httpGet") {
        http_get(get);
    }
    if let Some(grpc) = object(probe, "grpc") {
        fill(grpc, [("service", "")]);
    }
}

fn http_get(get: &mut Fields) {
    fill(get, [("path", "/"), ("scheme", "HTTP")]);
}

/// Sets missing requests to their limits.
fn request_what_is_limited(container: &mut Fields) {
    let Some(resources) = object(container, "resources") else { return };
    let Some(limits) = resources.get("limits").and_then(Value::as_object) else { return };
    let is_requested =
        |resource: &str| resources.get("requests").is_some_and(|all| all.get(resource).is_some());
    let missing = limits.iter().filter(|(resource, _)| !is_requested(resource));
    let missing: Fields = missing.map(|(resource, limit)| (resource.clone(), limit.clone())).collect();
    if missing.is_empty() && resources.contains_key("requests") {
        return;
    }
    let requests = resources.entry("requests").or_insert_with(|| Value::Object(Map::new()));
    if let Some(requests) = requests.as_object_mut() {
        requests.extend(missing);
    }
}

/// Adds the tolerations by which a Pod stays five minutes on a node that is not ready or not reachable.
fn tolerate(spec: &mut Fields) {
    let Some(tolerations) = spec.entry("tolerations").or_insert_with(|| json!([])).as_array_mut() else {
        return;
    };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let covers = |toleration: &Value| {
            let is =
                |field: &str, wanted: &str| toleration[field].as_str().is_none_or(|value| value == wanted);
            (toleration["key"] == key || toleration["key"].as_str().unwrap_or_default().is_empty())
                && (is("effect", "NoExecute") || toleration["effect"] == "")
        };
        if !tolerations.iter().any(covers) {
            tolerations.push(json!({
                "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            }));
        }
    }
}

/// Returns the quality of service of a Pod, from its requests and limits.
pub(crate) fn qos_class(pod: &Value) -> &'static str {
    fn amount<'a>(resources: &'a Value, what: &str, resource: &str) -> Option<&'a Value> {
        let amount = resources.get(what)?.get(resource)?;
        crate::registry::quantity::of(amount).is_none_or(|amount| amount.signum() > 0).then_some(amount)
    }
    let (spec, mut any, mut all) = (&pod["spec"], false, true);
    let lists = ["containers", "initContainers"].into_iter().filter_map(|field| spec[field].as_array());
    for container in lists.flatten() {
        for resource in ["cpu", "memory"] {
            let [limit, request] =
                ["limits", "requests"].map(|what| amount(&container["resources"], what, resource));
            any |= limit.is_some() || request.is_some();
            all &= limit.is_some() && (request.is_none() || request == limit);
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
