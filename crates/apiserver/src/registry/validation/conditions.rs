//! Validation of conditions in a status: `metav1.Condition`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{duplicate, parts, text};
use crate::api::{path::Path, status::Cause};

const STATUSES: [&str; 3] = ["False", "True", "Unknown"];
const LONGEST_REASON: usize = 1024;
const LONGEST_MESSAGE: usize = 32 * 1024;
const REASON_RULE: &str = "a condition reason must start with alphabetic character, optionally followed by a string of \
    alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or \
    'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is \
    '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";

/// Validates a list of conditions (`ValidateConditions`).
pub(in crate::registry) fn validate(conditions: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let mut types = BTreeSet::new();
    for (position, condition) in conditions.as_array().into_iter().flatten().enumerate() {
        let path = path.index(position);
        if !types.insert(text(condition, "type")) {
            causes.push(duplicate(path.child("type"), &condition["type"]));
        }
        self::condition(condition, &path, causes);
    }
}

fn condition(condition: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    parts::label_name(text(condition, "type"), path.child("type"), causes);
    let status = text(condition, "status");
    if !STATUSES.contains(&status) {
        causes.push(Cause::not_supported(path.child("status"), &json!(status), &STATUSES));
    }
    let generation = &condition["observedGeneration"];
    if generation.as_i64().is_some_and(|generation| generation < 0) {
        let because = "must be greater than or equal to zero";
        causes.push(Cause::invalid(path.child("observedGeneration"), generation, because));
    }
    if condition["lastTransitionTime"].is_null() {
        causes.push(Cause::required(path.child("lastTransitionTime"), ""));
    }
    match text(condition, "reason") {
        "" => causes.push(Cause::required(path.child("reason"), "")),
        reason if !is_reason(reason) => {
            causes.push(Cause::invalid(path.child("reason"), &json!(reason), REASON_RULE));
        }
        _ => {}
    }
    for (field, longest) in [("reason", LONGEST_REASON), ("message", LONGEST_MESSAGE)] {
        if text(condition, field).len() > longest {
            let because = format!("Too long: may not be more than {longest} bytes");
            causes.push(Cause::new("FieldValueTooLong", path.child(field), because));
        }
    }
}

fn is_reason(reason: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b',' | b':');
    reason.starts_with(|first: char| first.is_ascii_alphabetic())
        && reason.bytes().all(is_inner)
        && reason.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '_')
}
