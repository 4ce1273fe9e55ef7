//! The limits of a request: no size of a body or of a selector makes the server slow or large.

use std::time::Duration;

use kube_client::{Client, api::WatchParams};
use serde_json::{Value, json};
use trimtab_apiserver::ApiServer;

use crate::{
    fixtures::{config_map, config_maps, refusal, request, send, send_json},
    watches::next,
};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// The time that this process has computed: on one thread, whoever else computes.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

async fn patch(
    client: &Client,
    content_type: &str,
    path: &str,
    body: String,
) -> Result<Value, kube_client::Error> {
    let patch = request("PATCH", path).header("content-type", content_type);
    client.request(patch.body(body.into_bytes()).expect("a request")).await
}

/// The ratio of the times that `work` takes for eight times as much.
async fn growth(work: impl AsyncFn(usize)) -> f64 {
    work(500).await; // once for what is made at the first time
    let mut times = Vec::new();
    for size in [2_000, 16_000] {
        let begun = cpu();
        work(size).await;
        times.push((cpu() - begun).as_secs_f64());
    }
    times[1] / times[0]
}

/// A square would take 64 times as long for eight times as many.
#[tokio::test(start_paused = true)]
async fn a_strategic_merge_of_many_items_takes_as_long_as_they_are_many() {
    let server = ApiServer::start();
    let client = server.client();
    let growth = growth(async |size| {
        let name = format!("pod-{size}");
        let pod = json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
        send_json(&client, "POST", "/api/v1/namespaces/default/pods", &pod).await.expect("created");
        let items = |shift: usize| -> Vec<Value> {
            (0..size).map(|n| json!({"name": format!("e{}", n + shift), "value": "v"})).collect()
        };
        let path = format!("/api/v1/namespaces/default/pods/{name}");
        for shift in [0, size / 2] {
            let body = json!({"spec": {"containers": [{"name": "c", "env": items(shift)}]}});
            let merge = "application/strategic-merge-patch+json";
            // What was merged is refused in the end: a Pod's environment does not change.
            patch(&client, merge, &path, body.to_string()).await.expect_err("a Pod does not change");
        }
    });
    let growth = growth.await;
    assert!(growth < 30.0, "eight times as many items take {growth:.0} times as long");
}

#[tokio::test(start_paused = true)]
async fn many_managers_take_as_long_as_they_are_many() {
    let server = ApiServer::start();
    let client = server.client();
    let growth = growth(async |size| {
        let manager = |n: usize| {
            json!({
                "manager": format!("m{n}"), "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {}},
            })
        };
        let managers: Vec<Value> = (0..size / 4).map(manager).collect();
        let map = json!({"metadata": {"name": format!("map-{size}"), "managedFields": managers}});
        send_json(&client, "POST", MAPS, &map).await.ok(); // too large is an answer, too
    });
    let growth = growth.await;
    assert!(growth < 30.0, "eight times as many managers take {growth:.0} times as long");
}

#[tokio::test(start_paused = true)]
async fn of_very_many_mistakes_not_all_are_told() {
    let server = ApiServer::start();
    let finalizers = vec!["a"; 300_000];
    let map = json!({"metadata": {"name": "many", "finalizers": finalizers}});
    let refused = refusal(send_json(&server.client(), "POST", MAPS, &map).await);
    assert_eq!(refused.code, 422);
    let causes = refused.details.map_or(0, |details| details.causes.len());
    assert!((1..=1_000).contains(&causes), "{causes} mistakes are told");
}

#[tokio::test(start_paused = true)]
async fn a_selector_with_too_many_requirements_is_refused() {
    let client = ApiServer::start().client();
    let server = ApiServer::start();
    let terms = |one: &str, count: usize| vec![one; count].join(",");
    for (parameter, one) in [("fieldSelector", "metadata.name!%3Da"), ("labelSelector", "!a")] {
        let path = |count| format!("{MAPS}?{parameter}={}", terms(one, count));
        send(&server.client(), "GET", &path(256)).await.expect("as many as are allowed");
        let refused = refusal(send(&server.client(), "GET", &path(257)).await);
        assert_eq!(refused.code, 400);
        assert!(refused.message.contains("at most 256"), "{}", refused.message);
    }
    drop(client);
}

/// A version that has left the history is 410, like one that is too old.
#[tokio::test(start_paused = true)]
async fn the_history_is_bounded_by_bytes() {
    let server = ApiServer::builder().history_bytes(1 << 20).start();
    let client = server.client();
    config_maps(&client).create(&Default::default(), &config_map("large")).await.expect("created");
    let before = server.resource_version();
    let path = format!("{MAPS}/large");
    let merge = "application/merge-patch+json";
    for number in 0..20 {
        let body = json!({"data": {"a": "x".repeat(200_000), "n": number.to_string()}});
        patch(&client, merge, &path, body.to_string()).await.expect("patched");
    }
    let maps = config_maps(&client);
    let mut late = Box::pin(maps.watch(&WatchParams::default(), &before.to_string()).await.expect("opened"));
    assert_eq!(next(&mut late).await, "error 410");
    let recent = (server.resource_version() - 2).to_string();
    let mut recent = Box::pin(maps.watch(&WatchParams::default(), &recent).await.expect("opened"));
    assert_eq!(next(&mut recent).await, "modified large", "what is recent is kept");
    let exact = format!("{MAPS}?resourceVersion={before}&resourceVersionMatch=Exact");
    assert_eq!(refusal(send(&client, "GET", &exact).await).code, 410);
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_is_nested_too_deeply_is_refused_as_upstream_refuses_what_it_cannot_read() {
    let server = ApiServer::start();
    let mut schema = json!({"type": "string"});
    for _ in 0..100 {
        schema = json!({"type": "object", "properties": {"a": schema}});
    }
    let definition = json!({
        "metadata": {"name": "deeps.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "deeps", "kind": "Deep"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    });
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let refused = refusal(send_json(&server.client(), "POST", path, &definition).await);
    assert_eq!(refused.code, 400);
    assert!(refused.message.contains("exceeded max depth"), "{}", refused.message);
    assert!(!refused.message.contains("recursion"), "{}", refused.message);
}
