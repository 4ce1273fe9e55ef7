//! Deployments.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::{
    api::{object, path::Path, status::Cause, subresource::Subresource},
    registry::{Column, Kind, Strategy, cells, column, defaults, validation, warnings},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("apps", "v1", "Deployment", "deployments")
        .short("deploy")
        .all()
        .status()
        .scale()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults,
    prepare_for_status_update: |old, new| object::copy_metadata(old, new, "labels"),
    // Its controller copies its annotations.
    counts_annotations: true,
    validate,
    validate_change: validation::fixed_selector,
    validate_part,
    warnings,
    reads_beyond_metadata: true, // changed annotations warn of the template
    status_reset_fields: &[&["spec"], &["metadata", "labels"]],
    ..base::BASE
};

/// Returns the warnings about a new generation, which changed annotations make, too.
fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let annotations = |deployment: &Value| deployment["metadata"].get("annotations").cloned();
    let mut warnings = warnings::of_new_name(old, new, "Pod names and hostnames");
    let same = old.filter(|old| annotations(old) == annotations(new));
    warnings.extend(warnings::template(same, new, "spec.template"));
    warnings
}

fn set_defaults(deployment: &mut Value) {
    let spec = defaults::spec(deployment);
    defaults::fill(
        spec,
        [
            ("replicas", json!(1)),
            ("revisionHistoryLimit", json!(10)),
            ("progressDeadlineSeconds", json!(600)),
            ("strategy", json!({})),
        ],
    );
    base::rolling(spec, "strategy", &[("maxUnavailable", json!("25%")), ("maxSurge", json!("25%"))]);
    defaults::pod::template(spec);
}

fn validate(deployment: &Value, causes: &mut Vec<Cause>) {
    base::validate_workload(deployment, "deployment", true, causes);
    validate_rollout(&deployment["spec"], causes);
}

fn validate_rollout(spec: &Value, causes: &mut Vec<Cause>) {
    let path = Path::Root("spec.strategy.rollingUpdate");
    let rolling = &spec["strategy"]["rollingUpdate"];
    if spec["strategy"]["type"] == "RollingUpdate" {
        for (share, is_bounded) in [("maxUnavailable", true), ("maxSurge", false)] {
            validation::parts::share(&rolling[share], path.child(share), is_bounded, causes);
        }
    }
    let is_none = |field: &str| {
        matches!(&rolling[field], Value::Number(number) if number.as_i64() == Some(0))
            || rolling[field] == "0%"
    };
    match validation::text(&spec["strategy"], "type") {
        "Recreate" if rolling.is_object() => {
            let because = "may not be specified when strategy `type` is 'Recreate'";
            causes.push(Cause::forbidden(path, because));
        }
        "RollingUpdate" if is_none("maxUnavailable") && is_none("maxSurge") => {
            let because = "may not be 0 when `maxSurge` is 0";
            let value = &rolling["maxUnavailable"];
            causes.push(Cause::invalid(path.child("maxUnavailable"), value, because));
        }
        _ => base::validate_strategy(spec, "strategy", &["Recreate", "RollingUpdate"], causes),
    }
    validation::at_least(0, spec, &Path::Root("spec"), "progressDeadlineSeconds", causes);
    let deadline = spec["progressDeadlineSeconds"].as_i64();
    if let Some(deadline) =
        deadline.filter(|deadline| *deadline <= spec["minReadySeconds"].as_i64().unwrap_or(0))
    {
        let because = "must be greater than minReadySeconds";
        causes.push(Cause::invalid("spec.progressDeadlineSeconds", &json!(deadline), because));
    }
}

/// Validates the numbers of Pods in a changed status.
fn validate_part(subresource: Option<Subresource>, old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let fields = [
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
    ];
    let not_above = [
        ("updatedReplicas", "replicas", "status.replicas"),
        ("readyReplicas", "replicas", "status.replicas"),
        ("availableReplicas", "replicas", "status.replicas"),
        ("availableReplicas", "readyReplicas", "readyReplicas"),
    ];
    if subresource == Some(Subresource::Status) {
        base::validate_status(old, new, &fields, &not_above, causes);
    }
}

fn columns() -> Vec<Column> {
    column::with_workload(vec![
        column::computed("Ready", cells::replicas_ready),
        column::computed("Up-to-date", updated_replicas),
        column::computed("Available", available_replicas),
    ])
}

fn updated_replicas(object: &Value, _: Timestamp) -> Value {
    cells::number(object, "/status/updatedReplicas").into()
}

fn available_replicas(object: &Value, _: Timestamp) -> Value {
    cells::number(object, "/status/availableReplicas").into()
}
