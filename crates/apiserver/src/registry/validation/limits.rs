//! Validation of `LimitRanges`.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{data, duplicate, items, resources::resource_name, text};
use crate::{
    api::{names, path::Path, status::Cause},
    registry::quantity,
};

/// A `LimitRange`.
pub(in crate::registry) fn limit_range(range: &Value, causes: &mut Vec<Cause>) {
    let (limits, list) = (items(&range["spec"], "limits"), Path::Root("spec.limits"));
    for (position, limit) in limits.iter().enumerate() {
        let path = list.index(position);
        let kind = text(limit, "type");
        let faults = names::qualified_faults(kind);
        let is_known = kind.contains('/') || matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim");
        if faults.is_empty() && !is_known {
            let because = "must be a standard limit type or fully qualified";
            causes.push(Cause::invalid(path.child("type"), &json!(kind), because));
        }
        for fault in faults {
            causes.push(Cause::invalid(path.child("type"), &json!(kind), fault));
        }
        if limits[..position].iter().any(|other| text(other, "type") == kind) {
            causes.push(duplicate(path.child("type"), &json!(kind)));
        }
        let mut fields = vec!["max", "min"];
        for field in ["default", "defaultRequest"] {
            if kind != "Pod" {
                fields.push(field);
            } else if limit[field].as_object().is_some_and(|all| !all.is_empty()) {
                causes.push(Cause::forbidden(path.child(field), "may not be specified when `type` is 'Pod'"));
            }
        }
        fields.push("maxLimitRequestRatio");
        let mut known = BTreeSet::new();
        for field in fields {
            for name in limit[field].as_object().into_iter().flat_map(|all| all.keys()) {
                known.insert(name.as_str());
                match kind {
                    "Pod" | "Container" => resource_name(name, path.child(field).key(name), causes),
                    _ => standard_name(name, path.child(field).key(name), causes),
                }
            }
        }
        let has_storage = |field: &str| limit[field].get("storage").is_some();
        if kind == "PersistentVolumeClaim" && !has_storage("min") && !has_storage("max") {
            let because = "either minimum or maximum storage value is required, but neither was provided";
            causes.push(Cause::required(path.child("limits"), because));
        }
        for name in known {
            amounts(limit, name, &path, causes);
        }
    }
}

/// The amounts of one resource have an order.
fn amounts(limit: &Value, name: &str, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let is_greater = |one: &str, other: &str| {
        quantity::compare(&limit[one][name], &limit[other][name]) == Some(Ordering::Greater)
    };
    let shown = |field: &str| limit[field][name].as_str().unwrap_or_default().to_owned();
    // The greater amount, the lesser one, what each is called, and where the error is and what it shows.
    let orders = [
        ("min", "max", "min value", "max value", "min", "min"),
        ("min", "defaultRequest", "min value", "default request value", "defaultRequest", "defaultRequest"),
        ("defaultRequest", "max", "default request value", "max value", "defaultRequest", "defaultRequest"),
        (
            "defaultRequest",
            "default",
            "default request value",
            "default limit value",
            "defaultRequest",
            "defaultRequest",
        ),
        ("min", "default", "min value", "default value", "default", "min"),
        ("default", "max", "default value", "max value", "default", "max"),
    ];
    for (one, other, first, second, field, value) in orders {
        if is_greater(one, other) {
            let because = format!("{first} {} is greater than {second} {}", shown(one), shown(other));
            causes.push(Cause::invalid(path.child(field).key(name), &limit[value][name], because));
        }
    }
    let ratio = &limit["maxLimitRequestRatio"][name];
    if quantity::compare(ratio, &json!("1")) == Some(Ordering::Less) {
        let because = format!("ratio {} is less than 1", ratio.as_str().unwrap_or_default());
        causes.push(Cause::invalid(path.child("maxLimitRequestRatio").key(name), ratio, because));
    }
}

/// The name of a resource of any kind (`validateResourceName`).
pub(super) fn standard_name(name: &str, field: Path<'_>, causes: &mut Vec<Cause>) {
    let faults = names::qualified_faults(name);
    if faults.is_empty() && !name.contains('/') && !data::is_standard_resource(name) {
        causes.push(Cause::invalid(
            field,
            &json!(name),
            "must be a standard resource type or fully qualified",
        ));
    }
    super::faulty(name, field, faults, causes);
}
