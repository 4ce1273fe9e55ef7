//! `CertificateSigningRequest`s.

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    api::{status::Cause, subresource::Subresource},
    registry::{Column, Kind, Strategy, Subresource as KindSubresource, age::human_duration, cells, column},
};

const APPROVAL: KindSubresource =
    KindSubresource::new("approval", "CertificateSigningRequest", &["get", "patch", "update"]);

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests")
        .short("csr")
        .cluster()
        .status()
        .below(&[APPROVAL])
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    selectable_fields: &["spec.signerName"],
    // Who asks for a certificate, and for which, is said once.
    fixes_spec: true,
    validate,
    validate_part: validate_decisions,
    reset_fields: Some(&[&["spec"], &["status"]]),
    status_reset_fields: &[&["spec"], &["status", "conditions"]],
    is_signing_request: true,
    ..Strategy::PLAIN
};

/// Checks that a request to sign is a certificate request in PEM.
fn validate(object: &Value, causes: &mut Vec<Cause>) {
    let request = &object["spec"]["request"];
    let pem = STANDARD.decode(request.as_str().unwrap_or_default()).unwrap_or_default();
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE REQUEST-----") {
        causes.push(Cause::invalid("spec.request", request, "PEM block type must be CERTIFICATE REQUEST"));
    }
}

/// Validates a changed status: only `/approval` approves and denies, and no decision is taken back.
fn validate_decisions(subresource: Option<Subresource>, old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    for decision in ["Approved", "Denied", "Failed"] {
        let (before, after) = (count(old, decision), count(new, decision));
        let may_add = decision == "Failed" || subresource == Some(Subresource::Approval);
        let word = if after < before {
            "remove"
        } else if after > before && !may_add {
            "add"
        } else {
            continue;
        };
        let because = format!("updates may not {word} a condition of type {decision:?}");
        causes.push(Cause::forbidden("status.conditions", because));
    }
}

/// Counts the conditions of the type `decision`.
pub(crate) fn count(request: &Value, decision: &str) -> usize {
    let conditions = request["status"]["conditions"].as_array();
    conditions.into_iter().flatten().filter(|condition| condition["type"] == decision).count()
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(Vec::new());
    columns.extend([
        column::computed("SignerName", signer_name),
        column::text("Requestor", "/spec/username"),
        column::computed("RequestedDuration", requested_duration),
        column::computed("Condition", signing_condition),
    ]);
    columns
}

fn signer_name(request: &Value, _: Timestamp) -> Value {
    cells::text_or(request, "/spec/signerName", cells::NONE)
}

fn requested_duration(request: &Value, _: Timestamp) -> Value {
    let seconds = request["spec"]["expirationSeconds"].as_i64();
    seconds.map_or(cells::NONE.into(), |seconds| human_duration(SignedDuration::from_secs(seconds)).into())
}

/// The decision about a request, and its result.
fn signing_condition(request: &Value, _: Timestamp) -> Value {
    let has = |kind| cells::condition(request, kind).is_some();
    let decision = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (_, true) => "Approved",
        _ => "Pending",
    };
    let failed = if has("Failed") { ",Failed" } else { "" };
    let issued = if cells::text(request, "/status/certificate").is_empty() { "" } else { ",Issued" };
    format!("{decision}{failed}{issued}").into()
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
}
