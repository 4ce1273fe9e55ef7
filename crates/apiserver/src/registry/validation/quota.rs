//! Validation of `ResourceQuotas`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{data, items, limits::standard_name, text};
use crate::api::{path::Path, status::Cause};

/// The scopes of Pods that a selector can only ask for.
const OF_PODS: [&str; 5] =
    ["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating"];
/// The scopes that no object is in at once.
const OPPOSITES: [[&str; 2]; 2] = [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]];
const COMPUTE: [&str; 6] =
    ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];

/// Adds the errors of a `ResourceQuota`.
pub(in crate::registry) fn quota(quota: &Value, causes: &mut Vec<Cause>) {
    let spec = &quota["spec"];
    quota_amounts(&spec["hard"], &Path::Root("spec.hard"), causes);
    let scopes = items(spec, "scopes");
    for scope in scopes {
        let scope = scope.as_str().unwrap_or_default();
        let invalid = |because: &str| Cause::invalid("spec.scopes", &spec["scopes"], because);
        if !is_known(scope) {
            causes.push(invalid("unsupported scope"));
        }
        causes.extend(foreign(spec, scope).map(|_| invalid("unsupported scope applied to resource")));
    }
    conflicts(&scopes.iter().filter_map(Value::as_str).collect(), Path::Root("spec.scopes"), spec, causes);
    if !spec["scopeSelector"].is_null() {
        selector(spec, causes);
    }
}

fn selector(spec: &Value, causes: &mut Vec<Cause>) {
    let path = Path::Root("spec.scopeSelector.matchExpressions");
    let requirements = items(&spec["scopeSelector"], "matchExpressions");
    for requirement in requirements {
        let (scope, operator) = (text(requirement, "scopeName"), text(requirement, "operator"));
        if !is_known(scope) {
            causes.push(Cause::invalid(path.child("scopeName"), &json!(scope), "unsupported scope"));
        }
        causes.extend(foreign(spec, scope).map(|_| {
            let message =
                format!("Invalid value: {}: unsupported scope applied to resource", as_struct(requirements));
            Cause::new("FieldValueInvalid", path, message)
        }));
        let invalid_operator =
            |because: &str| Cause::invalid(path.child("operator"), &json!(operator), because);
        if OF_PODS.contains(&scope) && operator != "Exists" {
            causes.push(invalid_operator(
                "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                 ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, \
                 ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
            ));
        }
        let values = items(requirement, "values");
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let because =
                    "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                causes.push(Cause::required(path.child("values"), because));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let because =
                    "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                causes.push(Cause::invalid(path.child("values"), &requirement["values"], because));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => causes.push(invalid_operator("not a valid selector operator")),
        }
    }
    let scopes = requirements.iter().map(|requirement| text(requirement, "scopeName")).collect();
    conflicts(&scopes, path, spec, causes);
}

fn is_known(scope: &str) -> bool {
    OF_PODS.contains(&scope) || matches!(scope, "PriorityClass" | "VolumeAttributesClass")
}

/// Lists the limited resources that no object in the scope uses.
fn foreign<'a>(spec: &'a Value, scope: &'a str) -> impl Iterator<Item = &'a str> {
    let limited = spec["hard"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let standard = limited.filter(|name| *name != "storage" && data::is_standard_resource(name));
    standard.filter(move |name| match scope {
        "BestEffort" => *name != "pods",
        "VolumeAttributesClass" => !matches!(*name, "persistentvolumeclaims" | "requests.storage"),
        _ if is_known(scope) => *name != "pods" && !COMPUTE.contains(name),
        _ => false,
    })
}

fn conflicts(scopes: &BTreeSet<&str>, path: Path<'_>, spec: &Value, causes: &mut Vec<Cause>) {
    let both = OPPOSITES.iter().filter(|pair| pair.iter().all(|scope| scopes.contains(scope)));
    causes.extend(both.map(|_| Cause::invalid(path, &spec["scopes"], "conflicting scopes")));
}

/// The selector as Go shows its struct.
fn as_struct(requirements: &[Value]) -> String {
    let one = |requirement: &Value| {
        let [scope, operator] = ["scopeName", "operator"].map(|field| json!(text(requirement, field)));
        format!(r#"{{"ScopeName":{scope},"Operator":{operator},"Values":{}}}"#, requirement["values"])
    };
    let all: Vec<String> = requirements.iter().map(one).collect();
    format!(r#"{{"MatchExpressions":[{}]}}"#, all.join(","))
}

/// Adds the errors of the amounts in a `ResourceQuota`.
pub(in crate::registry) fn quota_amounts(amounts: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for (name, amount) in amounts.as_object().into_iter().flatten() {
        let field = path.key(name);
        standard_name(name, field, causes);
        if !name.contains('/') && (name == "storage" || !data::is_standard_resource(name)) {
            let because = "must be a standard resource for quota";
            causes.push(Cause::invalid(field, &json!(name), because));
        }
        data::amount(name, amount, field, causes);
    }
}
