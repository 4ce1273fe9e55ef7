//! The cells of what steers the server: admission, extension, flow control and access.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{NONE, UNSET, array, condition, joined, label_selector, text, text_or};
use crate::registry::age::human_duration;

pub(crate) fn mutations(policy: &Value, _: Timestamp) -> Value {
    array(policy, "/spec/mutations").len().into()
}

pub(crate) fn validations(policy: &Value, _: Timestamp) -> Value {
    array(policy, "/spec/validations").len().into()
}

pub(crate) fn webhooks(configuration: &Value, _: Timestamp) -> Value {
    array(configuration, "/webhooks").len().into()
}

pub(crate) fn param_kind(policy: &Value, _: Timestamp) -> Value {
    match policy.pointer("/spec/paramKind") {
        None => UNSET.into(),
        Some(kind) => format!("{}/{}", text(kind, "/apiVersion"), text(kind, "/kind")).into(),
    }
}

pub(crate) fn param_ref(binding: &Value, _: Timestamp) -> Value {
    let Some(reference) = binding.pointer("/spec/paramRef") else { return UNSET.into() };
    match (text(reference, "/namespace"), text(reference, "/name"), reference.get("selector")) {
        ("", "", Some(selector)) => label_selector(selector).into(),
        (_, "", _) => UNSET.into(),
        ("", name, _) => format!("*/{name}").into(),
        (namespace, name, _) => format!("{namespace}/{name}").into(),
    }
}

/// `Local`, or the Service that answers for a group.
pub(crate) fn backing_service(service: &Value, _: Timestamp) -> Value {
    match service.pointer("/spec/service").filter(|backing| !backing.is_null()) {
        None => "Local".into(),
        Some(backing) => format!("{}/{}", text(backing, "/namespace"), text(backing, "/name")).into(),
    }
}

pub(crate) fn service_availability(service: &Value, _: Timestamp) -> Value {
    match condition(service, "Available") {
        None => "Unknown".into(),
        Some(condition) if condition["status"] == "True" => "True".into(),
        Some(condition) => format!("{} ({})", text(condition, "/status"), text(condition, "/reason")).into(),
    }
}

pub(crate) fn signer_name(request: &Value, _: Timestamp) -> Value {
    text_or(request, "/spec/signerName", NONE)
}

pub(crate) fn requested_duration(request: &Value, _: Timestamp) -> Value {
    let seconds = request["spec"]["expirationSeconds"].as_i64();
    seconds.map_or(NONE.into(), |seconds| human_duration(SignedDuration::from_secs(seconds)).into())
}

/// The decision about a request, and its result.
pub(crate) fn signing_condition(request: &Value, _: Timestamp) -> Value {
    let has = |kind| condition(request, kind).is_some();
    let decision = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (_, true) => "Approved",
        _ => "Pending",
    };
    let failed = if has("Failed") { ",Failed" } else { "" };
    let issued = if text(request, "/status/certificate").is_empty() { "" } else { ",Issued" };
    format!("{decision}{failed}{issued}").into()
}

pub(crate) fn distinguisher_method(schema: &Value, _: Timestamp) -> Value {
    text_or(schema, "/spec/distinguisherMethod/type", NONE)
}

pub(crate) fn missing_priority_level(schema: &Value, _: Timestamp) -> Value {
    condition(schema, "Dangling").map_or("?", |condition| text(condition, "/status")).into()
}

fn limited(level: &Value, pointer: &str) -> Value {
    level
        .pointer("/spec/limited")
        .and_then(|limited| limited.pointer(pointer))
        .cloned()
        .unwrap_or(NONE.into())
}

pub(crate) fn concurrency_shares(level: &Value, _: Timestamp) -> Value {
    limited(level, "/nominalConcurrencyShares")
}

pub(crate) fn queues(level: &Value, _: Timestamp) -> Value {
    limited(level, "/limitResponse/queuing/queues")
}

pub(crate) fn hand_size(level: &Value, _: Timestamp) -> Value {
    limited(level, "/limitResponse/queuing/handSize")
}

pub(crate) fn queue_length_limit(level: &Value, _: Timestamp) -> Value {
    limited(level, "/limitResponse/queuing/queueLengthLimit")
}

/// The role that a binding gives.
pub(crate) fn role(binding: &Value, _: Timestamp) -> Value {
    format!("{}/{}", text(binding, "/roleRef/kind"), text(binding, "/roleRef/name")).into()
}

fn subjects<'a>(binding: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    array(binding, "/subjects").iter().filter(move |subject| subject["kind"] == kind)
}

pub(crate) fn bound_users(binding: &Value, _: Timestamp) -> Value {
    joined(subjects(binding, "User").map(|user| text(user, "/name")), ", ").into()
}

pub(crate) fn bound_groups(binding: &Value, _: Timestamp) -> Value {
    joined(subjects(binding, "Group").map(|group| text(group, "/name")), ", ").into()
}

pub(crate) fn bound_accounts(binding: &Value, _: Timestamp) -> Value {
    let accounts = subjects(binding, "ServiceAccount");
    let accounts =
        accounts.map(|account| format!("{}/{}", text(account, "/namespace"), text(account, "/name")));
    accounts.collect::<Vec<_>>().join(", ").into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_signing_request_tells_its_decision_and_its_outcome() {
        let request = |conditions: &[&str], certificate: &str| {
            let conditions: Vec<Value> = conditions.iter().map(|kind| json!({ "type": kind })).collect();
            let status = json!({"conditions": conditions, "certificate": certificate});
            signing_condition(&json!({ "status": status }), NOW)
        };
        assert_eq!(request(&[], ""), "Pending");
        assert_eq!(request(&["Approved"], "c"), "Approved,Issued");
        assert_eq!(request(&["Approved", "Denied", "Failed"], ""), "Denied,Failed");
    }

    #[test]
    fn subjects_are_listed_by_their_kind() {
        let binding = json!({"subjects": [
            {"kind": "User", "name": "ann"}, {"kind": "Group", "name": "ops"}, {"kind": "User", "name": "bob"},
            {"kind": "ServiceAccount", "namespace": "team", "name": "bot"},
        ]});
        let cells = [bound_users, bound_groups, bound_accounts].map(|cell| cell(&binding, NOW));
        assert_eq!(cells, ["ann, bob", "ops", "team/bot"]);
    }
}
