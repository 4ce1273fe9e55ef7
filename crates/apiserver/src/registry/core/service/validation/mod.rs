//! Validation of Services.

pub(super) mod cluster_ips;
mod traffic;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::spec::{has_health_check, is_external_name, is_headless, node_port};
use crate::{
    api::{names, path::Path, status::Cause, subresource::Subresource},
    registry::{networking::ingress, validation},
};

const PORT_RULE: &str = "must be between 1 and 65535, inclusive";
const PORTS: Path<'static> = Path::Root("spec.ports");
const SEEN_SECONDS: &str = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";

/// Validates a Service.
pub(super) fn validate(service: &Value, causes: &mut Vec<Cause>) {
    let spec = &service["spec"];
    traffic::topology(service, causes);
    of_type(spec, causes);
    ports(spec, causes);
    validation::parts::labels(&spec["selector"], "spec.selector", causes);
    affinity(spec, causes);
    cluster_ips::validate(spec, causes);
    external_ips(spec, causes);
    let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    validation::one_of(&spec["type"], "spec.type", &types, causes);
    node_ports(spec, causes);
    numbers(spec, causes);
    traffic::source_ranges(service, causes);
    traffic::balancer(spec, causes);
    traffic::policies(spec, causes);
}

/// Validates the change of a Service.
pub(super) fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let (before, after) = (&old["spec"], &new["spec"]);
    cluster_ips::validate_change(before, after, causes);
    let class = "loadBalancerClass";
    let are_balancers = [before, after].iter().all(|spec| spec["type"] == "LoadBalancer");
    if are_balancers && before[class] != after[class] {
        causes.push(Cause::invalid(format!("spec.{class}"), &after[class], "may not change once set"));
    }
    // Upstream looks at the class of an update twice.
    traffic::class(after, causes);
    let port = "healthCheckNodePort";
    if has_health_check(before) && has_health_check(after) && before[port] != after[port] {
        causes.push(Cause::forbidden(format!("spec.{port}"), "field is immutable"));
    }
}

/// Validates the addresses of a load balancer in a changed status, and the annotations if they alone have changed.
pub(super) fn validate_part(
    subresource: Option<Subresource>,
    _: &Value,
    new: &Value,
    causes: &mut Vec<Cause>,
) {
    match subresource {
        Some(Subresource::Status) => status(new, causes),
        None => {
            traffic::topology(new, causes);
            traffic::source_ranges(new, causes);
        }
        Some(_) => {}
    }
}

fn status(new: &Value, causes: &mut Vec<Cause>) {
    let (balancer, path) = (&new["status"]["loadBalancer"], "status.loadBalancer.ingress");
    let points = validation::items(balancer, "ingress");
    if points.is_empty() {
        return;
    }
    if new["spec"]["type"] != "LoadBalancer" {
        causes.push(Cause::forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"));
        return;
    }
    ingress::validate_points(balancer, path, causes);
    for (index, point) in points.iter().enumerate() {
        let (has_address, field) =
            (!validation::text(point, "ip").is_empty(), format!("{path}[{index}].ipMode"));
        match (&point["ipMode"], has_address) {
            (Value::Null, true) => {
                causes.push(Cause::required(field, "must be specified when `ip` is set"));
            }
            (Value::Null, false) => {}
            (_, false) => causes.push(Cause::forbidden(field, "may not be specified when `ip` is not set")),
            (mode, true) => validation::one_of(mode, field, &["Proxy", "VIP"], causes),
        }
    }
}

/// Validates what the type of a Service asks for.
fn of_type(spec: &Value, causes: &mut Vec<Cause>) {
    let (kind, headless) = (validation::text(spec, "type"), is_headless(spec));
    if validation::items(spec, "ports").is_empty() && !headless && kind != "ExternalName" {
        causes.push(Cause::required("spec.ports", ""));
    }
    if headless && matches!(kind, "LoadBalancer" | "NodePort") {
        let because = format!("may not be set to 'None' for {kind} services");
        causes.push(Cause::invalid("spec.clusterIPs[0]", &json!("None"), because));
    }
    if !is_external_name(spec) {
        return;
    }
    for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if spec[field].is_string() || !validation::items(spec, field).is_empty() {
            let because = "may not be set for ExternalName services";
            causes.push(Cause::forbidden(format!("spec.{field}"), because));
        }
    }
    let name = validation::text(spec, "externalName");
    match name.strip_suffix('.').unwrap_or(name) {
        "" => causes.push(Cause::required("spec.externalName", "")),
        name => validation::subdomain(name, "spec.externalName", causes),
    }
}

fn ports(spec: &Value, causes: &mut Vec<Cause>) {
    let ports = validation::items(spec, "ports");
    let mut names = BTreeSet::new();
    for (position, port) in ports.iter().enumerate() {
        let path = PORTS.index(position);
        let name = validation::text(port, "name");
        if name.is_empty() && ports.len() > 1 {
            causes.push(Cause::required(path.child("name"), ""));
        } else if !name.is_empty() {
            validation::faulty(name, path.child("name"), names::label_faults(name), causes);
            if !names.insert(name) {
                causes.push(validation::duplicate(path.child("name"), &json!(name)));
            }
        }
        self::port(port, &path, causes);
    }
}

/// Validates a port, except for its name.
fn port(port: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let mut in_range = |field, number: Option<i64>| {
        if let Some(number) = number.filter(|number| !(1..=65535).contains(number)) {
            causes.push(Cause::invalid(path.child(field), &json!(number), PORT_RULE));
        }
    };
    in_range("port", port["port"].as_i64().or(Some(0)));
    in_range("targetPort", port["targetPort"].as_i64());
    validation::one_of(&port["protocol"], path.child("protocol"), &["SCTP", "TCP", "UDP"], causes);
    if let Some(target) = port["targetPort"].as_str() {
        validation::faulty(target, path.child("targetPort"), names::port_name_faults(target), causes);
    }
    if let Some(application) = port["appProtocol"].as_str() {
        let faults = names::qualified_faults(application);
        validation::faulty(application, path.child("appProtocol"), faults, causes);
    }
}

/// Validates for how long a client stays with an endpoint.
fn affinity(spec: &Value, causes: &mut Vec<Cause>) {
    let affinity = validation::text(spec, "sessionAffinity");
    validation::one_of(&spec["sessionAffinity"], "spec.sessionAffinity", &["ClientIP", "None"], causes);
    let seconds = &spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
    let is_long = seconds.as_i64().is_some_and(|seconds| !(1..=86_400).contains(&seconds));
    if affinity == "ClientIP" && is_long {
        causes.push(Cause::invalid(SEEN_SECONDS, seconds, "must be greater than 0 and less than 86400"));
    }
    if affinity == "None" && spec["sessionAffinityConfig"].is_object() {
        let because = "must not be set when session affinity is None";
        causes.push(Cause::forbidden("spec.sessionAffinityConfig", because));
    }
}

fn external_ips(spec: &Value, causes: &mut Vec<Cause>) {
    let list = Path::Root("spec.externalIPs");
    for (position, address) in validation::items(spec, "externalIPs").iter().enumerate() {
        let (field, before) = (list.index(position), causes.len());
        validation::address::address(address, field, causes);
        let text = address.as_str().unwrap_or_default();
        if let (Ok(parsed), true) = (text.parse(), causes.len() == before) {
            validation::address::reachable(parsed, text, field, causes);
        }
    }
}

/// Validates the ports of the nodes: two ports share one only with different protocols.
fn node_ports(spec: &Value, causes: &mut Vec<Cause>) {
    let ports = validation::items(spec, "ports").iter().enumerate();
    let ports = ports.filter_map(|(position, port)| Some((position, port, node_port(port)?)));
    if spec["type"] == "ClusterIP" {
        for (position, ..) in ports.clone() {
            let because = "may not be used when `type` is 'ClusterIP'";
            causes.push(Cause::forbidden(PORTS.index(position).child("nodePort"), because));
        }
    }
    let mut seen = BTreeSet::new();
    for (position, port, number) in ports {
        if !seen.insert((validation::text(port, "protocol"), number)) {
            causes.push(validation::duplicate(PORTS.index(position).child("nodePort"), &json!(number)));
        }
    }
}

/// Validates that no two ports have the same protocol and number.
fn numbers(spec: &Value, causes: &mut Vec<Cause>) {
    let mut seen = BTreeSet::new();
    for (position, port) in validation::items(spec, "ports").iter().enumerate() {
        let (protocol, number) = (validation::text(port, "protocol"), port["port"].as_i64().unwrap_or(0));
        if !seen.insert((protocol, number)) {
            // Upstream shows its Go struct, in its order.
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":{protocol:?},\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":0,\
                 \"NodePort\":0}}"
            );
            let message = format!("Duplicate value: {shown}");
            causes.push(Cause::new("FieldValueDuplicate", PORTS.index(position), message));
        }
    }
}
