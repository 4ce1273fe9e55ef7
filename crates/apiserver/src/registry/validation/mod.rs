//! Which objects and which changes are refused, and why: as far as controllers can run into it.

mod data;
mod event;
mod network;
mod parts;
mod pod;
mod schedule;
mod secret;
mod service;
pub(crate) mod signing;
mod workload;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Kind, custom, rules};
use crate::api::{
    names, object,
    selector::{is_qualified_name, is_value},
    status::Cause,
    subresource::Subresource,
};

/// The most bytes that all annotations of an object may have.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// How many mistakes in an object's metadata are told: a body has room for 700,000.
const MOST_CAUSES: usize = 1000;

/// Returns the errors of a new object.
pub(super) fn new_object(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    name(kind, object, &mut causes);
    if kind.group == "batch" && kind.kind == "Job" {
        workload::generated_selector(object, &mut causes);
    }
    state(kind, object, &mut causes);
    if kind.group == "events.k8s.io" {
        event::new(object, &mut causes);
    }
    causes
}

/// Returns the errors of the change from `old` to `new`.
pub(super) fn change(kind: &Kind, subresource: Option<Subresource>, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if object::is_being_deleted(old) {
        let kept: BTreeSet<&str> = object::finalizers(old).collect(); // there may be 100,000
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
    if subresource.is_none() && !differ_in_metadata_alone(old, new) {
        immutable(kind, old, new, &mut causes);
        if rules::is_definition(kind) && causes.is_empty() {
            let fixed = custom::validate_change(old, new);
            if !fixed.is_empty() {
                return fixed;
            }
        }
        state(kind, new, &mut causes);
    } else {
        metadata(kind, new, &mut causes);
        let counts_pods =
            matches!((&*kind.group, &*kind.kind), ("apps", "ReplicaSet") | ("", "ReplicationController"));
        if counts_pods && subresource == Some(Subresource::Status) {
            workload::counts(&new["status"], &mut causes);
        }
        if kind.group == "certificates.k8s.io" {
            causes.extend(signing::causes(subresource, old, new));
        }
        let (class, before) = (&new["status"]["qosClass"], &old["status"]["qosClass"]);
        let is_pod = kind.group.is_empty() && kind.kind == "Pod";
        if is_pod && subresource == Some(Subresource::Status) && !before.is_null() && class != before {
            causes.push(Cause::invalid("status.qosClass", class, "field is immutable"));
        }
    }
    causes
}

/// Whether nothing but the metadata differs: most writes are about labels, finalizers and the like. The rest passed
/// when it was written.
fn differ_in_metadata_alone(old: &Value, new: &Value) -> bool {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return false };
    old.len() == new.len()
        && old.iter().all(|(field, value)| field == "metadata" || new.get(field) == Some(value))
}

/// Adds the errors of an object in itself.
fn state(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    metadata(kind, object, causes);
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod::spec(&object["spec"], "spec", causes),
        ("", "ReplicationController") => workload::replication_controller(object, causes),
        ("apps", "ControllerRevision") => {}
        ("apps", _) => workload::workload(kind, object, causes),
        ("batch", "Job") => workload::job(object, causes),
        ("batch", "CronJob") => workload::cron_job(object, causes),
        ("autoscaling", _) => workload::scaler(object, causes),
        ("policy", _) => workload::disruption_budget(object, causes),
        ("", "Service") => {
            network::service(object, causes);
            service::service(object, causes);
        }
        ("", "Endpoints") => network::endpoints(object, causes),
        ("discovery.k8s.io", _) => network::endpoint_slice(object, causes),
        ("networking.k8s.io", "Ingress") => network::ingress(object, causes),
        ("networking.k8s.io", "IPAddress") => data::ip_address(object, causes),
        ("", "ConfigMap") => data::map(object, "[]", causes),
        ("", "Secret") => {
            data::map(object, "data", causes);
            secret::secret(object, causes);
        }
        ("" | "events.k8s.io", "Event") => event::event(object, causes),
        ("certificates.k8s.io", "CertificateSigningRequest") => data::signing_request(object, causes),
        ("", "PersistentVolumeClaim") => data::claim(object, causes),
        ("", "PersistentVolume") => data::volume(object, causes),
        ("storage.k8s.io", "StorageClass") => data::storage_class(object, causes),
        ("scheduling.k8s.io", _) => data::priority_class(object, causes),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding" | "RoleBinding") => {
            data::role_binding(object, kind.namespaced, causes);
        }
        ("coordination.k8s.io", "Lease") => lease(object, causes),
        ("apiextensions.k8s.io", _) => causes.extend(custom::validate(object)),
        _ => {}
    }
}

fn name(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let base = object::text(object, "generateName");
    // What follows may make a hyphen at the end right, and nothing else.
    let masked = base.strip_suffix('-').filter(|base| !base.is_empty()).map(|base| format!("{base}a"));
    let is_subdomain = names::is_subdomain(masked.as_deref().unwrap_or(base));
    if !base.is_empty() && !is_subdomain && kind.group != "rbac.authorization.k8s.io" {
        causes.push(Cause::invalid("metadata.generateName", &json!(base), names::SUBDOMAIN_RULE));
    }
    let name = object::name(object);
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
        return;
    }
    let (is_valid, rule): (fn(&str) -> bool, &str) = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace" | "Service") => (names::is_label, names::LABEL_RULE),
        ("networking.k8s.io", "IPAddress") => return, // addresses, which the kind's own rule looks at
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

fn metadata(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    metadata_in_full(kind, object, causes);
    causes.truncate(MOST_CAUSES);
}

fn metadata_in_full(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
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
    let malformed = object::finalizers(object).filter(|finalizer| !is_qualified_name(finalizer));
    for finalizer in malformed.take(MOST_CAUSES) {
        causes.push(Cause::invalid("metadata.finalizers", &json!(finalizer), names::QUALIFIED_RULE));
    }
    let is_held_by = |wanted| object::finalizers(object).any(|held| held == wanted);
    if is_held_by("orphan") && is_held_by("foregroundDeletion") {
        let because = "finalizer orphan and foregroundDeletion cannot be both set";
        causes.push(Cause::invalid("metadata.finalizers", &metadata["finalizers"], because));
    }
    domains(kind, object, causes);
    owners(metadata.get("ownerReferences"), causes);
}

/// Where upstream's older kinds are strict: a finalizer is one of its own or has a domain.
fn domains(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let group = kind.group.as_str();
    let lenient = [
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "coordination.k8s.io",
        "events.k8s.io",
        "node.k8s.io",
        "policy",
    ];
    let is_event = group.is_empty() && kind.kind == "Event";
    if lenient.contains(&group) || is_event || kind.is_custom() {
        return;
    }
    let known = ["kubernetes", "orphan", "foregroundDeletion"];
    for (index, finalizer) in object::finalizers(object).enumerate() {
        if causes.len() >= MOST_CAUSES {
            return;
        }
        if !finalizer.contains('/') && !known.contains(&finalizer) {
            let because = "name is neither a standard finalizer name nor is it fully qualified";
            let field = format!("metadata.finalizers[{index}]");
            causes.push(Cause::invalid(field, &json!(finalizer), because));
        }
    }
}

fn owners(owners: Option<&Value>, causes: &mut Vec<Cause>) {
    let mut controllers = Vec::new();
    for owner in owners.and_then(Value::as_array).into_iter().flatten() {
        if causes.len() >= MOST_CAUSES {
            return;
        }
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner[field].as_str().unwrap_or_default().is_empty() {
                let because =
                    if field == "apiVersion" { "version must not be empty" } else { "must not be empty" };
                causes.push(Cause::invalid(format!("metadata.ownerReferences.{field}"), &json!(""), because));
            }
        }
        if owner["apiVersion"] == "v1" && owner["kind"] == "Event" {
            let because = "/v1, Kind=Event is disallowed from being an owner";
            causes.push(Cause::invalid("metadata.ownerReferences", owner, because));
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

/// The items of the list in a field.
fn items<'a>(owner: &'a Value, field: &str) -> &'a [Value] {
    owner[field].as_array().map_or(&[], Vec::as_slice)
}

/// The text in a field; empty if there is none.
fn text<'a>(owner: &'a Value, field: &str) -> &'a str {
    owner[field].as_str().unwrap_or_default()
}

fn duplicate(field: String, value: &Value) -> Cause {
    Cause::new("FieldValueDuplicate", field, format!("Duplicate value: {value}"))
}

/// A text that is set has to be one of `known`.
fn one_of<F: Into<String>>(
    value: &Value,
    field: impl FnOnce() -> F,
    known: &[&str],
    causes: &mut Vec<Cause>,
) {
    if value.as_str().is_some_and(|value| !known.contains(&value)) {
        causes.push(Cause::not_supported(field(), value, known));
    }
}

/// A number that is set has to be `least` or more.
fn at_least(least: i64, owner: &Value, path: &str, field: &str, causes: &mut Vec<Cause>) {
    if let Some(number) =
        owner.get(field).filter(|number| !number.is_null() && number.as_i64().is_none_or(|n| n < least))
    {
        let because = format!("must be greater than or equal to {least}");
        causes.push(Cause::invalid(format!("{path}.{field}"), number, because));
    }
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
        ("", "Pod") => pod_change(old, new, causes),
        ("", "Service") => network::service_change(old, new, causes),
        ("batch", "Job") => {
            ["/spec/selector", "/spec/completionMode"].into_iter().for_each(fixed);
        }
        ("storage.k8s.io", "StorageClass") => fixed("/provisioner"),
        ("scheduling.k8s.io", "PriorityClass") => {
            fixed("/preemptionPolicy");
            if old["value"] != new["value"] {
                causes.push(Cause::forbidden("value", "may not be changed in an update."));
            }
        }
        ("rbac.authorization.k8s.io", "ClusterRoleBinding" | "RoleBinding") => role(old, new, causes),
        ("", "Secret") => fixed("/type"),
        _ => {}
    }
    if kind.is_custom() && old["kind"] != new["kind"] {
        causes.push(Cause::invalid("kind", &new["kind"], "field is immutable"));
    }
}

/// A binding is of one role for ever.
fn role(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    if old["roleRef"] != new["roleRef"] {
        causes.push(Cause::invalid("roleRef", &new["roleRef"], "cannot change roleRef"));
    }
}

/// Checks that an immutable object keeps its data.
fn sealed(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    for field in ["immutable", "data", "binaryData"] {
        if old.get(field) != new.get(field) {
            causes.push(Cause::forbidden(field, "field is immutable when `immutable` is set"));
        }
    }
}

/// Most of a Pod's spec never changes.
fn pod_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
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
