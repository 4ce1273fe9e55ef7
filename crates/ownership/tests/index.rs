//! The index of dependents by owner, and the names that follow from an owner.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::json;
use trimtab_cache::{Metadata, Object, StoreWriter};
use trimtab_ownership::OwnerIndex;

fn pod(namespace: &str, name: &str, owner: Option<&str>) -> Pod {
    let owners: Vec<_> = owner
        .iter()
        .map(|uid| json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": uid, "controller": true}))
        .collect();
    serde_json::from_value(json!({"metadata": {
        "namespace": namespace, "name": name, "uid": name, "ownerReferences": owners}}))
    .expect("a pod")
}

fn names(pods: &[Arc<Pod>]) -> Vec<&str> {
    let mut names: Vec<_> = pods.iter().map(|pod| pod.metadata().name()).collect();
    names.sort_unstable();
    names
}

#[test]
fn an_owner_finds_its_dependents_and_the_orphans_that_it_may_adopt() {
    let mut writer = StoreWriter::<Pod>::new();
    let index = OwnerIndex::add(writer.store());
    for pod in [
        pod("default", "mine", Some("u1")),
        pod("default", "other", Some("u2")),
        pod("default", "orphan", None),
        pod("elsewhere", "stray", None),
    ] {
        writer.apply(pod);
    }
    assert_eq!(names(&index.controlled_by("u1")), ["mine"]);
    assert_eq!(names(&index.orphans_in("elsewhere")), ["stray"]);
    let web = pod("default", "web", None);
    let web: Pod = serde_json::from_value(json!({"metadata": {
        "namespace": web.metadata().namespace(), "name": "web", "uid": "u1"}}))
    .expect("an owner");
    assert_eq!(names(&index.candidates(&web)), ["mine", "orphan"]);
    let node: Node = serde_json::from_value(json!({"metadata": {"name": "n", "uid": "u2"}})).expect("a node");
    assert_eq!(names(&index.candidates(&node)), ["orphan", "other", "stray"], "a cluster-scoped owner");

    writer.apply(pod("default", "orphan", Some("u1")));
    assert_eq!(names(&index.controlled_by("u1")), ["mine", "orphan"]);
    assert_eq!(names(&index.orphans_in("default")), [""; 0]);
}
