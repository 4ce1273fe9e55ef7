//! The rules of a kind for creating, updating and deleting its objects: upstream's strategies.

use serde_json::{Value, json};
use trimtab_schema::set_defaults;

use super::{
    Context, Kind, custom, defaults,
    parts::{copy_resources, date_decisions, keep_class, keep_metadata, only},
    validation,
};
use crate::api::{
    object,
    status::{Cause, Result, Status},
    subresource::Subresource,
};

/// Whether objects of this kind count the changes of their spec.
pub(crate) fn has_generation(kind: &Kind) -> bool {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", kind) => matches!(kind, "Pod" | "PodTemplate" | "ReplicationController"),
        ("apps", kind) => kind != "ControllerRevision",
        ("networking.k8s.io", kind) => matches!(kind, "Ingress" | "IngressClass" | "NetworkPolicy"),
        ("resource.k8s.io", kind) => matches!(kind, "DeviceClass" | "ResourceSlice"),
        (
            "admissionregistration.k8s.io"
            | "apiextensions.k8s.io"
            | "batch"
            | "discovery.k8s.io"
            | "flowcontrol.apiserver.k8s.io"
            | "policy"
            | "scheduling.k8s.io",
            _,
        ) => true,
        _ => kind.is_custom(),
    }
}

/// Whether a change is one that `generation` counts.
pub(crate) fn is_new_generation(
    kind: &Kind,
    subresource: Option<Subresource>,
    old: &Value,
    new: &Value,
) -> bool {
    // A Deployment's controller copies its annotations.
    if subresource.is_none()
        && is_deployment(kind)
        && old["metadata"].get("annotations") != new["metadata"].get("annotations")
    {
        return true;
    }
    let has_spec = old.get("spec").is_some();
    if has_spec && (!kind.is_custom() || kind.status && fields_beside_spec(old) == 0) {
        return old.get("spec") != new.get("spec");
    }
    let counted = |object: &Value| {
        let fields = object.as_object().into_iter().flatten();
        let status = kind.status;
        let counted = fields.filter(|(field, _)| *field != "metadata" && !(status && *field == "status"));
        counted.map(|(field, value)| (field.clone(), value.clone())).collect::<Vec<_>>()
    };
    counted(old) != counted(new)
}

fn fields_beside_spec(object: &Value) -> usize {
    let known = ["apiVersion", "kind", "metadata", "spec", "status"];
    object.as_object().into_iter().flatten().filter(|(field, _)| !known.contains(&field.as_str())).count()
}

fn is_deployment(kind: &Kind) -> bool {
    kind.group == "apps" && kind.kind == "Deployment"
}

/// Refuses the deletion of what every cluster has to have.
pub(crate) fn check_deletion(kind: &Kind, name: &str) -> Result<()> {
    let is_namespace = kind.group.is_empty() && kind.kind == "Namespace";
    if is_namespace && matches!(name, "default" | "kube-public" | "kube-system") {
        return Err(Status::forbidden(kind, name, "this namespace may not be deleted"));
    }
    Ok(())
}

/// Whether a PUT makes an object that is not there.
pub(crate) fn creates_on_update(kind: &Kind) -> bool {
    matches!(
        (kind.group.as_str(), kind.kind.as_str()),
        ("coordination.k8s.io", "Lease")
            | ("" | "events.k8s.io", "Event")
            | ("", "Endpoints")
            | ("rbac.authorization.k8s.io", _)
    )
}

/// Whether an update need not say which version it replaces.
pub(crate) fn updates_unconditionally(kind: &Kind) -> bool {
    let demands_it = matches!(
        (kind.group.as_str(), kind.kind.as_str()),
        ("coordination.k8s.io", _) | ("apiextensions.k8s.io", _) | ("policy", _)
    );
    !(demands_it || kind.is_custom())
}

/// Whether a deletion answers with the object that it removed, and not with a `Status`.
pub(crate) fn returns_deleted(kind: &Kind) -> bool {
    let core =
        ["Pod", "PodTemplate", "Service", "ServiceAccount", "PersistentVolumeClaim", "PersistentVolume"];
    kind.group.is_empty() && (core.contains(&kind.kind.as_str()) || kind.kind == "ResourceQuota")
}

/// The grace period of a deletion, in seconds; 0 removes at once.
pub(crate) fn grace_period(kind: &Kind, object: &Value, asked: Option<i64>) -> i64 {
    if kind.grace_seconds == 0 {
        return 0;
    }
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    // Nothing runs that would have to be stopped.
    if text("/spec/nodeName").is_empty() || matches!(text("/status/phase"), "Succeeded" | "Failed") {
        return 0;
    }
    let own = || object.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64);
    // Of less than nothing, upstream makes a second.
    asked.or_else(own).map_or(kind.grace_seconds, |seconds| if seconds < 0 { 1 } else { seconds })
}

/// Fills in what the writer of a new object may leave out, and drops what it may not set.
pub(crate) fn complete_new(context: &Context, kind: &Kind, object: &mut Value) {
    if kind.status && !is_node(kind) {
        object.as_object_mut().expect("only JSON objects are decoded").remove("status");
        // Upstream fills in the defaults of a status when it reads the object again.
        if let Some(schema) = kind.structure().filter(|_| kind.is_custom()) {
            set_defaults(schema, object);
        }
    }
    complete(context, kind, object);
}

/// A Node registers itself with its status.
fn is_node(kind: &Kind) -> bool {
    kind.group.is_empty() && kind.kind == "Node"
}

/// Makes a new object what its kind says it starts as.
pub(crate) fn prepare_create(context: &Context, kind: &Kind, object: &mut Value) {
    if kind.group.is_empty() && kind.kind == "Namespace" {
        object["spec"] = json!({"finalizers": ["kubernetes"]});
    }
    if is_node(kind) {
        complete_node(object);
    } else if let Some(status) = first_status(context, kind, object) {
        object["status"] = status;
    }
}

/// Completes what a new object gets from its name, which may have been generated after the rest.
pub(crate) fn name_parts(kind: &Kind, object: &mut Value) {
    if kind.group == "batch" && kind.kind == "Job" {
        defaults::name_job(object);
    }
}

/// A Node tells of itself what it knows; the rest is empty.
fn complete_node(node: &mut Value) {
    let status = &mut node["status"];
    if !status["daemonEndpoints"].is_object() {
        status["daemonEndpoints"] = json!({"kubeletEndpoint": {"Port": 0}});
    }
    let known = [
        "architecture",
        "bootID",
        "containerRuntimeVersion",
        "kernelVersion",
        "kubeProxyVersion",
        "kubeletVersion",
        "machineID",
        "operatingSystem",
        "osImage",
        "systemUUID",
    ];
    for field in known {
        if !status["nodeInfo"][field].is_string() {
            status["nodeInfo"][field] = "".into();
        }
    }
}

/// The status of an object that nobody has looked at yet.
fn first_status(context: &Context, kind: &Kind, object: &Value) -> Option<Value> {
    Some(match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => json!({"phase": "Active"}),
        ("", "Pod") => pod_status(context, object),
        ("", "PersistentVolumeClaim") => json!({"phase": "Pending"}),
        ("", "PersistentVolume") => {
            json!({"phase": "Pending", "lastPhaseTransitionTime": context.clock.text()})
        }
        ("", "Service") | ("networking.k8s.io", "Ingress") => json!({"loadBalancer": {}}),
        ("", "ReplicationController") | ("apps", "ReplicaSet") => json!({"replicas": 0}),
        ("apps", "StatefulSet") => json!({"replicas": 0, "availableReplicas": 0}),
        ("apps", "DaemonSet") => json!({
            "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
        }),
        ("policy", "PodDisruptionBudget") => json!({
            "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0,
        }),
        ("autoscaling", _) if kind.version == "v1" => json!({"currentReplicas": 0, "desiredReplicas": 0}),
        ("autoscaling", _) => json!({"currentMetrics": null, "desiredReplicas": 0}),
        ("storage.k8s.io", "VolumeAttachment") => json!({"attached": false}),
        _ if kind.status && !kind.is_custom() && !is_definition(kind) => json!({}),
        _ => return None,
    })
}

fn pod_status(context: &Context, pod: &Value) -> Value {
    let mut status = json!({"phase": "Pending", "qosClass": defaults::qos_class(pod)});
    if pod["spec"].get("schedulingGates").is_some() {
        status["conditions"] = json!([{
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "lastProbeTime": null,
            "lastTransitionTime": context.clock.text(),
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
    }
    status
}

/// Fills in what a writer may leave out.
fn complete(context: &Context, kind: &Kind, object: &mut Value) {
    defaults::set(kind, object);
    if kind.group.is_empty() && kind.kind == "Namespace" {
        let name = object::name(object).to_owned();
        let labels = object::metadata_mut(object).entry("labels").or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
        }
    }
    if is_definition(kind) {
        custom::complete(object);
        custom::accept(object, &context.kinds, &context.clock.text());
    }
}

pub(crate) fn is_definition(kind: &Kind) -> bool {
    kind.group == "apiextensions.k8s.io"
}

/// Puts back what this path does not change.
pub(crate) fn prepare_update(
    context: &Context,
    kind: &Kind,
    subresource: Option<Subresource>,
    old: &Value,
    new: &mut Value,
) {
    let is_namespace = kind.group.is_empty() && kind.kind == "Namespace";
    match subresource {
        Some(Subresource::Status) => {
            let (metadata, status) = (new["metadata"].take(), new.get("status").cloned());
            *new = old.clone();
            if let Some(status) = status {
                new["status"] = status;
            }
            if kind.group.is_empty() && kind.kind == "Pod" {
                keep_class(old, new);
            }
            if !kind.is_custom() {
                keep_metadata(&metadata, new);
            }
            if is_deployment(kind) {
                object::copy_metadata(old, new, "labels");
            }
        }
        Some(Subresource::Finalize) => {
            let finalizers = new["spec"]["finalizers"].take();
            *new = old.clone();
            match finalizers.as_array().is_none_or(Vec::is_empty) {
                true => drop(new["spec"].as_object_mut().and_then(|spec| spec.remove("finalizers"))),
                false => new["spec"]["finalizers"] = finalizers,
            }
        }
        Some(Subresource::Approval) => {
            let metadata = new["metadata"].take();
            only(old, new, "/status/conditions");
            keep_metadata(&metadata, new);
            date_decisions(context, old, new);
        }
        Some(Subresource::EphemeralContainers) => {
            only(old, new, "/spec/ephemeralContainers");
            defaults::set(kind, new);
        }
        Some(Subresource::Resize) => {
            let mut resized = old.clone();
            for field in ["containers", "initContainers"] {
                copy_resources(&new["spec"][field], &mut resized["spec"][field]);
            }
            *new = resized;
            defaults::set(kind, new);
        }
        // What sets a Pod's node also sets a condition; nothing else of these is written.
        Some(
            Subresource::Binding
            | Subresource::Connect(_)
            | Subresource::Eviction
            | Subresource::Log
            | Subresource::Token,
        ) => {}
        Some(Subresource::Scale) | None => {
            if kind.status {
                object::copy_field(old, new, "status");
            }
            // Who asks for a certificate, and for which, is said once.
            if is_namespace || kind.group == "certificates.k8s.io" {
                object::copy_field(old, new, "spec");
            }
            complete(context, kind, new);
            if kind.group == "apps" && kind.kind == "DaemonSet" {
                count_templates(old, new);
            }
        }
    }
}

/// Counts the changes of a `DaemonSet`'s template in its annotation.
fn count_templates(old: &Value, new: &mut Value) {
    let key = defaults::TEMPLATE_GENERATION;
    let count = old["metadata"]["annotations"][key].as_str().and_then(|count| count.parse::<i64>().ok());
    let changed = old["spec"]["template"] != new["spec"]["template"];
    let count = count.unwrap_or(1).saturating_add(i64::from(changed));
    new["metadata"]["annotations"][key] = count.to_string().into();
}

/// Refuses a new object that breaks a rule of its kind.
pub(crate) fn validate(kind: &Kind, object: &Value) -> Result<()> {
    let mut causes = validation::new_object(kind, object);
    causes.extend(kind.schema.iter().flat_map(|declared| declared.errors(object, None)));
    check(kind, object, &causes)
}

/// Refuses a change that breaks a rule.
pub(crate) fn validate_update(
    kind: &Kind,
    subresource: Option<Subresource>,
    old: &Value,
    new: &Value,
) -> Result<()> {
    let mut causes = validation::change(kind, subresource, old, new);
    causes.extend(kind.schema.iter().flat_map(|declared| declared.errors(new, Some(old))));
    check(kind, new, &causes)
}

fn check(kind: &Kind, object: &Value, causes: &[Cause]) -> Result<()> {
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(kind, object::name(object), causes))
}

/// Whether a deletion that says nothing of dependents leaves them: upstream keeps to what these kinds did before there was
/// a garbage collector.
pub(crate) fn orphans_by_default(kind: &Kind) -> bool {
    matches!((&*kind.group, &*kind.kind), ("", "ReplicationController") | ("batch", "Job"))
}
