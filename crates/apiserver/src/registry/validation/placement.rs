//! Validation of what decides where a Pod runs and what it reaches: affinity, spread, tolerations, names of hosts.

use serde_json::{Value, json};

use super::{address, items, names, object, one_of, parts, text};
use crate::api::{path::Path, status::Cause};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Adds the errors of affinities.
pub(super) fn affinity(affinity: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if let Some(nodes) = object(affinity, "nodeAffinity") {
        node_affinity(nodes, &path.child("nodeAffinity"), causes);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        if let Some(pods) = object(affinity, kind) {
            pod_affinity(pods, &path.child(kind), causes);
        }
    }
}

fn node_affinity(affinity: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if let Some(required) = object(affinity, REQUIRED) {
        node_selector(required, &path.child(REQUIRED), causes);
    }
    let list = path.child(PREFERRED);
    for (position, term) in items(affinity, PREFERRED).iter().enumerate() {
        let path = list.index(position);
        weight(term, &path, causes);
        node_term(&term["preference"], &path.child("preference"), false, causes);
    }
}

fn pod_affinity(affinity: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for (position, term) in items(affinity, REQUIRED).iter().enumerate() {
        pod_term(term, &path.child(REQUIRED).index(position), causes);
    }
    let list = path.child(PREFERRED);
    for (position, term) in items(affinity, PREFERRED).iter().enumerate() {
        let path = list.index(position);
        weight(term, &path, causes);
        pod_term(&term["podAffinityTerm"], &path.child("podAffinityTerm"), causes);
    }
}

fn weight(term: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let weight = term["weight"].as_i64().unwrap_or(0);
    if !(1..=100).contains(&weight) {
        causes.push(Cause::invalid(path.child("weight"), &json!(weight), "must be in the range 1-100"));
    }
}

/// Adds the errors of a selector of nodes.
pub(super) fn node_selector(selector: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let terms = items(selector, "nodeSelectorTerms");
    if terms.is_empty() {
        let because = "must have at least one node selector term";
        causes.push(Cause::required(path.child("nodeSelectorTerms"), because));
    }
    for (position, term) in terms.iter().enumerate() {
        node_term(term, &path.child("nodeSelectorTerms").index(position), true, causes);
    }
}

fn node_term(term: &Value, path: &Path<'_>, is_strict: bool, causes: &mut Vec<Cause>) {
    let list = path.child("matchExpressions");
    for (position, expression) in items(term, "matchExpressions").iter().enumerate() {
        let path = list.index(position);
        let values = items(expression, "values");
        let because = match text(expression, "operator") {
            "In" | "NotIn" if values.is_empty() => {
                let because = "must be specified when `operator` is 'In' or 'NotIn'";
                Some(Cause::required(path.child("values"), because))
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let because = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                Some(Cause::forbidden(path.child("values"), because))
            }
            "Gt" | "Lt" if values.len() != 1 => {
                let because = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                Some(Cause::required(path.child("values"), because))
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => None,
            other => {
                Some(Cause::invalid(path.child("operator"), &json!(other), "not a valid selector operator"))
            }
        };
        causes.extend(because);
        parts::label_name(text(expression, "key"), path.child("key"), causes);
        for (index, value) in values.iter().enumerate().filter(|_| is_strict) {
            for fault in names::value_faults(value.as_str().unwrap_or_default()) {
                causes.push(Cause::invalid(path.child("values").index(index), value, fault));
            }
        }
    }
    let list = path.child("matchFields");
    for (position, field) in items(term, "matchFields").iter().enumerate() {
        let path = list.index(position);
        match text(field, "operator") {
            "In" | "NotIn" if items(field, "values").len() != 1 => {
                let because =
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                causes.push(Cause::required(path.child("values"), because));
            }
            "In" | "NotIn" => {}
            other => {
                let because = "not a valid selector operator";
                causes.push(Cause::invalid(path.child("operator"), &json!(other), because));
            }
        }
        if text(field, "key") != "metadata.name" {
            let because = "not a valid field selector key";
            causes.push(Cause::invalid(path.child("key"), &json!(text(field, "key")), because));
        }
    }
}

fn pod_term(term: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for field in ["labelSelector", "namespaceSelector"] {
        parts::selector(&term[field], &path.child(field), causes);
    }
    for namespace in items(term, "namespaces") {
        for fault in names::label_faults(namespace.as_str().unwrap_or_default()) {
            causes.push(Cause::invalid(path.child("namespace"), namespace, fault));
        }
    }
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        label_keys(term, path, field, causes);
    }
    let key = text(term, "topologyKey");
    if key.is_empty() {
        causes.push(Cause::required(path.child("topologyKey"), "can not be empty"));
    }
    parts::label_name(key, path.child("topologyKey"), causes);
}

fn label_keys(owner: &Value, path: &Path<'_>, field: &str, causes: &mut Vec<Cause>) {
    let (keys, list) = (items(owner, field), path.child(field));
    if !keys.is_empty() && !owner["labelSelector"].is_object() {
        let because = "must not be specified when labelSelector is not set";
        causes.push(Cause::forbidden(list, because));
    }
    for (position, key) in keys.iter().enumerate() {
        parts::label_name(key.as_str().unwrap_or_default(), list.index(position), causes);
    }
}

/// Adds the errors of constraints of spread.
pub(super) fn spread(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let all = items(spec, "topologySpreadConstraints");
    let list = path.child("topologySpreadConstraints");
    for (position, constraint) in all.iter().enumerate() {
        let path = list.index(position);
        let skew = constraint["maxSkew"].as_i64().unwrap_or(0);
        if skew <= 0 {
            causes.push(Cause::invalid(path.child("maxSkew"), &json!(skew), "must be greater than zero"));
        }
        let (key, action) = (text(constraint, "topologyKey"), text(constraint, "whenUnsatisfiable"));
        if key.is_empty() {
            causes.push(Cause::required(path.child("topologyKey"), "can not be empty"));
        }
        let known = ["DoNotSchedule", "ScheduleAnyway"];
        if !known.contains(&action) {
            causes.push(Cause::not_supported(path.child("whenUnsatisfiable"), &json!(action), &known));
        }
        let same =
            |other: &Value| text(other, "topologyKey") == key && text(other, "whenUnsatisfiable") == action;
        if all[position + 1..].iter().any(same) {
            let pair = json!(format!("{{{key}, {action}}}"));
            causes.push(super::duplicate(path.child("{topologyKey, whenUnsatisfiable}"), &pair));
        }
        if let Some(domains) = constraint["minDomains"].as_i64() {
            if domains <= 0 {
                causes.push(Cause::invalid(
                    path.child("minDomains"),
                    &json!(domains),
                    "must be greater than zero",
                ));
            }
            if action != "DoNotSchedule" {
                let because =
                    format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                causes.push(Cause::invalid(path.child("minDomains"), &json!(domains), because));
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            one_of(&constraint[field], path.child(field), &["Honor", "Ignore"], causes);
        }
        label_keys(constraint, &path, "matchLabelKeys", causes);
        parts::selector(&constraint["labelSelector"], &path.child("labelSelector"), causes);
    }
}

/// Adds the errors of tolerations.
pub(in crate::registry) fn tolerations(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let list = path.child("tolerations");
    for (position, toleration) in items(spec, "tolerations").iter().enumerate() {
        let path = list.index(position);
        let (key, value) = (text(toleration, "key"), text(toleration, "value"));
        let (operator, effect) = (text(toleration, "operator"), text(toleration, "effect"));
        if !key.is_empty() {
            parts::label_name(key, path.child("key"), causes);
        } else if operator != "Exists" {
            let because =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            causes.push(Cause::invalid(path.child("operator"), &json!(operator), because));
        }
        if effect != "NoExecute" && toleration["tolerationSeconds"].is_i64() {
            let because = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            causes.push(Cause::invalid(path.child("effect"), &json!(effect), because));
        }
        match operator {
            "" | "Equal" => {
                let faults = names::value_faults(value);
                if !faults.is_empty() {
                    causes.push(Cause::invalid(path.child("operator"), &json!(value), faults.join(";")));
                }
            }
            "Exists" if !value.is_empty() => {
                let because = "value must be empty when `operator` is 'Exists'";
                causes.push(Cause::invalid(path.child("operator"), &json!(value), because));
            }
            "Exists" => {}
            "Lt" | "Gt" => {
                let known = ["Equal", "Exists", "Lt", "Gt"];
                causes.push(Cause::not_supported(path.child("operator"), &json!(operator), &known));
            }
            _ => causes.push(Cause::not_supported(
                path.child("operator"),
                &json!(operator),
                &["Equal", "Exists"],
            )),
        }
        let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        if !effect.is_empty() && !known.contains(&effect) {
            causes.push(Cause::not_supported(path.child("effect"), &json!(effect), &known));
        }
    }
}

/// Adds the errors of DNS settings and of aliases of hosts.
pub(super) fn hosts(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let (config, field) = (&spec["dnsConfig"], path.child("dnsConfig"));
    let servers = items(config, "nameservers");
    if spec["dnsPolicy"] == "None" {
        if !config.is_object() {
            causes.push(Cause::required(field, "must provide `dnsConfig` when `dnsPolicy` is None"));
            return;
        }
        if servers.is_empty() {
            let because = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            causes.push(Cause::required(field.child("nameservers"), because));
            return;
        }
    }
    if servers.len() > 3 {
        let because = "must not have more than 3 nameservers";
        causes.push(Cause::invalid(field.child("nameservers"), &config["nameservers"], because));
    }
    for (position, server) in servers.iter().enumerate() {
        address::address(server, field.child("nameservers").index(position), causes);
    }
    for (position, search) in items(config, "searches").iter().enumerate() {
        let search = search.as_str().unwrap_or_default();
        let shown = search.strip_suffix('.').unwrap_or(search);
        let faults =
            if search == "." { Vec::new() } else { names::subdomain_faults(&shown.replace('_', "a")) };
        if !faults.is_empty() {
            causes.push(Cause::invalid(field.child("searches").index(position), &json!(shown), SEARCH_RULE));
        }
    }
    for (position, option) in items(config, "options").iter().enumerate() {
        if text(option, "name").is_empty() {
            causes.push(Cause::required(field.child("options").index(position), "must not be empty"));
        }
    }
}

/// Adds the errors of the gates of readiness and of scheduling.
pub(super) fn gates(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for (position, gate) in items(spec, "readinessGates").iter().enumerate() {
        let condition = text(gate, "conditionType");
        parts::label_name(
            condition,
            path.child("readinessGates").index(position).child("conditionType"),
            causes,
        );
    }
    let (gates, list) = (items(spec, "schedulingGates"), path.child("schedulingGates"));
    for (position, gate) in gates.iter().enumerate() {
        let field = list.index(position);
        parts::label_name(text(gate, "name"), field, causes);
        if gates[..position].iter().any(|other| other["name"] == gate["name"]) {
            causes.push(super::duplicate(field, &json!(text(gate, "name"))));
        }
    }
}

/// Adds the errors of aliases in the file of hosts.
pub(super) fn aliases(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let list = path.child("hostAliases");
    for (position, alias) in items(spec, "hostAliases").iter().enumerate() {
        let path = list.index(position);
        let none = Value::String(String::new());
        let address = alias.get("ip").filter(|address| address.is_string()).unwrap_or(&none);
        address::address(address, path.child("ip"), causes);
        for (index, name) in items(alias, "hostnames").iter().enumerate() {
            for fault in names::subdomain_faults(name.as_str().unwrap_or_default()) {
                causes.push(Cause::invalid(path.child("hostnames").index(index), name, fault));
            }
        }
    }
}

const SEARCH_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' \
    or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
