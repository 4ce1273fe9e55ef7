//! Validation of Pods and Pod templates.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{duplicate, items, one_of, text};
use crate::{
    api::{
        names,
        selector::{is_qualified_name, is_value},
        status::Cause,
    },
    registry::quantity,
};

/// Adds the errors of the spec of a Pod at `path`.
pub(in crate::registry) fn spec(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let volumes = volumes(spec, path, causes);
    if items(spec, "containers").is_empty() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    let mut names = BTreeSet::new();
    for field in ["containers", "initContainers"] {
        for (position, container) in items(spec, field).iter().enumerate() {
            let path = format!("{path}.{field}[{position}]");
            self::container(container, &path, &volumes, causes);
            if !text(container, "name").is_empty() && !names.insert(text(container, "name")) {
                causes.push(duplicate(format!("{path}.name"), &container["name"]));
            }
        }
    }
    let one = |field: &str, known: &[&str], causes: &mut Vec<Cause>| {
        one_of(&spec[field], || format!("{path}.{field}"), known, causes);
    };
    one("restartPolicy", &["Always", "OnFailure", "Never"], causes);
    one("dnsPolicy", &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], causes);
    if let Some(seconds) =
        spec["activeDeadlineSeconds"].as_i64().filter(|n| !(1..=i64::from(i32::MAX)).contains(n))
    {
        let because = "must be between 1 and 2147483647, inclusive";
        causes.push(Cause::invalid(format!("{path}.activeDeadlineSeconds"), &json!(seconds), because));
    }
    for (position, toleration) in items(spec, "tolerations").iter().enumerate() {
        let operator = text(toleration, "operator");
        let field = || format!("{path}.tolerations[{position}].operator");
        if text(toleration, "key").is_empty() && operator != "Exists" {
            let because =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            causes.push(Cause::invalid(field(), &json!(operator), because));
        }
        if !matches!(operator, "" | "Equal" | "Exists") {
            causes.push(Cause::not_supported(field(), &json!(operator), &["Equal", "Exists"]));
        }
    }
    for (key, value) in spec["nodeSelector"].as_object().into_iter().flatten() {
        let field = format!("{path}.nodeSelector");
        if !is_qualified_name(key) {
            causes.push(Cause::invalid(field, &json!(key), names::QUALIFIED_RULE));
        } else if !value.as_str().is_some_and(is_value) {
            causes.push(Cause::invalid(field, value, names::VALUE_RULE));
        }
    }
}

/// Checks the volumes, and returns their names.
fn volumes<'a>(spec: &'a Value, path: &str, causes: &mut Vec<Cause>) -> BTreeSet<&'a str> {
    let mut known = BTreeSet::new();
    for (position, volume) in items(spec, "volumes").iter().enumerate() {
        let (name, field) = (text(volume, "name"), || format!("{path}.volumes[{position}].name"));
        if name.is_empty() {
            causes.push(Cause::required(field(), ""));
        } else if !names::is_label(name) {
            causes.push(Cause::invalid(field(), &json!(name), names::LABEL_RULE));
        } else if !known.insert(name) {
            causes.push(duplicate(field(), &json!(name)));
        }
    }
    known
}

fn container(container: &Value, path: &str, volumes: &BTreeSet<&str>, causes: &mut Vec<Cause>) {
    let name = text(container, "name");
    if name.is_empty() {
        causes.push(Cause::required(format!("{path}.name"), ""));
    } else if !names::is_label(name) {
        causes.push(Cause::invalid(format!("{path}.name"), &json!(name), names::LABEL_RULE));
    }
    if text(container, "image").is_empty() {
        causes.push(Cause::required(format!("{path}.image"), ""));
    }
    for (position, port) in items(container, "ports").iter().enumerate() {
        let field = || format!("{path}.ports[{position}].containerPort");
        match port["containerPort"].as_i64().unwrap_or(0) {
            0 => causes.push(Cause::required(field(), "")),
            1..=65535 => {}
            number => {
                let because = "must be between 1 and 65535, inclusive";
                causes.push(Cause::invalid(field(), &json!(number), because));
            }
        }
        let field = || format!("{path}.ports[{position}].protocol");
        one_of(&port["protocol"], field, &["SCTP", "TCP", "UDP"], causes);
    }
    for (position, variable) in items(container, "env").iter().enumerate() {
        if text(variable, "name").is_empty() {
            causes.push(Cause::required(format!("{path}.env[{position}].name"), ""));
        }
    }
    for (position, mount) in items(container, "volumeMounts").iter().enumerate() {
        let (name, at) = (text(mount, "name"), |field| format!("{path}.volumeMounts[{position}].{field}"));
        if name.is_empty() {
            causes.push(Cause::required(at("name"), ""));
        } else if !volumes.contains(name) {
            let message = format!("Not found: {name:?}");
            causes.push(Cause::new("FieldValueNotFound", at("name"), message));
        }
        if text(mount, "mountPath").is_empty() {
            causes.push(Cause::required(at("mountPath"), ""));
        }
    }
    one_of(
        &container["imagePullPolicy"],
        || format!("{path}.imagePullPolicy"),
        &["Always", "IfNotPresent", "Never"],
        causes,
    );
    resource_amounts(&container["resources"], path, causes);
    for (resource, request) in container["resources"]["requests"].as_object().into_iter().flatten() {
        let limit = &container["resources"]["limits"][resource];
        if quantity::compare(request, limit).is_some_and(std::cmp::Ordering::is_gt) {
            let because = format!(
                "must be less than or equal to {resource} limit of {}",
                limit.as_str().unwrap_or_default()
            );
            causes.push(Cause::invalid(format!("{path}.resources.requests"), request, because));
        }
    }
}

/// Refuses amounts below zero (`ValidateResourceQuantityValue`).
fn resource_amounts(resources: &Value, path: &str, causes: &mut Vec<Cause>) {
    for field in ["limits", "requests"] {
        for (resource, amount) in resources[field].as_object().into_iter().flatten() {
            if quantity::of(amount).is_some_and(|amount| amount.signum() < 0) {
                let at = format!("{path}.resources.{field}[{resource}]");
                causes.push(Cause::invalid(at, amount, "must be greater than or equal to 0"));
            }
        }
    }
}
