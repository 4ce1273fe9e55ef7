//! Validation of Services, Ingresses and other network kinds.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{duplicate, items, one_of, text};
use crate::api::status::Cause;

const PORT_RULE: &str = "must be between 1 and 65535, inclusive";

pub(super) fn service(service: &Value, causes: &mut Vec<Cause>) {
    let spec = &service["spec"];
    let kind = text(spec, "type");
    let ports = items(spec, "ports");
    one_of(&spec["type"], || "spec.type", &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], causes);
    one_of(&spec["sessionAffinity"], || "spec.sessionAffinity", &["ClientIP", "None"], causes);
    if kind == "ExternalName" && text(spec, "externalName").is_empty() {
        causes.push(Cause::required("spec.externalName", ""));
    }
    if ports.is_empty() && kind != "ExternalName" && spec["clusterIP"] != "None" {
        causes.push(Cause::required("spec.ports", ""));
    }
    let mut names = BTreeSet::new();
    for (position, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{position}]");
        let name = text(port, "name");
        if name.is_empty() && ports.len() > 1 {
            causes.push(Cause::required(format!("{path}.name"), ""));
        } else if !name.is_empty() && !names.insert(name) {
            causes.push(duplicate(format!("{path}.name"), &json!(name)));
        }
        for field in ["port", "targetPort"] {
            let number = port[field].as_i64();
            if let Some(number) = number.filter(|number| !(1..=65535).contains(number)) {
                causes.push(Cause::invalid(format!("{path}.{field}"), &json!(number), PORT_RULE));
            }
        }
        one_of(&port["protocol"], || format!("{path}.protocol"), &["SCTP", "TCP", "UDP"], causes);
        if matches!(kind, "ClusterIP" | "ExternalName") && port.get("nodePort").is_some() {
            let because = format!("may not be used when `type` is '{kind}'");
            causes.push(Cause::forbidden(format!("{path}.nodePort"), because));
        }
    }
}

/// A Service's address stays, as long as it has one.
pub(super) fn service_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let (before, after) = (text(&old["spec"], "clusterIP"), text(&new["spec"], "clusterIP"));
    let has_address = |service: &Value| service["spec"]["type"] != "ExternalName";
    if has_address(old) && has_address(new) && !before.is_empty() && before != after {
        let value = json!([after]);
        causes.push(Cause::invalid("spec.clusterIPs[0]", &value, "may not change once set"));
    }
}

pub(super) fn ingress(ingress: &Value, causes: &mut Vec<Cause>) {
    let spec = &ingress["spec"];
    let rules = items(spec, "rules");
    if rules.is_empty() && spec.get("defaultBackend").is_none() {
        let because = "either `defaultBackend` or `rules` must be specified";
        causes.push(Cause::invalid("spec", &Value::Null, because));
    }
    for (rule, position) in rules.iter().zip(0..) {
        for (index, path) in items(&rule["http"], "paths").iter().enumerate() {
            let field = format!("spec.rules[{position}].http.paths[{index}]");
            let known = ["Exact", "ImplementationSpecific", "Prefix"];
            match text(path, "pathType") {
                "" => causes.push(Cause::required(format!("{field}.pathType"), "pathType must be specified")),
                kind if !known.contains(&kind) => {
                    causes.push(Cause::not_supported(format!("{field}.pathType"), &json!(kind), &known));
                }
                "ImplementationSpecific" => {}
                _ if !text(path, "path").starts_with('/') => {
                    let because = "must be an absolute path";
                    causes.push(Cause::invalid(format!("{field}.path"), &path["path"], because));
                }
                _ => {}
            }
        }
    }
}

pub(super) fn endpoints(endpoints: &Value, causes: &mut Vec<Cause>) {
    for (position, subset) in items(endpoints, "subsets").iter().enumerate() {
        if items(subset, "addresses").is_empty() && items(subset, "notReadyAddresses").is_empty() {
            let because = "must specify `addresses` or `notReadyAddresses`";
            causes.push(Cause::required(format!("subsets[{position}]"), because));
        }
    }
}

pub(super) fn endpoint_slice(slice: &Value, causes: &mut Vec<Cause>) {
    match text(slice, "addressType") {
        "" => causes.push(Cause::required("addressType", "")),
        _ => one_of(&slice["addressType"], || "addressType", &["FQDN", "IPv4", "IPv6"], causes),
    }
}
