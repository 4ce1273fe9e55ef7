//! Validation of Services.

use std::{collections::BTreeSet, net::IpAddr};

use serde_json::{Value, json};
use trimtab_cel::formats;

use crate::{
    api::{names, selector::is_qualified_name, status::Cause},
    registry::validation,
};

const PORT_RULE: &str = "must be between 1 and 65535, inclusive";

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
        || "spec.type",
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
        causes,
    );
    validation::one_of(&spec["sessionAffinity"], || "spec.sessionAffinity", &["ClientIP", "None"], causes);
    if kind == "ExternalName" && validation::text(spec, "externalName").is_empty() {
        causes.push(Cause::required("spec.externalName", ""));
    }
    if ports.is_empty() && kind != "ExternalName" && spec["clusterIP"] != "None" {
        causes.push(Cause::required("spec.ports", ""));
    }
    let mut names = BTreeSet::new();
    for (position, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{position}]");
        let name = validation::text(port, "name");
        if name.is_empty() && ports.len() > 1 {
            causes.push(Cause::required(format!("{path}.name"), ""));
        } else if !name.is_empty() && !names.insert(name) {
            causes.push(validation::duplicate(format!("{path}.name"), &json!(name)));
        }
        for field in ["port", "targetPort"] {
            let number = port[field].as_i64();
            if let Some(number) = number.filter(|number| !(1..=65535).contains(number)) {
                causes.push(Cause::invalid(format!("{path}.{field}"), &json!(number), PORT_RULE));
            }
        }
        validation::one_of(&port["protocol"], || format!("{path}.protocol"), &["SCTP", "TCP", "UDP"], causes);
        if matches!(kind, "ClusterIP" | "ExternalName") && port.get("nodePort").is_some() {
            let because = format!("may not be used when `type` is '{kind}'");
            causes.push(Cause::forbidden(format!("{path}.nodePort"), because));
        }
    }
}

/// Validates that the address of a Service does not change.
pub(super) fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let (before, after) =
        (validation::text(&old["spec"], "clusterIP"), validation::text(&new["spec"], "clusterIP"));
    let has_address = |service: &Value| service["spec"]["type"] != "ExternalName";
    if has_address(old) && has_address(new) && !before.is_empty() && before != after {
        let value = json!([after]);
        causes.push(Cause::invalid("spec.clusterIPs[0]", &value, "may not change once set"));
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
    for (position, address) in validation::items(spec, "externalIPs").iter().enumerate() {
        if address.as_str().is_none_or(|address| address.parse::<IpAddr>().is_err()) {
            let because = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            causes.push(Cause::invalid(format!("spec.externalIPs[{position}]"), address, because));
        }
    }
    let name = validation::text(spec, "externalName");
    if kind == "ExternalName" && !name.is_empty() && !names::is_subdomain(name.trim_end_matches('.')) {
        causes.push(Cause::invalid("spec.externalName", &json!(name), names::SUBDOMAIN_RULE));
    }
    balancer(spec, kind, causes);
    traffic(spec, kind, causes);
    for (position, family) in validation::items(spec, "ipFamilies").iter().enumerate() {
        validation::one_of(family, || format!("spec.ipFamilies[{position}]"), &["IPv4", "IPv6"], causes);
    }
}

fn ports(spec: &Value, causes: &mut Vec<Cause>) {
    let mut seen = BTreeSet::new();
    for (position, port) in validation::items(spec, "ports").iter().enumerate() {
        let path = format!("spec.ports[{position}]");
        let (name, protocol) = (validation::text(port, "name"), validation::text(port, "protocol"));
        for fault in names::label_faults(name).into_iter().filter(|_| !name.is_empty()) {
            causes.push(Cause::invalid(format!("{path}.name"), &json!(name), fault));
        }
        if let Some(target) = port["targetPort"].as_str() {
            for fault in names::port_name_faults(target) {
                causes.push(Cause::invalid(format!("{path}.targetPort"), &json!(target), fault));
            }
        }
        let application = validation::text(port, "appProtocol");
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

/// Validates the fields of load balancers.
fn balancer(spec: &Value, kind: &str, causes: &mut Vec<Cause>) {
    const BECAUSE: &str = "may only be used when `type` is 'LoadBalancer'";
    let ranges = validation::items(spec, "loadBalancerSourceRanges");
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
    let is_reached =
        matches!(kind, "LoadBalancer" | "NodePort") || !validation::items(spec, "externalIPs").is_empty();
    let policy = &spec["externalTrafficPolicy"];
    if !is_reached && policy.as_str().is_some_and(|policy| !policy.is_empty()) {
        let because = "may only be set for externally-accessible services";
        causes.push(Cause::invalid("spec.externalTrafficPolicy", policy, because));
    } else {
        validation::one_of(policy, || "spec.externalTrafficPolicy", &["Cluster", "Local"], causes);
    }
    let port = &spec["healthCheckNodePort"];
    let is_checked = kind == "LoadBalancer" && policy == "Local";
    if !is_checked && port.as_i64().is_some_and(|port| port != 0) {
        let because = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        causes.push(Cause::invalid("spec.healthCheckNodePort", port, because));
    }
    validation::one_of(
        &spec["internalTrafficPolicy"],
        || "spec.internalTrafficPolicy",
        &["Cluster", "Local"],
        causes,
    );
    let known = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    validation::one_of(&spec["trafficDistribution"], || "spec.trafficDistribution", &known, causes);
}
