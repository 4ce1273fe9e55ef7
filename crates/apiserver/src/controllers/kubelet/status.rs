//! The status that a kubelet reports at each step of a Pod's life. Times are counted from those that the server
//! wrote, so that two runs under one seed report the same.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    plan::Step,
    view::{Container, PodView},
};
use crate::api::clock::seconds;

/// Conditions that are true if and only if the containers of a Pod are ready.
const READINESS: [&str; 2] = ["Ready", "ContainersReady"];

/// The status of a Pod that has started.
pub(super) fn running(pod: &PodView, ip: &str, startup: Duration) -> Value {
    let scheduled = pod.status.conditions.iter().find(|condition| condition["type"] == "PodScheduled");
    let scheduled = scheduled.and_then(|condition| condition["lastTransitionTime"].as_str());
    let scheduled = scheduled.or(pod.metadata.creation_timestamp.as_deref()).unwrap_or_default();
    let now = later(scheduled, startup);
    let status = |container: &Container, state: Value| {
        json!({
            "name": container.name, "image": container.image, "imageID": container.image,
            "containerID": format!("trimtab://{}/{}", pod.metadata.uid, container.name),
            "ready": true, "started": true, "restartCount": 0, "state": state, "lastState": {},
        })
    };
    let runs = |container: &Container| status(container, json!({"running": {"startedAt": now}}));
    let init = pod.spec.init_containers.iter().map(|container| {
        if container.restart_policy.as_deref() == Some("Always") {
            return runs(container);
        }
        let ended = json!({"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now});
        let mut status = status(container, json!({"terminated": ended}));
        status["started"] = false.into();
        status
    });
    let ready = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"]
        .map(|kind| condition(kind, true, &now, "", ""));
    let mut all = json!({
        "phase": "Running",
        "conditions": conditions(pod, ready),
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "startTime": scheduled,
        "containerStatuses": pod.spec.containers.iter().map(runs).collect::<Vec<_>>(),
    });
    if !pod.spec.init_containers.is_empty() {
        all["initContainerStatuses"] = init.collect();
    }
    all
}

/// The changes of the status of a Pod that has started.
pub(super) fn after(pod: &PodView, step: Step) -> Value {
    match step {
        Step::Exit { code, ran, back_off: None } => {
            let (phase, reason) =
                if code == 0 { ("Succeeded", "PodCompleted") } else { ("Failed", "PodFailed") };
            let (statuses, now) = ended(pod, code, ran);
            let gone = ["PodReadyToStartContainers", "Ready", "ContainersReady"]
                .map(|kind| condition(kind, false, &now, reason, ""));
            json!({"phase": phase, "containerStatuses": statuses, "conditions": conditions(pod, gone)})
        }
        Step::Exit { code, ran, back_off: Some(back_off) } => {
            let (mut statuses, now) = ended(pod, code, ran);
            if !back_off.is_zero() {
                statuses.iter_mut().for_each(|status| wait(pod, status, back_off));
            }
            let names: Vec<_> = statuses.iter().filter_map(|status| status["name"].as_str()).collect();
            let message = format!("containers with unready status: [{}]", names.join(" "));
            let unready = READINESS.map(|kind| condition(kind, false, &now, "ContainersNotReady", &message));
            json!({"containerStatuses": statuses, "conditions": conditions(pod, unready)})
        }
        Step::Restart { back_off } => {
            let mut now = String::new();
            let statuses = pod.status.container_statuses.iter().map(|status| {
                let (status, started) = restarted(pod, status, back_off);
                now = started;
                status
            });
            let statuses: Vec<Value> = statuses.collect();
            let ready = READINESS.map(|kind| condition(kind, true, &now, "", ""));
            json!({"containerStatuses": statuses, "conditions": conditions(pod, ready)})
        }
        Step::NoImage { waited, gave_up } => without_image(pod, waited, gave_up),
        Step::Evict { ran } => {
            let (statuses, now) = ended(pod, 137, ran);
            let message = "The node was low on resource: memory. ";
            let mut gone: Vec<_> =
                READINESS.iter().map(|kind| condition(kind, false, &now, "PodFailed", "")).collect();
            gone.push(condition("DisruptionTarget", true, &now, "TerminationByKubelet", message));
            json!({
                "phase": "Failed", "reason": "Evicted", "message": message,
                "containerStatuses": statuses, "conditions": conditions(pod, gone),
            })
        }
    }
}

/// The status of a Pod whose images cannot be pulled.
fn without_image(pod: &PodView, waited: Duration, gave_up: bool) -> Value {
    let now = later(pod.metadata.creation_timestamp.as_deref().unwrap_or_default(), waited);
    let statuses = pod.spec.containers.iter().map(|container| {
        let image = &container.image;
        let (reason, message) = match gave_up {
            false => ("ErrImagePull", format!("failed to pull and unpack image {image:?}: {image}: not found")),
            true => ("ImagePullBackOff", format!("Back-off pulling image {image:?}")),
        };
        json!({
            "name": container.name, "image": image, "imageID": "", "ready": false, "started": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": message}}, "lastState": {},
        })
    });
    let names: Vec<&str> = pod.spec.containers.iter().map(|container| &*container.name).collect();
    let message = format!("containers with unready status: [{}]", names.join(" "));
    let unready = READINESS.map(|kind| condition(kind, false, &now, "ContainersNotReady", &message));
    let begun = ["PodReadyToStartContainers", "Initialized"].map(|kind| condition(kind, true, &now, "", ""));
    json!({
        "phase": "Pending", "hostIP": "127.0.0.1", "hostIPs": [{"ip": "127.0.0.1"}], "startTime": now,
        "containerStatuses": statuses.collect::<Vec<_>>(),
        "conditions": conditions(pod, begun.into_iter().chain(unready)),
    })
}

/// The containers' statuses now that they have ended with this code, and when that was.
fn ended(pod: &PodView, code: i32, ran: Duration) -> (Vec<Value>, String) {
    let mut now = String::new();
    let statuses = pod.status.container_statuses.iter().map(|status| {
        let started = status["state"]["running"]["startedAt"].as_str().unwrap_or_default();
        now = later(started, ran);
        let mut status = status.clone();
        status["state"] = json!({"terminated": {
            "exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" },
            "startedAt": started, "finishedAt": now, "containerID": status["containerID"],
        }});
        status["ready"] = false.into();
        status["started"] = false.into();
        status
    });
    (statuses.collect(), now)
}

/// Makes a container that has ended one that waits.
fn wait(pod: &PodView, status: &mut Value, back_off: Duration) {
    let (minutes, rest) = (back_off.as_secs() / 60, back_off.as_secs() % 60);
    let time = if minutes > 0 { format!("{minutes}m{rest}s") } else { format!("{rest}s") };
    let container = status["name"].as_str().unwrap_or_default();
    let (name, namespace, uid) = (&pod.metadata.name, &pod.metadata.namespace, &pod.metadata.uid);
    let message =
        format!("back-off {time} restarting failed container={container} pod={name}_{namespace}({uid})");
    status["lastState"] = status["state"].take();
    // A merge patch keeps no member that it does not name, as the list of statuses is replaced whole.
    status["state"] = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
}

/// A container's status now that it has started again, and when that was.
fn restarted(pod: &PodView, status: &Value, back_off: Duration) -> (Value, String) {
    let mut status = status.clone();
    if status["state"]["terminated"].is_object() {
        status["lastState"] = status["state"].take();
    }
    let ended = status["lastState"]["terminated"]["finishedAt"].as_str().unwrap_or_default();
    let now = later(ended, back_off);
    let restarts = status["restartCount"].as_u64().unwrap_or_default() + 1;
    let name = status["name"].as_str().unwrap_or_default();
    status["containerID"] = format!("trimtab://{}/{name}/{restarts}", pod.metadata.uid).into();
    status["restartCount"] = restarts.into();
    status["state"] = json!({"running": {"startedAt": now}});
    status["ready"] = true.into();
    status["started"] = true.into();
    (status, now)
}

/// The Pod's conditions, with these in the place of those of the same types.
fn conditions(pod: &PodView, new: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let before = pod.status.conditions.iter().cloned();
    let by_kind = before.chain(new).filter_map(|condition| {
        let kind = condition["type"].as_str()?.to_owned();
        Some((kind, condition))
    });
    by_kind.collect::<BTreeMap<_, _>>().into_values().collect()
}

fn condition(kind: &str, holds: bool, since: &str, reason: &str, message: &str) -> Value {
    let status = if holds { "True" } else { "False" };
    let mut condition =
        json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": since});
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            condition[field] = text.into();
        }
    }
    condition
}

/// So long after a time that the server wrote.
fn later(time: &str, by: Duration) -> String {
    time.parse::<Timestamp>().map_or(time.to_owned(), |time| seconds(time + by))
}
