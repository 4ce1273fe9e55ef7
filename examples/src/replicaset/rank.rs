//! Which Pods go first when there are too many: upstream's `ActivePodsWithRanks`, as one sort key.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::PodView;

/// The `excess` Pods to delete, in the order of preference of upstream's `ActivePodsWithRanks`: not bound before
/// bound, Pending before Unknown before Running, not ready before ready, lower deletion cost, more
/// Pods of the set on the same node, ready for a shorter time, more restarts, younger.
pub(super) fn to_delete(mut pods: Vec<Arc<PodView>>, excess: usize, now: Timestamp) -> Vec<Arc<PodView>> {
    if excess < pods.len() {
        let mut neighbours: HashMap<String, usize> = HashMap::new();
        for pod in &pods {
            *neighbours.entry(pod.spec.node_name.clone()).or_default() += 1;
        }
        pods.sort_by_cached_key(|pod| preference(pod, neighbours[&pod.spec.node_name], now));
        pods.truncate(excess);
    }
    pods
}

/// Compares lower for a Pod that should go earlier.
///
/// Times count by powers of two, and within such a bucket the UID decides, so that a scale-down does
/// not take one generation of Pods whole. Neighbours are Pods of this set; upstream also counts those of
/// other sets of the same owner. Upstream compares restarts of equally old Pods only, which
/// is not transitive; here they count within a bucket, which is.
fn preference(pod: &PodView, neighbours: usize, now: Timestamp) -> impl Ord + use<> {
    let phase = match pod.status.phase.as_str() {
        "Pending" => 0,
        "Unknown" => 1,
        _ => 2,
    };
    let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (
        (!pod.spec.node_name.is_empty(), phase, pod.is_ready(), pod.deletion_cost()),
        (Reverse(neighbours), bucket(pod.ready_since(), now), Reverse(pod.restarts())),
        (bucket(created, now), pod.metadata.uid.clone()),
    )
}

/// How long ago `since` was, as a power of two of seconds; 0 if never.
fn bucket(since: Option<Timestamp>, now: Timestamp) -> u32 {
    let seconds = since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
    u64::BITS - seconds.unsigned_abs().leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, rest: &serde_json::Value) -> Arc<PodView> {
        let mut pod = serde_json::json!({
            "metadata": {"name": name, "uid": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"nodeName": "a"},
            "status": {"phase": "Running", "conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
        });
        json_patch::merge(&mut pod, rest);
        Arc::new(serde_json::from_value(pod).expect("a Pod"))
    }

    /// EX-T7.
    #[test]
    fn pods_go_in_upstreams_order_of_preference() {
        let now = "2026-01-02T00:00:00Z".parse().expect("a time");
        let cost = |cost: &str| {
            let note = "controller.kubernetes.io/pod-deletion-cost";
            serde_json::json!({"metadata": {"annotations": {note: cost}}, "spec": {"nodeName": "b"}})
        };
        let ready = |since: &str| {
            serde_json::json!({"spec": {"nodeName": "b"}, "status": {"conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": since}]}})
        };
        let first_to_last = [
            pod("unbound", &serde_json::json!({"spec": {"nodeName": null}, "status": {"phase": "Pending"}})),
            pod("pending", &serde_json::json!({"status": {"phase": "Pending"}})),
            pod("unknown", &serde_json::json!({"status": {"phase": "Unknown"}})),
            pod("unready", &serde_json::json!({"status": {"conditions": null}})),
            pod("cheap", &cost("-5")),
            pod("crowded", &serde_json::json!({"spec": {"nodeName": "a"}})),
            pod("ready-of-late", &ready("2026-01-01T23:59:50Z")),
            pod(
                "restarted",
                &serde_json::json!({
                "spec": {"nodeName": "b"}, "status": {"containerStatuses": [{"restartCount": 3}]}}),
            ),
            pod(
                "younger",
                &serde_json::json!({
                "metadata": {"creationTimestamp": "2026-01-01T20:00:00Z"}, "spec": {"nodeName": "b"}}),
            ),
            pod("steady", &serde_json::json!({"spec": {"nodeName": "b"}})),
            pod("dear", &cost("5")),
        ];
        let mut filler: Vec<_> = (0..9).map(|n| pod(&format!("z{n}"), &cost("9"))).collect();
        filler.iter_mut().for_each(|pod| Arc::make_mut(pod).spec.node_name = "a".into());
        let all: Vec<_> = first_to_last.iter().rev().cloned().chain(filler).collect();
        let gone = to_delete(all, first_to_last.len(), now);
        let names =
            |pods: &[Arc<PodView>]| pods.iter().map(|pod| pod.metadata.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&gone), names(&first_to_last));
    }
}
