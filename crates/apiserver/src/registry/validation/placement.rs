//! Validation of what decides where and as whom a Pod runs: affinity, spread, tolerations, security contexts.

use serde_json::{Value, json};

use super::{data, items, names, one_of, parts, text};
use crate::api::status::Cause;

/// Adds the errors of affinities.
pub(super) fn affinity(affinity: &Value, path: &str, causes: &mut Vec<Cause>) {
    let nodes = &affinity["nodeAffinity"];
    let required = &nodes["requiredDuringSchedulingIgnoredDuringExecution"];
    if required.is_object() {
        let path = format!("{path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
        node_selector(required, &path, causes);
    }
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    for (position, term) in items(nodes, preferred).iter().enumerate() {
        let path = format!("{path}.nodeAffinity.{preferred}[{position}]");
        weight(term, &path, causes);
        node_term(&term["preference"], &format!("{path}.preference"), false, causes);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        for (position, term) in items(&affinity[kind], required).iter().enumerate() {
            pod_term(term, &format!("{path}.{kind}.{required}[{position}]"), causes);
        }
        for (position, term) in items(&affinity[kind], preferred).iter().enumerate() {
            let path = format!("{path}.{kind}.{preferred}[{position}]");
            weight(term, &path, causes);
            pod_term(&term["podAffinityTerm"], &format!("{path}.podAffinityTerm"), causes);
        }
    }
}

fn weight(term: &Value, path: &str, causes: &mut Vec<Cause>) {
    let weight = term["weight"].as_i64().unwrap_or(0);
    if !(1..=100).contains(&weight) {
        causes.push(Cause::invalid(format!("{path}.weight"), &json!(weight), "must be in the range 1-100"));
    }
}

/// Adds the errors of a selector of nodes.
pub(super) fn node_selector(selector: &Value, path: &str, causes: &mut Vec<Cause>) {
    let terms = items(selector, "nodeSelectorTerms");
    if terms.is_empty() {
        let because = "must have at least one node selector term";
        causes.push(Cause::required(format!("{path}.nodeSelectorTerms"), because));
    }
    for (position, term) in terms.iter().enumerate() {
        node_term(term, &format!("{path}.nodeSelectorTerms[{position}]"), true, causes);
    }
}

fn node_term(term: &Value, path: &str, is_strict: bool, causes: &mut Vec<Cause>) {
    for (position, expression) in items(term, "matchExpressions").iter().enumerate() {
        let path = format!("{path}.matchExpressions[{position}]");
        let values = items(expression, "values");
        let because = match text(expression, "operator") {
            "In" | "NotIn" if values.is_empty() => {
                let because = "must be specified when `operator` is 'In' or 'NotIn'";
                Some(Cause::required(format!("{path}.values"), because))
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let because = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                Some(Cause::forbidden(format!("{path}.values"), because))
            }
            "Gt" | "Lt" if values.len() != 1 => {
                let because = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                Some(Cause::required(format!("{path}.values"), because))
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => None,
            other => Some(Cause::invalid(
                format!("{path}.operator"),
                &json!(other),
                "not a valid selector operator",
            )),
        };
        causes.extend(because);
        parts::label_name(text(expression, "key"), &format!("{path}.key"), causes);
        for (index, value) in values.iter().enumerate().filter(|_| is_strict) {
            for fault in names::value_faults(value.as_str().unwrap_or_default()) {
                causes.push(Cause::invalid(format!("{path}.values[{index}]"), value, fault));
            }
        }
    }
    for (position, field) in items(term, "matchFields").iter().enumerate() {
        let path = format!("{path}.matchFields[{position}]");
        match text(field, "operator") {
            "In" | "NotIn" if items(field, "values").len() != 1 => {
                let because =
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                causes.push(Cause::required(format!("{path}.values"), because));
            }
            "In" | "NotIn" => {}
            other => {
                let because = "not a valid selector operator";
                causes.push(Cause::invalid(format!("{path}.operator"), &json!(other), because));
            }
        }
        if text(field, "key") != "metadata.name" {
            let because = "not a valid field selector key";
            causes.push(Cause::invalid(format!("{path}.key"), &json!(text(field, "key")), because));
        }
    }
}

fn pod_term(term: &Value, path: &str, causes: &mut Vec<Cause>) {
    for field in ["labelSelector", "namespaceSelector"] {
        parts::selector(&term[field], &format!("{path}.{field}"), causes);
    }
    for namespace in items(term, "namespaces") {
        for fault in names::label_faults(namespace.as_str().unwrap_or_default()) {
            causes.push(Cause::invalid(format!("{path}.namespace"), namespace, fault));
        }
    }
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        label_keys(term, path, field, causes);
    }
    let key = text(term, "topologyKey");
    if key.is_empty() {
        causes.push(Cause::required(format!("{path}.topologyKey"), "can not be empty"));
    }
    parts::label_name(key, &format!("{path}.topologyKey"), causes);
}

fn label_keys(owner: &Value, path: &str, field: &str, causes: &mut Vec<Cause>) {
    let keys = items(owner, field);
    if !keys.is_empty() && !owner["labelSelector"].is_object() {
        let because = "must not be specified when labelSelector is not set";
        causes.push(Cause::forbidden(format!("{path}.{field}"), because));
    }
    for (position, key) in keys.iter().enumerate() {
        parts::label_name(key.as_str().unwrap_or_default(), &format!("{path}.{field}[{position}]"), causes);
    }
}

/// Adds the errors of constraints of spread.
pub(super) fn spread(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let all = items(spec, "topologySpreadConstraints");
    for (position, constraint) in all.iter().enumerate() {
        let path = format!("{path}.topologySpreadConstraints[{position}]");
        let at = |field: &str| format!("{path}.{field}");
        let is_positive = |value: &Value| value.as_i64().unwrap_or(0) > 0;
        if !is_positive(&constraint["maxSkew"]) {
            let skew = json!(constraint["maxSkew"].as_i64().unwrap_or(0));
            causes.push(Cause::invalid(at("maxSkew"), &skew, "must be greater than 0"));
        }
        let (key, action) = (text(constraint, "topologyKey"), text(constraint, "whenUnsatisfiable"));
        if key.is_empty() {
            causes.push(Cause::required(at("topologyKey"), "can not be empty"));
        }
        let known = ["DoNotSchedule", "ScheduleAnyway"];
        if !known.contains(&action) {
            causes.push(Cause::not_supported(at("whenUnsatisfiable"), &json!(action), &known));
        }
        let same =
            |other: &Value| text(other, "topologyKey") == key && text(other, "whenUnsatisfiable") == action;
        if all[position + 1..].iter().any(same) {
            let pair = json!(format!("{{{key}, {action}}}"));
            causes.push(super::duplicate(at("{topologyKey, whenUnsatisfiable}"), &pair));
        }
        if let Some(domains) = constraint["minDomains"].as_i64() {
            if domains <= 0 {
                causes.push(Cause::invalid(at("minDomains"), &json!(domains), "must be greater than 0"));
            }
            if action != "DoNotSchedule" {
                let because =
                    format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                causes.push(Cause::invalid(at("minDomains"), &json!(domains), because));
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            one_of(&constraint[field], || at(field), &["Honor", "Ignore"], causes);
        }
        label_keys(constraint, &path, "matchLabelKeys", causes);
        parts::selector(&constraint["labelSelector"], &at("labelSelector"), causes);
    }
}

/// Adds the errors of tolerations.
pub(super) fn tolerations(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    for (position, toleration) in items(spec, "tolerations").iter().enumerate() {
        let at = |field: &str| format!("{path}.tolerations[{position}].{field}");
        let (key, value) = (text(toleration, "key"), text(toleration, "value"));
        let (operator, effect) = (text(toleration, "operator"), text(toleration, "effect"));
        if !key.is_empty() {
            parts::label_name(key, &at("key"), causes);
        } else if operator != "Exists" {
            let because =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            causes.push(Cause::invalid(at("operator"), &json!(operator), because));
        }
        if toleration["tolerationSeconds"].is_i64() && effect != "NoExecute" {
            let because = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            causes.push(Cause::invalid(at("effect"), &json!(effect), because));
        }
        match operator {
            "" | "Equal" => {
                let faults = names::value_faults(value);
                if !faults.is_empty() {
                    causes.push(Cause::invalid(at("operator"), &json!(value), faults.join(";")));
                }
            }
            "Exists" if !value.is_empty() => {
                let because = "value must be empty when `operator` is 'Exists'";
                causes.push(Cause::invalid(at("operator"), &json!(value), because));
            }
            "Exists" => {}
            "Lt" | "Gt" => {
                let known = ["Equal", "Exists", "Lt", "Gt"];
                causes.push(Cause::not_supported(at("operator"), &json!(operator), &known));
            }
            _ => causes.push(Cause::not_supported(at("operator"), &json!(operator), &["Equal", "Exists"])),
        }
        if !effect.is_empty() {
            let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
            one_of(&toleration["effect"], || at("effect"), &known, causes);
        }
    }
}

/// Adds the errors of a Pod's security context.
pub(super) fn security(context: &Value, path: &str, causes: &mut Vec<Cause>) {
    let at = |field: &str| format!("{path}.{field}");
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        identity(&context[field], at(field), causes);
    }
    for (position, group) in items(context, "supplementalGroups").iter().enumerate() {
        identity(group, format!("{path}.supplementalGroups[{position}]"), causes);
    }
    one_of(
        &context["supplementalGroupsPolicy"],
        || at("supplementalGroupsPolicy"),
        &["Merge", "Strict"],
        causes,
    );
    one_of(
        &context["fsGroupChangePolicy"],
        || at("fsGroupChangePolicy"),
        &["Always", "OnRootMismatch"],
        causes,
    );
    one_of(
        &context["seLinuxChangePolicy"],
        || at("seLinuxChangePolicy"),
        &["MountOption", "Recursive"],
        causes,
    );
    profiles(context, path, causes);
}

/// The number of a user or a group.
pub(super) fn identity(number: &Value, field: String, causes: &mut Vec<Cause>) {
    if let Some(number) = number.as_i64().filter(|number| !(0..=i64::from(i32::MAX)).contains(number)) {
        causes.push(Cause::invalid(field, &json!(number), "must be between 0 and 2147483647, inclusive"));
    }
}

/// Adds the errors of the profiles of seccomp and `AppArmor`.
pub(super) fn profiles(context: &Value, path: &str, causes: &mut Vec<Cause>) {
    for (name, shown) in [("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")] {
        let profile = &context[name];
        if !profile.is_object() {
            continue;
        }
        let at = |field: &str| format!("{path}.{name}.{field}");
        let (kind, local) = (text(profile, "type"), &profile["localhostProfile"]);
        match kind {
            "Localhost" | "RuntimeDefault" | "Unconfined" => {}
            "" => causes.push(Cause::required(at("type"), &format!("type is required when {name} is set"))),
            _ => {
                let known = ["Localhost", "RuntimeDefault", "Unconfined"];
                causes.push(Cause::not_supported(at("type"), &json!(kind), &known));
            }
        }
        if kind == "Localhost" && local.as_str().is_none_or(str::is_empty) {
            let because = format!("must be set when {shown} type is Localhost");
            causes.push(Cause::required(at("localhostProfile"), &because));
        } else if kind == "Localhost" && shown == "seccomp" {
            super::volume::descending(local.as_str().unwrap_or_default(), &at("localhostProfile"), causes);
        } else if kind != "Localhost" && local.is_string() && shown == "seccomp" {
            // Upstream shows its Go struct.
            let value = format!("{{\"Type\":{kind:?},\"LocalhostProfile\":{local}}}");
            causes.push(Cause::invalid_json(
                at("localhostProfile"),
                &value,
                "can only be set when seccomp type is Localhost",
            ));
        } else if kind != "Localhost" && local.is_string() {
            let because = "can only be set when AppArmor type is Localhost";
            causes.push(Cause::invalid(at("localhostProfile"), local, because));
        }
    }
}

/// Adds the errors of DNS settings and of aliases of hosts.
pub(super) fn hosts(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let config = &spec["dnsConfig"];
    let field = format!("{path}.dnsConfig");
    if spec["dnsPolicy"] == "None" {
        if !config.is_object() {
            causes.push(Cause::required(field, "must provide `dnsConfig` when `dnsPolicy` is None"));
            return;
        }
        if items(config, "nameservers").is_empty() {
            let because = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            causes.push(Cause::required(format!("{field}.nameservers"), because));
            return;
        }
    }
    if items(config, "nameservers").len() > 3 {
        let because = "must not have more than 3 nameservers";
        causes.push(Cause::invalid(format!("{field}.nameservers"), &config["nameservers"], because));
    }
    for (position, server) in items(config, "nameservers").iter().enumerate() {
        data::address(server, format!("{field}.nameservers[{position}]"), causes);
    }
    for (position, search) in items(config, "searches").iter().enumerate() {
        let search = search.as_str().unwrap_or_default();
        let shown = search.strip_suffix('.').unwrap_or(search);
        let faults =
            if search == "." { Vec::new() } else { names::subdomain_faults(&shown.replace('_', "a")) };
        if !faults.is_empty() {
            causes.push(Cause::invalid(format!("{field}.searches[{position}]"), &json!(shown), SEARCH_RULE));
        }
    }
    for (position, option) in items(config, "options").iter().enumerate() {
        if text(option, "name").is_empty() {
            causes.push(Cause::required(format!("{field}.options[{position}]"), "must not be empty"));
        }
    }
}

/// Adds the errors of the gates of readiness and of scheduling.
pub(super) fn gates(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    for (position, gate) in items(spec, "readinessGates").iter().enumerate() {
        let field = format!("{path}.readinessGates[{position}].conditionType");
        parts::label_name(text(gate, "conditionType"), &field, causes);
    }
    let gates = items(spec, "schedulingGates");
    for (position, gate) in gates.iter().enumerate() {
        let field = format!("{path}.schedulingGates[{position}]");
        parts::label_name(text(gate, "name"), &field, causes);
        if gates[..position].iter().any(|other| other["name"] == gate["name"]) {
            causes.push(super::duplicate(field, &json!(text(gate, "name"))));
        }
    }
}

/// Adds the errors of aliases in the file of hosts.
pub(super) fn aliases(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    for (position, alias) in items(spec, "hostAliases").iter().enumerate() {
        let path = format!("{path}.hostAliases[{position}]");
        data::address(&json!(text(alias, "ip")), format!("{path}.ip"), causes);
        for (index, name) in items(alias, "hostnames").iter().enumerate() {
            for fault in names::subdomain_faults(name.as_str().unwrap_or_default()) {
                causes.push(Cause::invalid(format!("{path}.hostnames[{index}]"), name, fault));
            }
        }
    }
}

const SEARCH_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-', '_' \
    or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
