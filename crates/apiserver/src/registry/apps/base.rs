//! The rules that the kinds of the group share.

use serde_json::{Value, json};

use crate::{
    api::{path::Path, selector::LabelSelector, status::Cause},
    registry::{
        Strategy,
        defaults::{self, Fields},
        validation,
    },
};

pub(super) const BASE: Strategy = Strategy { counts_generations: true, ..Strategy::PLAIN };

/// Validates the selector and the template of a workload, which upstream names `kind`; `limits_history` says whether a
/// negative number of kept revisions is invalid.
pub(super) fn validate_workload(object: &Value, kind: &str, limits_history: bool, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    for field in ["replicas", "minReadySeconds"] {
        validation::at_least(0, spec, &Path::Root("spec"), field, causes);
    }
    if limits_history {
        validation::at_least(0, spec, &Path::Root("spec"), "revisionHistoryLimit", causes);
    }
    let (selector, field) = (&spec["selector"], "spec.selector");
    let is_set = |part: &str| selector[part].as_object().is_some_and(|labels| !labels.is_empty());
    if !selector.is_object() {
        if kind != "daemonset" {
            causes.push(Cause::required(field, ""));
        }
    } else if !is_set("matchLabels") && validation::items(selector, "matchExpressions").is_empty() {
        let because = format!("empty selector is invalid for {kind}");
        causes.push(validation::parts::invalid_selector(selector, field, &because));
    }
    validation::parts::selector(selector, &Path::Root(field), causes);
    let is_valid = validation::parts::is_selector(selector);
    match kind {
        _ if is_valid => {}
        "daemonset" => return validate_template(spec, kind, causes),
        // Upstream does not look at the template then.
        "statefulset" => return causes.push(validation::parts::invalid_selector(selector, field, "")),
        _ => {
            let because = "invalid label selector";
            return causes.push(validation::parts::invalid_selector(selector, field, because));
        }
    }
    let labels = spec["template"]["metadata"].get("labels");
    // No selector at all selects nothing, an empty one everything.
    let selects = |selector: &LabelSelector| selector.matches_labels(|key| labels?.get(key)?.as_str());
    if !selector.is_object() || !LabelSelector::from_json(selector).is_some_and(|found| selects(&found)) {
        let because = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels.unwrap_or(&Value::Null), because));
    }
    validate_template(spec, kind, causes);
}

fn validate_template(spec: &Value, kind: &str, causes: &mut Vec<Cause>) {
    validation::pod::template(&spec["template"], &Path::Root("spec.template"), causes);
    let restarts = &spec["template"]["spec"]["restartPolicy"];
    validation::one_of(restarts, "spec.template.spec.restartPolicy", &["Always"], causes);
    let deadline = "activeDeadlineSeconds";
    if !spec["template"]["spec"][deadline].is_null() {
        let what = match kind {
            "statefulset" => "StatefulSet",
            "daemonset" => "DaemonSet",
            _ => "ReplicaSet",
        };
        let because = format!("{deadline} in {what} is not Supported");
        causes.push(Cause::forbidden(format!("spec.template.spec.{deadline}"), because));
    }
}

/// Validates the numbers in a status, none of which is negative; `not_above` are pairs: the first is not above the second,
/// which has a name in the message.
pub(super) fn validate_counts(
    status: &Value,
    fields: &[&str],
    not_above: &[(&str, &str, &str)],
    causes: &mut Vec<Cause>,
) {
    let number = |field: &str| status[field].as_i64().unwrap_or(0);
    for field in fields {
        validation::at_least(0, status, &Path::Root("status"), field, causes);
    }
    for (field, than, named) in not_above {
        if number(field) > number(than) {
            let because = format!("cannot be greater than {named}");
            causes.push(Cause::invalid(format!("status.{field}"), &json!(number(field)), because));
        }
    }
}

/// Validates the counts in a changed status, as [`validate_counts`], and the number of collisions.
pub(super) fn validate_status(
    old: &Value,
    new: &Value,
    fields: &[&str],
    not_above: &[(&str, &str, &str)],
    causes: &mut Vec<Cause>,
) {
    validate_counts(&new["status"], fields, not_above, causes);
    validate_collisions(old, new, causes);
}

/// Validates that the number of collisions does not fall.
fn validate_collisions(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let count = |object: &Value| object["status"]["collisionCount"].as_i64();
    if let Some(before) = count(old)
        && count(new).is_none_or(|after| after < before)
    {
        let shown = json!(count(new).unwrap_or(0));
        causes.push(Cause::invalid("status.collisionCount", &shown, "cannot be decremented"));
    }
}

/// Upstream shows the whole strategy, under the names of its Go struct.
pub(super) fn validate_strategy(spec: &Value, field: &str, known: &[&str], causes: &mut Vec<Cause>) {
    let kind = validation::text(&spec[field], "type");
    if !known.contains(&kind) {
        let shown = format!("{{\"Type\":{kind:?},\"RollingUpdate\":null}}");
        let known: Vec<String> = known.iter().map(|known| format!("{known:?}")).collect();
        let message = format!("Unsupported value: {shown}: supported values: {}", known.join(", "));
        causes.push(Cause::new("FieldValueNotSupported", format!("spec.{field}"), message));
    }
}

/// Sets the defaults of a rolling update.
pub(super) fn rolling(spec: &mut Fields, field: &str, defaults: &[(&str, Value)]) {
    let Some(strategy) = defaults::object(spec, field) else { return };
    defaults::fill(strategy, [("type", json!("RollingUpdate"))]);
    if strategy["type"] == "RollingUpdate" {
        defaults::fill(strategy, [("rollingUpdate", json!({}))]);
        if let Some(rolling) = defaults::object(strategy, "rollingUpdate") {
            defaults::fill(rolling, defaults.iter().cloned());
        }
    }
}
