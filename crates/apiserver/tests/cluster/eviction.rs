//! Evictions, and the disruption budgets that have a say in them. The words are a kube-apiserver 1.36.3's.

use http::Method;
use kube_client::Client;
use serde_json::{Value, json};

use crate::fixtures::{create, get, names, pod, send, server};

const PODS: &str = "/api/v1/namespaces/default/pods";
const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

/// A ready Pod of the name, and a budget for it with this status.
async fn prepare(client: &Client, name: &str, status: Value) {
    let mut object = pod(name);
    object["metadata"]["labels"] = json!({"app": name});
    object["spec"]["nodeName"] = "node-1".into();
    create(client, PODS, object).await;
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    send(client, Method::PATCH, &format!("{PODS}/{name}/status"), Some(ready)).await;
    let spec = json!({"minAvailable": 1, "selector": {"matchLabels": {"app": name}}});
    create(
        client,
        BUDGETS,
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": name}, "spec": spec}),
    )
    .await;
    if !status.is_null() {
        send(client, Method::PATCH, &format!("{BUDGETS}/{name}/status"), Some(json!({"status": status})))
            .await;
    }
}

async fn evict(client: &Client, name: &str) -> Value {
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}});
    send(client, Method::POST, &format!("{PODS}/{name}/eviction"), Some(eviction)).await
}

fn status(allowed: i64) -> Value {
    json!({"observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1,
        "expectedPods": 1})
}

#[tokio::test(start_paused = true)]
async fn a_budget_without_room_refuses_and_says_why() {
    let (_server, client) = server();
    prepare(&client, "new", Value::Null).await;
    let refused = evict(&client, "new").await;
    assert_eq!((&refused["code"], &refused["details"]["retryAfterSeconds"]), (&json!(429), &json!(10)));
    let because = "The disruption budget new is still being processed by the server.";
    assert_eq!(refused["details"]["causes"][0]["message"], because);

    prepare(&client, "full", status(0)).await;
    let refused = evict(&client, "full").await;
    assert_eq!((&refused["code"], &refused["reason"]), (&json!(429), &json!("TooManyRequests")));
    let cause = json!({"reason": "DisruptionBudget",
        "message": "The disruption budget full needs 1 healthy pods and has 1 currently"});
    assert_eq!(refused["details"]["causes"], json!([cause]));
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "second"},
        "spec": {"minAvailable": 1, "selector": {}}});
    create(&client, BUDGETS, budget).await;
    assert_eq!(evict(&client, "full").await["code"], 500, "two budgets for one Pod");
    assert_eq!(names(&client, PODS).await, ["full", "new"]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_with_room_lets_the_pod_go_and_counts_it() {
    let (_server, client) = server();
    prepare(&client, "web", status(1)).await;
    assert_eq!(evict(&client, "web").await["code"], 201);
    assert!(get(&client, &format!("{PODS}/web")).await["metadata"]["deletionTimestamp"].is_string());
    let spent = get(&client, &format!("{BUDGETS}/web")).await["status"].take();
    assert_eq!(spent["disruptionsAllowed"], 0);
    assert!(spent["disruptedPods"]["web"].is_string());
    assert_eq!(spent["conditions"][0]["reason"], "InsufficientPods");
    assert_eq!(evict(&client, "web").await["code"], 201, "it is going anyway");
}
