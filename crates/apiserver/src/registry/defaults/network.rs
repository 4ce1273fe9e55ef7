//! The defaults of Services, of what they lead to, and of what limits who may go there.

use serde_json::{Value, json};

use super::{Fields, fill, items, object};

/// A Service's; its addresses are for the allocator.
pub(super) fn service(spec: &mut Fields) {
    fill(spec, [("type", json!("ClusterIP")), ("sessionAffinity", json!("None"))]);
    if spec["sessionAffinity"] == "ClientIP" {
        fill(spec, [("sessionAffinityConfig", json!({"clientIP": {"timeoutSeconds": 10800}}))]);
    }
    ports(spec);
    for port in items(spec, "ports") {
        if let Some(number) = port.get("port").cloned() {
            fill(port, [("targetPort", number)]);
        }
        if port.get("nodePort") == Some(&json!(0)) {
            port.remove("nodePort");
        }
    }
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    if kind != "ExternalName" {
        fill(spec, [("internalTrafficPolicy", json!("Cluster"))]);
    }
    let has_addresses = spec.get("externalIPs").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    if matches!(&*kind, "LoadBalancer" | "NodePort") || has_addresses && kind == "ClusterIP" {
        fill(spec, [("externalTrafficPolicy", json!("Cluster"))]);
    }
    if kind == "LoadBalancer" {
        fill(spec, [("allocateLoadBalancerNodePorts", json!(true))]);
    }
}

/// Ports are TCP's unless they say otherwise.
fn ports(owner: &mut Fields) {
    items(owner, "ports").for_each(|port| fill(port, [("protocol", json!("TCP"))]));
}

pub(super) fn endpoints(endpoints: &mut Fields) {
    items(endpoints, "subsets").for_each(ports);
}

pub(super) fn endpoint_slice(slice: &mut Fields) {
    ports(slice);
    items(slice, "ports").for_each(|port| fill(port, [("name", json!(""))]));
    items(slice, "endpoints").for_each(|endpoint| fill(endpoint, [("conditions", json!({}))]));
}

pub(super) fn network_policy(spec: &mut Fields) {
    let mut types = vec!["Ingress"];
    if spec.contains_key("egress") {
        types.push("Egress");
    }
    fill(spec, [("policyTypes", json!(types))]);
    for direction in ["ingress", "egress"] {
        items(spec, direction).for_each(ports);
    }
}

pub(super) fn ingress_class(spec: &mut Fields) {
    if let Some(parameters) = object(spec, "parameters") {
        fill(parameters, [("scope", json!("Cluster"))]);
    }
}

/// The addresses of a headless Service, which need no allocation.
pub(crate) fn families(spec: &Fields) -> Value {
    let is_dual = matches!(
        spec.get("ipFamilyPolicy").and_then(Value::as_str),
        Some("PreferDualStack" | "RequireDualStack")
    );
    if is_dual { json!(["IPv4", "IPv6"]) } else { json!(["IPv4"]) }
}
