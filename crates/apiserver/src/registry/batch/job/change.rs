//! Changes of Jobs: the fields that stay.

use serde_json::{Value, json};

use super::{condition, validation};
use crate::{
    api::{object, status::Cause},
    registry::validation::fixed,
};

/// Validates the fields of a Job that never change.
pub(super) fn validate(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    // Upstream looks at the new state like at a new Job, and again as a change.
    if new["spec"]["selector"].is_object() {
        validation::validate_selector_of_change(old, new, causes);
    }
    validation::validate_whole(new, causes);
    validation::validate(new, causes);
    let (before, after) = (&old["spec"]["completions"], &new["spec"]["completions"]);
    if new["spec"]["completionMode"] != "Indexed" {
        fixed(old, new, "/spec/completions", causes);
    } else if before != after && !after.is_null() && *after != new["spec"]["parallelism"] {
        let because = "can only be modified in tandem with spec.parallelism";
        causes.push(Cause::invalid("spec.completions", after, because));
    }
    fixed(old, new, "/spec/selector", causes);
    validate_template(old, new, causes);
    for pointer in [
        "/spec/completionMode",
        "/spec/podFailurePolicy",
        "/spec/backoffLimitPerIndex",
        "/spec/managedBy",
        "/spec/successPolicy",
    ] {
        fixed(old, new, pointer, causes);
    }
}

/// Validates that the template stays, except for the parts that may change while no Pod is made from it.
fn validate_template(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let because = "field is immutable";
    let [before, after] = [old, new].map(|job| &job["spec"]["template"]);
    if !is_mutable(old) {
        if before != after {
            causes.push(Cause::invalid("spec.template", after, because));
        }
    } else if fixed_part(before) != fixed_part(&with_resources_of(after, before)) {
        causes.push(Cause::invalid("spec.template.spec", &after["spec"], because));
    }
}

/// Returns whether a Job is suspended and has no Pods: it never had any, or they have ended.
fn is_mutable(job: &Value) -> bool {
    let status = &job["status"];
    let has_none = status["startTime"].is_null() || condition(job, "Suspended") == Some("True");
    job["spec"]["suspend"] == true && has_none && status["active"].as_i64().unwrap_or(0) == 0
}

/// Returns the spec of a template without the fields that direct Pods to nodes.
fn fixed_part(template: &Value) -> Value {
    let mut pod = template["spec"].clone();
    if let Some(fields) = pod.as_object_mut() {
        ["nodeSelector", "tolerations", "schedulingGates"]
            .iter()
            .for_each(|field| drop(fields.remove(*field)));
        if let Some(affinity) = fields.get_mut("affinity").and_then(Value::as_object_mut) {
            affinity.remove("nodeAffinity");
        }
        if fields.get("affinity").is_some_and(|affinity| *affinity == json!({})) {
            fields.remove("affinity");
        }
    }
    pod
}

/// Returns a template whose containers ask for the same resources as those of another one, if they have the same names.
fn with_resources_of(template: &Value, other: &Value) -> Value {
    let mut template = template.clone();
    for list in ["containers", "initContainers"] {
        let others = other["spec"][list].as_array().map_or(&[][..], Vec::as_slice);
        let own = template["spec"].get_mut(list).and_then(Value::as_array_mut);
        let own = own.filter(|own| own.len() == others.len());
        for (container, other) in own.into_iter().flatten().zip(others) {
            if container["name"] == other["name"] {
                object::copy_field(other, container, "resources");
            }
        }
    }
    template
}
