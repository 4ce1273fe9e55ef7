//! A Node's cells.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{NONE, UNKNOWN, array, condition, text, text_or};

/// `Ready`, `NotReady` or `Unknown`, and whether Pods are kept away.
pub(crate) fn node_status(node: &Value, _: Timestamp) -> Value {
    let ready = match condition(node, "Ready") {
        Some(ready) if ready["status"] == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = node["spec"]["unschedulable"] == true;
    format!("{ready}{}", if cordoned { ",SchedulingDisabled" } else { "" }).into()
}

/// The roles among a Node's labels.
pub(crate) fn node_roles(node: &Value, _: Timestamp) -> Value {
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let mut roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() { NONE.into() } else { roles.join(",").into() }
}

pub(crate) fn node_internal_ip(node: &Value, _: Timestamp) -> Value {
    address(node, "InternalIP")
}

pub(crate) fn node_external_ip(node: &Value, _: Timestamp) -> Value {
    address(node, "ExternalIP")
}

pub(crate) fn node_os_image(node: &Value, _: Timestamp) -> Value {
    text_or(node, "/status/nodeInfo/osImage", UNKNOWN)
}

pub(crate) fn node_kernel(node: &Value, _: Timestamp) -> Value {
    text_or(node, "/status/nodeInfo/kernelVersion", UNKNOWN)
}

pub(crate) fn node_runtime(node: &Value, _: Timestamp) -> Value {
    text_or(node, "/status/nodeInfo/containerRuntimeVersion", UNKNOWN)
}

fn address(node: &Value, kind: &str) -> Value {
    let address = array(node, "/status/addresses").iter().find(|address| address["type"] == kind);
    address.map_or(NONE, |address| text(address, "/address")).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_is_ready_by_its_condition_and_tells_when_it_is_cordoned() {
        let ready = |status| json!({"status": {"conditions": [{"type": "Ready", "status": status}]}});
        let status = |node: &Value| node_status(node, Timestamp::UNIX_EPOCH);
        assert_eq!(status(&ready("True")), "Ready");
        assert_eq!(status(&ready("Unknown")), "NotReady");
        assert_eq!(status(&json!({})), "Unknown");
        assert_eq!(status(&json!({"spec": {"unschedulable": true}})), "Unknown,SchedulingDisabled");
    }

    #[test]
    fn roles_are_read_from_both_labels() {
        let labels = json!({"metadata": {"labels": {
            "node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge", "zone": "a",
        }}});
        assert_eq!(node_roles(&labels, Timestamp::UNIX_EPOCH), "edge,worker");
        assert_eq!(node_roles(&json!({}), Timestamp::UNIX_EPOCH), NONE);
    }
}
