//! Validation of requests and limits.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::{Value, json};

use super::{container::Pod, data, duplicate, items, names, seen::Seen, text};
use crate::{
    api::{path::Path, selector::is_qualified_name, status::Cause},
    registry::quantity,
};

/// Adds the errors of requests and limits of a container (`ValidateContainerResourceRequirements`).
pub(super) fn resources(resources: &Value, path: &Path<'_>, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    requirements(resources, path, pod, resource_name, causes);
}

/// Adds the errors of what a runtime takes for itself, given as limits.
pub(in crate::registry) fn of_overhead(limits: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let pod = Pod { spec: &Value::Null, volumes: &BTreeMap::new(), is_pod: false };
    requirements(limits, path, &pod, resource_name, causes);
}

/// Adds the errors of requests and limits of a whole Pod (`validatePodResources`).
pub(super) fn of_pod(resources: &Value, path: &Path<'_>, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    if !items(resources, "claims").is_empty() {
        let because = "claims may not be set for Resources at pod-level";
        causes.push(Cause::forbidden(path.child("claims"), because));
    }
    requirements(resources, path, pod, pod_resource_name, causes);
}

/// Adds the errors of requests and limits, whose resources have names that `name` allows.
fn requirements(
    resources: &Value,
    path: &Path<'_>,
    pod: &Pod<'_>,
    name: fn(&str, Path<'_>, &mut Vec<Cause>),
    causes: &mut Vec<Cause>,
) {
    let amount = |resource: &str, amount: &Value, field: Path<'_>, causes: &mut Vec<Cause>| {
        name(resource, field, causes);
        data::amount(resource, amount, field, causes);
        huge_pages(resource, amount, field, causes);
    };
    let (limits, requests) = (&resources["limits"], &resources["requests"]);
    for (resource, limit) in limits.as_object().into_iter().flatten() {
        amount(resource, limit, path.child("limits").key(resource), causes);
    }
    for (resource, request) in requests.as_object().into_iter().flatten() {
        amount(resource, request, path.child("requests").key(resource), causes);
        let limit = &limits[resource];
        let shown = || limit.as_str().unwrap_or_default();
        let order = match limit {
            Value::Null => None,
            limit if limit == request => Some(Ordering::Equal),
            limit => quantity::compare(request, limit),
        };
        let is_fixed = resource.contains('/') && !resource.contains("kubernetes.io/")
            || resource.starts_with("hugepages-");
        if limit.is_null() && is_fixed {
            let because = "Limit must be set for non overcommitable resources";
            causes.push(Cause::required(path.child("limits"), because));
        } else if is_fixed && order.is_some_and(Ordering::is_ne) {
            let because = format!("must be equal to {resource} limit of {}", shown());
            causes.push(Cause::invalid(path.child("requests"), request, because));
        } else if order.is_some_and(Ordering::is_gt) {
            let because = format!("must be less than or equal to {resource} limit of {}", shown());
            causes.push(Cause::invalid(path.child("requests"), request, because));
        }
    }
    let uses = |of: fn(&str) -> bool| {
        [limits, requests].iter().filter_map(|all| all.as_object()).any(|all| all.keys().any(|name| of(name)))
    };
    if uses(|name| name.starts_with("hugepages-")) && !uses(|name| matches!(name, "cpu" | "memory")) {
        causes.push(Cause::forbidden(path, "HugePages require cpu or memory"));
    }
    claims(resources, path, pod, causes);
}

/// Adds the errors of the claims of devices, which are claims of the Pod.
fn claims(resources: &Value, path: &Path<'_>, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    let own = items(resources, "claims");
    if own.is_empty() {
        return;
    }
    let claims: Vec<&str> =
        items(pod.spec, "resourceClaims").iter().map(|claim| text(claim, "name")).collect();
    let list = path.child("claims");
    for (position, claim) in own.iter().enumerate() {
        let (name, field) = (text(claim, "name"), list.index(position));
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

/// Adds the error of an amount of huge pages that is no multiple of their size.
fn huge_pages(resource: &str, amount: &Value, field: Path<'_>, causes: &mut Vec<Cause>) {
    let Some(size) = resource.strip_prefix("hugepages-") else { return };
    let bytes = |amount: &Value| quantity::of(amount).map(|amount| amount.value());
    let (size, Some(found)) = (bytes(&json!(size)).unwrap_or(0), bytes(amount)) else { return };
    if size <= 0 || found % size != 0 {
        let shown = amount.as_str().unwrap_or_default();
        let because = format!("{shown} is not positive integer multiple of {resource}");
        causes.push(Cause::invalid(field, amount, because));
    }
}

/// Adds the errors of a resource's name in a Pod (`validatePodResourceName`).
fn pod_resource_name(name: &str, field: Path<'_>, causes: &mut Vec<Cause>) {
    let faults = names::qualified_faults(name);
    if !faults.is_empty() {
        super::faulty(name, field, faults, causes);
    } else if !name.contains('/') && !data::is_standard_resource(name) {
        let because = "must be a standard resource type or fully qualified";
        causes.push(Cause::invalid(field, &json!(name), because));
    } else if !matches!(name, "cpu" | "memory") && !name.starts_with("hugepages-") {
        causes.push(Cause::not_supported(field, &json!(name), &["cpu", "hugepages-", "memory"]));
    }
}

/// Adds the errors of a resource's name in a container (`validateContainerResourceName`).
pub(in crate::registry) fn resource_name(name: &str, field: Path<'_>, causes: &mut Vec<Cause>) {
    let faults = names::qualified_faults(name);
    let is_huge = name.starts_with("hugepages-");
    if !faults.is_empty() {
        super::faulty(name, field, faults, causes);
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
pub(super) fn resize_policies(container: &Value, path: &Path<'_>, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    let field = path.child("resizePolicy");
    let mut seen = Seen::default();
    for (position, policy) in items(container, "resizePolicy").iter().enumerate() {
        let (resource, restart) = (text(policy, "resourceName"), text(policy, "restartPolicy"));
        if !seen.insert(resource) {
            causes.push(duplicate(field.index(position), &json!(resource)));
        }
        for (value, known) in [(resource, ["cpu", "memory"]), (restart, ["NotRequired", "RestartContainer"])]
        {
            if value.is_empty() {
                causes.push(Cause::required(field, ""));
            } else if !known.contains(&value) {
                causes.push(Cause::not_supported(field, &json!(value), &known));
            }
        }
        if pod.spec["restartPolicy"] == "Never" && restart != "NotRequired" {
            let because = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            causes.push(Cause::invalid(field, &json!(restart), because));
        }
    }
}
