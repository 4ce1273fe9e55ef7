//! Validation of `HorizontalPodAutoscaler`s.

use serde_json::{Value, json};

use crate::{
    api::{names, path::Path, status::Cause, subresource::Subresource},
    registry::{quantity, validation},
};

/// The sources of metrics: the type and its field, in the order in which upstream looks at them.
const SOURCES: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];
const TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];

/// Validates a `HorizontalPodAutoscaler`.
pub(super) fn validate(scaler: &Value, causes: &mut Vec<Cause>) {
    let spec = &scaler["spec"];
    validation::at_least(1, spec, &Path::Root("spec"), "minReplicas", causes);
    let most = spec["maxReplicas"].as_i64().unwrap_or(0);
    match most {
        0 => causes.push(Cause::required("spec.maxReplicas", "must be set and greater than 0")),
        ..0 => {
            let because = "must be greater than or equal to 1";
            causes.push(Cause::invalid("spec.maxReplicas", &json!(most), because));
        }
        _ => {}
    }
    if spec["minReplicas"].as_i64().is_some_and(|least| most < least) {
        let because = "must be greater than or equal to `minReplicas`";
        causes.push(Cause::invalid("spec.maxReplicas", &json!(most), because));
    }
    validate_reference(&spec["scaleTargetRef"], &Path::Root("spec.scaleTargetRef"), true, causes);
    let metrics = validation::items(spec, "metrics");
    let list = Path::Root("spec.metrics");
    for (position, metric) in metrics.iter().enumerate() {
        validate_metric(metric, &list.index(position), causes);
    }
    let is_outside = |metric: &Value| matches!(validation::text(metric, "type"), "Object" | "External");
    if spec["minReplicas"] == 0 && !metrics.iter().any(is_outside) {
        let because =
            "must specify at least one Object or External metric to support scaling to zero replicas";
        causes.push(Cause::forbidden("spec.metrics", because));
    }
    for direction in ["scaleUp", "scaleDown"] {
        validate_rules(&spec["behavior"][direction], &Path::Root("spec.behavior").child(direction), causes);
    }
}

/// Validates the numbers of Pods in a changed status.
pub(super) fn validate_part(
    subresource: Option<Subresource>,
    _: &Value,
    new: &Value,
    causes: &mut Vec<Cause>,
) {
    if subresource == Some(Subresource::Status) {
        for field in ["currentReplicas", "desiredReplicas"] {
            validation::at_least(0, &new["status"], &Path::Root("status"), field, causes);
        }
    }
}

/// Validates a reference to an object; `needs_group` says whether it may not be of the core group.
fn validate_reference(reference: &Value, path: &Path<'_>, needs_group: bool, causes: &mut Vec<Cause>) {
    validation::kind_and_name(reference, path, causes);
    let version = validation::text(reference, "apiVersion");
    let because = match version.matches('/').count() {
        0 if needs_group => "apiVersion must specify API group".to_owned(),
        1 if needs_group && version.starts_with('/') && version.len() > 1 => {
            "apiVersion must specify API group".to_owned()
        }
        0 | 1 => return,
        _ => format!("unexpected GroupVersion string: {version}"),
    };
    causes.push(Cause::invalid(path.child("apiVersion"), &json!(version), because));
}

fn validate_metric(metric: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let kind = validation::text(metric, "type");
    let field = path.child("type");
    if kind.is_empty() {
        causes.push(Cause::required(field, "must specify a metric source type"));
    }
    if !TYPES.contains(&kind) {
        let unknown = Cause::not_supported(field, &json!(kind), &TYPES);
        causes.extend([unknown.clone(), unknown]); // upstream tells it twice
    }
    let present: Vec<&str> =
        SOURCES.iter().map(|(_, field)| *field).filter(|field| metric[field].is_object()).collect();
    if let Some(source) = present.first() {
        validate_source(source, &metric[source], &path.child(source), causes);
    }
    let expected = SOURCES.iter().find(|(known, _)| *known == kind).map(|(_, field)| *field);
    if let Some(expected) = expected.filter(|expected| !present.contains(expected)) {
        let because = "must populate information for the given metric source";
        causes.push(Cause::required(path.child(expected), because));
    }
    if present.len() != 1 {
        for other in present.iter().filter(|other| Some(**other) != expected) {
            let because = "must populate the given metric source only";
            causes.push(Cause::forbidden(path.child(other), because));
        }
    }
}

fn validate_source(kind: &str, source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let target = &source["target"];
    let is_set = |field: &str| !target[field].is_null();
    match kind {
        "object" => {
            validate_reference(&source["describedObject"], &path.child("describedObject"), false, causes)
        }
        "resource" | "containerResource" => {
            let name = validation::text(source, "name");
            if name.is_empty() {
                causes.push(Cause::required(path.child("name"), "must specify a resource name"));
            } else if kind == "containerResource" {
                validation::resources::resource_name(name, path.child("name"), causes);
            }
        }
        _ => {}
    }
    if kind == "containerResource" {
        match validation::text(source, "container") {
            "" => causes.push(Cause::required(path.child("container"), "must specify a container")),
            name => validation::faulty(name, path.child("container"), names::label_faults(name), causes),
        }
    }
    if matches!(kind, "object" | "external" | "pods") {
        validate_identifier(&source["metric"], &path.child("metric"), causes);
    }
    validate_target(target, &path.child("target"), causes);
    let (missing, because) = match kind {
        "object" => ("averageValue", "must set either a target value or averageValue"),
        "external" => ("averageValue", "must set either a target value for metric or a per-pod target"),
        "pods" => ("averageValue", "must specify a positive target averageValue"),
        _ => ("averageUtilization", "must set either a target raw value or a target utilization"),
    };
    let is_other_set = match kind {
        "pods" => false,
        "object" | "external" => is_set("value"),
        _ => is_set("averageUtilization"),
    };
    if !is_set("averageValue") && !is_other_set {
        causes.push(Cause::required(path.child("target").child(missing), because));
    }
    if is_set("averageValue") && is_other_set && kind != "object" {
        let (field, because) = match kind {
            "external" => ("value", "may not set both a target value for metric and a per-pod target"),
            _ => ("averageValue", "may not set both a target raw value and a target utilization"),
        };
        causes.push(Cause::forbidden(path.child("target").child(field), because));
    }
}

fn validate_identifier(metric: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    match validation::text(metric, "name") {
        "" => causes.push(Cause::required(path.child("name"), "must specify a metric name")),
        name => {
            validation::faulty(name, path.child("name"), names::path_segment_faults(name), causes);
        }
    }
}

fn validate_target(target: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let (kind, field) = (validation::text(target, "type"), path.child("type"));
    if kind.is_empty() {
        causes.push(Cause::required(field, "must specify a metric target type"));
    }
    if !matches!(kind, "Utilization" | "Value" | "AverageValue") {
        let because = "must be either Utilization, Value, or AverageValue";
        causes.push(Cause::invalid(field, &json!(kind), because));
    }
    for part in ["value", "averageValue"] {
        if quantity::of(&target[part]).is_some_and(|amount| amount.signum() <= 0) {
            causes.push(Cause::invalid(path.child(part), &target[part], "must be positive"));
        }
    }
    let share = &target["averageUtilization"];
    if share.as_i64().is_some_and(|share| share < 1) {
        causes.push(Cause::invalid(path.child("averageUtilization"), share, "must be greater than 0"));
    }
}

fn validate_rules(rules: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if !rules.is_object() {
        return;
    }
    let window = &rules["stabilizationWindowSeconds"];
    if let Some(seconds) = window.as_i64().filter(|seconds| !(0..=3600).contains(seconds)) {
        let because = match seconds {
            ..0 => "must be greater than or equal to zero",
            _ => "must be less than or equal to 3600",
        };
        causes.push(Cause::invalid(path.child("stabilizationWindowSeconds"), window, because));
    }
    let known = ["Disabled", "Max", "Min"];
    validation::one_of(&rules["selectPolicy"], path.child("selectPolicy"), &known, causes);
    let policies = validation::items(rules, "policies");
    if policies.is_empty() {
        causes.push(Cause::required(path.child("policies"), "must specify at least one Policy"));
    }
    let list = path.child("policies");
    for (position, policy) in policies.iter().enumerate() {
        let path = list.index(position);
        let (kind, known) = (validation::text(policy, "type"), ["Percent", "Pods"]);
        if !known.contains(&kind) {
            causes.push(Cause::not_supported(path.child("type"), &json!(kind), &known));
        }
        for (field, most) in [("value", i64::MAX), ("periodSeconds", 1800)] {
            let number = policy[field].as_i64().unwrap_or(0);
            if number <= 0 {
                causes.push(Cause::invalid(path.child(field), &json!(number), "must be greater than zero"));
            } else if number > most {
                let because = "must be less than or equal to 1800";
                causes.push(Cause::invalid(path.child(field), &json!(number), because));
            }
        }
    }
    if quantity::of(&rules["tolerance"]).is_some_and(|amount| amount.signum() < 0) {
        let because = "must be greater than or equal to 0";
        causes.push(Cause::invalid(path.child("tolerance"), &rules["tolerance"], because));
    }
}
