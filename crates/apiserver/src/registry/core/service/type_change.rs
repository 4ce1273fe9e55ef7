//! Fields that a Service loses with a change of its type: those that were filled in for the old type, if the writer did not
//! change them, too. What the writer changed is left to validation.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::spec::{
    has_health_check, has_node_ports, is_external_name, is_externally_accessible, node_ports, spec_mut,
};

/// Drops the fields of the old type that the new one does not have.
pub(super) fn drop_fields(old: &Value, service: &mut Value) {
    let before = &old["spec"];
    let loses = |has: fn(&Value) -> bool, service: &Value| has(before) && !has(&service["spec"]);
    if loses(|spec| !is_external_name(spec), service) {
        drop_unchanged(before, service, &["clusterIP", "clusterIPs"]);
        drop_unchanged(before, service, &["ipFamilies"]);
        drop_unchanged(before, service, &["ipFamilyPolicy"]);
    }
    if loses(has_node_ports, service) {
        drop_node_ports(before, service);
    }
    if loses(has_health_check, service) {
        drop_unchanged(before, service, &["healthCheckNodePort"]);
    }
    if loses(|spec| spec["type"] == "LoadBalancer", service) {
        drop_unchanged(before, service, &["allocateLoadBalancerNodePorts"]);
        drop_unchanged(before, service, &["loadBalancerClass"]);
    }
    if loses(is_externally_accessible, service) {
        drop_unchanged(before, service, &["externalTrafficPolicy"]);
    }
    if service["spec"]["type"] != "LoadBalancer" {
        service["status"]["loadBalancer"] = json!({});
    }
}

/// Drops fields that are all as they were.
fn drop_unchanged(before: &Value, service: &mut Value, fields: &[&str]) {
    let after = spec_mut(service);
    if fields.iter().all(|field| before.get(*field) == after.get(*field)) {
        fields.iter().for_each(|field| drop(after.remove(*field)));
    }
}

/// Drops the ports of the nodes if none is new.
fn drop_node_ports(before: &Value, service: &mut Value) {
    let had: BTreeSet<i64> = node_ports(before).collect();
    if !node_ports(&service["spec"]).all(|port| had.contains(&port)) {
        return;
    }
    let ports = service["spec"]["ports"].as_array_mut().into_iter().flatten();
    ports.filter_map(Value::as_object_mut).for_each(|port| drop(port.remove("nodePort")));
}
