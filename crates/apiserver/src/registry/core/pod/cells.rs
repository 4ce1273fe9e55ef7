//! A Pod's cells.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::registry::{
    age::ago,
    cells::{NONE, array, condition, number, text, text_or},
};

/// `1/2`: ready containers, and all that keep running.
pub(super) fn pod_ready(pod: &Value, _: Timestamp) -> Value {
    let summary = Summary::of(pod);
    format!("{}/{}", summary.ready, summary.total).into()
}

/// The state of a Pod, or the reason that it does not run: `Running`, `Terminating`, `Init:1/2`, `CrashLoopBackOff`.
pub(super) fn pod_status(pod: &Value, _: Timestamp) -> Value {
    Summary::of(pod).reason.into()
}

/// `0`, or `3 (2m ago)`.
pub(super) fn pod_restarts(pod: &Value, now: Timestamp) -> Value {
    let Summary { restarts, last_restart, .. } = Summary::of(pod);
    match last_restart {
        Some(last) if restarts > 0 => format!("{restarts} ({} ago)", ago(last, now)).into(),
        _ => restarts.to_string().into(),
    }
}

pub(super) fn pod_ip(pod: &Value, _: Timestamp) -> Value {
    text_or(pod, "/status/podIPs/0/ip", NONE)
}

pub(super) fn pod_node(pod: &Value, _: Timestamp) -> Value {
    text_or(pod, "/spec/nodeName", NONE)
}

pub(super) fn pod_nominated_node(pod: &Value, _: Timestamp) -> Value {
    text_or(pod, "/status/nominatedNodeName", NONE)
}

/// `1/2`: gates whose condition holds, and all of them.
pub(super) fn pod_readiness_gates(pod: &Value, _: Timestamp) -> Value {
    let gates = array(pod, "/spec/readinessGates");
    let open = gates.iter().filter(|gate| holds(pod, text(gate, "/conditionType"))).count();
    if gates.is_empty() { NONE.into() } else { format!("{open}/{}", gates.len()).into() }
}

/// Returns the reason and message of a completed Pod, whose row upstream marks.
pub(super) fn pod_completed(pod: &Value) -> Option<(&str, &str)> {
    match text(pod, "/status/phase") {
        phase @ "Succeeded" => Some((phase, "The pod has completed successfully.")),
        phase @ "Failed" => Some((phase, "The pod failed.")),
        _ => None,
    }
}

/// The values of the first columns, computed in one pass over the containers, as upstream does.
struct Summary {
    ready: usize,
    total: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
    reason: String,
}

impl Summary {
    fn of(pod: &Value) -> Self {
        let mut summary = Self {
            ready: 0,
            total: array(pod, "/spec/containers").len(),
            restarts: 0,
            last_restart: None,
            reason: text(pod, "/status/phase").to_owned(),
        };
        if !text(pod, "/status/reason").is_empty() {
            summary.reason = text(pod, "/status/reason").to_owned();
        }
        if condition(pod, "PodScheduled").is_some_and(|gated| gated["reason"] == "SchedulingGated") {
            summary.reason = "SchedulingGated".to_owned();
        }
        let sidecars = array(pod, "/spec/initContainers").iter().filter(|container| is_sidecar(container));
        summary.total += sidecars.count();
        let initializing = summary.count_init_containers(pod);
        if !initializing || holds(pod, "Initialized") {
            summary.count_containers(pod);
        }
        if pod["metadata"].get("deletionTimestamp").is_some_and(|time| !time.is_null()) {
            if text(pod, "/status/reason") == "NodeLost" {
                summary.reason = "Unknown".to_owned();
            } else if pod_completed(pod).is_none() {
                summary.reason = "Terminating".to_owned();
            }
        }
        summary
    }

    /// Goes through the init containers; `true` if one of them has not finished yet.
    fn count_init_containers(&mut self, pod: &Value) -> bool {
        let specs = array(pod, "/spec/initContainers");
        for (index, status) in array(pod, "/status/initContainerStatuses").iter().enumerate() {
            let spec = specs.iter().find(|spec| spec["name"] == status["name"]);
            let sidecar = spec.is_some_and(is_sidecar);
            self.count_restarts(status);
            let terminated = status["state"].get("terminated").filter(|state| !state.is_null());
            if terminated.is_some_and(|state| number(state, "/exitCode") == 0) {
                continue;
            }
            if sidecar && status["started"] == true {
                self.ready += usize::from(status["ready"] == true);
                continue;
            }
            let waiting = text(status, "/state/waiting/reason");
            self.reason = match terminated {
                Some(state) => format!("Init:{}", end(state)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{index}/{}", specs.len()),
            };
            return true;
        }
        false
    }

    fn count_containers(&mut self, pod: &Value) {
        // From here on only restarts of what still runs are told.
        (self.restarts, self.last_restart) = (0, None);
        let specs = array(pod, "/spec/initContainers");
        for status in array(pod, "/status/initContainerStatuses") {
            if specs.iter().any(|spec| spec["name"] == status["name"] && is_sidecar(spec)) {
                self.count_restarts(status);
            }
        }
        let mut running = false;
        for status in array(pod, "/status/containerStatuses").iter().rev() {
            self.count_restarts(status);
            let waiting = text(status, "/state/waiting/reason");
            let state = |name| status["state"].get(name).filter(|state| !state.is_null());
            if !waiting.is_empty() {
                self.reason = waiting.to_owned();
            } else if let Some(state) = state("terminated") {
                self.reason = end(state);
            } else if status["ready"] == true && state("running").is_some() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && running {
            self.reason = if holds(pod, "Ready") { "Running" } else { "NotReady" }.to_owned();
        }
    }

    fn count_restarts(&mut self, status: &Value) {
        self.restarts += number(status, "/restartCount");
        let ended = text(status, "/lastState/terminated/finishedAt").parse().ok();
        self.last_restart = self.last_restart.max(ended);
    }
}

/// Why a container ended.
fn end(terminated: &Value) -> String {
    match (text(terminated, "/reason"), number(terminated, "/signal")) {
        ("", 0) => format!("ExitCode:{}", number(terminated, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// Whether an init container keeps running beside the others.
fn is_sidecar(container: &Value) -> bool {
    container["restartPolicy"] == "Always"
}

fn holds(pod: &Value, kind: &str) -> bool {
    condition(pod, kind).is_some_and(|condition| condition["status"] == "True")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_700_000_100, 0);

    /// `READY`, `STATUS` and `RESTARTS` of a Pod with two containers.
    fn row(mut pod: Value) -> [String; 3] {
        pod["spec"]["containers"] = json!([{"name": "a"}, {"name": "b"}]);
        [pod_ready(&pod, NOW), pod_status(&pod, NOW), pod_restarts(&pod, NOW)]
            .map(|cell| cell.as_str().expect("a text").to_owned())
    }

    /// Upstream's `TestPrintPod`, the cases that differ in kind.
    #[test]
    fn the_status_is_the_phase_until_a_container_has_a_reason() {
        assert_eq!(row(json!({"status": {"phase": "Pending"}})), ["0/2", "Pending", "0"]);
        let status = json!({"phase": "Running", "containerStatuses": [
            {"ready": true, "restartCount": 3, "state": {"running": {}},
             "lastState": {"terminated": {"finishedAt": "2023-11-14T22:13:10Z"}}},
            {"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        ]});
        assert_eq!(row(json!({"status": status})), ["1/2", "CrashLoopBackOff", "6 (110s ago)"]);
        let ended = json!({"phase": "Running", "containerStatuses": [
            {"restartCount": 0, "state": {"terminated": {"exitCode": 1}}},
            {"restartCount": 0, "state": {"terminated": {"signal": 9}}},
        ]});
        assert_eq!(row(json!({"status": ended})), ["0/2", "ExitCode:1", "0"]);
        let half = json!({"phase": "Running", "containerStatuses": [
            {"ready": true, "state": {"running": {}}},
            {"state": {"terminated": {"reason": "Completed"}}},
        ]});
        assert_eq!(row(json!({"status": half})), ["1/2", "NotReady", "0"]);
        assert_eq!(row(json!({"status": {"phase": "Failed", "reason": "Evicted"}})), ["0/2", "Evicted", "0"]);
    }

    #[test]
    fn a_pod_that_is_deleted_is_terminating_unless_it_has_ended() {
        let deleted = |phase| {
            let metadata = json!({"deletionTimestamp": "2023-11-14T22:13:20Z"});
            row(json!({"metadata": metadata, "status": {"phase": phase}}))[1].clone()
        };
        assert_eq!(deleted("Running"), "Terminating");
        assert_eq!(deleted("Succeeded"), "Succeeded");
    }

    #[test]
    fn init_containers_are_counted_until_all_have_ended() {
        let pod = json!({
            "spec": {"initContainers": [{"name": "x"}, {"name": "side", "restartPolicy": "Always"}, {"name": "y"}]},
            "status": {"phase": "Pending", "initContainerStatuses": [
                {"name": "x", "restartCount": 2, "state": {"terminated": {"exitCode": 0}}},
                {"name": "side", "ready": true, "started": true, "restartCount": 1, "state": {"running": {}}},
                {"name": "y", "restartCount": 0, "state": {"waiting": {"reason": "PodInitializing"}}},
            ]},
        });
        assert_eq!(row(pod), ["1/3", "Init:2/3", "3"]);
    }
}
