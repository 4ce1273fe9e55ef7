//! The parts of a Service's spec that its allocations and its validation ask for.

use serde_json::{Map, Value, json};

use crate::registry::validation::{items, text};

/// Returns the spec of a Service to change it.
pub(super) fn spec_mut(service: &mut Value) -> &mut Map<String, Value> {
    if !service["spec"].is_object() {
        service["spec"] = json!({});
    }
    service["spec"].as_object_mut().expect("made above")
}

/// Returns whether the Service is a DNS name and has no address.
pub(super) fn is_external_name(spec: &Value) -> bool {
    spec["type"] == "ExternalName"
}

/// Returns whether ports of nodes can lead to the Service.
pub(super) fn has_node_ports(spec: &Value) -> bool {
    matches!(text(spec, "type"), "LoadBalancer" | "NodePort")
}

/// Returns whether each port without a port of the nodes is allocated one.
pub(super) fn allocates_node_ports(spec: &Value) -> bool {
    has_node_ports(spec) && (spec["type"] == "NodePort" || spec["allocateLoadBalancerNodePorts"] != false)
}

/// Returns whether a load balancer asks a port of the nodes which of them have endpoints.
pub(super) fn has_health_check(spec: &Value) -> bool {
    spec["type"] == "LoadBalancer" && spec["externalTrafficPolicy"] == "Local"
}

/// Returns whether clients outside the cluster reach the Service.
pub(super) fn is_externally_accessible(spec: &Value) -> bool {
    has_node_ports(spec) || spec["type"] == "ClusterIP" && !items(spec, "externalIPs").is_empty()
}

/// Returns whether the Service has no address of its own and is found by those of its endpoints.
pub(super) fn is_headless(spec: &Value) -> bool {
    matches!(items(spec, "clusterIPs"), [only] if only == "None")
}

/// Returns the port of the nodes of a Service's port; `None` if it has none yet.
pub(super) fn node_port(port: &Value) -> Option<i64> {
    port["nodePort"].as_i64().filter(|port| *port != 0)
}

/// Returns the ports of the nodes that lead to the Service's ports.
pub(super) fn node_ports(spec: &Value) -> impl Iterator<Item = i64> {
    items(spec, "ports").iter().filter_map(node_port)
}
