//! The defaults of what makes Pods.

use serde_json::{Value, json};

use super::{Fields, fill, object, pod::template};
use crate::object as metadata;

/// Sets the defaults of a workload's spec.
pub(super) fn workload(kind: &str, spec: &mut Fields) {
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

/// The defaults of a Job's spec, but for what its controller's UID decides.
pub(super) fn job(spec: &mut Fields) {
    fill(
        spec,
        [
            ("completionMode", json!("NonIndexed")),
            ("backoffLimit", json!(6)),
            ("suspend", json!(false)),
            ("manualSelector", json!(false)),
            ("podReplacementPolicy", json!("TerminatingOrFailed")),
        ],
    );
    match (spec.contains_key("completions"), spec.contains_key("parallelism")) {
        (false, false) => fill(spec, [("completions", json!(1)), ("parallelism", json!(1))]),
        (true, false) => fill(spec, [("parallelism", json!(1))]),
        _ => {}
    }
    template(spec);
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
