//! Tests of the record, change by change.

use std::time::Duration;

use serde_json::json;
use trimtab_controller::cache::Labels;

use super::*;

fn set(replicas: usize) -> ReplicaSet {
    serde_json::from_value(json!({
        "metadata": {"namespace": "shop", "name": "web", "uid": "set", "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
                   "fullyLabeledReplicas": replicas, "observedGeneration": 1},
    }))
    .expect("a ReplicaSet")
}

fn pod(name: &str, owner: Option<&str>) -> PodView {
    let owners: Vec<_> = owner
        .map(|set| json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set, "uid": "set", "controller": true}))
        .into_iter()
        .collect();
    serde_json::from_value(json!({
        "metadata": {"namespace": "shop", "name": name, "uid": name, "labels": {"app": "web"}, "ownerReferences": owners},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }))
    .expect("a Pod")
}

fn owned(name: &str) -> PodView {
    pod(name, Some("web"))
}

fn books() -> Audit {
    Audit::new(BTreeSet::from([ObjectKey::namespaced("shop", "web")]))
}

fn row(audit: &Audit) -> Row {
    audit.rows().into_values().next().expect("a set")
}

#[tokio::test(start_paused = true)]
async fn a_pod_beyond_the_replicas_of_the_last_ten_seconds_is_a_duplicate() {
    let audit = books();
    audit.set(None, Some(&set(2)), 1);
    for name in ["a", "b"] {
        audit.pod(None, Some(&owned(name)), 2);
    }
    audit.set(Some(&set(2)), Some(&set(1)), 3);
    tokio::time::advance(Duration::from_secs(9)).await;
    audit.pod(Some(&owned("b")), Some(&owned("b")), 4);
    assert_eq!(row(&audit).duplicates, 0, "the set was larger a moment ago");
    tokio::time::advance(Duration::from_secs(2)).await;
    audit.set(Some(&set(1)), Some(&set(1)), 5);
    assert_eq!(row(&audit).duplicates, 1, "a change of the set is judged as well");
}

#[tokio::test(start_paused = true)]
async fn creations_adoptions_releases_and_deletions_are_told_apart() {
    let audit = books();
    let (a, b, orphan) = (owned("a"), owned("b"), pod("b", None));
    audit.set(None, Some(&set(2)), 1);
    audit.pod(None, Some(&a), 2);
    audit.pod(None, Some(&orphan), 3);
    audit.pod(Some(&orphan), Some(&b), 4);
    audit.converged(4).await;
    let mut relabelled = b.clone();
    relabelled.metadata.labels = Labels::new();
    audit.pod(Some(&b), Some(&relabelled), 5);
    assert!(!audit.books.lock().are_converged(5), "a set has to release what it does not select");
    audit.pod(Some(&relabelled), Some(&orphan), 6);
    audit.pod(Some(&a), None, 7);
    let row = row(&audit);
    assert_eq!((row.created, row.adopted, row.released, row.deleted), (1, 1, 1, 1));
    assert_eq!((row.ready, row.duplicates), (0, 0));
}

/// Sets and Pods come in separate streams on a real cluster.
#[tokio::test(start_paused = true)]
async fn pods_that_are_booked_before_their_set_count() {
    let audit = books();
    audit.pod(None, Some(&owned("a")), 0);
    audit.pod(None, Some(&owned("b")), 0);
    audit.pod(Some(&owned("b")), None, 0);
    assert!(audit.rows().is_empty(), "the set is not known yet");
    audit.set(None, Some(&set(1)), 0);
    audit.converged(0).await;
    assert_eq!((row(&audit).created, row(&audit).deleted), (2, 1));
    audit.set(Some(&set(1)), None, 0);
    audit.pod(Some(&owned("a")), None, 0);
    assert!(audit.rows().is_empty());
}

#[tokio::test(start_paused = true)]
async fn sets_that_no_manifest_declares_are_not_booked() {
    let audit = books();
    audit.pod(None, Some(&pod("a", Some("other"))), 1);
    let mut other = set(3);
    other.metadata.name = Some("other".to_owned());
    audit.set(None, Some(&other), 2);
    assert!(audit.rows().is_empty());
}
