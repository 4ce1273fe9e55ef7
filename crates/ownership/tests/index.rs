//! The index of dependents by owner, and the names that follow from an owner.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::json;
use trimtab_cache::{Metadata, Object, StoreWriter, Undecodable};
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

/// A dependent with one field that cannot be decoded counts as its owner's: its metadata says so.
#[test]
fn an_owner_finds_a_dependent_that_cannot_be_decoded() {
    let mut writer = StoreWriter::<Pod>::new();
    let index = OwnerIndex::add(writer.store());
    for (name, owner) in [("mine", Some("u1")), ("other", Some("u2")), ("orphan", None)] {
        let text = serde_json::to_string(&pod("default", name, owner)).expect("JSON");
        writer.apply_undecodable(Undecodable::read(&text, "a time of the year 9999").expect("metadata"));
    }
    let undecodable = index.undecodable("u1");
    assert_eq!(undecodable.iter().map(|pod| pod.key().name()).collect::<Vec<_>>(), ["mine"]);
    assert_eq!(names(&index.controlled_by("u1")), [""; 0]);
    writer.apply(pod("default", "mine", Some("u1")));
    assert!(index.undecodable("u1").is_empty());
    assert_eq!(names(&index.controlled_by("u1")), ["mine"]);
}
