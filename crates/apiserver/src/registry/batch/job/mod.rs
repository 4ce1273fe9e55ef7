//! Jobs.

mod change;
mod indexes;
mod policies;
mod status;
mod validation;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

pub(super) use self::validation::validate_spec;
use super::base;
use crate::{
    api::object,
    registry::{
        Column, Kind, MetadataCheck, Strategy, age::human_duration, cells, column, defaults,
        strategy::Dependents, warnings,
    },
};

/// The labels of a Job's Pods, each with its former name.
const JOB_UID: [&str; 2] = ["batch.kubernetes.io/controller-uid", "controller-uid"];
const JOB_NAME: [&str; 2] = ["batch.kubernetes.io/job-name", "job-name"];

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("batch", "v1", "Job", "jobs").all().status().columns(columns()).strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    selectable_fields: &["status.successful"],
    names_kind_of_selector: true,
    set_defaults,
    reads_beyond_metadata: true,
    complete_named: name_job,
    validate_first: validation::validate_selector,
    validate_new: validation::validate_whole,
    validate_change: change::validate,
    validate_part: status::validate_part,
    warnings,
    metadata_checks: &[MetadataCheck::Whole, MetadataCheck::Change],
    dependents: Dependents::Orphaned,
    deletion_warning: Some(
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set \
         propagationPolicy=Orphan to suppress this warning",
    ),
    ..base::BASE
};

/// Returns whether a condition of a Job holds: `True`, `False` or `Unknown`.
fn condition<'a>(job: &'a Value, kind: &str) -> Option<&'a str> {
    cells::condition(job, kind)?["status"].as_str()
}

/// Sets the defaults of a Job, except for those that depend on its name.
fn set_defaults(job: &mut Value) {
    let spec = defaults::spec(job);
    let tries = if spec.contains_key("backoffLimitPerIndex") { i64::from(i32::MAX) } else { 6 };
    let replaced = if spec.contains_key("podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    defaults::fill(
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
        (false, false) => defaults::fill(spec, [("completions", json!(1)), ("parallelism", json!(1))]),
        (true, false) => defaults::fill(spec, [("parallelism", json!(1))]),
        _ => {}
    }
    if let Some(policy) = defaults::object(spec, "podFailurePolicy") {
        for rule in defaults::items(policy, "rules") {
            defaults::items(rule, "onPodConditions")
                .for_each(|pattern| defaults::fill(pattern, [("status", json!("True"))]));
        }
    }
    defaults::pod::template(spec);
    let labels = spec.get("template").and_then(|template| template.pointer("/metadata/labels")).cloned();
    if let (Some(labels), None) = (labels, object::metadata(job).get("labels")) {
        object::metadata_mut(job).insert("labels".to_owned(), labels);
    }
}

/// Returns a field of an object; an absent one becomes an object.
fn within<'a>(object: &'a mut Value, field: &str) -> Option<&'a mut Value> {
    Some(object.as_object_mut()?.entry(field).or_insert_with(|| json!({})))
}

/// Sets the selector and labels of a new Job from its UID and name, unless the selector is manual.
fn name_job(job: &mut Value) {
    if job["spec"]["manualSelector"] == true {
        return;
    }
    let (uid, name) = (object::uid(job).to_owned(), object::name(job).to_owned());
    let selector = job.pointer_mut("/spec").and_then(|spec| within(spec, "selector"));
    if let Some(labels) =
        selector.and_then(|selector| within(selector, "matchLabels")).and_then(Value::as_object_mut)
    {
        labels.entry(JOB_UID[0]).or_insert_with(|| uid.clone().into());
    }
    // A Job without labels has got the template's, which are the same map in Go.
    let own = &job["metadata"]["labels"];
    let shared =
        own.as_object().is_none_or(Map::is_empty) || *own == job["spec"]["template"]["metadata"]["labels"];
    let places = ["/spec/template/metadata", "/metadata"];
    for metadata in &places[..if shared { 2 } else { 1 }] {
        let Some(metadata) = job.pointer_mut(metadata).and_then(Value::as_object_mut) else { continue };
        let labels = metadata.entry("labels").or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            // Validation refuses other values.
            for key in JOB_UID {
                labels.entry(key).or_insert_with(|| uid.clone().into());
            }
            for key in JOB_NAME {
                labels.entry(key).or_insert_with(|| name.clone().into());
            }
        }
    }
}

fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let mut warnings = warnings::of_new_name(old, new, "Pod names and hostnames");
    warnings.extend(spec_warnings(old, new, "spec"));
    warnings
}

pub(super) fn spec_warnings(old: Option<&Value>, new: &Value, path: &str) -> Vec<String> {
    if old.is_some_and(|old| old["spec"] == new["spec"]) {
        return Vec::new();
    }
    let spec = new.pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or(&Value::Null);
    let number = |field: &str| spec[field].as_i64().unwrap_or(0);
    let mut warnings = Vec::new();
    if spec["completionMode"] == "Indexed"
        && number("completions") > 100_000
        && number("parallelism") > 10_000
    {
        warnings.push(format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
             Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        ));
    }
    warnings.extend(warnings::template(old, new, &format!("{path}.template")));
    warnings
}

fn columns() -> Vec<Column> {
    column::with_workload(vec![
        column::computed("Status", job_status),
        column::computed("Completions", job_completions),
        column::computed("Duration", job_duration),
    ])
}

/// Returns the status of a Job: its first condition that is true.
fn job_status(job: &Value, _: Timestamp) -> Value {
    let holds = |kind| cells::condition(job, kind).is_some_and(|condition| condition["status"] == "True");
    let status = if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if job["metadata"].get("deletionTimestamp").is_some() {
        "Terminating"
    } else if holds("Suspended") {
        "Suspended"
    } else if holds("FailureTarget") {
        "FailureTarget"
    } else if holds("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    };
    status.into()
}

/// `1/3`, or `0/1 of 4` for a work queue of parallel Pods.
fn job_completions(job: &Value, _: Timestamp) -> Value {
    let succeeded = cells::number(job, "/status/succeeded");
    if let Some(completions) = job["spec"]["completions"].as_i64() {
        return format!("{succeeded}/{completions}").into();
    }
    match cells::number(job, "/spec/parallelism") {
        parallel @ 2.. => format!("{succeeded}/1 of {parallel}").into(),
        _ => format!("{succeeded}/1").into(),
    }
}

/// Returns the time from the start to the completion, or to now.
fn job_duration(job: &Value, now: Timestamp) -> Value {
    let Some(start) = cells::time(job, "/status/startTime") else {
        return "".into();
    };
    let end = cells::time(job, "/status/completionTime").unwrap_or(now);
    human_duration(end.duration_since(start)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_700_000_100, 0);

    #[test]
    fn a_job_tells_its_completions_and_how_long_it_ran() {
        let job = json!({"spec": {"parallelism": 3}, "status": {"succeeded": 1, "startTime": "2023-11-14T22:13:20Z"}});
        assert_eq!(job_completions(&job, NOW), "1/1 of 3");
        assert_eq!(job_duration(&job, NOW), "100s");
        assert_eq!(job_status(&job, NOW), "Running");
        let done = json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}});
        assert_eq!(job_status(&done, NOW), "Complete");
    }
}
