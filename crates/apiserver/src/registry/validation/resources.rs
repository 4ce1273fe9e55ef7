//! Validation of requests and limits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{container::Pod, data, duplicate, items, names, text};
use crate::{
    api::{selector::is_qualified_name, status::Cause},
    registry::quantity,
};

/// Adds the errors of requests and limits (`validateResourceRequirements`).
pub(super) fn resources(resources: &Value, path: &str, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    for (resource, limit) in resources["limits"].as_object().into_iter().flatten() {
        amount(resource, limit, &format!("{path}.limits[{resource}]"), causes);
    }
    for (resource, request) in resources["requests"].as_object().into_iter().flatten() {
        amount(resource, request, &format!("{path}.requests[{resource}]"), causes);
        let (limit, shown) =
            (&resources["limits"][resource], |value: &Value| value.as_str().unwrap_or_default().to_owned());
        let order = quantity::compare(request, limit);
        let is_fixed = resource.contains('/') && !resource.contains("kubernetes.io/")
            || resource.starts_with("hugepages-");
        if limit.is_null() && is_fixed {
            let because = "Limit must be set for non overcommitable resources";
            causes.push(Cause::required(format!("{path}.limits"), because));
        } else if is_fixed && order.is_some_and(std::cmp::Ordering::is_ne) {
            let because = format!("must be equal to {resource} limit of {}", shown(limit));
            causes.push(Cause::invalid(format!("{path}.requests"), request, because));
        } else if order.is_some_and(std::cmp::Ordering::is_gt) {
            let because = format!("must be less than or equal to {resource} limit of {}", shown(limit));
            causes.push(Cause::invalid(format!("{path}.requests"), request, because));
        }
    }
    let uses = |of: fn(&str) -> bool| {
        ["limits", "requests"]
            .iter()
            .any(|what| resources[*what].as_object().is_some_and(|all| all.keys().any(|name| of(name))))
    };
    if uses(|name| name.starts_with("hugepages-")) && !uses(|name| matches!(name, "cpu" | "memory")) {
        causes.push(Cause::forbidden(path, "HugePages require cpu or memory"));
    }
    let claims: Vec<&str> =
        items(pod.spec, "resourceClaims").iter().map(|claim| text(claim, "name")).collect();
    for (position, claim) in items(resources, "claims").iter().enumerate() {
        let (name, field) = (text(claim, "name"), format!("{path}.claims[{position}]"));
        if name.is_empty() {
            causes.push(Cause::required(field, ""));
        } else if !claims.contains(&name) {
            let known = if claims.is_empty() {
                " which is empty".to_owned()
            } else {
                format!(": {}", claims.join(", "))
            };
            let because =
                format!("Not found: {name:?}: must be one of the names in pod.spec.resourceClaims{known}");
            causes.push(Cause::new("FieldValueNotFound", field, because));
        }
    }
}

/// Adds the errors of the amount of one resource.
fn amount(resource: &str, amount: &Value, field: &str, causes: &mut Vec<Cause>) {
    resource_name(resource, field, causes);
    data::amount(resource, amount, field, causes);
}

/// Adds the errors of a resource's name in a container (`validateContainerResourceName`).
pub(in crate::registry) fn resource_name(name: &str, field: &str, causes: &mut Vec<Cause>) {
    let faults = names::qualified_faults(name);
    let is_huge = name.starts_with("hugepages-");
    if !faults.is_empty() {
        for fault in faults {
            causes.push(Cause::invalid(field, &json!(name), fault));
        }
    } else if !name.contains('/') && !data::is_standard_resource(name) {
        causes.push(Cause::invalid(
            field,
            &json!(name),
            "must be a standard resource type or fully qualified",
        ));
    }
    if !name.contains('/') {
        if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !is_huge {
            causes.push(Cause::invalid(field, &json!(name), "must be a standard resource for containers"));
        }
    } else if !name.contains("kubernetes.io/")
        && (name.starts_with("requests.") || !is_qualified_name(&format!("requests.{name}")))
    {
        causes.push(Cause::invalid(field, &json!(name), "doesn't follow extended resource name standard"));
    }
}

/// Adds the errors of the policies of resizing a container.
pub(super) fn resize_policies(container: &Value, path: &str, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    let field = format!("{path}.resizePolicy");
    let mut seen = BTreeSet::new();
    for (position, policy) in items(container, "resizePolicy").iter().enumerate() {
        let (resource, restart) = (text(policy, "resourceName"), text(policy, "restartPolicy"));
        if !seen.insert(resource) {
            causes.push(duplicate(format!("{field}[{position}]"), &json!(resource)));
        }
        for (value, known) in [(resource, ["cpu", "memory"]), (restart, ["NotRequired", "RestartContainer"])]
        {
            if value.is_empty() {
                causes.push(Cause::required(field.as_str(), ""));
            } else if !known.contains(&value) {
                causes.push(Cause::not_supported(field.as_str(), &json!(value), &known));
            }
        }
        if pod.spec["restartPolicy"] == "Never" && restart != "NotRequired" {
            let because = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            causes.push(Cause::invalid(field.as_str(), &json!(restart), because));
        }
    }
}
