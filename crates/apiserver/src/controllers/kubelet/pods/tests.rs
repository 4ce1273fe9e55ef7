//! The needs of Pods, step by step.

use serde_json::{Value, json};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn pods() -> Pods {
    let settings = Settings { startup: 2 * SECOND, termination: 5 * SECOND, rules: Rules::default() };
    Pods::new(vec!["node-1".to_owned(), "node-2".to_owned()], settings)
}

fn pod(uid: &str, rest: &Value) -> PodView {
    let mut pod = json!({"metadata": {"namespace": "default", "name": uid, "uid": uid}});
    for (field, value) in rest.as_object().expect("fields") {
        match value.as_object().filter(|_| field == "metadata") {
            Some(metadata) => metadata.iter().for_each(|(name, value)| pod["metadata"][name] = value.clone()),
            None => pod[field] = value.clone(),
        }
    }
    serde_json::from_value(pod).expect("a Pod")
}

fn bound(uid: &str) -> PodView {
    pod(uid, &json!({"spec": {"nodeName": "node-1"}, "status": {"phase": "Pending"}}))
}

fn deleted(uid: &str, grace: i64) -> PodView {
    let metadata = json!({"deletionTimestamp": "2026-01-02T03:04:05Z", "deletionGracePeriodSeconds": grace});
    pod(uid, &json!({"metadata": metadata, "spec": {"nodeName": "node-1"}, "status": {"phase": "Running"}}))
}

fn action(pods: &mut Pods, now: Instant) -> Option<Action> {
    pods.due(now).map(|(_, action)| action)
}

#[test]
fn new_pods_go_to_the_nodes_in_turn_and_start_a_while_later() {
    let (mut pods, now) = (pods(), Instant::now());
    for uid in ["a", "b", "c"] {
        pods.changed(pod(uid, &json!({})), now);
    }
    let nodes: Vec<_> = std::iter::from_fn(|| action(&mut pods, now)).collect();
    let bind = |node: &str| Action::Bind { node: node.to_owned() };
    assert_eq!(nodes, [bind("node-1"), bind("node-2"), bind("node-1")]);

    pods.changed(bound("a"), now);
    assert_eq!(pods.next_due(), None, "its binding is still under way (I2)");
    pods.done("a", None, now);
    assert_eq!(pods.next_due(), Some(now + 2 * SECOND));
    assert_eq!(action(&mut pods, now + SECOND), None);
    let start = Action::Start { ip: "10.0.0.1".to_owned(), after: 2 * SECOND };
    assert_eq!(action(&mut pods, now + 2 * SECOND), Some(start));
}

#[test]
fn a_pod_that_is_deleted_while_it_starts_is_removed_and_never_started() {
    let (mut pods, now) = (pods(), Instant::now());
    pods.changed(bound("a"), now);
    pods.changed(deleted("a", 30), now + SECOND);
    assert_eq!(action(&mut pods, now + 2 * SECOND), None);
    assert_eq!(action(&mut pods, now + 6 * SECOND), Some(Action::Remove));
    pods.done("a", None, now);
    pods.gone("a");
    assert_eq!(pods.next_due(), None);
}

#[test]
fn a_pod_does_not_outlive_its_grace_period_and_is_removed_once() {
    let (mut pods, now) = (pods(), Instant::now());
    pods.changed(deleted("a", 1), now);
    assert_eq!(pods.next_due(), Some(now + SECOND));
    pods.changed(deleted("b", 0), now);
    assert_eq!(action(&mut pods, now + SECOND), Some(Action::Remove));
    assert_eq!(action(&mut pods, now + 60 * SECOND), None, "finalizers hold what has no grace period left");
}

#[test]
fn what_others_look_after_is_left_alone() {
    let (mut pods, now) = (pods(), Instant::now());
    pods.changed(pod("gated", &json!({"spec": {"schedulingGates": [{"name": "wait"}]}})), now);
    pods.changed(pod("elsewhere", &json!({"spec": {"nodeName": "other"}})), now);
    pods.changed(
        pod("ended", &json!({"spec": {"nodeName": "node-1"}, "status": {"phase": "Succeeded"}})),
        now,
    );
    assert_eq!(pods.next_due(), None);
}

#[test]
fn a_failed_action_is_repeated_and_a_done_one_is_not() {
    let (mut pods, now) = (pods(), Instant::now());
    pods.changed(pod("a", &json!({})), now);
    assert!(action(&mut pods, now).is_some());
    pods.done("a", Some(now + SECOND), now);
    assert_eq!(action(&mut pods, now), None);
    assert!(action(&mut pods, now + SECOND).is_some());
    pods.done("a", None, now);
    assert_eq!(pods.next_due(), None, "the binding's own event is still to come");
}

#[test]
fn a_list_drops_what_is_not_in_it() {
    let (mut pods, now) = (pods(), Instant::now());
    pods.changed(bound("a"), now);
    pods.replace(vec![bound("b")], now);
    assert_eq!(pods.schedule.len(), 1);
    let (found, _) = pods.due(now + 2 * SECOND).expect("b starts");
    assert_eq!(found.metadata.uid, "b");
}
