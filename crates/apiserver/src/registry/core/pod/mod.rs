//! Pods.

mod cells;
mod change;
mod gated;

use serde_json::{Value, json};
use trimtab_managed_fields::Paths;

use crate::{
    api::{
        clock::Clock,
        names, object,
        path::Path,
        status::{Cause, Result, Status},
        subresource::Subresource,
    },
    registry::{
        Column, Kind, MetadataCheck, Strategy, Subresource as KindSubresource, column, defaults,
        kind::CONNECT,
        parts,
        strategy::{Plugin, Usage},
        validation, warnings,
    },
};

/// The subresources beside the status.
const SUBRESOURCES: &[KindSubresource] = &[
    KindSubresource::new("attach", "PodAttachOptions", &["create", "get"]),
    KindSubresource::new("binding", "Binding", &["create"]),
    KindSubresource::new("ephemeralcontainers", "Pod", &["get", "patch", "update"]),
    KindSubresource {
        group: "policy",
        version: "v1",
        ..KindSubresource::new("eviction", "Eviction", &["create"])
    },
    KindSubresource::new("exec", "PodExecOptions", &["create", "get"]),
    KindSubresource::new("log", "Pod", &["get"]),
    KindSubresource::new("portforward", "PodPortForwardOptions", &["create", "get"]),
    KindSubresource::new("proxy", "PodProxyOptions", CONNECT),
    KindSubresource::new("resize", "Pod", &["get", "patch", "update"]),
];

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "Pod", "pods")
        .grace_seconds(30)
        .short("po")
        .all()
        .status()
        .below(SUBRESOURCES)
        .columns(columns())
        .strategy(&STRATEGY)
}

/// The fields that admission fills in.
const ADMITTED: Paths<'static> = &[&["spec", "priority"], &["spec", "preemptionPolicy"]];

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Change, MetadataCheck::Whole],
    selectable_fields: &[
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ],
    set_defaults: |pod| defaults::pod::pod(defaults::spec(pod)),
    set_status_defaults: align_addresses,
    prepare_for_create: forget_unserved,
    prepare_for_update: |_, pod| forget_unserved(pod),
    first_status: |clock, pod| Some(first_status(clock, pod)),
    prepare_for_status_update: prepare_status,
    counts_generations: true,
    validate: |pod, causes| {
        validation::pod::claim_names(object::name(pod), &pod["spec"], causes);
        validation::pod::spec(&pod["spec"], &Path::Root("spec"), causes);
        validation::pod::tokens(&pod["spec"], causes);
    },
    validate_change: change::validate,
    validate_part,
    warnings,
    returns_deleted: true,
    status_reset_fields: &[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]],
    admitted_fields: ADMITTED,
    unmanaged_fields,
    plugins: &[Plugin::LimitPod, Plugin::Priority, Plugin::RuntimeClass],
    usage: Usage::Pod,
    counts_by_name: true,
    check_connection,
    row_conditions,
    ..Strategy::PLAIN
};

/// Drops the fields of features that are off in upstream's stable release.
fn forget_unserved(pod: &mut Value) {
    if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("schedulingGroup");
    }
}

/// Keeps the class of a status, and drops the fields of features that are off in upstream's stable release.
fn prepare_status(old: &Value, pod: &mut Value) {
    parts::keep_class(old, pod);
    if let Some(status) = pod.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("nodeAllocatableResourceClaimStatuses");
    }
}

/// Fills in the one address or the list of all, whichever is missing.
fn align_addresses(pod: &mut Value) {
    let Some(status) = pod.get_mut("status").and_then(Value::as_object_mut) else { return };
    defaults::align(status, "podIP", "podIPs", Some("ip"));
}

fn first_status(clock: &Clock, pod: &Value) -> Value {
    let mut status = json!({"phase": "Pending", "qosClass": defaults::pod::qos_class(pod)});
    if pod["spec"].get("schedulingGates").is_some() {
        status["conditions"] = json!([{
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "lastProbeTime": null,
            "lastTransitionTime": clock.text(),
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
    }
    status
}

/// Validates that a status keeps the quality of service and nominates a node by a name that nodes may have.
fn validate_part(subresource: Option<Subresource>, old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let (class, before) = (&new["status"]["qosClass"], &old["status"]["qosClass"]);
    if subresource == Some(Subresource::Status) && !before.is_null() && class != before {
        causes.push(Cause::invalid("status.qosClass", class, "field is immutable"));
    }
    if subresource == Some(Subresource::Status) {
        let nominated = validation::text(&new["status"], "nominatedNodeName");
        if !nominated.is_empty() {
            validation::faulty(
                nominated,
                "status.nominatedNodeName",
                names::subdomain_faults(nominated),
                causes,
            );
        }
    }
    let own: &[&str] = match subresource {
        Some(Subresource::EphemeralContainers) => &["spec.ephemeralContainers["],
        Some(Subresource::Resize) => &["spec.containers[", "spec.initContainers["],
        _ => &[],
    };
    if !own.is_empty() {
        let mut found = Vec::new();
        validation::pod::spec(&new["spec"], &Path::Root("spec"), &mut found);
        causes
            .extend(found.into_iter().filter(|cause| own.iter().any(|part| cause.field().starts_with(part))));
    }
    if subresource == Some(Subresource::Resize) && defaults::qos_class(old) != defaults::qos_class(new) {
        let because = "Pod QOS Class may not change as a result of resizing";
        causes.push(Cause::invalid("spec", class, because));
    }
}

fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    if old.is_some() {
        return Vec::new();
    }
    let mut warnings = warnings::of_new_name(None, new, "the Pod's hostname");
    warnings.extend(warnings::pod::of_pod(None, new));
    warnings
}

/// Refuses a connection to a Pod that runs nowhere.
fn check_connection(pod: &Value) -> Result<()> {
    match pod["spec"]["nodeName"].as_str() {
        None | Some("") => {
            Err(Status::bad_request(format!("pod {} does not have a host assigned", object::name(pod))))
        }
        Some(_) => Ok(()),
    }
}

/// Returns the `conditions` of the row of a completed Pod.
fn row_conditions(pod: &Value) -> Option<Value> {
    let (reason, message) = cells::pod_completed(pod)?;
    Some(json!([{ "type": "Completed", "status": "True", "reason": reason, "message": message }]))
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::computed("Ready", cells::pod_ready),
        column::computed("Status", cells::pod_status),
        column::computed("Restarts", cells::pod_restarts),
    ]);
    columns.extend([
        column::computed("IP", cells::pod_ip).wide(),
        column::computed("Node", cells::pod_node).wide(),
        column::computed("Nominated Node", cells::pod_nominated_node).wide(),
        column::computed("Readiness Gates", cells::pod_readiness_gates).wide(),
    ]);
    columns
}

/// Returns the fields of a new Pod without a manager. Upstream's admission adds two tolerations, which are defaults here.
fn unmanaged_fields(pod: &Value) -> Paths<'static> {
    let added = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    let is_added = |toleration: &Value| {
        added.iter().any(|key| toleration["key"] == *key) && toleration["tolerationSeconds"] == 300
    };
    let tolerations = pod.pointer("/spec/tolerations").and_then(Value::as_array);
    if tolerations.is_some_and(|all| all.iter().all(is_added)) {
        &[&["spec", "priority"], &["spec", "preemptionPolicy"], &["spec", "tolerations"]]
    } else {
        ADMITTED
    }
}
