//! The end of a namespace.

use std::time::Duration;

use kube_client::Client;
use serde_json::{Value, json};
use tokio::time::sleep;
use trimtab_apiserver::{ChangeKind, Filter, Kubelet, Refusal};
use trimtab_test_support::settle;

use crate::fixtures::{IDLE, config_map, create, delete, deleted, get, names, patch, pod, server, until};

const SHOP: &str = "/api/v1/namespaces/shop";

async fn shop(client: &Client) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    create(client, "/api/v1/namespaces", namespace).await;
}

async fn add(client: &Client, plural: &str, object: Value) {
    create(client, &format!("{SHOP}/{plural}"), object).await;
}

fn condition(namespace: &Value, kind: &str) -> (String, String) {
    let conditions = namespace["status"]["conditions"].as_array().expect("conditions");
    let condition = conditions.iter().find(|condition| condition["type"] == kind).expect(kind);
    let text = |field: &str| condition[field].as_str().expect("a text").to_owned();
    (text("status"), text("message"))
}

/// Upstream's e2e "should delete fast enough", with its order of 1.33: Pods first.
#[tokio::test(start_paused = true)]
async fn a_namespace_goes_with_all_that_is_in_it_and_pods_go_first() {
    let (server, client) = server();
    shop(&client).await;
    add(&client, "configmaps", config_map("a", &[])).await;
    add(&client, "pods", pod("web")).await;
    add(&client, "secrets", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}})).await;
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}});
    create(&client, "/apis/coordination.k8s.io/v1/namespaces/shop/leases", lease).await;

    let mut commits = server.commits();
    let marked = delete(&client, SHOP, "Background").await;
    assert_eq!(marked["status"]["phase"], "Terminating");
    let gone = |commit: &trimtab_apiserver::Commit| {
        commit.resource == "namespaces" && commit.change == ChangeKind::Deleted
    };
    let order = deleted(&until(&mut commits, gone).await);
    let expected = [
        "pods/web",
        "configmaps/a",
        "leases.coordination.k8s.io/l",
        "secrets/s",
        "serviceaccounts/default",
        "namespaces/shop",
    ];
    assert_eq!(order, expected);
    assert_eq!(get(&client, SHOP).await["code"], 404);
}

#[tokio::test(start_paused = true)]
async fn what_pods_may_still_use_stays_until_they_have_ended() {
    let (server, client) = server();
    let kubelet = Kubelet::new(server.client_as("kubelet")).termination(Duration::from_secs(10));
    let kubelet = tokio::spawn(kubelet.run(std::future::pending()));
    shop(&client).await;
    add(&client, "configmaps", config_map("a", &[])).await;
    add(&client, "pods", pod("web")).await;
    settle(IDLE).await;
    delete(&client, SHOP, "Background").await;
    sleep(Duration::from_secs(8)).await;
    assert_eq!(names(&client, &format!("{SHOP}/pods")).await, ["web"]);
    assert_eq!(names(&client, &format!("{SHOP}/configmaps")).await, ["a"]);
    sleep(Duration::from_secs(4)).await;
    assert_eq!(get(&client, SHOP).await["code"], 404);
    kubelet.abort();
}

#[tokio::test(start_paused = true)]
async fn what_finalizers_hold_keeps_the_namespace_and_is_told_in_its_status() {
    let (_server, client) = server();
    shop(&client).await;
    let mut held = config_map("held", &[]);
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    add(&client, "configmaps", held).await;
    delete(&client, SHOP, "Background").await;
    settle(IDLE).await;

    let namespace = get(&client, SHOP).await;
    let (remaining, message) = condition(&namespace, "NamespaceContentRemaining");
    assert_eq!(remaining, "True");
    assert_eq!(message, "Some resources are remaining: configmaps. has 1 resource instances");
    let (_, message) = condition(&namespace, "NamespaceFinalizersRemaining");
    let expected =
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances";
    assert_eq!(message, expected);
    assert_eq!(condition(&namespace, "NamespaceDeletionContentFailure").0, "False");

    patch(&client, &format!("{SHOP}/configmaps/held"), json!({"metadata": {"finalizers": null}})).await;
    settle(IDLE).await;
    assert_eq!(get(&client, SHOP).await["code"], 404);
}

#[tokio::test(start_paused = true)]
async fn nothing_new_comes_into_a_namespace_on_its_way_out() {
    let (_server, client) = server();
    shop(&client).await;
    let mut held = config_map("held", &[]);
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    add(&client, "configmaps", held).await;
    delete(&client, SHOP, "Background").await;
    let path = format!("{SHOP}/configmaps");
    let refused =
        crate::fixtures::send(&client, http::Method::POST, &path, Some(config_map("late", &[]))).await;
    assert_eq!(refused["details"]["causes"][0]["reason"], "NamespaceTerminating");
}

#[tokio::test(start_paused = true)]
async fn a_namespace_s_own_finalizer_is_respected() {
    let (_server, client) = server();
    shop(&client).await;
    patch(&client, SHOP, json!({"metadata": {"finalizers": ["example.com/hold"]}})).await;
    delete(&client, SHOP, "Background").await;
    settle(IDLE).await;
    let namespace = get(&client, SHOP).await;
    assert_eq!(namespace["spec"], json!({}), "empty, and let go by its controller");
    patch(&client, SHOP, json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(get(&client, SHOP).await["code"], 404);
}

#[tokio::test(start_paused = true)]
async fn refused_requests_are_tried_again() {
    let (server, client) = server();
    shop(&client).await;
    add(&client, "configmaps", config_map("a", &[])).await;
    let filter = Filter::any().user_agent("namespace-controller");
    let fault = server.faults().refuse(filter, Refusal::internal_error(), 7);
    delete(&client, SHOP, "Background").await;
    settle(IDLE).await;
    assert_eq!(fault.remaining(), 0);
    let left = names(&client, "/api/v1/namespaces").await;
    assert_eq!(left, ["default", "kube-node-lease", "kube-public", "kube-system"]);
}
