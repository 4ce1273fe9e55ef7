//! Tables, as `kubectl get` and `kubectl get -w` read them.

use std::time::Duration;

use futures_util::{AsyncBufReadExt, TryStreamExt};
use http::{Method, Request};
use kube_client::Client;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::fixtures::{config_map, create, pod, send, server};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";

fn request(path: &str) -> Request<Vec<u8>> {
    Request::get(path).header("accept", TABLE).body(Vec::new()).expect("a request")
}

async fn table(client: &Client, path: &str) -> Value {
    client.request(request(path)).await.expect("a table")
}

#[tokio::test(start_paused = true)]
async fn a_list_becomes_a_table_with_ages_that_grow() {
    let (server, client) = server();
    create(&client, PODS, pod("web")).await;
    sleep(Duration::from_secs(150)).await;
    let table = table(&client, &format!("{PODS}?limit=500")).await;
    assert_eq!((&table["kind"], &table["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    assert_eq!(table["metadata"]["resourceVersion"], server.resource_version().to_string());
    let row = &table["rows"][0];
    assert_eq!(
        row["cells"].as_array().unwrap()[..5],
        [json!("web"), json!("0/1"), json!("Pending"), json!("0"), json!("2m30s")]
    );
    assert_eq!(row["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(row["object"]["metadata"]["name"], "web");
}

#[tokio::test(start_paused = true)]
async fn one_object_becomes_a_table_of_one_row_in_the_form_that_was_asked_for() {
    let (_server, client) = server();
    let map = create(&client, MAPS, config_map("m", &[])).await;
    let one = table(&client, &format!("{MAPS}/m?includeObject=Object")).await;
    assert_eq!(one["rows"][0]["object"], map);
    assert_eq!(one["metadata"]["resourceVersion"], map["metadata"]["resourceVersion"]);
    let bare = table(&client, &format!("{MAPS}?includeObject=None")).await;
    assert_eq!(bare["rows"][0]["object"], Value::Null);
    let wrong = client.request::<Value>(request(&format!("{MAPS}?includeObject=Some"))).await.unwrap_err();
    assert!(
        matches!(&wrong, kube_client::Error::Api(status) if (400..500).contains(&status.code)),
        "{wrong}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stays_a_status() {
    let (_server, client) = server();
    let error = client.request::<Value>(request(&format!("{MAPS}/absent"))).await.unwrap_err();
    assert!(matches!(&error, kube_client::Error::Api(status) if status.reason == "NotFound"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_sends_rows_and_tells_the_columns_once() {
    let (_server, client) = server();
    let lines = client.request_stream(request(&format!("{MAPS}?watch=true"))).await.unwrap();
    let mut lines = lines.lines();
    for name in ["one", "two"] {
        create(&client, MAPS, config_map(name, &[])).await;
    }
    send(&client, Method::DELETE, &format!("{MAPS}/one"), None).await;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let line = lines.try_next().await.unwrap().expect("the watch goes on");
        seen.push(serde_json::from_str::<Value>(&line).unwrap());
    }
    let columns = seen.iter().map(|event| event["object"]["columnDefinitions"].is_array());
    assert_eq!(columns.collect::<Vec<_>>(), [true, false, false]);
    let rows =
        seen.iter().map(|event| (event["type"].clone(), event["object"]["rows"][0]["cells"][0].clone()));
    let expected = [("ADDED", "one"), ("ADDED", "two"), ("DELETED", "one")];
    assert_eq!(rows.collect::<Vec<_>>(), expected.map(|(kind, name)| (json!(kind), json!(name))));
}

#[tokio::test(start_paused = true)]
async fn events_are_one_set_of_objects_in_two_forms() {
    let (_server, client) = server();
    let event = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e"},
        "regarding": {"kind": "Pod", "name": "web"}, "note": "hello", "reason": "Because", "type": "Normal",
        "eventTime": "2026-01-02T03:04:05.000000Z", "action": "Telling", "reportingController": "example.com/c",
        "reportingInstance": "c-1",
    });
    let created = create(&client, "/apis/events.k8s.io/v1/namespaces/default/events", event).await;
    assert_eq!((&created["apiVersion"], &created["note"]), (&json!("events.k8s.io/v1"), &json!("hello")));
    let selected = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dweb";
    let core = crate::fixtures::get(&client, selected).await;
    assert_eq!(
        (&core["items"][0]["message"], &core["items"][0]["involvedObject"]["kind"]),
        (&json!("hello"), &json!("Pod"))
    );
    let patched = crate::fixtures::patch(
        &client,
        "/apis/events.k8s.io/v1/namespaces/default/events/e",
        json!({"note": "again"}),
    );
    assert_eq!(patched.await["reason"], "Invalid", "a note is immutable");
    let table = table(&client, "/apis/events.k8s.io/v1/events").await;
    assert_eq!(
        table["rows"][0]["cells"].as_array().unwrap()[1..4],
        [json!("Normal"), json!("Because"), json!("pod/web")]
    );
    assert_eq!(table["rows"][0]["cells"][6], "hello");
}
