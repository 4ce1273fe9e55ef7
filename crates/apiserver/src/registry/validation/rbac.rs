//! Validation of roles and their bindings.

use serde_json::{Value, json};

use super::{items, parts, text};
use crate::api::{names, path::Path, status::Cause};

const GROUP: &str = "rbac.authorization.k8s.io";

/// A role, of a namespace or of the cluster.
pub(in crate::registry) fn role(role: &Value, in_namespace: bool, causes: &mut Vec<Cause>) {
    for (position, rule) in items(role, "rules").iter().enumerate() {
        let at = |field: &str| format!("rules[{position}].{field}");
        if items(rule, "verbs").is_empty() {
            causes.push(Cause::required(at("verbs"), "verbs must contain at least one value"));
        }
        if !items(rule, "nonResourceURLs").is_empty() {
            let urls = &rule["nonResourceURLs"];
            if in_namespace {
                let because = "namespaced rules cannot apply to non-resource URLs";
                causes.push(Cause::invalid(at("nonResourceURLs"), urls, because));
            }
            if ["apiGroups", "resources", "resourceNames"].iter().any(|field| !items(rule, field).is_empty())
            {
                let because = "rules cannot apply to both regular resources and non-resource URLs";
                causes.push(Cause::invalid(at("nonResourceURLs"), urls, because));
            }
            continue;
        }
        for (field, what) in [("apiGroups", "api group"), ("resources", "resource")] {
            if items(rule, field).is_empty() {
                let because = format!("resource rules must supply at least one {what}");
                causes.push(Cause::required(at(field), &because));
            }
        }
    }
    let aggregated = &role["aggregationRule"];
    if aggregated.is_object() {
        let selectors = items(aggregated, "clusterRoleSelectors");
        let field = "aggregationRule.clusterRoleSelectors";
        if selectors.is_empty() {
            let because = "at least one clusterRoleSelector required if aggregationRule is non-nil";
            causes.push(Cause::required(field, because));
        }
        let list = Path::Root(field);
        for (position, selector) in selectors.iter().enumerate() {
            let field = list.index(position);
            parts::selector(selector, &field, causes);
            if !parts::is_selector(selector) {
                causes.push(Cause::invalid(field, &Value::Null, "invalid label selector."));
            }
        }
    }
}

/// A binding of a role, in a namespace or in the cluster.
pub(in crate::registry) fn binding(binding: &Value, in_namespace: bool, causes: &mut Vec<Cause>) {
    let role = &binding["roleRef"];
    if text(role, "apiGroup") != GROUP {
        causes.push(Cause::not_supported("roleRef.apiGroup", &json!(text(role, "apiGroup")), &[GROUP]));
    }
    let known: &[&str] = if in_namespace { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !known.contains(&text(role, "kind")) {
        causes.push(Cause::not_supported("roleRef.kind", &json!(text(role, "kind")), known));
    }
    match text(role, "name") {
        "" => causes.push(Cause::required("roleRef.name", "")),
        name => super::faulty(name, "roleRef.name", names::path_segment_faults(name), causes),
    }
    for (position, subject) in items(binding, "subjects").iter().enumerate() {
        let at = |field: &str| format!("subjects[{position}].{field}");
        let (name, group) = (text(subject, "name"), text(subject, "apiGroup"));
        if name.is_empty() {
            causes.push(Cause::required(at("name"), ""));
        }
        match text(subject, "kind") {
            "ServiceAccount" => {
                for fault in names::subdomain_faults(name).into_iter().filter(|_| !name.is_empty()) {
                    causes.push(Cause::invalid(at("name"), &json!(name), fault));
                }
                if !group.is_empty() {
                    causes.push(Cause::not_supported(at("apiGroup"), &json!(group), &[""]));
                }
                if !in_namespace && text(subject, "namespace").is_empty() {
                    causes.push(Cause::required(at("namespace"), ""));
                }
            }
            "User" | "Group" if group != GROUP => {
                causes.push(Cause::not_supported(at("apiGroup"), &json!(group), &[GROUP]));
            }
            "User" | "Group" => {}
            other => {
                let known = ["ServiceAccount", "User", "Group"];
                causes.push(Cause::not_supported(at("kind"), &json!(other), &known));
            }
        }
    }
}
