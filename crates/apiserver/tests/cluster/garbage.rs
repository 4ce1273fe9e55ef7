//! Garbage collection: background, foreground, orphaning.

use kube_client::Client;
use serde_json::{Value, json};
use trimtab_apiserver::{ApiServer, ChangeKind, Filter, Refusal, Verb};
use trimtab_test_support::settle;

use crate::fixtures::{
    IDLE, config_map, create, delete, deleted, get, names, patch, pod, reference, server, until,
};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";

async fn map(client: &Client, name: &str, owners: &[&Value]) -> Value {
    create(client, MAPS, config_map(name, owners)).await
}

fn at(name: &str) -> String {
    format!("{MAPS}/{name}")
}

/// A dependent that blocks its owner's foreground deletion.
async fn blocking(client: &Client, name: &str, owner: &Value, finalizers: &[&str]) -> Value {
    let mut map = config_map(name, &[]);
    map["metadata"]["ownerReferences"] = json!([reference(owner, true)]);
    map["metadata"]["finalizers"] = json!(finalizers);
    create(client, MAPS, map).await
}

/// Upstream's e2e "should delete … from created dependents when not orphaning".
#[tokio::test(start_paused = true)]
async fn dependents_go_when_their_last_owner_is_gone_and_not_before() {
    let (server, client) = server();
    let (one, two) = (map(&client, "one", &[]).await, map(&client, "two", &[]).await);
    let child = map(&client, "child", &[&one, &two]).await;
    map(&client, "grandchild", &[&child]).await;
    delete(&client, &at("one"), "Background").await;
    settle(IDLE).await;
    assert_eq!(names(&client, MAPS).await, ["child", "grandchild", "two"]);
    let left = get(&client, &at("child")).await;
    assert_eq!(
        left["metadata"]["ownerReferences"],
        json!([reference(&two, false)]),
        "the gone owner is forgotten"
    );

    let mut commits = server.commits();
    delete(&client, &at("two"), "Background").await;
    let seen = until(&mut commits, |commit| commit.name == "grandchild").await;
    assert_eq!(deleted(&seen), ["configmaps/two", "configmaps/child", "configmaps/grandchild"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_owner_never_was_goes_too() {
    let (_server, client) = server();
    let mut owner = map(&client, "owner", &[]).await;
    map(&client, "kept", &[&owner]).await;
    owner["metadata"]["uid"] = "00000000-0000-4000-8000-000000000000".into();
    let child = create(&client, MAPS, config_map("child", &[&owner])).await;
    assert_eq!(child["metadata"]["name"], "child");
    settle(IDLE).await;
    assert_eq!(names(&client, MAPS).await, ["kept", "owner"], "owners are told by UID, not by name");
}

/// Upstream: an owner of a kind that nobody serves may well exist.
#[tokio::test(start_paused = true)]
async fn an_object_whose_owner_s_kind_is_not_served_stays() {
    let (_server, client) = server();
    let mut owner = map(&client, "owner", &[]).await;
    owner["kind"] = "Unknown".into();
    owner["metadata"]["uid"] = "00000000-0000-4000-8000-000000000000".into();
    map(&client, "child", &[&owner]).await;
    settle(IDLE).await;
    assert_eq!(names(&client, MAPS).await, ["child", "owner"]);
}

#[tokio::test(start_paused = true)]
async fn a_foreground_deletion_waits_for_blocking_dependents() {
    let (server, client) = server();
    let owner = map(&client, "owner", &[]).await;
    blocking(&client, "held", &owner, &["example.com/hold"]).await;
    map(&client, "free", &[&owner]).await;
    let mut commits = server.commits();
    let marked = delete(&client, &at("owner"), "Foreground").await;
    assert_eq!(marked["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    settle(IDLE).await;
    assert_eq!(
        names(&client, MAPS).await,
        ["held", "owner"],
        "a finalizer holds the dependent, and that the owner"
    );

    patch(&client, &at("held"), json!({"metadata": {"finalizers": null}})).await;
    let seen =
        until(&mut commits, |commit| commit.name == "owner" && commit.change == ChangeKind::Deleted).await;
    assert_eq!(deleted(&seen), ["configmaps/free", "configmaps/held", "configmaps/owner"]);
}

#[tokio::test(start_paused = true)]
async fn a_foreground_deletion_does_not_wait_for_others() {
    let (_server, client) = server();
    let owner = map(&client, "owner", &[]).await;
    let mut child = config_map("child", &[&owner]);
    child["metadata"]["finalizers"] = json!(["example.com/hold"]);
    create(&client, MAPS, child).await;
    delete(&client, &at("owner"), "Foreground").await;
    settle(IDLE).await;
    assert_eq!(names(&client, MAPS).await, ["child"]);
}

/// Upstream's e2e "should not be blocked by dependency circle".
#[tokio::test(start_paused = true)]
async fn a_circle_of_blocking_owners_is_no_deadlock() {
    for policy in ["Foreground", "Background"] {
        let (_server, client) = server();
        let one = map(&client, "one", &[]).await;
        let two = blocking(&client, "two", &one, &[]).await;
        let three = blocking(&client, "three", &two, &[]).await;
        patch(&client, &at("one"), json!({"metadata": {"ownerReferences": [reference(&three, true)]}})).await;
        delete(&client, &at("one"), policy).await;
        settle(IDLE).await;
        assert_eq!(names(&client, MAPS).await, [""; 0], "{policy}");
    }
}

/// Upstream's e2e "should orphan … when deleteOptions.PropagationPolicy is Orphan".
#[tokio::test(start_paused = true)]
async fn orphaned_dependents_forget_their_owner_and_stay() {
    let (_server, client) = server();
    let (owner, other) = (map(&client, "owner", &[]).await, map(&client, "other", &[]).await);
    map(&client, "child", &[&owner, &other]).await;
    blocking(&client, "second", &owner, &[]).await;
    delete(&client, &at("owner"), "Orphan").await;
    settle(IDLE).await;
    assert_eq!(names(&client, MAPS).await, ["child", "other", "second"]);
    let child = get(&client, &at("child")).await;
    assert_eq!(child["metadata"]["ownerReferences"], json!([reference(&other, false)]));
    assert_eq!(get(&client, &at("second")).await["metadata"].get("ownerReferences"), None);
}

/// Upstream's e2e "should not delete dependents that have both valid owner and owner that's waiting
/// for dependents to be deleted".
#[tokio::test(start_paused = true)]
async fn a_dependent_with_another_owner_survives_a_foreground_deletion() {
    let (_server, client) = server();
    let (owner, other) = (map(&client, "owner", &[]).await, map(&client, "other", &[]).await);
    let mut child = config_map("child", &[]);
    child["metadata"]["ownerReferences"] = json!([reference(&owner, true), reference(&other, true)]);
    create(&client, MAPS, child).await;
    delete(&client, &at("owner"), "Foreground").await;
    settle(IDLE).await;
    assert_eq!(names(&client, MAPS).await, ["child", "other"]);
    let child = get(&client, &at("child")).await;
    assert_eq!(child["metadata"]["ownerReferences"], json!([reference(&other, true)]));
}

#[tokio::test(start_paused = true)]
async fn pods_are_owned_across_kinds_and_deleted_with_their_set() {
    let (_server, client) = server();
    let set = create(&client, "/apis/apps/v1/namespaces/default/replicasets", json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "web:1"}]}}},
    }))
    .await;
    for name in ["web-1", "web-2"] {
        let mut owned = pod(name);
        owned["metadata"]["ownerReferences"] = json!([reference(&set, true)]);
        create(&client, PODS, owned).await;
    }
    delete(&client, "/apis/apps/v1/namespaces/default/replicasets/web", "Foreground").await;
    settle(IDLE).await;
    assert_eq!(names(&client, PODS).await, [""; 0]);
    assert_eq!(names(&client, "/apis/apps/v1/replicasets").await, [""; 0]);
}

/// A collector that gave up after a refusal would leave the dependent behind.
#[tokio::test(start_paused = true)]
async fn refused_requests_are_tried_again() {
    let (server, client) = server();
    let owner = map(&client, "owner", &[]).await;
    map(&client, "child", &[&owner]).await;
    let refusals = Filter::any().verb(Verb::Delete).user_agent("garbage-collector");
    let fault = server.faults().refuse(refusals, Refusal::unavailable(), 5);
    delete(&client, &at("owner"), "Background").await;
    settle(IDLE).await;
    assert_eq!(names(&client, MAPS).await, [""; 0]);
    drop(fault);
}

/// Fails without the resource version in the preconditions of `Requests::delete`.
#[tokio::test(start_paused = true)]
async fn an_object_that_is_adopted_while_it_is_being_collected_stays() {
    let (server, client) = server();
    let (owner, other) = (map(&client, "owner", &[]).await, map(&client, "other", &[]).await);
    map(&client, "child", &[&owner]).await;
    let deletions = Filter::any().verb(Verb::Delete).user_agent("garbage-collector");
    let fault = server.faults().hold(deletions);
    delete(&client, &at("owner"), "Background").await;
    settle(IDLE).await; // the collector has decided, and its request is on its way
    patch(&client, &at("child"), json!({"metadata": {"ownerReferences": [reference(&other, false)]}})).await;
    fault.release();
    settle(IDLE).await;
    assert_eq!(names(&client, MAPS).await, ["child", "other"]);
}

#[tokio::test(start_paused = true)]
async fn without_controllers_nothing_is_collected() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let owner = map(&client, "owner", &[]).await;
    map(&client, "child", &[&owner]).await;
    delete(&client, &at("owner"), "Background").await;
    settle(IDLE).await;
    assert_eq!(names(&client, MAPS).await, ["child"]);
}

#[tokio::test(start_paused = true)]
async fn garbage_goes_in_the_same_order_under_the_same_seed() {
    let mut orders = Vec::new();
    for _ in 0..2 {
        let server = ApiServer::builder().seed(3).start();
        let client = server.client();
        let owner = map(&client, "owner", &[]).await;
        for number in 0..50 {
            let child = map(&client, &format!("child-{number}"), &[&owner]).await;
            map(&client, &format!("grandchild-{number}"), &[&child]).await;
        }
        let mut commits = server.commits();
        delete(&client, &at("owner"), "Foreground").await;
        settle(IDLE).await;
        let seen: Vec<_> = std::iter::from_fn(|| commits.try_next()).collect();
        orders.push(deleted(&seen));
    }
    assert_eq!(orders[0].len(), 101);
    assert_eq!(orders[0], orders[1]);
}
