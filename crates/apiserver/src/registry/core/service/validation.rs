//! Validation of Services.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trimtab_cel::formats;

use crate::{
    api::{names, path::Path, status::Cause, subresource::Subresource},
    registry::{networking::ingress, validation},
};

const PORT_RULE: &str = "must be between 1 and 65535, inclusive";
const FOR_BALANCERS: &str = "may only be used when `type` is 'LoadBalancer'";

/// Validates a Service.
pub(super) fn validate(service: &Value, causes: &mut Vec<Cause>) {
    validate_types(service, causes);
    validate_fields(service, causes);
}

fn validate_types(service: &Value, causes: &mut Vec<Cause>) {
    let spec = &service["spec"];
    let kind = validation::text(spec, "type");
    let ports = validation::items(spec, "ports");
    validation::one_of(
        &spec["type"],
        "spec.type",
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
        causes,
    );
    validation::one_of(&spec["sessionAffinity"], "spec.sessionAffinity", &["ClientIP", "None"], causes);
    if kind == "ExternalName" && validation::text(spec, "externalName").is_empty() {
        causes.push(Cause::required("spec.externalName", ""));
    }
    if ports.is_empty() && kind != "ExternalName" && spec["clusterIP"] != "None" {
        causes.push(Cause::required("spec.ports", ""));
    }
    let (mut names, list) = (BTreeSet::new(), Path::Root("spec.ports"));
    for (position, port) in ports.iter().enumerate() {
        let path = list.index(position);
        let name = validation::text(port, "name");
        if name.is_empty() && ports.len() > 1 {
            causes.push(Cause::required(path.child("name"), ""));
        } else if !name.is_empty() && !names.insert(name) {
            causes.push(validation::duplicate(path.child("name"), &json!(name)));
        }
        for field in ["port", "targetPort"] {
            let number = port[field].as_i64().or((field == "port").then_some(0));
            if let Some(number) = number.filter(|number| !(1..=65535).contains(number)) {
                causes.push(Cause::invalid(path.child(field), &json!(number), PORT_RULE));
            }
        }
        validation::one_of(&port["protocol"], path.child("protocol"), &["SCTP", "TCP", "UDP"], causes);
        if kind == "ClusterIP" && port.get("nodePort").is_some() {
            let because = "may not be used when `type` is 'ClusterIP'";
            causes.push(Cause::forbidden(path.child("nodePort"), because));
        }
    }
}

/// Validates that the address and the class of a Service do not change.
pub(super) fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let (before, after) = (&old["spec"], &new["spec"]);
    let address = |spec| validation::text(spec, "clusterIP");
    let is_of = |spec: &Value, kind: &str| spec["type"] == kind;
    let is_same = address(before).is_empty() || address(before) == address(after);
    if !is_of(before, "ExternalName") && !is_of(after, "ExternalName") && !is_same {
        let value = json!([address(after)]);
        causes.push(Cause::invalid("spec.clusterIPs[0]", &value, "may not change once set"));
    }
    let class = "loadBalancerClass";
    if is_of(before, "LoadBalancer") && is_of(after, "LoadBalancer") && before[class] != after[class] {
        causes.push(Cause::invalid(format!("spec.{class}"), &after[class], "may not change once set"));
    }
    // Upstream looks at the class of an update twice.
    validate_class(after, causes);
    let port = "healthCheckNodePort";
    let is_checked = |spec: &Value| is_of(spec, "LoadBalancer") && spec["externalTrafficPolicy"] == "Local";
    if is_checked(before) && is_checked(after) && before[port] != after[port] {
        causes.push(Cause::forbidden(format!("spec.{port}"), "field is immutable"));
    }
}

/// Validates the class of a load balancer.
fn validate_class(spec: &Value, causes: &mut Vec<Cause>) {
    let Some(class) = spec["loadBalancerClass"].as_str() else { return };
    if spec["type"] == "LoadBalancer" {
        validation::faulty(class, "spec.loadBalancerClass", names::qualified_faults(class), causes);
    } else {
        causes.push(Cause::forbidden("spec.loadBalancerClass", FOR_BALANCERS));
    }
}

/// Validates the addresses of a load balancer in a changed status.
pub(super) fn validate_part(
    subresource: Option<Subresource>,
    _: &Value,
    new: &Value,
    causes: &mut Vec<Cause>,
) {
    let (balancer, path) = (&new["status"]["loadBalancer"], "status.loadBalancer.ingress");
    let points = validation::items(balancer, "ingress");
    if subresource != Some(Subresource::Status) || points.is_empty() {
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

fn validate_fields(service: &Value, causes: &mut Vec<Cause>) {
    let spec = &service["spec"];
    let kind = validation::text(spec, "type");
    ports(spec, causes);
    validation::parts::labels(&spec["selector"], "spec.selector", causes);
    let seconds = &spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
    let is_long = |seconds: &i64| !(1..=86_400).contains(seconds);
    if validation::text(spec, "sessionAffinity") == "ClientIP"
        && seconds.as_i64().as_ref().is_some_and(is_long)
    {
        let field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
        causes.push(Cause::invalid(field, seconds, "must be greater than 0 and less than 86400"));
    }
    if validation::text(spec, "sessionAffinity") == "None" && spec["sessionAffinityConfig"].is_object() {
        let because = "must not be set when session affinity is None";
        causes.push(Cause::forbidden("spec.sessionAffinityConfig", because));
    }
    let list = Path::Root("spec.externalIPs");
    for (position, address) in validation::items(spec, "externalIPs").iter().enumerate() {
        let (field, before) = (list.index(position), causes.len());
        validation::data::address(address, field, causes);
        let text = address.as_str().unwrap_or_default();
        if let (Ok(parsed), true) = (text.parse(), causes.len() == before) {
            validation::data::reachable(parsed, text, field, causes);
        }
    }
    let name = validation::text(spec, "externalName");
    if kind == "ExternalName" {
        validation::subdomain(name.strip_suffix('.').unwrap_or(name), "spec.externalName", causes);
    }
    balancer(spec, kind, causes);
    traffic(spec, kind, causes);
    let list = Path::Root("spec.ipFamilies");
    for (position, family) in validation::items(spec, "ipFamilies").iter().enumerate() {
        validation::one_of(family, list.index(position), &["IPv4", "IPv6"], causes);
    }
}

fn ports(spec: &Value, causes: &mut Vec<Cause>) {
    let (mut seen, list) = (BTreeSet::new(), Path::Root("spec.ports"));
    for (position, port) in validation::items(spec, "ports").iter().enumerate() {
        let path = list.index(position);
        let (name, protocol) = (validation::text(port, "name"), validation::text(port, "protocol"));
        if !name.is_empty() {
            validation::faulty(name, path.child("name"), names::label_faults(name), causes);
        }
        if let Some(target) = port["targetPort"].as_str() {
            validation::faulty(target, path.child("targetPort"), names::port_name_faults(target), causes);
        }
        if let Some(application) = port["appProtocol"].as_str() {
            let faults = names::qualified_faults(application);
            validation::faulty(application, path.child("appProtocol"), faults, causes);
        }
        let number = port["port"].as_i64().unwrap_or(0);
        if !seen.insert((protocol, number)) {
            // Upstream shows its Go struct, in its order.
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":{protocol:?},\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":0,\
                 \"NodePort\":0}}"
            );
            causes.push(Cause::new("FieldValueDuplicate", path, format!("Duplicate value: {shown}")));
        }
    }
}

/// Validates the fields of load balancers.
fn balancer(spec: &Value, kind: &str, causes: &mut Vec<Cause>) {
    let ranges = validation::items(spec, "loadBalancerSourceRanges");
    if !ranges.is_empty() && kind != "LoadBalancer" {
        causes.push(Cause::forbidden("spec.LoadBalancerSourceRanges", FOR_BALANCERS));
    }
    for (position, range) in ranges.iter().enumerate() {
        if !range.as_str().is_some_and(|range| formats::is_cidr(range.trim())) {
            let because = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
            causes.push(Cause::invalid(format!("spec.LoadBalancerSourceRanges[{position}]"), range, because));
        }
    }
    let field = "allocateLoadBalancerNodePorts";
    if kind != "LoadBalancer" && spec[field].is_boolean() {
        causes.push(Cause::forbidden(format!("spec.{field}"), FOR_BALANCERS));
    }
    validate_class(spec, causes);
}

fn traffic(spec: &Value, kind: &str, causes: &mut Vec<Cause>) {
    let is_reached =
        matches!(kind, "LoadBalancer" | "NodePort") || !validation::items(spec, "externalIPs").is_empty();
    let policy = &spec["externalTrafficPolicy"];
    if !is_reached && policy.as_str().is_some_and(|policy| !policy.is_empty()) {
        let because = "may only be set for externally-accessible services";
        causes.push(Cause::invalid("spec.externalTrafficPolicy", policy, because));
    } else {
        validation::one_of(policy, "spec.externalTrafficPolicy", &["Cluster", "Local"], causes);
    }
    let port = &spec["healthCheckNodePort"];
    let is_checked = kind == "LoadBalancer" && policy == "Local";
    if !is_checked && port.as_i64().is_some_and(|port| port != 0) {
        let because = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        causes.push(Cause::invalid("spec.healthCheckNodePort", port, because));
    }
    validation::one_of(
        &spec["internalTrafficPolicy"],
        "spec.internalTrafficPolicy",
        &["Cluster", "Local"],
        causes,
    );
    let known = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    validation::one_of(&spec["trafficDistribution"], "spec.trafficDistribution", &known, causes);
}
