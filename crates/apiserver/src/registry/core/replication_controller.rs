//! `ReplicationController`s.

use serde_json::{Value, json};

use crate::{
    api::{object, path::Path, status::Cause},
    registry::{Kind, Strategy, apps::replica_set, defaults, strategy::Dependents, validation, warnings},
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
    warnings,
    dependents: Dependents::Orphaned,
    counts_by_name: true,
    ..Strategy::PLAIN
};

/// Returns the warnings about the template. Of a change, upstream looks at the old one.
fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    match old {
        None => warnings::of_workload(None, new),
        Some(old) => warnings::template(Some(new), old, "spec.template"),
    }
}

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
    let (spec, path) = (&controller["spec"], "spec.template");
    for field in ["minReadySeconds", "replicas"] {
        validation::at_least(0, spec, &Path::Root("spec"), field, causes);
    }
    let selector = &spec["selector"];
    if selector.as_object().is_none_or(serde_json::Map::is_empty) {
        causes.push(Cause::required("spec.selector", ""));
    }
    if !spec["template"].is_object() {
        causes.push(Cause::required(path, ""));
        return;
    }
    let labels = &spec["template"]["metadata"]["labels"];
    let mut wanted = selector.as_object().into_iter().flatten();
    if !wanted.all(|(key, value)| labels.get(key) == Some(value)) {
        let because = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, because));
    }
    validation::pod::template(&spec["template"], &Path::Root(path), causes);
    let restarts = &spec["template"]["spec"]["restartPolicy"];
    validation::one_of(restarts, "spec.template.spec.restartPolicy", &["Always"], causes);
}
