//! Validation of a Service's fields, except for the numbers of its ports.

use std::{collections::BTreeSet, net::IpAddr};

use serde_json::{Value, json};
use trimtab_cel::formats;

use super::{items, one_of, parts, text};
use crate::api::{names, selector::is_qualified_name, status::Cause};

pub(super) fn service(service: &Value, causes: &mut Vec<Cause>) {
    let spec = &service["spec"];
    let kind = text(spec, "type");
    ports(spec, causes);
    parts::labels(&spec["selector"], "spec.selector", causes);
    let seconds = &spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
    let is_long = |seconds: &i64| !(1..=86_400).contains(seconds);
    if text(spec, "sessionAffinity") == "ClientIP" && seconds.as_i64().as_ref().is_some_and(is_long) {
        let field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
        causes.push(Cause::invalid(field, seconds, "must be greater than 0 and less than 86400"));
    }
    for (position, address) in items(spec, "externalIPs").iter().enumerate() {
        if address.as_str().is_none_or(|address| address.parse::<IpAddr>().is_err()) {
            let because = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            causes.push(Cause::invalid(format!("spec.externalIPs[{position}]"), address, because));
        }
    }
    let name = text(spec, "externalName");
    if kind == "ExternalName" && !name.is_empty() && !names::is_subdomain(name.trim_end_matches('.')) {
        causes.push(Cause::invalid("spec.externalName", &json!(name), names::SUBDOMAIN_RULE));
    }
    balancer(spec, kind, causes);
    traffic(spec, kind, causes);
    for (position, family) in items(spec, "ipFamilies").iter().enumerate() {
        one_of(family, || format!("spec.ipFamilies[{position}]"), &["IPv4", "IPv6"], causes);
    }
}

fn ports(spec: &Value, causes: &mut Vec<Cause>) {
    let mut seen = BTreeSet::new();
    for (position, port) in items(spec, "ports").iter().enumerate() {
        let path = format!("spec.ports[{position}]");
        let (name, protocol) = (text(port, "name"), text(port, "protocol"));
        for fault in names::label_faults(name).into_iter().filter(|_| !name.is_empty()) {
            causes.push(Cause::invalid(format!("{path}.name"), &json!(name), fault));
        }
        if let Some(target) = port["targetPort"].as_str() {
            for fault in port_name_faults(target) {
                causes.push(Cause::invalid(format!("{path}.targetPort"), &json!(target), fault));
            }
        }
        let application = text(port, "appProtocol");
        if !application.is_empty() && !is_qualified_name(application) {
            let because = names::QUALIFIED_RULE;
            causes.push(Cause::invalid(format!("{path}.appProtocol"), &json!(application), because));
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

/// Returns the faults of a port's name.
fn port_name_faults(name: &str) -> Vec<&'static str> {
    let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let mut faults = Vec::new();
    if name.len() > 15 {
        faults.push("must be no more than 15 characters");
    }
    if !name.bytes().all(is_inside) || name.is_empty() {
        faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    }
    if !name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        faults.push("must contain at least one letter (a-z)");
    }
    if name.contains("--") {
        faults.push("must not contain consecutive hyphens");
    }
    if name.starts_with('-') || name.ends_with('-') {
        faults.push("must not begin or end with a hyphen");
    }
    faults
}

/// Validates the fields of load balancers.
fn balancer(spec: &Value, kind: &str, causes: &mut Vec<Cause>) {
    const BECAUSE: &str = "may only be used when `type` is 'LoadBalancer'";
    let ranges = items(spec, "loadBalancerSourceRanges");
    if !ranges.is_empty() && kind != "LoadBalancer" {
        causes.push(Cause::forbidden("spec.LoadBalancerSourceRanges", BECAUSE));
    }
    for (position, range) in ranges.iter().enumerate() {
        if !range.as_str().is_some_and(|range| formats::is_cidr(range.trim())) {
            let because = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
            causes.push(Cause::invalid(format!("spec.LoadBalancerSourceRanges[{position}]"), range, because));
        }
    }
    for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
        if kind != "LoadBalancer" && spec.get(field).is_some_and(|value| !value.is_null()) {
            causes.push(Cause::forbidden(format!("spec.{field}"), BECAUSE));
        }
    }
}

fn traffic(spec: &Value, kind: &str, causes: &mut Vec<Cause>) {
    let is_reached = matches!(kind, "LoadBalancer" | "NodePort") || !items(spec, "externalIPs").is_empty();
    let policy = &spec["externalTrafficPolicy"];
    if !is_reached && policy.as_str().is_some_and(|policy| !policy.is_empty()) {
        let because = "may only be set for externally-accessible services";
        causes.push(Cause::invalid("spec.externalTrafficPolicy", policy, because));
    } else {
        one_of(policy, || "spec.externalTrafficPolicy", &["Cluster", "Local"], causes);
    }
    let port = &spec["healthCheckNodePort"];
    let is_checked = kind == "LoadBalancer" && policy == "Local";
    if !is_checked && port.as_i64().is_some_and(|port| port != 0) {
        let because = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        causes.push(Cause::invalid("spec.healthCheckNodePort", port, because));
    }
    one_of(&spec["internalTrafficPolicy"], || "spec.internalTrafficPolicy", &["Cluster", "Local"], causes);
    let known = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    one_of(&spec["trafficDistribution"], || "spec.trafficDistribution", &known, causes);
}
