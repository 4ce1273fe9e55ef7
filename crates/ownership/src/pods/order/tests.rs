//! The deletion order and the filters, over whole Pods and over views.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::pods::{DELETION_COST, PodView};

const OLD: &str = "2026-01-01T00:00:00Z";

fn now() -> Timestamp {
    "2026-01-02T00:00:00Z".parse().expect("a time")
}

fn ready(since: &str) -> Value {
    json!([{"type": "Ready", "status": "True", "lastTransitionTime": since}])
}

/// Returns a running Pod on node `b` that has been ready for a day, after `change`.
fn pod<T: DeserializeOwned>(name: &str, change: impl FnOnce(&mut Value)) -> Arc<T> {
    let mut pod = json!({
        "metadata": {"name": name, "uid": name, "creationTimestamp": OLD},
        "spec": {"nodeName": "b", "containers": []},
        "status": {"phase": "Running", "conditions": ready(OLD)},
    });
    change(&mut pod);
    Arc::new(serde_json::from_value(pod).expect("a Pod"))
}

fn cost<T: DeserializeOwned>(name: &str, node: &str, cost: &str) -> Arc<T> {
    pod(name, |pod| {
        pod["metadata"]["annotations"] = json!({DELETION_COST: cost});
        pod["spec"]["nodeName"] = node.into();
    })
}

fn check_order<T: PodState + DeserializeOwned>() {
    let restarts =
        |count: u32| json!([{"name": "c", "image": "", "imageID": "", "ready": true, "restartCount": count}]);
    let first_to_last: Vec<Arc<T>> = vec![
        pod("unbound", |pod| {
            pod["spec"]["nodeName"] = Value::Null;
            pod["spec"].as_object_mut().expect("a spec").remove("nodeName");
            pod["status"]["phase"] = "Pending".into();
        }),
        pod("pending", |pod| pod["status"]["phase"] = "Pending".into()),
        pod("unknown", |pod| pod["status"]["phase"] = "Unknown".into()),
        pod("unready", |pod| pod["status"]["conditions"] = json!([])),
        cost("cheap", "b", "-5"),
        pod("crowded", |pod| pod["spec"]["nodeName"] = "a".into()),
        pod("ready-of-late", |pod| pod["status"]["conditions"] = ready("2026-01-01T23:59:50Z")),
        pod("restarted", |pod| pod["status"]["containerStatuses"] = restarts(3)),
        pod("younger", |pod| pod["metadata"]["creationTimestamp"] = "2026-01-01T20:00:00Z".into()),
        pod("steady", |_| {}),
        cost("dear", "b", "5"),
    ];
    let filler = (0..20).map(|number| cost(&format!("z{number}"), "a", "9"));
    let all = first_to_last.iter().rev().cloned().chain(filler).collect();
    let gone = pods_to_delete(all, first_to_last.len(), now());
    let names = |pods: &[Arc<T>]| pods.iter().map(|pod| pod.metadata().name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&gone), names(&first_to_last));
}

/// EX-T7.
#[test]
fn pods_and_views_go_in_upstreams_order_of_preference() {
    check_order::<Pod>();
    check_order::<PodView>();
}

/// CL-T21: where all of them go, nothing is sorted.
#[test]
fn a_pod_of_higher_rank_goes_earlier_and_all_go_unsorted() {
    let on =
        |name: &str, node: &str| -> Arc<PodView> { pod(name, |pod| pod["spec"]["nodeName"] = node.into()) };
    let pods = vec![on("d", "1"), on("c", "2"), on("b", "3"), on("a", "2")];
    // Those of a sibling set. A Pod that is being deleted is no neighbour.
    let going = |name: &str| -> Arc<PodView> {
        pod(name, |pod| {
            pod["spec"]["nodeName"] = "1".into();
            pod["metadata"]["deletionTimestamp"] = OLD.into();
        })
    };
    let related = [on("e", "3"), on("f", "3"), going("x"), going("y")];
    let order = DeletionOrder::at(now()).related(&pods).related(&related);
    let names =
        |pods: Vec<Arc<PodView>>| pods.iter().map(|pod| pod.metadata.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(order.first(3, pods.clone())), ["b", "a", "c"]);
    assert_eq!(names(order.first(4, pods.clone())), ["d", "c", "b", "a"]);
    assert_eq!(names(DeletionOrder::at(now()).first(1, pods)), ["a"], "without neighbours the UID decides");
}

/// Upstream's gate `PodDeletionCost`.
#[test]
fn the_deletion_cost_counts_unless_it_is_switched_off() {
    let pods: Vec<Arc<PodView>> = vec![cost("a", "1", "5"), cost("b", "2", "-5")];
    for (by_cost, expected) in [(true, "b"), (false, "a")] {
        let first = DeletionOrder::at(now()).deletion_cost(by_cost).first(1, pods.clone());
        assert_eq!(first[0].metadata.name, expected);
    }
}

/// EX-T6.
#[test]
fn finished_and_terminating_pods_are_not_active() {
    let phase = |phase: &'static str| {
        let of = |deleted: bool| {
            let pod: Arc<PodView> = pod("a", |pod| {
                pod["status"]["phase"] = phase.into();
                if deleted {
                    pod["metadata"]["deletionTimestamp"] = OLD.into();
                }
            });
            (pod.is_active(), pod.is_terminating())
        };
        [of(false), of(true)]
    };
    for unfinished in ["Pending", "Running", "Unknown"] {
        assert_eq!(phase(unfinished), [(true, false), (false, true)]);
    }
    for finished in ["Succeeded", "Failed"] {
        assert_eq!(phase(finished), [(false, false); 2]);
    }
}

/// CL-T17.
#[test]
fn a_pod_is_available_once_it_has_been_ready_for_long_enough() {
    let pod: Arc<PodView> = pod("a", |pod| pod["status"]["conditions"] = ready("2026-01-01T23:59:50Z"));
    assert!(pod.is_available(Duration::from_secs(10), now()));
    assert!(!pod.is_available(Duration::from_secs(11), now()));
    assert_eq!(pod.available_in(Duration::from_secs(15), now()), Some(Duration::from_secs(5)));
    let unready: Arc<PodView> = self::pod("b", |pod| pod["status"]["conditions"] = json!([]));
    assert_eq!(
        (unready.is_available(Duration::ZERO, now()), unready.available_in(Duration::MAX, now())),
        (false, None)
    );
}
