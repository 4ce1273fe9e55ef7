//! Custom kinds, from their definition to their end.

use http::{Method, Request};
use kube_client::Client;
use serde_json::{Value, json};

use trimtab_apiserver::{ApiServer, ChangeKind, Commit};
use trimtab_test_support::settle;

use crate::fixtures::{IDLE, create, delete, deleted, get, names, patch, send, server, until};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const FOOS: &str = "/apis/example.com/v1/namespaces/default/foos";

fn definition() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo", "shortNames": ["fo"]},
            "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": schema,
                 "subresources": {"status": {}, "scale": {
                    "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                    "labelSelectorPath": ".status.selector"}},
                 "additionalPrinterColumns": [
                    {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
                    {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}]},
                {"name": "v1beta1", "served": true, "storage": false, "schema": schema},
            ],
        },
    })
}

fn foo(name: &str) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Foo", "metadata": {"name": name}, "spec": {"replicas": 2}})
}

async fn with_foos(client: &Client) {
    create(client, DEFINITIONS, definition()).await;
}

#[tokio::test(start_paused = true)]
async fn a_definition_is_served_at_once_in_each_of_its_versions() {
    let (_server, client) = server();
    assert_eq!(get(&client, FOOS).await["code"], 404);
    with_foos(&client).await;
    let written = get(&client, &format!("{DEFINITIONS}/foos.example.com")).await;
    let conditions = written["status"]["conditions"].as_array().unwrap();
    assert!(conditions.iter().all(|condition| condition["status"] == "True"), "{conditions:?}");
    assert_eq!(written["status"]["acceptedNames"]["listKind"], "FooList");
    create(&client, FOOS, foo("a")).await;
    let other = get(&client, "/apis/example.com/v1beta1/namespaces/default/foos/a").await;
    assert_eq!(
        (&other["apiVersion"], &other["spec"]["replicas"]),
        (&json!("example.com/v1beta1"), &json!(2))
    );
    let list = get(&client, "/apis/example.com/v1beta1/foos").await;
    assert_eq!(
        (&list["kind"], &list["items"][0]["apiVersion"]),
        (&json!("FooList"), &json!("example.com/v1beta1"))
    );
}

#[tokio::test(start_paused = true)]
async fn discovery_and_tables_tell_of_it() {
    let (_server, client) = server();
    with_foos(&client).await;
    let resources = client.list_api_group_resources("example.com/v1").await.unwrap();
    let found: Vec<&str> = resources.resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(found, ["foos", "foos/status", "foos/scale"]);
    create(&client, FOOS, foo("a")).await;
    patch(
        &client,
        &format!("{FOOS}/a/status"),
        json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
    )
    .await;
    let request = Request::get(FOOS).header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
    let table: Value = client.request(request.body(Vec::new()).unwrap()).await.unwrap();
    assert_eq!(table["rows"][0]["cells"], json!(["a", 2, "True"]));
}

#[tokio::test(start_paused = true)]
async fn status_and_scale_are_written_apart_from_the_rest() {
    let (_server, client) = server();
    with_foos(&client).await;
    let created = create(&client, FOOS, foo("a")).await;
    assert_eq!(created["metadata"]["generation"], 1);
    let status = json!({"spec": {"replicas": 9}, "status": {"replicas": 1, "selector": "app=a"}});
    let written = patch(&client, &format!("{FOOS}/a/status"), status).await;
    assert_eq!((&written["spec"]["replicas"], &written["metadata"]["generation"]), (&json!(2), &json!(1)));
    let scale = get(&client, &format!("{FOOS}/a/scale")).await;
    assert_eq!(
        (&scale["kind"], &scale["spec"]["replicas"], &scale["status"]["selector"]),
        (&json!("Scale"), &json!(2), &json!("app=a"))
    );
    patch(&client, &format!("{FOOS}/a/scale"), json!({"spec": {"replicas": 5}})).await;
    let scaled = get(&client, &format!("{FOOS}/a")).await;
    assert_eq!((&scaled["spec"]["replicas"], &scaled["metadata"]["generation"]), (&json!(5), &json!(2)));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_definition_is_refused_with_every_cause() {
    let (_server, client) = server();
    let mut wrong = definition();
    wrong["spec"]["scope"] = "Everywhere".into();
    wrong["spec"]["versions"][0]["storage"] = false.into();
    let refused = send(&client, Method::POST, DEFINITIONS, Some(wrong)).await;
    assert_eq!((&refused["code"], &refused["reason"]), (&json!(422), &json!("Invalid")));
    let fields: Vec<&str> = refused["details"]["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| cause["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["spec.scope", "spec.versions", "status.storedVersions"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_no_longer_served_is_gone_at_once() {
    let (_server, client) = server();
    with_foos(&client).await;
    create(&client, FOOS, foo("a")).await;
    let mut changed = get(&client, &format!("{DEFINITIONS}/foos.example.com")).await;
    changed["spec"]["versions"][1]["served"] = false.into();
    let written = send(&client, Method::PUT, &format!("{DEFINITIONS}/foos.example.com"), Some(changed)).await;
    assert_eq!(written["metadata"]["generation"], 2, "{written}");
    assert_eq!(get(&client, "/apis/example.com/v1beta1/foos").await["code"], 404);
    assert_eq!(names(&client, FOOS).await, ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_definition_s_end_is_the_end_of_its_objects() {
    let (server, client) = server();
    with_foos(&client).await;
    create(&client, FOOS, foo("a")).await;
    let mut commits = server.commits();
    let marked = delete(&client, &format!("{DEFINITIONS}/foos.example.com"), "Background").await;
    assert_eq!(marked["metadata"]["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    let last = |commit: &Commit| commit.name == "foos.example.com" && commit.change == ChangeKind::Deleted;
    let order = deleted(&until(&mut commits, last).await);
    assert_eq!(
        order,
        ["foos.example.com/a", "customresourcedefinitions.apiextensions.k8s.io/foos.example.com"]
    );
    assert_eq!(get(&client, FOOS).await["code"], 404);
    with_foos(&client).await;
    assert_eq!(names(&client, FOOS).await, [""; 0], "the new kind begins empty");
}

#[tokio::test(start_paused = true)]
async fn a_definition_outlives_the_objects_that_finalizers_hold() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    with_foos(&client).await;
    let mut held = foo("held");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    create(&client, FOOS, held).await;
    delete(&client, &format!("{DEFINITIONS}/foos.example.com"), "Background").await;
    settle(IDLE).await;
    let definition = get(&client, &format!("{DEFINITIONS}/foos.example.com")).await;
    let conditions = definition["status"]["conditions"].as_array().unwrap();
    assert!(
        conditions.iter().any(|one| one["type"] == "Terminating" && one["status"] == "True"),
        "{conditions:?}"
    );
    assert_eq!(definition["metadata"]["generation"], 1);
    patch(&client, &format!("{FOOS}/held"), json!({"metadata": {"finalizers": null}})).await;
    settle(IDLE).await;
    assert_eq!(names(&client, DEFINITIONS).await, [""; 0]);
    assert_eq!(get(&client, FOOS).await["code"], 404);
}
