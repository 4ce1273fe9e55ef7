//! `DaemonSet`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::{
    api::{object, path::Path, status::Cause, subresource::Subresource},
    registry::{Column, Kind, Strategy, cells, column, defaults, validation, warnings},
};

/// The annotation that counts the changes of a `DaemonSet`'s template.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("apps", "v1", "DaemonSet", "daemonsets")
        .short("ds")
        .all()
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults,
    set_status_defaults: set_defaults,
    first_status: |_, _| {
        Some(json!({
            "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
        }))
    },
    prepare_for_update: count_templates,
    reads_beyond_metadata: true,
    validate,
    validate_change: validation::fixed_selector,
    validate_part,
    warnings,
    ..base::BASE
};

/// Returns the warnings about a template that is new.
fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let is_new = old.is_none_or(|old| old["spec"]["template"] != new["spec"]["template"]);
    if is_new { warnings::template(None, new, "spec.template") } else { Vec::new() }
}

fn set_defaults(set: &mut Value) {
    let annotations = object::metadata_mut(set).entry("annotations").or_insert_with(|| json!({}));
    if let Some(annotations) = annotations.as_object_mut() {
        defaults::fill(annotations, [(TEMPLATE_GENERATION, json!("1"))]);
    }
    let spec = defaults::spec(set);
    defaults::fill(spec, [("revisionHistoryLimit", json!(10)), ("updateStrategy", json!({}))]);
    base::rolling(spec, "updateStrategy", &[("maxUnavailable", json!(1)), ("maxSurge", json!(0))]);
    // Of another type, Go's struct still holds both numbers.
    if let Some(rolling) =
        defaults::object(spec, "updateStrategy").and_then(|all| defaults::object(all, "rollingUpdate"))
    {
        defaults::fill(rolling, [("maxUnavailable", json!(0)), ("maxSurge", json!(0))]);
    }
    defaults::pod::template(spec);
}

/// Counts the changes of a `DaemonSet`'s template in its annotation.
fn count_templates(old: &Value, new: &mut Value) {
    let key = TEMPLATE_GENERATION;
    let count = old["metadata"]["annotations"][key].as_str().and_then(|count| count.parse::<i64>().ok());
    let changed = old["spec"]["template"] != new["spec"]["template"];
    let count = count.unwrap_or(1).saturating_add(i64::from(changed));
    new["metadata"]["annotations"][key] = count.to_string().into();
}

fn validate(set: &Value, causes: &mut Vec<Cause>) {
    base::validate_workload(set, "daemonset", true, causes);
    base::validate_strategy(&set["spec"], "updateStrategy", &["RollingUpdate", "OnDelete"], causes);
    let strategy = &set["spec"]["updateStrategy"];
    if strategy["type"] == "RollingUpdate" && strategy["rollingUpdate"].is_object() {
        validate_rolling(&strategy["rollingUpdate"], causes);
    }
}

/// Validates that Pods are replaced either after others are gone or before.
fn validate_rolling(rolling: &Value, causes: &mut Vec<Cause>) {
    let path = Path::Root("spec.updateStrategy.rollingUpdate");
    for field in ["maxUnavailable", "maxSurge"] {
        validation::parts::share(&rolling[field], path.child(field), true, causes);
    }
    let is_some = |field: &str| match &rolling[field] {
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(share) => {
            share.strip_suffix('%').and_then(|share| share.parse().ok()).is_some_and(|share: u64| share > 0)
        }
        _ => false,
    };
    match (is_some("maxUnavailable"), is_some("maxSurge")) {
        (true, true) => {
            let because = "may not be set when maxUnavailable is non-zero";
            causes.push(Cause::invalid(path.child("maxSurge"), &rolling["maxSurge"], because));
        }
        (false, false) => {
            causes.push(Cause::required(path.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"));
        }
        _ => {}
    }
}

/// Validates the numbers of Pods in a changed status.
fn validate_part(subresource: Option<Subresource>, old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    if subresource == Some(Subresource::Status) {
        let fields = [
            "currentNumberScheduled",
            "numberMisscheduled",
            "desiredNumberScheduled",
            "numberReady",
            "observedGeneration",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberUnavailable",
            "collisionCount",
        ];
        base::validate_status(old, new, &fields, &[], causes);
    }
}

fn columns() -> Vec<Column> {
    column::with_workload(vec![
        column::number("Desired", "/status/desiredNumberScheduled"),
        column::number("Current", "/status/currentNumberScheduled"),
        column::number("Ready", "/status/numberReady"),
        column::number("Up-to-date", "/status/updatedNumberScheduled"),
        column::number("Available", "/status/numberAvailable"),
        column::computed("Node Selector", node_selector),
    ])
}

fn node_selector(object: &Value, _: Timestamp) -> Value {
    cells::labels(object, "/spec/template/spec/nodeSelector").into()
}
