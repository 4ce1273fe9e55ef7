//! Validation of Jobs.

use serde_json::{Value, json};

use super::{
    JOB_NAME, JOB_UID, indexes,
    policies::{self, without_value},
};
use crate::{
    api::{names, object, path::Path, selector::LabelSelector, status::Cause, subresource::Subresource},
    registry::{networking::ingress_class, validation},
};

/// The most Pods at once of an indexed Job, and its most failed indexes.
const MOST_PARALLEL: i64 = 100_000;
/// The most bytes of the name of the controller of a Job.
const LONGEST_CONTROLLER: usize = 63;

/// Validates that a new Job has the generated selector, unless it is manual.
pub(super) fn validate_selector(job: &Value, causes: &mut Vec<Cause>) {
    if job["spec"]["manualSelector"] == true {
        return;
    }
    validate_labels(job, causes);
    let own = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": object::uid(job)}});
    let selector = &job["spec"]["selector"];
    if selector.is_object() && *selector != own {
        causes.push(validation::parts::invalid_selector(
            selector,
            "spec.selector",
            "`selector` not auto-generated",
        ));
    }
}

/// Validates that the template has the labels by which the generated selector finds Pods.
fn validate_labels(job: &Value, causes: &mut Vec<Cause>) {
    let labels = &job["spec"]["template"]["metadata"]["labels"];
    let keys = JOB_UID.into_iter().map(|key| (key, object::uid(job)));
    for (key, wanted) in keys.chain(JOB_NAME.into_iter().map(|key| (key, object::name(job)))) {
        let (field, because) =
            (format!("spec.template.metadata.labels[{key}]"), format!("must be '{wanted}'"));
        match labels[key].as_str() {
            None => causes.push(Cause::required(field, &because)),
            Some(found) if found != wanted => causes.push(Cause::invalid(field, labels, because)),
            Some(_) => {}
        }
    }
}

/// Validates a Job.
pub(super) fn validate(job: &Value, causes: &mut Vec<Cause>) {
    let spec = &job["spec"];
    validate_spec(spec, &Path::Root("spec"), causes);
    let (selector, field) = (&spec["selector"], "spec.selector");
    if !selector.is_object() {
        causes.push(Cause::required(field, ""));
    }
    validation::parts::selector(selector, &Path::Root(field), causes);
    if !validation::parts::is_selector(selector) {
        return;
    }
    let labels = spec["template"]["metadata"].get("labels");
    let selects = |selector: &LabelSelector| selector.matches_labels(|key| labels?.get(key)?.as_str());
    if !selector.is_object() || !LabelSelector::from_json(selector).is_some_and(|found| selects(&found)) {
        let because = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels.unwrap_or(&Value::Null), because));
    }
}

/// Validates that the Pods of a new indexed Job can be named.
pub(super) fn validate_new(job: &Value, causes: &mut Vec<Cause>) {
    let (spec, name) = (&job["spec"], object::name(job));
    let completions = spec["completions"].as_i64().unwrap_or(0);
    if spec["completionMode"] != "Indexed" || completions <= 0 {
        return;
    }
    let host = format!("{name}-{}", completions - 1);
    if !names::label_faults(&host).is_empty() {
        let because = format!("will not able to create pod with invalid DNS label: {host}");
        causes.push(Cause::invalid("metadata.name", &json!(name), because));
    }
}

/// Validates the spec of a Job or of the Jobs of a `CronJob`.
pub(in crate::registry::batch) fn validate_spec(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        validation::at_least(0, spec, path, field, causes);
    }
    if let Some(controller) = spec["managedBy"].as_str() {
        ingress_class::domain_path(controller, path.child("managedBy"), causes);
        if controller.len() > LONGEST_CONTROLLER {
            let because = format!("Too long: may not be more than {LONGEST_CONTROLLER} bytes");
            causes.push(Cause::new("FieldValueTooLong", path.child("managedBy"), because));
        }
    }
    validate_indexes(spec, path, causes);
    let has_policy = spec["podFailurePolicy"].is_object();
    if has_policy {
        policies::validate_failures(spec, &path.child("podFailurePolicy"), causes);
    }
    if spec["successPolicy"].is_object() {
        if spec["completionMode"] == "Indexed" {
            policies::validate_successes(spec, &path.child("successPolicy"), causes);
        } else {
            let because = "requires indexed completion mode";
            causes.push(Cause::invalid(path.child("successPolicy"), &spec["successPolicy"], because));
        }
    }
    let known: &[&str] = if has_policy { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    let policy = &spec["podReplacementPolicy"];
    validation::one_of(policy, path.child("podReplacementPolicy"), known, causes);
    validation::pod::template(&spec["template"], &path.child("template"), causes);
    validate_restarts(spec, path.child("template").child("spec").child("restartPolicy"), has_policy, causes);
}

/// Validates how the Pods of a Job restart. What the template left out became `Always`, which no Job can have.
fn validate_restarts(spec: &Value, field: Path<'_>, has_policy: bool, causes: &mut Vec<Cause>) {
    match validation::text(&spec["template"]["spec"], "restartPolicy") {
        "" | "Always" => {
            causes.push(Cause::required(field, "valid values: \"OnFailure\", \"Never\""));
        }
        "OnFailure" if has_policy => {
            let because = "only \"Never\" is supported when podFailurePolicy is specified";
            causes.push(Cause::invalid(field, &json!("OnFailure"), because));
        }
        "OnFailure" | "Never" => {}
        other => causes.push(Cause::not_supported(field, &json!(other), &["OnFailure", "Never"])),
    }
}

/// Validates what an indexed Job has, and what no other may have.
fn validate_indexes(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let is_set = |field: &str| spec.get(field).is_some_and(|value| !value.is_null());
    if is_set("maxFailedIndexes") && !is_set("backoffLimitPerIndex") {
        causes
            .push(Cause::required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
    }
    let known = ["NonIndexed", "Indexed"];
    validation::one_of(&spec["completionMode"], path.child("completionMode"), &known, causes);
    if matches!(validation::text(spec, "completionMode"), "" | "NonIndexed") {
        let fields = ["backoffLimitPerIndex", "maxFailedIndexes"].into_iter().filter(|field| is_set(field));
        causes.extend(fields.map(|field| {
            Cause::invalid(path.child(field), &spec[field], "requires indexed completion mode")
        }));
    }
    if spec["completionMode"] != "Indexed" {
        return;
    }
    if !is_set("completions") {
        causes.push(Cause::required(path.child("completions"), "when completion mode is Indexed"));
    }
    let number = |field: &str| spec[field].as_i64();
    let mut limited = |field: &str, is_above: bool, because: String| {
        if is_above {
            causes.push(Cause::invalid(path.child(field), &spec[field], because));
        }
    };
    let parallel = number("parallelism").unwrap_or(0);
    let because = format!("must be less than or equal to {MOST_PARALLEL} when completion mode is Indexed");
    limited("parallelism", parallel > MOST_PARALLEL, because);
    let failed = number("maxFailedIndexes").unwrap_or(0);
    let is_above = number("completions").is_some_and(|completions| failed > completions);
    limited("maxFailedIndexes", is_above, "must be less than or equal to completions".to_owned());
    let because = format!("must be less than or equal to {MOST_PARALLEL}");
    limited("maxFailedIndexes", failed > MOST_PARALLEL, because);
}

/// Validates the fields of a Job that never change.
pub(super) fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    // Upstream looks at the new state like at a new Job, and again as a change.
    if new["spec"]["selector"].is_object() {
        validate_selector(new, causes);
    }
    validate(new, causes);
    validate_new(new, causes);
    let (before, after) = (&old["spec"]["completions"], &new["spec"]["completions"]);
    if new["spec"]["completionMode"] != "Indexed" {
        validation::fixed(old, new, "/spec/completions", causes);
    } else if before != after && !after.is_null() && *after != new["spec"]["parallelism"] {
        let because = "can only be modified in tandem with spec.parallelism";
        causes.push(Cause::invalid("spec.completions", after, because));
    }
    validation::fixed(old, new, "/spec/selector", causes);
    if template(old, old) != template(new, old) {
        let because = "field is immutable";
        causes.push(Cause::invalid("spec.template", &new["spec"]["template"], because));
    }
    for pointer in [
        "/spec/completionMode",
        "/spec/podFailurePolicy",
        "/spec/backoffLimitPerIndex",
        "/spec/managedBy",
        "/spec/successPolicy",
    ] {
        validation::fixed(old, new, pointer, causes);
    }
}

/// Returns the fields of a template that do not change. Those of a suspended Job that has not started may be directed to
/// other Nodes.
fn template(job: &Value, old: &Value) -> Value {
    let mut template = job["spec"]["template"].clone();
    let is_unstarted = old["spec"]["suspend"] == true && old["status"]["startTime"].is_null();
    if !is_unstarted {
        return template;
    }
    if let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) {
        ["annotations", "labels"].iter().for_each(|field| drop(metadata.remove(*field)));
    }
    if let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) {
        let fields = ["nodeSelector", "tolerations", "schedulingGates"];
        fields.iter().for_each(|field| drop(spec.remove(*field)));
        if let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) {
            affinity.remove("nodeAffinity");
        }
        if spec.get("affinity").is_some_and(|affinity| *affinity == json!({})) {
            spec.remove("affinity");
        }
    }
    template
}

/// Validates a changed status.
pub(super) fn validate_part(
    subresource: Option<Subresource>,
    old: &Value,
    new: &Value,
    causes: &mut Vec<Cause>,
) {
    if subresource != Some(Subresource::Status) {
        return;
    }
    let (spec, status) = (&new["spec"], &new["status"]);
    for field in ["active", "succeeded", "failed", "ready", "terminating"] {
        validation::at_least(0, status, &Path::Root("status"), field, causes);
    }
    let indexes = validation::text(status, "completedIndexes");
    let is_changed = |field: &str| old["status"][field] != status[field];
    if is_changed("completedIndexes") && !indexes.is_empty() {
        let (field, shown) = ("status.completedIndexes", json!(indexes));
        if let Some(Err(because)) =
            spec["completions"].as_i64().map(|completions| indexes::count(indexes, completions))
        {
            causes.push(Cause::invalid(field, &shown, format!("error parsing completedIndexes: {because}")));
        }
        if spec["completionMode"] != "Indexed" {
            let because = "cannot set non-empty completedIndexes when non-indexed completion mode";
            causes.push(Cause::invalid(field, &shown, because));
        }
    }
    if is_changed("failedIndexes")
        && status["failedIndexes"].is_string()
        && spec["backoffLimitPerIndex"].is_null()
    {
        let because = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        causes.push(Cause::invalid("status.failedIndexes", &status["failedIndexes"], because));
    }
    let number = |field: &str| status[field].as_i64().unwrap_or(0);
    if (is_changed("ready") || is_changed("active")) && number("ready") > number("active") {
        let because = "cannot set more ready pods than active";
        causes.push(Cause::invalid("status.ready", &status["ready"], because));
    }
    validate_end(old, new, causes);
}

/// Validates that what a status says of a Job's end goes together, where it changed.
fn validate_end(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let holds = |job: &Value, kind: &str| {
        let conditions = validation::items(&job["status"], "conditions");
        conditions.iter().any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    let begins = |kind: &str| holds(new, kind) && !holds(old, kind);
    let status = &new["status"];
    let (complete, failed) = (holds(new, "Complete"), holds(new, "Failed"));
    let ends = begins("Complete") || begins("Failed");
    let mut refuse = |is_wrong: bool, field: &str, because: &str| {
        if is_wrong {
            causes.push(without_value(format!("status.{field}"), because));
        }
    };
    refuse(ends && complete && failed, "conditions", "cannot set Complete=True and Failed=true conditions");
    refuse(
        begins("Complete") && holds(new, "FailureTarget"),
        "conditions",
        "cannot set Complete=True and FailureTarget=true conditions",
    );
    refuse(
        begins("Failed") && !holds(new, "FailureTarget"),
        "conditions",
        "cannot set Failed=True condition without the FailureTarget=true condition",
    );
    refuse(
        begins("Complete") && !holds(new, "SuccessCriteriaMet"),
        "conditions",
        "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
    );
    let completion = &status["completionTime"];
    if !completion.is_null() && !complete && old["status"]["completionTime"] != *completion {
        let because = "cannot set completionTime when there is no Complete=True condition";
        causes.push(Cause::invalid("status.completionTime", completion, because));
    }
    if begins("Complete") && completion.is_null() {
        let because = "completionTime is required for Complete jobs";
        causes.push(Cause::required("status.completionTime", because));
    }
    if ends && status["active"].as_i64().unwrap_or(0) > 0 {
        let because = "active>0 is invalid for finished job";
        causes.push(Cause::invalid("status.active", &status["active"], because));
    }
    if ends && status["startTime"].is_null() {
        causes.push(Cause::required("status.startTime", "startTime is required for finished job"));
    }
}
