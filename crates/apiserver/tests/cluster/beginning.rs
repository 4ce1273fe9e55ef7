//! The objects of a new server.

use http::Method;
use kube_client::Client;
use serde_json::{Value, json};
use trimtab_apiserver::ApiServer;
use trimtab_test_support::settle;

use crate::fixtures::{IDLE, create, delete, get, names, patch, send, server};

async fn count(client: &Client, path: &str) -> usize {
    names(client, path).await.len()
}

#[tokio::test(start_paused = true)]
async fn a_new_server_holds_what_a_new_kube_apiserver_holds() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    assert_eq!(
        names(&client, "/api/v1/namespaces").await,
        ["default", "kube-node-lease", "kube-public", "kube-system"]
    );
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    assert_eq!(count(&client, &format!("{rbac}/clusterroles")).await, 69);
    assert_eq!(count(&client, &format!("{rbac}/clusterrolebindings")).await, 50);
    let admin = get(&client, &format!("{rbac}/clusterrolebindings/cluster-admin")).await;
    assert_eq!(admin["subjects"][0]["name"], "system:masters");
    assert_eq!(admin["metadata"]["labels"]["kubernetes.io/bootstrapping"], "rbac-defaults");
    let classes = names(&client, "/apis/scheduling.k8s.io/v1/priorityclasses").await;
    assert_eq!(classes, ["system-cluster-critical", "system-node-critical"]);
    let service = get(&client, "/api/v1/namespaces/default/services/kubernetes").await;
    assert_eq!(service["spec"]["clusterIP"], "10.0.0.1");
    let address = get(&client, "/apis/networking.k8s.io/v1/ipaddresses/10.0.0.1").await;
    assert_eq!(address["spec"]["parentRef"]["name"], "kubernetes");
    let slice = get(&client, "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes").await;
    assert_eq!(slice["metadata"]["labels"]["kubernetes.io/service-name"], "kubernetes");
    let local = get(&client, "/apis/apiregistration.k8s.io/v1/apiservices/v1.apps").await;
    assert_eq!(local["status"]["conditions"][0]["reason"], "Local");
    assert!(local["status"]["conditions"][0]["lastTransitionTime"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_bare_server_holds_four_namespaces_and_nothing_in_them() {
    let server = ApiServer::builder().bootstrap(false).controllers(false).start();
    let client = server.client();
    assert_eq!(server.resource_version(), 5, "the first version is 1, before any object");
    assert_eq!(count(&client, "/apis/rbac.authorization.k8s.io/v1/clusterroles").await, 0);
    assert_eq!(count(&client, "/api/v1/services").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_and_a_bare_server_give_out_the_same_uids() {
    let mut uids = Vec::new();
    for full in [true, false] {
        let server = ApiServer::builder().seed(3).bootstrap(full).controllers(false).start();
        let client = server.client();
        let made =
            send(&client, Method::POST, "/api/v1/namespaces", Some(json!({"metadata": {"name": "a"}}))).await;
        uids.push(made["metadata"]["uid"].clone());
    }
    assert_eq!(uids[0], uids[1]);
}

const ACCOUNT: &str = "/api/v1/namespaces/team/serviceaccounts/default";
const CERTIFICATE: &str = "/api/v1/namespaces/team/configmaps/kube-root-ca.crt";

#[tokio::test(start_paused = true)]
async fn every_namespace_has_a_service_account_and_gets_it_back() {
    let (_server, client) = server();
    settle(IDLE).await;
    assert_eq!(count(&client, "/api/v1/serviceaccounts").await, 4);
    create(&client, "/api/v1/namespaces", json!({"metadata": {"name": "team"}})).await;
    settle(IDLE).await;
    let first = get(&client, ACCOUNT).await;
    assert!(first["metadata"]["uid"].is_string(), "{first}");
    assert_eq!(get(&client, CERTIFICATE).await["code"], 404, "only when it is asked for");
    delete(&client, ACCOUNT, "Background").await;
    settle(IDLE).await;
    let second = get(&client, ACCOUNT).await;
    assert!(second["metadata"]["uid"].is_string() && second["metadata"]["uid"] != first["metadata"]["uid"]);
    delete(&client, "/api/v1/namespaces/team", "Background").await;
    settle(IDLE).await;
    assert_eq!(get(&client, "/api/v1/namespaces/team").await["code"], 404, "it does not keep the namespace");
}

#[tokio::test(start_paused = true)]
async fn every_namespace_has_the_server_s_certificate_when_that_is_asked_for() {
    let server = ApiServer::builder().root_certificates(true).service_accounts(false).start();
    let client = server.client();
    create(&client, "/api/v1/namespaces", json!({"metadata": {"name": "team"}})).await;
    settle(IDLE).await;
    let first = get(&client, CERTIFICATE).await;
    assert!(first["data"]["ca.crt"].is_string(), "{first}");
    patch(&client, CERTIFICATE, json!({"data": {"ca.crt": "mine", "more": "x"}})).await;
    settle(IDLE).await;
    assert_eq!(get(&client, CERTIFICATE).await["data"]["ca.crt"], first["data"]["ca.crt"]);
    assert_eq!(get(&client, ACCOUNT).await["code"], 404);
}

#[tokio::test(start_paused = true)]
async fn each_controller_has_a_switch_of_its_own() {
    let server = ApiServer::builder().garbage_collector(false).start();
    let client = server.client();
    let maps = "/api/v1/namespaces/default/configmaps";
    let orphan = json!({"metadata": {"name": "orphan", "ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "u"}]}});
    create(&client, maps, orphan).await;
    create(&client, "/api/v1/namespaces", json!({"metadata": {"name": "team"}})).await;
    delete(&client, "/api/v1/namespaces/team", "Background").await;
    settle(IDLE).await;
    assert_eq!(names(&client, maps).await, ["orphan"], "no collector runs");
    assert_eq!(get(&client, "/api/v1/namespaces/team").await["code"], 404, "the namespace controller does");

    let server = ApiServer::builder().namespace_controller(false).start();
    let client = server.client();
    create(&client, "/api/v1/namespaces", json!({"metadata": {"name": "team"}})).await;
    delete(&client, "/api/v1/namespaces/team", "Background").await;
    settle(IDLE).await;
    let team: Value = get(&client, "/api/v1/namespaces/team").await;
    assert_eq!(team["status"]["phase"], "Terminating");
}

#[tokio::test(start_paused = true)]
async fn a_claim_goes_when_no_pod_uses_it_any_more() {
    let (_server, client) = server();
    let [claims, pods] =
        ["persistentvolumeclaims", "pods"].map(|plural| format!("/api/v1/namespaces/default/{plural}"));
    let claim = |name: &str| {
        json!({"metadata": {"name": name}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})
    };
    create(&client, &claims, claim("free")).await;
    create(&client, &claims, claim("used")).await;
    let mut pod = crate::fixtures::pod("web");
    pod["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "used"}}]);
    create(&client, &pods, pod).await;
    for name in ["free", "used"] {
        delete(&client, &format!("{claims}/{name}"), "Background").await;
    }
    settle(IDLE).await;
    assert_eq!(names(&client, &claims).await, ["used"]);
    delete(&client, &format!("{pods}/web"), "Background").await;
    settle(IDLE).await;
    assert_eq!(names(&client, &claims).await, [""; 0]);
}
