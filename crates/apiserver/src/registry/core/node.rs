//! Nodes.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::registry::{Column, Kind, Strategy, Subresource, cells, column, kind::CONNECT, strategy::Plugin};

const PROXY: Subresource = Subresource::new("proxy", "NodeProxyOptions", CONNECT);

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "Node", "nodes")
        .short("no")
        .cluster()
        .status()
        .below(&[PROXY])
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    selectable_fields: &["spec.unschedulable"],
    prepare_for_create: complete_status,
    // A Node registers itself with its status.
    keeps_first_status: true,
    plugins: &[Plugin::TaintNode],
    ..Strategy::PLAIN
};

/// Sets the fields of a Node's status that its writer left out to empty values.
fn complete_status(node: &mut Value) {
    let status = &mut node["status"];
    if !status["daemonEndpoints"].is_object() {
        status["daemonEndpoints"] = json!({"kubeletEndpoint": {"Port": 0}});
    }
    let known = [
        "architecture",
        "bootID",
        "containerRuntimeVersion",
        "kernelVersion",
        "kubeProxyVersion",
        "kubeletVersion",
        "machineID",
        "operatingSystem",
        "osImage",
        "systemUUID",
    ];
    for field in known {
        if !status["nodeInfo"][field].is_string() {
            status["nodeInfo"][field] = "".into();
        }
    }
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::computed("Status", node_status),
        column::computed("Roles", node_roles),
    ]);
    columns.extend([
        column::text("Version", "/status/nodeInfo/kubeletVersion"),
        column::computed("Internal-IP", node_internal_ip).wide(),
        column::computed("External-IP", node_external_ip).wide(),
        column::computed("OS-Image", node_os_image).wide(),
        column::computed("Kernel-Version", node_kernel).wide(),
        column::computed("Container-Runtime", node_runtime).wide(),
    ]);
    columns
}

/// `Ready`, `NotReady` or `Unknown`, and whether Pods are kept away.
fn node_status(node: &Value, _: Timestamp) -> Value {
    let ready = match cells::condition(node, "Ready") {
        Some(ready) if ready["status"] == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = node["spec"]["unschedulable"] == true;
    format!("{ready}{}", if cordoned { ",SchedulingDisabled" } else { "" }).into()
}

/// The roles among a Node's labels.
fn node_roles(node: &Value, _: Timestamp) -> Value {
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
    if roles.is_empty() { cells::NONE.into() } else { roles.join(",").into() }
}

fn node_internal_ip(node: &Value, _: Timestamp) -> Value {
    address(node, "InternalIP")
}

fn node_external_ip(node: &Value, _: Timestamp) -> Value {
    address(node, "ExternalIP")
}

fn node_os_image(node: &Value, _: Timestamp) -> Value {
    cells::text_or(node, "/status/nodeInfo/osImage", cells::UNKNOWN)
}

fn node_kernel(node: &Value, _: Timestamp) -> Value {
    cells::text_or(node, "/status/nodeInfo/kernelVersion", cells::UNKNOWN)
}

fn node_runtime(node: &Value, _: Timestamp) -> Value {
    cells::text_or(node, "/status/nodeInfo/containerRuntimeVersion", cells::UNKNOWN)
}

fn address(node: &Value, kind: &str) -> Value {
    let address = cells::array(node, "/status/addresses").iter().find(|address| address["type"] == kind);
    address.map_or(cells::NONE, |address| cells::text(address, "/address")).into()
}

#[cfg(test)]
mod tests {
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
        assert_eq!(node_roles(&json!({}), Timestamp::UNIX_EPOCH), cells::NONE);
    }
}
