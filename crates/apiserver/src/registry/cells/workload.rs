//! The cells of kinds that keep Pods: ReplicaSets, Deployments, StatefulSets, DaemonSets, Jobs.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{NONE, array, condition, joined, label_selector, labels, number, text, text_or, time};
use crate::registry::age::{ago, human_duration};

/// `2/3`: ready and desired.
pub(crate) fn replicas_ready(object: &Value, _: Timestamp) -> Value {
    format!("{}/{}", number(object, "/status/readyReplicas"), number(object, "/spec/replicas")).into()
}

pub(crate) fn updated_replicas(object: &Value, _: Timestamp) -> Value {
    number(object, "/status/updatedReplicas").into()
}

pub(crate) fn available_replicas(object: &Value, _: Timestamp) -> Value {
    number(object, "/status/availableReplicas").into()
}

pub(crate) fn node_selector(object: &Value, _: Timestamp) -> Value {
    labels(object, "/spec/template/spec/nodeSelector").into()
}

pub(crate) fn containers(object: &Value, _: Timestamp) -> Value {
    of_containers(object, "/name")
}

pub(crate) fn images(object: &Value, _: Timestamp) -> Value {
    of_containers(object, "/image")
}

fn of_containers(object: &Value, field: &str) -> Value {
    let containers = array(object, "/spec/template/spec/containers");
    containers.iter().map(|container| text(container, field)).collect::<Vec<_>>().join(",").into()
}

/// A `LabelSelector` in the grammar of `kubectl -l`; a ReplicationController's map likewise.
pub(crate) fn selector(object: &Value, _: Timestamp) -> Value {
    let selector = &object["spec"]["selector"];
    if selector.get("matchLabels").is_none() && selector.get("matchExpressions").is_none() {
        return labels(selector, "").into();
    }
    label_selector(selector).into()
}

/// When a `CronJob` counts its hours.
pub(crate) fn time_zone(cron: &Value, _: Timestamp) -> Value {
    text_or(cron, "/spec/timeZone", NONE)
}

pub(crate) fn active_jobs(cron: &Value, _: Timestamp) -> Value {
    array(cron, "/status/active").len().into()
}

pub(crate) fn last_schedule(cron: &Value, now: Timestamp) -> Value {
    time(cron, "/status/lastScheduleTime").map_or(NONE.into(), |last| ago(last, now).into())
}

pub(crate) fn job_containers(cron: &Value, now: Timestamp) -> Value {
    containers(&cron["spec"]["jobTemplate"], now)
}

pub(crate) fn job_images(cron: &Value, now: Timestamp) -> Value {
    images(&cron["spec"]["jobTemplate"], now)
}

pub(crate) fn job_selector(cron: &Value, now: Timestamp) -> Value {
    selector(&cron["spec"]["jobTemplate"], now)
}

pub(crate) fn template_containers(template: &Value, _: Timestamp) -> Value {
    joined(array(template, "/template/spec/containers").iter().map(|one| text(one, "/name")), ",").into()
}

pub(crate) fn template_images(template: &Value, _: Timestamp) -> Value {
    joined(array(template, "/template/spec/containers").iter().map(|one| text(one, "/image")), ",").into()
}

pub(crate) fn template_labels(template: &Value, _: Timestamp) -> Value {
    labels(template, "/template/metadata/labels").into()
}

/// How a Job stands, by the first of its conditions that holds.
pub(crate) fn job_status(job: &Value, _: Timestamp) -> Value {
    let holds = |kind| condition(job, kind).is_some_and(|condition| condition["status"] == "True");
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
pub(crate) fn job_completions(job: &Value, _: Timestamp) -> Value {
    let succeeded = number(job, "/status/succeeded");
    if let Some(completions) = job["spec"]["completions"].as_i64() {
        return format!("{succeeded}/{completions}").into();
    }
    match number(job, "/spec/parallelism") {
        parallel @ 2.. => format!("{succeeded}/1 of {parallel}").into(),
        _ => format!("{succeeded}/1").into(),
    }
}

/// From the start to completion, or to now.
pub(crate) fn job_duration(job: &Value, now: Timestamp) -> Value {
    let Some(start) = time(job, "/status/startTime") else {
        return "".into();
    };
    let end = time(job, "/status/completionTime").unwrap_or(now);
    human_duration(end.duration_since(start)).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_700_000_100, 0);

    #[test]
    fn selectors_are_written_as_kubectl_takes_them() {
        let object = |selector: Value| selector_of(&json!({"spec": {"selector": selector}}));
        fn selector_of(object: &Value) -> Value {
            selector(object, NOW)
        }
        assert_eq!(object(json!({"matchLabels": {"tier": "x", "app": "web"}})), "app=web,tier=x");
        let expressions = json!({"matchLabels": {"z": "1"}, "matchExpressions": [
            {"key": "b", "operator": "In", "values": ["2", "1"]},
            {"key": "a", "operator": "DoesNotExist"},
            {"key": "c", "operator": "Exists"},
        ]});
        assert_eq!(object(expressions), "!a,b in (1,2),c,z=1");
        assert_eq!(object(json!({"app": "old"})), "app=old");
        assert_eq!(object(json!({})), NONE);
    }

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
