//! Nodes.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{names, path::Path, status::Cause},
    registry::{
        Column, Kind, MetadataCheck, Strategy, Subresource, cells, column, defaults, kind::CONNECT,
        strategy::Plugin, validation,
    },
};

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
    metadata_checks: &[MetadataCheck::Whole, MetadataCheck::Change],
    selectable_fields: &["spec.unschedulable"],
    set_defaults,
    set_status_defaults: set_defaults,
    validate,
    validate_change,
    validate_part: |_, _, new, causes| {
        validate_amounts(new, causes);
        validate_addresses(new, causes);
    },
    prepare_for_create: |node| {
        forget_configuration(node);
        complete_status(node);
    },
    prepare_for_update: |_, node| forget_configuration(node),
    prepare_for_status_update: |_, node| complete_status(node),
    // A Node registers itself with its status.
    keeps_first_status: true,
    plugins: &[Plugin::TaintNode],
    ..Strategy::PLAIN
};

fn set_defaults(node: &mut Value) {
    if let Some(spec) = node.get_mut("spec").and_then(Value::as_object_mut) {
        defaults::align(spec, "podCIDR", "podCIDRs", None);
    }
    let Some(status) = node.get_mut("status").and_then(Value::as_object_mut) else { return };
    for field in ["capacity", "allocatable"] {
        defaults::quantities(status, field);
    }
    if let (Some(capacity), None) = (status.get("capacity").cloned(), status.get("allocatable")) {
        status.insert("allocatable".to_owned(), capacity);
    }
}

/// Drops the source of a Kubelet's configuration, which upstream does not serve any more.
fn forget_configuration(node: &mut Value) {
    if let Some(spec) = node.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("configSource");
    }
}

fn validate(node: &Value, causes: &mut Vec<Cause>) {
    let spec = &node["spec"];
    validate_taints(spec, causes);
    validate_amounts(node, causes);
    let ranges = validation::items(spec, "podCIDRs");
    let list = Path::Root("spec.podCIDRs");
    for (position, range) in ranges.iter().enumerate() {
        validation::address::range(range, list.index(position), causes);
    }
    let families: BTreeSet<bool> =
        ranges.iter().filter_map(Value::as_str).map(|range| range.contains(':')).collect();
    if ranges.len() > families.len() {
        let because = "may specify no more than one CIDR for each IP family";
        causes.push(Cause::invalid("spec.podCIDRs", &spec["podCIDRs"], because));
    }
}

fn validate_taints(spec: &Value, causes: &mut Vec<Cause>) {
    let (mut seen, list) = (BTreeSet::new(), Path::Root("metadata.taints")); // as upstream names it
    for (position, taint) in validation::items(spec, "taints").iter().enumerate() {
        let path = list.index(position);
        let part = |field| validation::text(taint, field);
        validation::parts::label_name(part("key"), path.child("key"), causes);
        let faults = names::value_faults(part("value"));
        if !faults.is_empty() {
            let because = faults.join(";");
            causes.push(Cause::invalid(path.child("value"), &json!(part("value")), because));
        }
        let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        match part("effect") {
            "" => causes.push(Cause::required(path.child("effect"), "")),
            effect if !known.contains(&effect) => {
                causes.push(Cause::not_supported(path.child("effect"), &json!(effect), &known));
            }
            _ => {}
        }
        if !seen.insert((part("key"), part("effect"))) {
            // Upstream shows its Go struct, in its order.
            let time = taint.get("timeAdded").cloned().unwrap_or_default();
            let shown = format!(
                "{{\"Key\":{:?},\"Value\":{:?},\"Effect\":{:?},\"TimeAdded\":{time}}}",
                part("key"),
                part("value"),
                part("effect")
            );
            let because = format!("Duplicate value: {shown}: taints must be unique by key and effect pair");
            causes.push(Cause::new("FieldValueDuplicate", path, because));
        }
    }
}

fn validate_amounts(node: &Value, causes: &mut Vec<Cause>) {
    let status = Path::Root("status");
    for list in ["capacity", "allocatable"] {
        let path = status.child(list);
        for (resource, amount) in node["status"][list].as_object().into_iter().flatten() {
            validation::data::amount(resource, amount, path.child(resource), causes);
        }
    }
}

fn validate_addresses(node: &Value, causes: &mut Vec<Cause>) {
    let addresses = validation::items(&node["status"], "addresses");
    for (position, address) in addresses.iter().enumerate() {
        if addresses[..position].contains(address) {
            let part = |field| validation::text(address, field);
            let shown = format!("{{\"Type\":{:?},\"Address\":{:?}}}", part("type"), part("address"));
            let field = format!("status.addresses[{position}]");
            causes.push(Cause::new("FieldValueDuplicate", field, format!("Duplicate value: {shown}")));
        }
    }
}

/// Validates that a Node keeps its ranges of addresses and its ID of the provider. Upstream looks at the new state twice.
fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    validate_taints(&new["spec"], causes);
    validate_amounts(new, causes);
    validate_addresses(new, causes);
    let (old, new) = (&old["spec"], &new["spec"]);
    let ranges = validation::items(old, "podCIDRs");
    if !ranges.is_empty() && ranges != validation::items(new, "podCIDRs") {
        let because = "node updates may not change podCIDR except from \"\" to valid";
        causes.push(Cause::forbidden("spec.podCIDRs", because));
    }
    let provider = validation::text(old, "providerID");
    if !provider.is_empty() && provider != validation::text(new, "providerID") {
        let because = "node updates may not change providerID except from \"\" to valid";
        causes.push(Cause::forbidden("spec.providerID", because));
    }
    if validation::text(old, "externalID") != validation::text(new, "externalID") {
        causes.push(Cause::forbidden("spec.externalID", "may not be updated"));
    }
}

/// Sets the fields of a Node's status that its writer left out to empty values.
fn complete_status(node: &mut Value) {
    let status = &mut node["status"];
    if let Some(status) = status.as_object_mut() {
        status.remove("config"); // of a feature that is gone
    }
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
