//! `ReplicationController`s.

use serde_json::{Value, json};

use crate::{
    api::{object, status::Cause},
    registry::{Kind, Strategy, apps::replica_set, defaults, validation, warnings},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "ReplicationController", "replicationcontrollers")
        .short("rc")
        .all()
        .status()
        .scale()
        .columns(replica_set::columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    selectable_fields: &["status.replicas"],
    set_defaults,
    first_status: |_, _| Some(json!({"replicas": 0})),
    counts_generations: true,
    validate,
    validate_part: replica_set::validate_counts,
    warnings: warnings::of_workload,
    orphans_dependents: true,
    counts_by_name: true,
    ..Strategy::PLAIN
};

/// Sets the defaults of a `ReplicationController`: selector and labels come from the template.
fn set_defaults(controller: &mut Value) {
    let spec = defaults::spec(controller);
    defaults::fill(spec, [("replicas", json!(1))]);
    defaults::pod::template(spec);
    let labels = spec.get("template").and_then(|template| template.pointer("/metadata/labels")).cloned();
    if let Some(labels) = labels {
        defaults::fill(spec, [("selector", labels.clone())]);
        defaults::fill(object::metadata_mut(controller), [("labels", labels)]);
    }
}

fn validate(controller: &Value, causes: &mut Vec<Cause>) {
    validation::at_least(0, &controller["spec"], "spec", "replicas", causes);
    if !validation::items(&controller["spec"]["template"]["spec"], "containers").is_empty() {
        validation::pod::spec(&controller["spec"]["template"]["spec"], "spec.template.spec", causes);
    }
}
