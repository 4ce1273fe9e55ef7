//! Quotas on the number of objects.

use http::Method;
use serde_json::json;

use crate::fixtures::{create, get, pod, send, server};

const QUOTAS: &str = "/api/v1/namespaces/default/resourcequotas";
const PODS: &str = "/api/v1/namespaces/default/pods";

/// The status of a quota is its controller's, which is no part of the server: nothing is refused before it has spoken.
#[tokio::test(start_paused = true)]
async fn a_quota_counts_objects_and_refuses_what_is_too_many() {
    let (_server, client) = server();
    let quota = json!({"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}});
    create(&client, QUOTAS, quota).await;
    create(&client, PODS, pod("early")).await;
    let status = json!({"status": {"hard": {"pods": "2"}, "used": {"pods": "1"}}});
    send(&client, Method::PATCH, &format!("{QUOTAS}/few/status"), Some(status)).await;
    create(&client, PODS, pod("second")).await;
    let used = &get(&client, &format!("{QUOTAS}/few")).await["status"]["used"];
    assert_eq!(used, &json!({"pods": "2"}));
    let refused = send(&client, Method::POST, PODS, Some(pod("third"))).await;
    assert_eq!(refused["code"], 403);
    assert_eq!(
        refused["message"],
        "pods \"third\" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2"
    );
    create(&client, "/api/v1/namespaces/default/configmaps", json!({"metadata": {"name": "free"}})).await;
}

/// Whoever writes a quota may write `1k` for a thousand.
#[tokio::test(start_paused = true)]
async fn a_quota_is_a_quantity() {
    let (_server, client) = server();
    create(&client, QUOTAS, json!({"metadata": {"name": "many"}, "spec": {"hard": {"pods": "1k"}}})).await;
    let status = json!({"status": {"hard": {"pods": "1k"}, "used": {"pods": "999"}}});
    send(&client, Method::PATCH, &format!("{QUOTAS}/many/status"), Some(status)).await;
    create(&client, PODS, pod("last")).await;
    let used = &get(&client, &format!("{QUOTAS}/many")).await["status"]["used"];
    assert_eq!(used, &json!({"pods": "1k"}));
    let refused = send(&client, Method::POST, PODS, Some(pod("one-more"))).await;
    assert_eq!(refused["code"], 403);
}

/// The requests of Pods are added up; where a quota limits them, every container must declare them.
#[tokio::test(start_paused = true)]
async fn a_quota_adds_up_what_pods_ask_for() {
    let (_server, client) = server();
    create(&client, QUOTAS, json!({"metadata": {"name": "q"}, "spec": {"hard": {"cpu": "1"}}})).await;
    let status = json!({"status": {"hard": {"cpu": "1", "limits.memory": "1Gi"}, "used": {"cpu": "0", "limits.memory": "0"}}});
    send(&client, Method::PATCH, &format!("{QUOTAS}/q/status"), Some(status)).await;
    let with = |name: &str, resources: serde_json::Value| {
        let mut pod = pod(name);
        pod["spec"]["containers"][0]["resources"] = resources;
        pod
    };
    let refused = send(&client, Method::POST, PODS, Some(pod("silent"))).await;
    let container = pod("silent")["spec"]["containers"][0]["name"].as_str().expect("a name").to_owned();
    assert_eq!(
        refused["message"],
        format!(
            "pods \"silent\" is forbidden: failed quota: q: must specify cpu for: {container}; limits.memory for: {container}"
        )
    );
    let modest = json!({"requests": {"cpu": "600m"}, "limits": {"memory": "512Mi"}});
    create(&client, PODS, with("modest", modest.clone())).await;
    let refused = send(&client, Method::POST, PODS, Some(with("another", modest))).await;
    assert_eq!(
        refused["message"],
        "pods \"another\" is forbidden: exceeded quota: q, requested: cpu=600m, used: cpu=600m, limited: cpu=1"
    );
    let used = &get(&client, &format!("{QUOTAS}/q")).await["status"]["used"];
    assert_eq!(used["cpu"], "600m");
}

/// A quota with scopes is about such Pods only.
#[tokio::test(start_paused = true)]
async fn a_quota_may_be_about_some_pods_only() {
    let (_server, client) = server();
    let spec = json!({"hard": {"pods": "0"}, "scopes": ["Terminating"]});
    create(&client, QUOTAS, json!({"metadata": {"name": "q"}, "spec": spec})).await;
    let status = json!({"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}});
    send(&client, Method::PATCH, &format!("{QUOTAS}/q/status"), Some(status)).await;
    create(&client, PODS, pod("endless")).await;
    let mut ending = pod("ending");
    ending["spec"]["activeDeadlineSeconds"] = json!(60);
    assert_eq!(send(&client, Method::POST, PODS, Some(ending)).await["code"], 403);
}

/// A Pod that gets a deadline enters the quota of those that end; a Service that gets ports takes them.
#[tokio::test(start_paused = true)]
async fn a_quota_counts_what_a_change_takes() {
    let (_server, client) = server();
    let quotas = [("ends", "pods", json!(["Terminating"])), ("ports", "services.nodeports", json!(null))];
    for (name, resource, scopes) in quotas {
        let spec = json!({"hard": {resource: "1"}, "scopes": scopes});
        create(&client, QUOTAS, json!({"metadata": {"name": name}, "spec": spec})).await;
        let status = json!({"status": {"hard": {resource: "1"}, "used": {resource: "0"}}});
        send(&client, Method::PATCH, &format!("{QUOTAS}/{name}/status"), Some(status)).await;
    }
    let services = "/api/v1/namespaces/default/services";
    for name in ["first", "second"] {
        create(&client, PODS, pod(name)).await;
        create(&client, services, json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}))
            .await;
    }
    let changes = [
        (
            PODS,
            json!({"spec": {"activeDeadlineSeconds": 100}}),
            "ends, requested: pods=1, used: pods=1, limited: pods=1",
        ),
        (
            services,
            json!({"spec": {"type": "NodePort"}}),
            "ports, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1",
        ),
    ];
    for (path, change, exceeded) in changes {
        let first = send(&client, Method::PATCH, &format!("{path}/first"), Some(change.clone())).await;
        assert_eq!(first["metadata"]["name"], "first", "{first}");
        for query in ["?dryRun=All", ""] {
            let second =
                send(&client, Method::PATCH, &format!("{path}/second{query}"), Some(change.clone())).await;
            assert_eq!(second["code"], 403);
            let message = second["message"].as_str().unwrap();
            assert!(
                message.ends_with(&format!("\"second\" is forbidden: exceeded quota: {exceeded}")),
                "{message}"
            );
        }
    }
}
