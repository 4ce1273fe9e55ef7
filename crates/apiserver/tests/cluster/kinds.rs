//! The built-in kinds beside those of a real server: what kube-apiserver 1.36.3 tells in its discovery
//! and its Tables, written down in `real/`, is what ours tells.

use std::collections::BTreeMap;

use kube_client::Client;
use serde_json::{Value, json};

use crate::fixtures::{create, get, pod, send, server};

const DISCOVERY: &str = include_str!("real/discovery.txt");
const COLUMNS: &str = include_str!("real/columns.txt");

/// Where the resources of a group and version are.
fn root(group_version: &str) -> String {
    if group_version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{group_version}") }
}

/// A resource of discovery in one line, as `real/discovery.txt` has it.
fn line(resource: &Value) -> String {
    let text =
        |field: &str| resource[field].as_str().filter(|text| !text.is_empty()).unwrap_or("-").to_owned();
    let list = |field: &str| {
        let names = resource[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        Some(names.collect::<Vec<_>>().join(",")).filter(|names| !names.is_empty()).unwrap_or("-".to_owned())
    };
    let scope = if resource["namespaced"] == true { "N" } else { "C" };
    let other = match resource["version"].as_str() {
        Some(version) => format!("{}/{version}", text("group")),
        None => "-".to_owned(),
    };
    let words = [
        text("name"),
        text("kind"),
        scope.to_owned(),
        text("singularName"),
        list("verbs"),
        list("shortNames"),
        list("categories"),
        other,
        text("storageVersionHash"),
    ];
    words.join(" ")
}

/// The lines of `real/discovery.txt` by group and version.
fn real_discovery() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut group_version = "";
    for line in DISCOVERY.lines() {
        match line.strip_prefix("# ") {
            Some(next) => group_version = next,
            None => all.entry(group_version).or_default().push(line),
        }
    }
    all
}

#[tokio::test(start_paused = true)]
async fn every_stable_kind_is_told_as_a_real_server_tells_it() {
    let (_server, client) = server();
    for (group_version, expected) in real_discovery() {
        let found = get(&client, &root(group_version)).await;
        let found: Vec<String> = found["resources"].as_array().expect("resources").iter().map(line).collect();
        // Ours only: our controllers elect their leaders with it.
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, expected, "{group_version}");
    }
}

#[tokio::test(start_paused = true)]
async fn groups_and_their_versions_come_in_the_order_of_a_real_server() {
    let (_server, client) = server();
    let groups = get(&client, "/apis").await;
    let found = groups["groups"].as_array().expect("groups").iter();
    let found: Vec<&str> = found
        .flat_map(|group| group["versions"].as_array().expect("versions"))
        .filter_map(|version| version["groupVersion"].as_str())
        .filter(|version| !version.contains("beta")) // a real server does not serve them by default
        .collect();
    let expected: Vec<&str> = DISCOVERY.lines().filter_map(|line| line.strip_prefix("# ")).skip(1).collect();
    assert_eq!(found, expected);
}

/// The columns of a Table, as `real/columns.txt` has them.
async fn columns(client: &Client, path: &str) -> String {
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let request = http::Request::get(path).header("accept", accept).body(Vec::new()).expect("a request");
    let table: Value = client.request(request).await.expect(path);
    let columns = table["columnDefinitions"].as_array().expect("columns").iter().map(|column| {
        let [name, kind, format] =
            ["name", "type", "format"].map(|field| column[field].as_str().expect(field));
        let slash = if format.is_empty() { "" } else { "/" };
        format!("{name}:{kind}{slash}{format}{}", if column["priority"] == 0 { "" } else { "+" })
    });
    columns.collect::<Vec<_>>().join(" | ")
}

#[tokio::test(start_paused = true)]
async fn every_kind_has_the_columns_of_a_real_server() {
    let (_server, client) = server();
    for line in COLUMNS.lines() {
        let (resource, expected) = line.split_once(" | ").expect("a resource and its columns");
        let (group_version, plural) = resource.split_once(' ').expect("a version and a name");
        let found = columns(&client, &format!("{}/{plural}", root(group_version))).await;
        assert_eq!(found, expected, "{resource}");
    }
}

#[tokio::test(start_paused = true)]
async fn components_are_healthy_and_cannot_be_written() {
    let (_server, client) = server();
    let list = get(&client, "/api/v1/componentstatuses").await;
    let healthy = |one: &Value| one["conditions"][0]["status"] == "True";
    assert!(list["items"].as_array().is_some_and(|all| all.len() == 3 && all.iter().all(healthy)), "{list}");
    let one = get(&client, "/api/v1/componentstatuses/etcd-0").await;
    assert_eq!(one["metadata"]["name"], "etcd-0");
    assert_eq!(get(&client, "/api/v1/componentstatuses/other").await["code"], 404);
    let refused = send(&client, http::Method::POST, "/api/v1/componentstatuses", Some(json!({}))).await;
    assert_eq!(refused["code"], 405);
}

#[tokio::test(start_paused = true)]
async fn what_stands_below_a_pod_changes_its_own_part_alone() {
    let (_server, client) = server();
    let pods = "/api/v1/namespaces/default/pods";
    let mut burstable = pod("web");
    burstable["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "1"}});
    create(&client, pods, burstable).await;
    let web = format!("{pods}/web");
    let debug =
        json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "tools:1"}], "nodeName": "n"}});
    let changed =
        send(&client, http::Method::PATCH, &format!("{web}/ephemeralcontainers"), Some(debug)).await;
    assert_eq!(changed["spec"]["ephemeralContainers"][0]["name"], "debug");
    assert_eq!(changed["spec"].get("nodeName"), None);
    let mut resized = get(&client, &format!("{web}/resize")).await;
    resized["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "2"}});
    resized["spec"]["containers"][0]["image"] = "other:2".into();
    let resized = send(&client, http::Method::PUT, &format!("{web}/resize"), Some(resized)).await;
    let container = &resized["spec"]["containers"][0];
    assert_eq!(
        (&container["resources"]["requests"]["cpu"], &container["image"]),
        (&json!("2"), &json!("web:1"))
    );
    let exec = send(&client, http::Method::POST, &format!("{web}/exec?command=ls"), None).await;
    assert_eq!(exec["message"], "pod web does not have a host assigned");
    let log = get(&client, &format!("{web}/log?container=other")).await;
    assert_eq!(log["message"], "container other is not valid for pod web");
    let binding = json!({"metadata": {"name": "web"}, "target": {"name": "node-1"}});
    let bound = send(&client, http::Method::POST, "/api/v1/namespaces/default/bindings", Some(binding)).await;
    assert_eq!(bound["status"], "Success");
    assert_eq!(get(&client, &web).await["spec"]["nodeName"], "node-1");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_approved_apart_from_its_status() {
    let (_server, client) = server();
    let all = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    create(
        &client,
        all,
        json!({"metadata": {"name": "c"}, "spec": {
        "request": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K", "signerName": "example.com/s", "usages": ["client auth"]}}),
    )
    .await;
    let approved = json!({"type": "Approved", "status": "True", "reason": "Fine", "message": ""});
    let patch = json!({"status": {"conditions": [approved], "certificate": "LS0t"}});
    let changed = send(&client, http::Method::PATCH, &format!("{all}/c/approval"), Some(patch)).await;
    assert_eq!(changed["status"]["conditions"][0]["type"], "Approved", "{changed}");
    assert_eq!(changed["status"].get("certificate"), None);
}
