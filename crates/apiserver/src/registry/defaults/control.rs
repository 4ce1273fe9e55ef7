//! The defaults of what steers the server: admission, flow control, access, devices.

use serde_json::json;

use super::{Fields, fill, items, object, quantity_of};

/// A configuration of webhooks, which change objects or only refuse them.
pub(super) fn webhooks(configuration: &mut Fields, mutating: bool) {
    for webhook in items(configuration, "webhooks") {
        if let Some(service) = object(webhook, "clientConfig").and_then(|config| object(config, "service")) {
            fill(service, [("port", json!(443))]);
        }
        fill(
            webhook,
            [
                ("failurePolicy", json!("Fail")),
                ("matchPolicy", json!("Equivalent")),
                ("namespaceSelector", json!({})),
                ("objectSelector", json!({})),
                ("timeoutSeconds", json!(10)),
            ],
        );
        if mutating {
            fill(webhook, [("reinvocationPolicy", json!("Never"))]);
        }
        items(webhook, "rules").for_each(|rule| fill(rule, [("scope", json!("*"))]));
    }
}

/// An admission policy, or a binding of one.
pub(super) fn admission_policy(spec: &mut Fields, binding: bool) {
    if !binding {
        fill(spec, [("failurePolicy", json!("Fail"))]);
    }
    for field in ["matchConstraints", "matchResources"] {
        if let Some(matched) = object(spec, field) {
            fill(
                matched,
                [
                    ("namespaceSelector", json!({})),
                    ("objectSelector", json!({})),
                    ("matchPolicy", json!("Equivalent")),
                ],
            );
            for rules in ["resourceRules", "excludeResourceRules"] {
                items(matched, rules).for_each(|rule| fill(rule, [("scope", json!("*"))]));
            }
        }
    }
}

pub(super) fn api_service(spec: &mut Fields) {
    if let Some(service) = object(spec, "service") {
        fill(service, [("port", json!(443))]);
    }
}

/// Whose group is left out is a user or a group of RBAC; a service account is of the core group.
pub(super) fn role_binding(binding: &mut Fields) {
    for subject in items(binding, "subjects") {
        if subject.get("kind").is_some_and(|kind| kind != "ServiceAccount") {
            fill(subject, [("apiGroup", json!("rbac.authorization.k8s.io"))]);
        }
    }
    if let Some(role) = object(binding, "roleRef") {
        fill(role, [("apiGroup", json!("rbac.authorization.k8s.io"))]);
    }
}

pub(super) fn priority_level(spec: &mut Fields) {
    if let Some(limited) = object(spec, "limited") {
        fill(limited, [("nominalConcurrencyShares", json!(30)), ("lendablePercent", json!(0))]);
        if let Some(queuing) = object(limited, "limitResponse").and_then(|answer| object(answer, "queuing")) {
            fill(queuing, [("queues", json!(64)), ("handSize", json!(8)), ("queueLengthLimit", json!(50))]);
        }
    }
    if let Some(exempt) = object(spec, "exempt") {
        fill(exempt, [("nominalConcurrencyShares", json!(0)), ("lendablePercent", json!(0))]);
    }
}

/// Defaults of the requests of a device claim: one of each.
pub(super) fn resource_claim(spec: &mut Fields) {
    let Some(devices) = object(spec, "devices") else { return };
    for request in items(devices, "requests") {
        if let Some(exactly) = object(request, "exactly") {
            count(exactly);
        }
        items(request, "firstAvailable").for_each(count);
    }
}

pub(super) fn resource_claim_template(template: &mut Fields) {
    fill(template, [("metadata", json!({}))]);
    if let Some(claim) = object(template, "spec") {
        resource_claim(claim);
    }
}

/// The capacity of devices.
pub(super) fn resource_slice(spec: &mut Fields) {
    for device in items(spec, "devices") {
        for (_, capacity) in object(device, "capacity").into_iter().flatten() {
            if let Some(capacity) = capacity.as_object_mut() {
                quantity_of(capacity, "value");
            }
        }
    }
}

/// A role without rules says so.
pub(super) fn role(role: &mut Fields) {
    fill(role, [("rules", json!(null))]);
}

fn count(request: &mut Fields) {
    fill(request, [("allocationMode", json!("ExactCount"))]);
    if request["allocationMode"] == "ExactCount" {
        fill(request, [("count", json!(1))]);
    }
}

/// An Event's fields that are always told, under their names in the group that it is written in.
pub(super) fn event(event: &mut Fields, is_core: bool) {
    let (first, last, source) = match is_core {
        true => ("firstTimestamp", "lastTimestamp", "source"),
        false => ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedSource"),
    };
    fill(event, [(first, json!(null)), (last, json!(null)), (source, json!({})), ("eventTime", json!(null))]);
    if is_core {
        fill(event, [("reportingComponent", json!("")), ("reportingInstance", json!(""))]);
    }
}
