//! Validation of a Job's policies: what of its Pods' failures counts, and what makes it a success.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::indexes;
use crate::{
    api::{names, path::Path, status::Cause},
    registry::validation,
};

const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS: [&str; 2] = ["In", "NotIn"];
const STATUSES: [&str; 3] = ["False", "True", "Unknown"];
/// The most rules of a policy, values of a rule about exit codes, and patterns of a rule about conditions.
const MOST_RULES: usize = 20;
const MOST_CODES: usize = 255;
const MOST_PATTERNS: usize = 20;
/// The most bytes of a list of indexes.
const LONGEST_INDEXES: usize = 64 * 1024;

/// Validates the policy about failures of Pods.
pub(super) fn validate_failures(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let (rules, list) = (validation::items(&spec["podFailurePolicy"], "rules"), path.child("rules"));
    if rules.len() > MOST_RULES {
        causes.push(validation::too_many(path.child("rules"), rules.len(), MOST_RULES));
    }
    let pod = &spec["template"]["spec"];
    let containers =
        ["containers", "initContainers"].into_iter().flat_map(|field| validation::items(pod, field));
    let names: BTreeSet<&str> = containers.map(|container| validation::text(container, "name")).collect();
    for (position, rule) in rules.iter().enumerate() {
        let path = list.index(position);
        let (action, field) = (validation::text(rule, "action"), path.child("action"));
        match action {
            "" => causes.push(Cause::required(field, &valid_values(&ACTIONS))),
            "FailIndex" if spec["backoffLimitPerIndex"].is_null() => {
                let because = "requires the backoffLimitPerIndex to be set";
                causes.push(Cause::invalid(field, &json!(action), because));
            }
            action if !ACTIONS.contains(&action) => {
                causes.push(Cause::not_supported(field, &json!(action), &ACTIONS));
            }
            _ => {}
        }
        let (codes, conditions) = (&rule["onExitCodes"], validation::items(rule, "onPodConditions"));
        if codes.is_object() {
            validate_codes(codes, &path.child("onExitCodes"), &names, causes);
        }
        validate_conditions(conditions, &path.child("onPodConditions"), causes);
        let because = match (codes.is_object(), conditions.is_empty()) {
            (true, false) => "specifying both OnExitCodes and OnPodConditions is not supported",
            (false, true) => "specifying one of OnExitCodes and OnPodConditions is required",
            _ => continue,
        };
        causes.push(without_value(path, because));
    }
}

/// Returns the error of a field whose value is not shown.
pub(super) fn without_value(field: impl Into<String>, because: &str) -> Cause {
    Cause::new("FieldValueInvalid", field, format!("Invalid value: {because}"))
}

fn valid_values(known: &[&str]) -> String {
    let known: Vec<String> = known.iter().map(|known| format!("{known:?}")).collect();
    format!("valid values: [{}]", known.join(" "))
}

fn validate_codes(codes: &Value, path: &Path<'_>, names: &BTreeSet<&str>, causes: &mut Vec<Cause>) {
    let (operator, field) = (validation::text(codes, "operator"), path.child("operator"));
    if operator.is_empty() {
        causes.push(Cause::required(field, &valid_values(&OPERATORS)));
    } else if !OPERATORS.contains(&operator) {
        causes.push(Cause::not_supported(field, &json!(operator), &OPERATORS));
    }
    if let Some(name) = codes["containerName"].as_str().filter(|name| !names.contains(name)) {
        let because = "must be one of the container or initContainer names in the pod template";
        causes.push(Cause::invalid(path.child("containerName"), &json!(name), because));
    }
    let (values, field) = (validation::items(codes, "values"), path.child("values"));
    if values.is_empty() {
        causes.push(Cause::invalid(field, &codes["values"], "at least one value is required"));
    } else if values.len() > MOST_CODES {
        causes.push(validation::too_many(field, values.len(), MOST_CODES));
    }
    for (position, value) in values.iter().enumerate() {
        if operator == "In" && *value == 0 {
            let because = "must not be 0 for the In operator";
            causes.push(Cause::invalid(field.index(position), value, because));
        }
        if values[..position].contains(value) {
            causes.push(validation::duplicate(field.index(position), value));
        }
    }
    if !values.is_sorted_by_key(Value::as_i64) {
        causes.push(Cause::invalid(field, &codes["values"], "must be ordered"));
    }
}

fn validate_conditions(patterns: &[Value], list: &Path<'_>, causes: &mut Vec<Cause>) {
    if patterns.len() > MOST_PATTERNS {
        causes.push(validation::too_many(list, patterns.len(), MOST_PATTERNS));
    }
    for (position, pattern) in patterns.iter().enumerate() {
        let path = list.index(position);
        let kind = validation::text(pattern, "type");
        validation::faulty(kind, path.child("type"), names::qualified_faults(kind), causes);
        match validation::text(pattern, "status") {
            "" => causes.push(Cause::required(path.child("status"), &valid_values(&STATUSES))),
            status if !STATUSES.contains(&status) => {
                causes.push(Cause::not_supported(path.child("status"), &json!(status), &STATUSES));
            }
            _ => {}
        }
    }
}

/// Validates the policy about successes of Pods, of an indexed Job.
pub(super) fn validate_successes(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let rules = validation::items(&spec["successPolicy"], "rules");
    if rules.is_empty() {
        let because = "at least one rules must be specified when the successPolicy is specified";
        causes.push(Cause::required(path.child("rules"), because));
    }
    if rules.len() > MOST_RULES {
        causes.push(validation::too_many(path.child("rules"), rules.len(), MOST_RULES));
    }
    for (position, rule) in rules.iter().enumerate() {
        validate_success(spec, rule, &path.child("rules").index(position), causes);
    }
}

fn validate_success(spec: &Value, rule: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let (indexes, count) = (rule["succeededIndexes"].as_str(), rule["succeededCount"].as_i64());
    let completions = spec["completions"].as_i64().unwrap_or(0);
    if indexes.is_none() && count.is_none() {
        let because = "at least one of succeededCount or succeededIndexes must be specified";
        causes.push(Cause::required(path, because));
    }
    let mut total = 0;
    if let Some(indexes) = indexes {
        let field = path.child("succeededIndexes");
        if indexes.len() > LONGEST_INDEXES {
            let because = format!("Too long: may not be more than {LONGEST_INDEXES} bytes");
            causes.push(Cause::new("FieldValueTooLong", field, because));
        }
        match indexes::count(indexes, completions) {
            Ok(found) => total = found,
            Err(because) => {
                let because = format!("error parsing succeededIndexes: {because}");
                causes.push(Cause::invalid(field, &json!(indexes), because));
            }
        }
    }
    let Some(count) = count else { return };
    let field = path.child("succeededCount");
    validation::at_least(0, rule, path, "succeededCount", causes);
    if count > completions {
        let because =
            format!("must be less than or equal to {completions} (the number of specified completions)");
        causes.push(Cause::invalid(field, &json!(count), because));
    }
    if indexes.is_some() && count > total {
        let because = format!(
            "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        );
        causes.push(Cause::invalid(field, &json!(count), because));
    }
}
