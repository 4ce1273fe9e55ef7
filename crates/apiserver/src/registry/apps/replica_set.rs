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
    validate: |set, causes| base::validate_workload(set, "deployment", true, causes),
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
    let fields =
        ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"];
    let not_above = [
        ("fullyLabeledReplicas", "replicas", "status.replicas"),
        ("readyReplicas", "replicas", "status.replicas"),
        ("availableReplicas", "replicas", "status.replicas"),
        ("availableReplicas", "readyReplicas", "readyReplicas"),
    ];
    base::validate_counts(status, &fields, &not_above, causes);
}
