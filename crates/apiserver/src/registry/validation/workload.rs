//! Validation of workloads and autoscalers.

use serde_json::{Value, json};

use super::{at_least, items, one_of, parts, pod, schedule, text};
use crate::{
    api::{names, object, selector::LabelSelector, status::Cause},
    registry::Kind,
};

/// A ReplicaSet, a Deployment, a `StatefulSet` or a `DaemonSet`.
pub(super) fn workload(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    for field in ["replicas", "minReadySeconds"] {
        at_least(0, spec, "spec", field, causes);
    }
    if kind.kind != "StatefulSet" {
        at_least(0, spec, "spec", "revisionHistoryLimit", causes);
    }
    parts::selector(&spec["selector"], "spec.selector", causes);
    let labels = spec.pointer("/template/metadata/labels");
    let selector = spec.get("selector").map(LabelSelector::from_json);
    match &selector {
        None => causes.push(Cause::required("spec.selector", "")),
        Some(None) => {
            causes.push(Cause::invalid("spec.selector", &spec["selector"], "invalid label selector"));
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
    pod::spec(&spec["template"]["spec"], "spec.template.spec", causes);
    one_of(
        &spec["template"]["spec"]["restartPolicy"],
        || "spec.template.spec.restartPolicy",
        &["Always"],
        causes,
    );
    match kind.kind.as_str() {
        "Deployment" => deployment(spec, causes),
        "DaemonSet" => strategy(spec, "updateStrategy", &["RollingUpdate", "OnDelete"], causes),
        "StatefulSet" => {
            stateful_set(spec, causes);
            let policy = text(spec, "podManagementPolicy");
            if !matches!(policy, "OrderedReady" | "Parallel") {
                let because = "must be 'OrderedReady' or 'Parallel'";
                causes.push(Cause::invalid("spec.podManagementPolicy", &json!(policy), because));
            }
        }
        _ => {}
    }
}

fn deployment(spec: &Value, causes: &mut Vec<Cause>) {
    let field = "spec.strategy.rollingUpdate";
    let rolling = &spec["strategy"]["rollingUpdate"];
    for (share, is_bounded) in [("maxUnavailable", true), ("maxSurge", false)] {
        parts::share(&rolling[share], &format!("{field}.{share}"), is_bounded, causes);
    }
    let is_none = |field: &str| {
        matches!(&rolling[field], Value::Number(number) if number.as_i64() == Some(0))
            || rolling[field] == "0%"
    };
    match text(&spec["strategy"], "type") {
        "Recreate" if rolling.is_object() => {
            let because = "may not be specified when strategy `type` is 'Recreate'";
            causes.push(Cause::forbidden(field, because));
        }
        "RollingUpdate" if is_none("maxUnavailable") && is_none("maxSurge") => {
            let because = "may not be 0 when `maxSurge` is 0";
            let value = &rolling["maxUnavailable"];
            causes.push(Cause::invalid(format!("{field}.maxUnavailable"), value, because));
        }
        _ => strategy(spec, "strategy", &["Recreate", "RollingUpdate"], causes),
    }
    let deadline = spec["progressDeadlineSeconds"].as_i64();
    if let Some(deadline) =
        deadline.filter(|deadline| *deadline <= spec["minReadySeconds"].as_i64().unwrap_or(0))
    {
        let because = "must be greater than minReadySeconds";
        causes.push(Cause::invalid("spec.progressDeadlineSeconds", &json!(deadline), because));
    }
}

/// Upstream shows the whole strategy, under the names of its Go struct.
fn strategy(spec: &Value, field: &str, known: &[&str], causes: &mut Vec<Cause>) {
    let kind = text(&spec[field], "type");
    if !known.contains(&kind) {
        let shown = format!("{{\"Type\":{kind:?},\"RollingUpdate\":null}}");
        let known: Vec<String> = known.iter().map(|known| format!("{known:?}")).collect();
        let message = format!("Unsupported value: {shown}: supported values: {}", known.join(", "));
        causes.push(Cause::new("FieldValueNotSupported", format!("spec.{field}"), message));
    }
}

fn stateful_set(spec: &Value, causes: &mut Vec<Cause>) {
    let (strategy, field) = (&spec["updateStrategy"], "spec.updateStrategy");
    let rolling = &strategy["rollingUpdate"];
    match text(strategy, "type") {
        "RollingUpdate" => {
            at_least(0, rolling, &format!("{field}.rollingUpdate"), "partition", causes);
            let field = format!("{field}.rollingUpdate.maxUnavailable");
            parts::share(&rolling["maxUnavailable"], &field, true, causes);
        }
        // Upstream shows its Go structs, in their order.
        "OnDelete" if rolling.is_object() => {
            let part = |field: &str| rolling.get(field).cloned().unwrap_or_default();
            let shown = format!(
                "{{\"Partition\":{},\"MaxUnavailable\":{}}}",
                part("partition"),
                part("maxUnavailable")
            );
            let because = "only allowed for updateStrategy 'RollingUpdate'";
            let message = format!("Invalid value: {shown}: {because}");
            causes.push(Cause::new("FieldValueInvalid", format!("{field}.rollingUpdate"), message));
        }
        "OnDelete" => {}
        "" => causes.push(Cause::required(field, "")),
        other => {
            let shown = format!("{{\"Type\":{other:?},\"RollingUpdate\":null}}");
            let message = format!("Invalid value: {shown}: must be 'RollingUpdate' or 'OnDelete'");
            causes.push(Cause::new("FieldValueInvalid", field, message));
        }
    }
    at_least(0, &spec["ordinals"], "spec.ordinals", "start", causes);
    for when in ["whenDeleted", "whenScaled"] {
        let path = format!("spec.persistentVolumeClaimRetentionPolicy.{when}");
        let value = &spec["persistentVolumeClaimRetentionPolicy"][when];
        one_of(value, || path, &["Retain", "Delete"], causes);
    }
    let service = text(spec, "serviceName");
    for fault in names::label_faults(service).into_iter().filter(|_| !service.is_empty()) {
        causes.push(Cause::invalid("spec.serviceName", &json!(service), fault));
    }
}

/// A new Job's selector is its own, unless its writer says that it is not to be.
pub(super) fn generated_selector(job: &Value, causes: &mut Vec<Cause>) {
    let spec = &job["spec"];
    if spec["manualSelector"] == true {
        let labels = spec.pointer("/template/metadata/labels");
        let selector = LabelSelector::from_json(&spec["selector"]);
        let selects = |selector: &LabelSelector| selector.matches_labels(|key| labels?.get(key)?.as_str());
        if selector.is_some_and(|selector| !selects(&selector)) {
            let because = "`selector` does not match template `labels`";
            let labels = labels.unwrap_or(&Value::Null);
            causes.push(Cause::invalid("spec.template.metadata.labels", labels, because));
        }
        return;
    }
    let own = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": object::uid(job)}});
    if spec["selector"] != own {
        causes.push(Cause::invalid("spec.selector", &spec["selector"], "`selector` not auto-generated"));
    }
}

pub(super) fn job(job: &Value, causes: &mut Vec<Cause>) {
    job_spec(&job["spec"], "spec", causes);
}

fn job_spec(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    for field in
        ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"]
    {
        at_least(0, spec, path, field, causes);
    }
    let place = |field: &str| format!("{path}.{field}");
    one_of(&spec["completionMode"], || place("completionMode"), &["NonIndexed", "Indexed"], causes);
    let known = ["Failed", "TerminatingOrFailed"];
    one_of(&spec["podReplacementPolicy"], || place("podReplacementPolicy"), &known, causes);
    let is_set = |field: &str| spec.get(field).is_some_and(|value| !value.is_null());
    if is_set("maxFailedIndexes") && !is_set("backoffLimitPerIndex") {
        causes.push(Cause::required(place("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
    }
    let needs_index = ["backoffLimitPerIndex", "maxFailedIndexes"].into_iter().filter(|field| is_set(field));
    for field in needs_index.filter(|_| spec["completionMode"] != "Indexed") {
        causes.push(Cause::invalid(place(field), &spec[field], "requires indexed completion mode"));
    }
    if spec["completionMode"] == "Indexed" && !is_set("completions") {
        causes.push(Cause::required(place("completions"), "when completion mode is Indexed"));
    }
    let template = format!("{path}.template.spec");
    pod::spec(&spec["template"]["spec"], &template, causes);
    // What the template left out became `Always`, which no Job can have.
    if matches!(text(&spec["template"]["spec"], "restartPolicy"), "" | "Always") {
        let because = "valid values: \"OnFailure\", \"Never\"";
        causes.push(Cause::required(format!("{template}.restartPolicy"), because));
    }
}

pub(super) fn cron_job(cron: &Value, causes: &mut Vec<Cause>) {
    let (spec, name) = (&cron["spec"], object::name(cron));
    if name.len() > 52 {
        causes.push(Cause::invalid("metadata.name", &json!(name), "must be no more than 52 characters"));
    }
    let schedule = text(spec, "schedule");
    if schedule.is_empty() {
        causes.push(Cause::required("spec.schedule", ""));
    } else if let Some(because) = schedule::fault(schedule) {
        causes.push(Cause::invalid("spec.schedule", &json!(schedule), because));
    }
    if let Some(zone) = spec["timeZone"].as_str() {
        let faults = schedule::zone_faults(zone).into_iter();
        causes.extend(faults.map(|because| Cause::invalid("spec.timeZone", &json!(zone), because)));
    }
    at_least(0, spec, "spec", "startingDeadlineSeconds", causes);
    one_of(&spec["concurrencyPolicy"], || "spec.concurrencyPolicy", &["Allow", "Forbid", "Replace"], causes);
    for field in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        at_least(0, spec, "spec", field, causes);
    }
    job_spec(&spec["jobTemplate"]["spec"], "spec.jobTemplate.spec", causes);
}

pub(super) fn scaler(scaler: &Value, causes: &mut Vec<Cause>) {
    let spec = &scaler["spec"];
    let most = spec["maxReplicas"].as_i64().unwrap_or(0);
    if most < 1 {
        causes.push(Cause::required("spec.maxReplicas", "must be set and greater than 0"));
    }
    if spec["minReplicas"].as_i64().is_some_and(|least| most < least) {
        let because = "must be greater than or equal to `minReplicas`";
        causes.push(Cause::invalid("spec.maxReplicas", &json!(most), because));
    }
    for field in ["kind", "name"] {
        if text(&spec["scaleTargetRef"], field).is_empty() {
            causes.push(Cause::required(format!("spec.scaleTargetRef.{field}"), ""));
        }
    }
    if text(&spec["scaleTargetRef"], "apiVersion").is_empty() {
        let because = "apiVersion must specify API group";
        causes.push(Cause::invalid("spec.scaleTargetRef.apiVersion", &json!(""), because));
    }
}

pub(super) fn disruption_budget(budget: &Value, causes: &mut Vec<Cause>) {
    let spec = &budget["spec"];
    if spec.get("minAvailable").is_some() && spec.get("maxUnavailable").is_some() {
        let because = "minAvailable and maxUnavailable cannot be both set";
        let part = |field: &str| spec.get(field).cloned().unwrap_or(Value::Null);
        // Upstream shows its Go struct, in its order.
        let shown = format!(
            "{{\"MinAvailable\":{},\"Selector\":{},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{}}}",
            part("minAvailable"),
            part("selector"),
            part("maxUnavailable"),
            part("unhealthyPodEvictionPolicy"),
        );
        causes.push(Cause::new("FieldValueInvalid", "spec", format!("Invalid value: {shown}: {because}")));
    }
    for field in ["minAvailable", "maxUnavailable"] {
        parts::share(&spec[field], &format!("spec.{field}"), true, causes);
    }
    parts::selector(&spec["selector"], "spec.selector", causes);
    let known = ["AlwaysAllow", "IfHealthyBudget"];
    one_of(&spec["unhealthyPodEvictionPolicy"], || "spec.unhealthyPodEvictionPolicy", &known, causes);
}

pub(super) fn replication_controller(controller: &Value, causes: &mut Vec<Cause>) {
    at_least(0, &controller["spec"], "spec", "replicas", causes);
    if !items(&controller["spec"]["template"]["spec"], "containers").is_empty() {
        pod::spec(&controller["spec"]["template"]["spec"], "spec.template.spec", causes);
    }
}

/// The Pods that a `ReplicaSet` or a `ReplicationController` tells of.
pub(super) fn counts(status: &Value, causes: &mut Vec<Cause>) {
    let number = |field: &str| status[field].as_i64().unwrap_or(0);
    let fields =
        ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"];
    for field in fields {
        at_least(0, status, "status", field, causes);
    }
    let mut greater = |field: &str, than: &str, named: &str| {
        if number(field) > number(than) {
            let because = format!("cannot be greater than {named}");
            causes.push(Cause::invalid(format!("status.{field}"), &status[field], because));
        }
    };
    greater("fullyLabeledReplicas", "replicas", "status.replicas");
    greater("readyReplicas", "replicas", "status.replicas");
    greater("availableReplicas", "replicas", "status.replicas");
    greater("availableReplicas", "readyReplicas", "readyReplicas");
}
