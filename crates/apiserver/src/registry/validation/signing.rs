//! Validation of the conditions of certificate signing requests.

use serde_json::Value;

use crate::api::{status::Cause, subresource::Subresource};

/// Checks a changed status: only `/approval` approves and denies, and no decision is taken back.
pub(crate) fn causes(subresource: Option<Subresource>, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
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
    causes
}

/// Counts the conditions of the type `decision`.
pub(crate) fn count(request: &Value, decision: &str) -> usize {
    let conditions = request["status"]["conditions"].as_array();
    conditions.into_iter().flatten().filter(|condition| condition["type"] == decision).count()
}
