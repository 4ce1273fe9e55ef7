//! Validation of Jobs.

use serde_json::{Value, json};

use super::{JOB_NAME, JOB_UID, policies};
use crate::{
    api::{names, object, path::Path, selector::LabelSelector, status::Cause},
    registry::{networking::ingress_class, validation},
};

/// The most Pods at once of an indexed Job, and its most failed indexes.
const MOST_PARALLEL: i64 = 100_000;
/// The completions beyond which a Job that counts the failures of each index has lower limits.
const MANY_COMPLETIONS: i64 = 100_000;
/// The most Pods at once, and the most failed indexes, of such a Job.
const MOST_OF_MANY: i64 = 10_000;
/// The most bytes of the name of the controller of a Job.
const LONGEST_CONTROLLER: usize = 63;

/// Validates that the selector of a new Job selects the labels of its own Pods, unless it is manual.
pub(super) fn validate_selector(job: &Value, causes: &mut Vec<Cause>) {
    validate_generated(job, true, causes);
}

/// The same of a changed Job: labels with Kubernetes' prefix are only needed if its template had them before.
pub(super) fn validate_selector_of_change(old: &Value, job: &Value, causes: &mut Vec<Cause>) {
    let before = &old["spec"]["template"]["metadata"]["labels"];
    let has_prefixed = [JOB_UID[0], JOB_NAME[0]].iter().all(|key| before.get(key).is_some());
    validate_generated(job, has_prefixed, causes);
}

fn validate_generated(job: &Value, needs_prefixed: bool, causes: &mut Vec<Cause>) {
    if job["spec"]["manualSelector"] == true {
        return;
    }
    let places = if needs_prefixed { &[1, 0][..] } else { &[1] };
    for place in places {
        validate_label(job, JOB_UID[*place], object::uid(job), causes);
        validate_label(job, JOB_NAME[*place], object::name(job), causes);
    }
    let selector = &job["spec"]["selector"];
    if !selector.is_object() || !validation::parts::is_selector(selector) {
        return;
    }
    let generated = |key: &str| match key {
        key if places.iter().any(|place| JOB_UID[*place] == key) => Some(object::uid(job)),
        key if places.iter().any(|place| JOB_NAME[*place] == key) => Some(object::name(job)),
        _ => None,
    };
    if LabelSelector::from_json(selector).is_some_and(|selector| !selector.matches_labels(generated)) {
        let because = "`selector` not auto-generated";
        causes.push(validation::parts::invalid_selector(selector, "spec.selector", because));
    }
}

/// Validates that the template has a label by which the generated selector finds Pods.
fn validate_label(job: &Value, key: &str, wanted: &str, causes: &mut Vec<Cause>) {
    let labels = &job["spec"]["template"]["metadata"]["labels"];
    let (field, because) = (format!("spec.template.metadata.labels[{key}]"), format!("must be '{wanted}'"));
    match labels[key].as_str() {
        None => causes.push(Cause::required(field, &because)),
        Some(found) if found != wanted => causes.push(Cause::invalid(field, labels, because)),
        Some(_) => {}
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

/// Validates a Job, except for its generated selector.
pub(super) fn validate_whole(job: &Value, causes: &mut Vec<Cause>) {
    validate(job, causes);
    validate_names(job, causes);
}

/// Validates that the Pods of an indexed Job can be named.
fn validate_names(job: &Value, causes: &mut Vec<Cause>) {
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
    if is_set("backoffLimitPerIndex")
        && number("completions").is_some_and(|completions| completions > MANY_COMPLETIONS)
    {
        validate_many(spec, path, causes);
    }
}

/// Validates an indexed Job with so many completions that the failures of each index take too much room.
fn validate_many(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if spec["maxFailedIndexes"].is_null() {
        let because = format!("must be specified when completions is above {MANY_COMPLETIONS}");
        causes.push(Cause::required(path.child("maxFailedIndexes"), &because));
    }
    for field in ["parallelism", "maxFailedIndexes"] {
        if spec[field].as_i64().is_some_and(|number| number > MOST_OF_MANY) {
            let because = format!(
                "must be less than or equal to {MOST_OF_MANY} when completions are above {MANY_COMPLETIONS} and used with \
                 backoff limit per index"
            );
            causes.push(Cause::invalid(path.child(field), &spec[field], because));
        }
    }
}
