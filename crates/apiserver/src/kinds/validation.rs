//! Which objects and which changes are refused, and why: as far as controllers can run into it.

use serde_json::{Value, json};

use super::{Kind, custom, names, rules};
use crate::{
    http::{
        route::Subresource,
        selector::{LabelSelector, is_qualified_name, is_value},
        status::Cause,
    },
    object,
};

/// The most bytes that all annotations of an object may have.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// What is wrong with a new object.
pub(super) fn new_object(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    name(kind, object, &mut causes);
    state(kind, object, &mut causes);
    causes
}

/// What is wrong with the change from `old` to `new`.
pub(super) fn change(kind: &Kind, subresource: Option<Subresource>, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if object::is_being_deleted(old) {
        let kept: Vec<&str> = object::finalizers(old).collect();
        let added: Vec<&str> =
            object::finalizers(new).filter(|finalizer| !kept.contains(finalizer)).collect();
        if !added.is_empty() {
            let because = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.iter().map(|finalizer| format!("{finalizer:?}")).collect::<Vec<_>>().join(", ")
            );
            causes.push(Cause::forbidden("metadata.finalizers", because));
        }
    }
    if subresource.is_none() {
        immutable(kind, old, new, &mut causes);
        state(kind, new, &mut causes);
    } else {
        metadata(new, &mut causes);
    }
    causes
}

/// What is wrong with an object in itself.
fn state(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    metadata(object, causes);
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => containers(&object["spec"], "spec", causes),
        ("apps", "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet") => workload(object, causes),
        ("coordination.k8s.io", "Lease") => lease(object, causes),
        ("apiextensions.k8s.io", _) => causes.extend(custom::validate(object)),
        _ => {}
    }
}

fn name(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let name = object::name(object);
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
        return;
    }
    let (is_valid, rule): (fn(&str) -> bool, &str) = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => (names::is_label, names::LABEL_RULE),
        ("rbac.authorization.k8s.io", _) => {
            (names::is_path_segment, "a name may not be '.' or '..', or contain '/' or '%'")
        }
        _ => (names::is_subdomain, names::SUBDOMAIN_RULE),
    };
    if rule == names::LABEL_RULE && name.contains('.') {
        causes.push(Cause::invalid("metadata.name", &json!(name), "must not contain dots"));
    } else if !is_valid(name) {
        causes.push(Cause::invalid("metadata.name", &json!(name), rule));
    }
}

fn metadata(object: &Value, causes: &mut Vec<Cause>) {
    let metadata = object::metadata(object);
    for (key, value) in metadata.get("labels").and_then(Value::as_object).into_iter().flatten() {
        if !is_qualified_name(key) {
            causes.push(Cause::invalid("metadata.labels", &json!(key), names::QUALIFIED_RULE));
        }
        if !value.as_str().is_some_and(is_value) {
            causes.push(Cause::invalid("metadata.labels", value, names::VALUE_RULE));
        }
    }
    let mut size = 0;
    for (key, value) in metadata.get("annotations").and_then(Value::as_object).into_iter().flatten() {
        size += key.len() + value.as_str().map_or(0, str::len);
        if !is_qualified_name(&key.to_lowercase()) {
            causes.push(Cause::invalid("metadata.annotations", &json!(key), names::QUALIFIED_RULE));
        }
    }
    if size > ANNOTATIONS_LIMIT {
        let because = format!("Too long: may not be more than {ANNOTATIONS_LIMIT} bytes");
        causes.push(Cause::new("FieldValueTooLong", "metadata.annotations", because));
    }
    for finalizer in object::finalizers(object).filter(|finalizer| !is_qualified_name(finalizer)) {
        causes.push(Cause::invalid("metadata.finalizers", &json!(finalizer), names::QUALIFIED_RULE));
    }
    owners(metadata.get("ownerReferences"), causes);
}

fn owners(owners: Option<&Value>, causes: &mut Vec<Cause>) {
    let mut controllers = Vec::new();
    for owner in owners.and_then(Value::as_array).into_iter().flatten() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner[field].as_str().unwrap_or_default().is_empty() {
                let because = format!("{field} must not be empty");
                causes.push(Cause::invalid(format!("metadata.ownerReferences.{field}"), &json!(""), because));
            }
        }
        if owner["controller"] == true {
            controllers.push(owner);
        }
    }
    if let [_, second, ..] = controllers[..] {
        let because = "Only one reference can have Controller set to true. Found \"true\" in references for more \
                       than one owner";
        causes.push(Cause::invalid("metadata.ownerReferences", second, because));
    }
}

fn containers(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let containers = spec["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    if containers.is_empty() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    for (position, container) in containers.iter().enumerate() {
        let name = container["name"].as_str().unwrap_or_default();
        let field = format!("{path}.containers[{position}].name");
        if name.is_empty() {
            causes.push(Cause::required(field, ""));
        } else if !names::is_label(name) {
            causes.push(Cause::invalid(field, &json!(name), names::LABEL_RULE));
        }
    }
}

fn workload(object: &Value, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    if let Some(replicas) = spec.get("replicas").filter(|replicas| replicas.as_i64().is_none_or(|n| n < 0)) {
        causes.push(Cause::invalid("spec.replicas", replicas, "must be greater than or equal to 0"));
    }
    let labels = spec.pointer("/template/metadata/labels");
    let selector = spec.get("selector").map(LabelSelector::from_json);
    match &selector {
        None => causes.push(Cause::required("spec.selector", "")),
        Some(None) => {
            causes.push(Cause::invalid("spec.selector", &spec["selector"], "invalid label selector"))
        }
        Some(Some(selector)) if selector.is_empty() => {
            let because = "empty selector is invalid for deployment";
            causes.push(Cause::invalid("spec.selector", &spec["selector"], because));
        }
        Some(Some(_)) => {}
    }
    // No selector at all selects nothing, an empty one everything.
    let selects = |selector: &LabelSelector| selector.matches_labels(|key| labels?.get(key)?.as_str());
    if !selector.unwrap_or_default().is_some_and(|selector| selects(&selector)) {
        let because = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels.unwrap_or(&Value::Null), because));
    }
    containers(&spec["template"]["spec"], "spec.template.spec", causes);
}

fn lease(object: &Value, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    for (field, least) in [("leaseDurationSeconds", 1), ("leaseTransitions", 0)] {
        if let Some(number) = spec.get(field).and_then(Value::as_i64).filter(|number| *number < least) {
            let because = format!("must be greater than {}", if least == 1 { "0" } else { "or equal to 0" });
            causes.push(Cause::invalid(format!("spec.{field}"), &json!(number), because));
        }
    }
}

/// Fields that never change once they are set.
fn immutable(kind: &Kind, old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let mut fixed = |pointer: &str| {
        let (before, after) = (old.pointer(pointer), new.pointer(pointer));
        if before != after {
            let field = pointer.trim_start_matches('/').replace('/', ".");
            causes.push(Cause::invalid(field, after.unwrap_or(&Value::Null), "field is immutable"));
        }
    };
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "ReplicaSet" | "Deployment" | "DaemonSet" | "StatefulSet") => fixed("/spec/selector"),
        ("", "ConfigMap" | "Secret") if old["immutable"] == true => sealed(old, new, causes),
        ("", "Pod") => pod(old, new, causes),
        _ => {}
    }
    if rules::is_custom(kind) && old["kind"] != new["kind"] {
        causes.push(Cause::invalid("kind", &new["kind"], "field is immutable"));
    }
}

/// What is declared immutable stays as it is.
fn sealed(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    for field in ["immutable", "data", "binaryData"] {
        if old.get(field) != new.get(field) {
            causes.push(Cause::forbidden(field, "field is immutable when `immutable` is set"));
        }
    }
}

/// Most of a Pod's spec never changes.
fn pod(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    if old["spec"] == new["spec"] {
        return; // most changes are to labels and to the status
    }
    let fixed = |pod: &Value| {
        let mut spec = pod["spec"].clone();
        for field in ["containers", "initContainers"] {
            for container in spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(container) = container.as_object_mut() {
                    container.remove("image");
                    container.remove("imagePullPolicy");
                }
            }
        }
        if let Some(spec) = spec.as_object_mut() {
            let changeable =
                ["activeDeadlineSeconds", "tolerations", "schedulingGates", "terminationGracePeriodSeconds"];
            changeable.iter().for_each(|field| drop(spec.remove(*field)));
        }
        spec
    };
    if fixed(old) != fixed(new) {
        let because = "pod updates may not change fields other than `spec.containers[*].image`,\
            `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
            existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
            previously negative)";
        causes.push(Cause::forbidden("spec", because));
    }
}
