//! Building controller references, and finding the objects that they refer to.

use std::sync::Arc;

use k8s_openapi::api::{
    apps::v1::ReplicaSet,
    core::v1::{Node, Pod},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube_client::api::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::{Value, json};
use trimtab_cache::{Object, ObjectKey};
use trimtab_ownership::{
    controller_reference, controller_reference_with, is_controlled_by, resolve_controller_ref,
    resolve_controller_ref_with, set_controller_reference,
};

fn set(name: Option<&str>, uid: Option<&str>) -> ReplicaSet {
    serde_json::from_value(
        json!({"metadata": {"namespace": "default", "name": name, "uid": uid}, "spec": {"selector": {}}}),
    )
    .expect("a replica set")
}

fn owned(reference: &Value) -> Pod {
    serde_json::from_value(
        json!({"metadata": {"namespace": "default", "name": "web-1", "ownerReferences": [reference]}}),
    )
    .expect("a pod")
}

#[test]
fn a_controller_reference_controls_and_blocks_the_owners_deletion() {
    let reference = controller_reference(&set(Some("web"), Some("u1"))).expect("a named set");
    assert_eq!(
        json!(reference),
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u1", "controller": true, "blockOwnerDeletion": true})
    );
}

#[test]
fn an_owner_without_a_name_or_uid_cannot_be_referred_to() {
    for (name, uid, message) in [
        (None, Some("u1"), "ReplicaSet \"\" has no name, so it cannot be referred to as an owner"),
        (Some("web"), None, "ReplicaSet \"web\" has no UID, so it cannot be referred to as an owner"),
        (Some("web"), Some(""), "ReplicaSet \"web\" has no UID, so it cannot be referred to as an owner"),
    ] {
        let error = controller_reference(&set(name, uid)).expect_err("not from the server");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn custom_resources_are_referred_to_by_what_discovery_says_of_them() {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Foo"));
    let mut foo = DynamicObject::new("foo", &kind).within("default");
    foo.metadata.uid = Some("u1".into());
    let reference = controller_reference_with(&foo, &kind).expect("a named object");
    assert_eq!((&*reference.api_version, &*reference.kind), ("example.com/v1", "Foo"));

    let foo = Arc::new(foo);
    let get = |key: &ObjectKey| (key.as_str() == "default/foo").then(|| Arc::clone(&foo));
    assert!(resolve_controller_ref_with(&owned(&json!(reference)), &kind, get).is_some());
}

#[test]
fn only_the_uid_of_the_controlling_reference_counts() {
    let ours = set(Some("web"), Some("u1"));
    let mut reference = json!(controller_reference(&ours).expect("a named set"));
    assert!(is_controlled_by(&owned(&reference), &ours));
    assert!(!is_controlled_by(&owned(&reference), &set(Some("web"), Some("u2"))));
    assert!(!is_controlled_by(&owned(&reference), &set(Some("web"), None)));
    reference["controller"] = json!(false);
    assert!(!is_controlled_by(&owned(&reference), &ours), "an owner that does not manage");
}

/// As the lookup of Kubernetes' controllers (`resolveControllerRef`), and by group: kinds of two groups may
/// share a name.
#[test]
fn a_controller_is_found_by_group_kind_name_and_uid_in_whatever_version() {
    let ours = Arc::new(set(Some("web"), Some("u1")));
    let get = |key: &ObjectKey| (*key == ours.key()).then(|| Arc::clone(&ours));
    let reference = json!(controller_reference(&*ours).expect("a named set"));
    let found = |field: &str, value: Value| {
        let mut reference = reference.clone();
        reference[field] = value;
        resolve_controller_ref(&owned(&reference), get).is_some()
    };
    assert!(found("apiVersion", json!("apps/v1")));
    assert!(found("apiVersion", json!("apps/v1beta2")));
    assert!(!found("apiVersion", json!("v1")));
    assert!(!found("apiVersion", json!("example.com/v1")));
    assert!(!found("kind", json!("Deployment")));
    assert!(!found("name", json!("other")));
    assert!(!found("uid", json!("u2")));
    assert!(!found("controller", json!(false)));
}

#[test]
fn a_cluster_scoped_controller_is_found_under_its_own_key() {
    let node: Node =
        serde_json::from_value(json!({"metadata": {"name": "n1", "uid": "u1"}})).expect("a node");
    let node = Arc::new(node);
    let reference = json!(controller_reference(&*node).expect("a named node"));
    let get = |key: &ObjectKey| (*key == node.key()).then(|| Arc::clone(&node));
    let found = resolve_controller_ref(&owned(&reference), get).map(|node| node.key());
    assert_eq!(found, Some(ObjectKey::cluster_scoped("n1")));
}

fn dependent(namespace: Option<&str>) -> ObjectMeta {
    ObjectMeta { namespace: namespace.map(Into::into), ..ObjectMeta::default() }
}

/// As controller-runtime's `SetControllerReference`: the garbage collector would delete the dependents of such references.
#[test]
fn a_reference_that_the_garbage_collector_would_not_honour_is_refused() {
    let web = set(Some("web"), Some("u1"));
    let refused = |dependent: &mut ObjectMeta| {
        set_controller_reference(&web, dependent).expect_err("refused").to_string()
    };
    assert_eq!(
        refused(&mut dependent(None)),
        "ReplicaSet \"web\" is in namespace \"default\" and cannot own a cluster-scoped object"
    );
    assert_eq!(
        refused(&mut dependent(Some("other"))),
        "ReplicaSet \"web\" is in namespace \"default\" and cannot own an object in namespace \"other\""
    );
    let node: Node =
        serde_json::from_value(json!({"metadata": {"name": "n1", "uid": "u9"}})).expect("a node");
    let mut both = dependent(Some("any"));
    set_controller_reference(&node, &mut both).expect("a cluster-scoped owner may own anything");
}

#[test]
fn a_second_controller_is_refused_and_a_duplicate_is_never_added() {
    let web = set(Some("web"), Some("u1"));
    let mut pod = dependent(Some("default"));
    pod.owner_references = Some(vec![OwnerReference { uid: "m1".into(), ..OwnerReference::default() }]);
    set_controller_reference(&web, &mut pod).expect("no other controller");
    set_controller_reference(&web, &mut pod).expect("it is the controller already");
    let uids = |pod: &ObjectMeta| {
        pod.owner_references.iter().flatten().map(|owner| owner.uid.clone()).collect::<Vec<_>>()
    };
    assert_eq!(uids(&pod), ["m1", "u1"]);

    let error =
        set_controller_reference(&set(Some("db"), Some("u2")), &mut pod).expect_err("web controls it");
    assert!(error.is_controlled_by_another());
    assert_eq!(
        error.to_string(),
        "ReplicaSet \"db\" cannot control an object that ReplicaSet \"web\" controls"
    );
    assert_eq!(uids(&pod), ["m1", "u1"]);
}
