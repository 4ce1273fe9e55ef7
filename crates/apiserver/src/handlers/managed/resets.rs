//! Fields that have no manager: those that a path does not write, and those that admission fills in.

use serde_json::Value;
use trimtab_managed_fields::Paths;

use crate::{api::subresource::Subresource, registry::Kind};

/// Returns the fields that the server fills into a new object after it has determined their managers: upstream's admission.
pub(super) fn admitted(kind: &Kind) -> Paths<'static> {
    kind.strategy.admitted_fields
}

/// Returns the same of a new object: upstream's admission adds two tolerations to a Pod, here they are among the defaults.
pub(super) fn admitted_to(kind: &Kind, object: &Value) -> Paths<'static> {
    let added = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    let is_added = |toleration: &Value| {
        added.iter().any(|key| toleration["key"] == *key) && toleration["tolerationSeconds"] == 300
    };
    let is_null = |field: &str| object.get(field).is_some_and(Value::is_null);
    if kind.kind == "Event" {
        // Times that are not set are null in the object; nobody wrote them.
        return match (kind.group.as_str(), ["eventTime", "firstTimestamp", "lastTimestamp"].map(is_null)) {
            ("", [true, true, true]) => &[&["eventTime"], &["firstTimestamp"], &["lastTimestamp"]],
            ("", [true, true, false]) => &[&["eventTime"], &["firstTimestamp"]],
            ("", [true, false, true]) => &[&["eventTime"], &["lastTimestamp"]],
            ("", [true, false, false]) => &[&["eventTime"]],
            ("", [false, true, true]) => &[&["firstTimestamp"], &["lastTimestamp"]],
            ("", [false, true, false]) => &[&["firstTimestamp"]],
            ("", [false, false, true]) => &[&["lastTimestamp"]],
            ("", [false, false, false]) => &[],
            (_, _) if is_null("deprecatedFirstTimestamp") && is_null("deprecatedLastTimestamp") => {
                &[&["deprecatedFirstTimestamp"], &["deprecatedLastTimestamp"]]
            }
            _ => &[],
        };
    }
    let tolerations = object.pointer("/spec/tolerations").and_then(Value::as_array);
    match admitted(kind) {
        [] => &[],
        _ if tolerations.is_some_and(|all| all.iter().all(is_added)) => {
            &[&["spec", "priority"], &["spec", "preemptionPolicy"], &["spec", "tolerations"]]
        }
        admitted => admitted,
    }
}

/// Returns the fields that a write to an object of `kind`, or to its `subresource`, leaves as they are: upstream's reset
/// fields.
pub(super) fn reset(kind: &Kind, subresource: Option<Subresource>) -> Paths<'static> {
    match (subresource, kind.strategy.reset_fields) {
        (Some(Subresource::Finalize), _) => &[&["status"]],
        (None, Some(fields)) => fields,
        (None, None) if kind.status => &[&["status"]],
        (Some(Subresource::Status), _) => kind.strategy.status_reset_fields,
        _ => &[],
    }
}
