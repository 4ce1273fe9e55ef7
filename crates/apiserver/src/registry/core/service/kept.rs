//! Addresses and ports that a Service keeps although the writer of its new state left them out, and those of the two fields of
//! addresses that follow the other one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::spec::{
    allocates_node_ports, has_health_check, is_external_name, node_port, node_ports, spec_mut,
};
use crate::registry::validation::{items, text};

/// Makes the addresses of a new Service of the one that its writer set.
pub(super) fn complete(service: &mut Value) {
    let spec = &service["spec"];
    if !text(spec, "clusterIP").is_empty() && items(spec, "clusterIPs").is_empty() {
        service["spec"]["clusterIPs"] = json!([spec["clusterIP"]]);
    }
}

/// Keeps the allocations of the old state that the new one leaves out.
pub(super) fn keep(old: &Value, service: &mut Value) {
    let (before, after) = (&old["spec"], &service["spec"]);
    let may_keep_address = !is_external_name(before) && !is_external_name(after);
    let keeps_ports = allocates_node_ports(before) && allocates_node_ports(after);
    let keeps_health_check = has_health_check(before) && has_health_check(after);
    if may_keep_address {
        keep_if(old, service, "clusterIP", |spec| text(spec, "clusterIP").is_empty());
        keep_if(old, service, "clusterIPs", |spec| items(spec, "clusterIPs").is_empty());
    }
    if keeps_ports {
        keep_node_ports(before, service);
    }
    if keeps_health_check {
        keep_if(old, service, "healthCheckNodePort", |spec| {
            spec["healthCheckNodePort"].as_i64().unwrap_or(0) == 0
        });
    }
    align(before, service);
}

/// Takes over a field of the old state if it is absent from the new one.
fn keep_if(old: &Value, service: &mut Value, field: &str, is_absent: fn(&Value) -> bool) {
    if is_absent(&service["spec"])
        && let Some(kept) = old["spec"].get(field)
    {
        service["spec"][field] = kept.clone();
    }
}

/// Keeps the ports of the nodes by the names of the Service's ports, except those that the new state gives to another port.
fn keep_node_ports(before: &Value, service: &mut Value) {
    let asked: BTreeSet<i64> = node_ports(&service["spec"]).collect();
    let by_name: BTreeMap<&str, i64> = items(before, "ports")
        .iter()
        .map(|port| (text(port, "name"), node_port(port).unwrap_or(0)))
        .collect();
    for port in service["spec"]["ports"].as_array_mut().into_iter().flatten() {
        let known = by_name.get(text(port, "name")).filter(|known| **known != 0 && !asked.contains(known));
        if let (None, Some(known)) = (node_port(port), known) {
            port["nodePort"] = (*known).into();
        }
    }
}

/// Lets the list of addresses follow the one address, if the writer changed only that one.
fn align(before: &Value, service: &mut Value) {
    let (old_address, address) = (text(before, "clusterIP"), text(&service["spec"], "clusterIP"));
    if old_address == address {
        if items(&service["spec"], "clusterIPs").is_empty()
            && let Some(kept) = before.get("clusterIPs")
        {
            service["spec"]["clusterIPs"] = kept.clone();
        }
        return;
    }
    if items(before, "clusterIPs") != items(&service["spec"], "clusterIPs") {
        return; // validation compares them
    }
    match address {
        "" => drop(spec_mut(service).remove("clusterIPs")),
        address => service["spec"]["clusterIPs"] = json!([address]),
    }
}
