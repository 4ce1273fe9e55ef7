//! ReplicaSets.

use serde_json::{Value, json};

use super::base;
use crate::{
    api::{status::Cause, subresource::Subresource},
    registry::{Column, Kind, Strategy, column, defaults, validation, warnings},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("apps", "v1", "ReplicaSet", "replicasets")
        .short("rs")
        .all()
        .status()
        .scale()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |set| {
        let spec = defaults::spec(set);
        defaults::fill(spec, [("replicas", json!(1))]);
        defaults::pod::template(spec);
    },
    first_status: |_, _| Some(json!({"replicas": 0})),
    validate: |set, causes| base::validate_workload(set, true, causes),
    validate_change: validation::fixed_selector,
    validate_part: validate_counts,
    warnings: warnings::of_workload,
    ..base::BASE
};

/// Also those of a ReplicationController.
pub(in crate::registry) fn columns() -> Vec<Column> {
    column::with_workload(vec![
        column::number("Desired", "/spec/replicas"),
        column::number("Current", "/status/replicas"),
        column::number("Ready", "/status/readyReplicas"),
    ])
}

/// Validates the numbers of Pods in a changed status.
pub(in crate::registry) fn validate_counts(
    subresource: Option<Subresource>,
    _: &Value,
    new: &Value,
    causes: &mut Vec<Cause>,
) {
    if subresource == Some(Subresource::Status) {
        counts(&new["status"], causes);
    }
}

/// Validates the numbers of Pods in the status of a `ReplicaSet` or a `ReplicationController`.
fn counts(status: &Value, causes: &mut Vec<Cause>) {
    let number = |field: &str| status[field].as_i64().unwrap_or(0);
    let fields =
        ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"];
    for field in fields {
        validation::at_least(0, status, "status", field, causes);
    }
    let mut greater = |field: &str, than: &str, named: &str| {
        if number(field) > number(than) {
            let because = format!("cannot be greater than {named}");
            causes.push(Cause::invalid(format!("status.{field}"), &status[field], because));
        }
    };
    greater("fullyLabeledReplicas", "replicas", "status.replicas");
    greater("readyReplicas", "replicas", "status.replicas");
    greater("availableReplicas", "replicas", "status.replicas");
    greater("availableReplicas", "readyReplicas", "readyReplicas");
}
