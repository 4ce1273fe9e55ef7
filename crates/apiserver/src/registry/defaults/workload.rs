//! The defaults of what makes Pods.

use serde_json::{Value, json};

use super::{Fields, fill, items, object, pod::template, storage};
use crate::api::object as metadata;

/// How often a `DaemonSet`'s template was changed, counted as before there were generations.
pub(crate) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";
/// The labels by which a Job knows its Pods, with the names that they had before.
const JOB_UID: [&str; 2] = ["batch.kubernetes.io/controller-uid", "controller-uid"];
const JOB_NAME: [&str; 2] = ["batch.kubernetes.io/job-name", "job-name"];

/// Sets the defaults of a workload.
pub(super) fn workload(kind: &str, workload: &mut Value) {
    if kind == "DaemonSet" {
        let annotations = metadata::metadata_mut(workload).entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            fill(annotations, [(TEMPLATE_GENERATION, json!("1"))]);
        }
    }
    let spec = super::spec(workload);
    match kind {
        "ReplicaSet" => fill(spec, [("replicas", json!(1))]),
        "Deployment" => {
            fill(
                spec,
                [
                    ("replicas", json!(1)),
                    ("revisionHistoryLimit", json!(10)),
                    ("progressDeadlineSeconds", json!(600)),
                    ("strategy", json!({})),
                ],
            );
            rolling(spec, "strategy", &[("maxUnavailable", json!("25%")), ("maxSurge", json!("25%"))]);
        }
        "StatefulSet" => {
            fill(
                spec,
                [
                    ("replicas", json!(1)),
                    ("podManagementPolicy", json!("OrderedReady")),
                    ("revisionHistoryLimit", json!(10)),
                    ("updateStrategy", json!({})),
                    ("persistentVolumeClaimRetentionPolicy", json!({})),
                ],
            );
            rolling(spec, "updateStrategy", &[("partition", json!(0))]);
            fill(spec, [("serviceName", json!(""))]);
            for claim in items(spec, "volumeClaimTemplates") {
                fill(claim, [("apiVersion", json!("v1")), ("kind", json!("PersistentVolumeClaim"))]);
                fill(claim, [("status", json!({"phase": "Pending"}))]);
                if let Some(spec) = object(claim, "spec") {
                    storage::claim(spec);
                }
            }
            if let Some(policy) = object(spec, "persistentVolumeClaimRetentionPolicy") {
                fill(policy, [("whenDeleted", json!("Retain")), ("whenScaled", json!("Retain"))]);
            }
        }
        "DaemonSet" => {
            fill(spec, [("revisionHistoryLimit", json!(10)), ("updateStrategy", json!({}))]);
            rolling(spec, "updateStrategy", &[("maxUnavailable", json!(1)), ("maxSurge", json!(0))]);
        }
        _ => {}
    }
    template(spec);
}

/// A strategy rolls unless it says otherwise.
fn rolling(spec: &mut Fields, field: &str, defaults: &[(&str, Value)]) {
    let Some(strategy) = object(spec, field) else { return };
    fill(strategy, [("type", json!("RollingUpdate"))]);
    if strategy["type"] == "RollingUpdate" {
        fill(strategy, [("rollingUpdate", json!({}))]);
        if let Some(rolling) = object(strategy, "rollingUpdate") {
            fill(rolling, defaults.iter().cloned());
        }
    }
}

/// A controller of the first kind takes its selector and its own labels from the template.
pub(super) fn replication_controller(controller: &mut Value) {
    let spec = super::spec(controller);
    fill(spec, [("replicas", json!(1))]);
    template(spec);
    let labels = spec.get("template").and_then(|template| template.pointer("/metadata/labels")).cloned();
    if let Some(labels) = labels {
        fill(spec, [("selector", labels.clone())]);
        fill(metadata::metadata_mut(controller), [("labels", labels)]);
    }
}

/// The defaults of a Job, but for what its name decides.
pub(super) fn job(job: &mut Value) {
    let spec = super::spec(job);
    let tries = if spec.contains_key("backoffLimitPerIndex") { i64::from(i32::MAX) } else { 6 };
    let replaced = if spec.contains_key("podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    fill(
        spec,
        [
            ("completionMode", json!("NonIndexed")),
            ("backoffLimit", json!(tries)),
            ("suspend", json!(false)),
            ("manualSelector", json!(false)),
            ("podReplacementPolicy", json!(replaced)),
        ],
    );
    match (spec.contains_key("completions"), spec.contains_key("parallelism")) {
        (false, false) => fill(spec, [("completions", json!(1)), ("parallelism", json!(1))]),
        (true, false) => fill(spec, [("parallelism", json!(1))]),
        _ => {}
    }
    if let Some(policy) = object(spec, "podFailurePolicy") {
        for rule in items(policy, "rules") {
            items(rule, "onPodConditions").for_each(|pattern| fill(pattern, [("status", json!("True"))]));
        }
    }
    template(spec);
    let labels = spec.get("template").and_then(|template| template.pointer("/metadata/labels")).cloned();
    if let (Some(labels), None) = (labels, metadata::metadata(job).get("labels")) {
        metadata::metadata_mut(job).insert("labels".to_owned(), labels);
    }
}

/// A field of an object, which is an object if it was not there.
fn within<'a>(object: &'a mut Value, field: &str) -> Option<&'a mut Value> {
    Some(object.as_object_mut()?.entry(field).or_insert_with(|| json!({})))
}

/// Makes a new Job know its Pods by its UID and its name, unless it brings a selector of its own.
pub(crate) fn name_job(job: &mut Value) {
    if job["spec"]["manualSelector"] == true {
        return;
    }
    let (uid, name) = (metadata::uid(job).to_owned(), metadata::name(job).to_owned());
    let selector = job.pointer_mut("/spec").and_then(|spec| within(spec, "selector"));
    if let Some(labels) =
        selector.and_then(|selector| within(selector, "matchLabels")).and_then(Value::as_object_mut)
    {
        labels.insert(JOB_UID[0].to_owned(), uid.clone().into());
    }
    for metadata in ["/metadata", "/spec/template/metadata"] {
        let Some(metadata) = job.pointer_mut(metadata).and_then(Value::as_object_mut) else { continue };
        let labels = metadata.entry("labels").or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            labels.extend(JOB_UID.map(|key| (key.to_owned(), uid.clone().into())));
            labels.extend(JOB_NAME.map(|key| (key.to_owned(), name.clone().into())));
        }
    }
}

pub(super) fn cron_job(spec: &mut Fields) {
    fill(
        spec,
        [
            ("concurrencyPolicy", json!("Allow")),
            ("suspend", json!(false)),
            ("successfulJobsHistoryLimit", json!(3)),
            ("failedJobsHistoryLimit", json!(1)),
        ],
    );
    if let Some(job) = object(spec, "jobTemplate") {
        fill(job, [("metadata", json!({}))]);
        if let Some(spec) = object(job, "spec") {
            template(spec);
        }
    }
}
