//! The allocations of Services, and the scale of objects.

use std::collections::BTreeSet;

use http::Method;
use kube_client::Client;
use serde_json::{Value, json};

use crate::fixtures::{create, delete, get, patch, send, server};

const SERVICES: &str = "/api/v1/namespaces/default/services";

fn service(name: &str, kind: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"type": kind, "ports": [{"port": 80}]}})
}

async fn address(client: &Client, name: &str) -> String {
    let service = create(client, SERVICES, service(name, "ClusterIP")).await;
    service["spec"]["clusterIP"].as_str().expect("an address").to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_service_s_address_is_its_own_until_it_is_gone() {
    let (_server, client) = server();
    let [one, other] = [address(&client, "one").await, address(&client, "other").await];
    assert!(one.starts_with("10.0.0.") && one != other && one != "10.0.0.1", "{one} {other}");
    let mut same = service("third", "ClusterIP");
    same["spec"]["clusterIP"] = one.clone().into();
    assert_eq!(send(&client, Method::POST, SERVICES, Some(same.clone())).await["code"], 422);
    delete(&client, &format!("{SERVICES}/one"), "Background").await;
    assert_eq!(create(&client, SERVICES, same).await["spec"]["clusterIP"], one.as_str());
    let moved =
        patch(&client, &format!("{SERVICES}/other"), json!({"spec": {"clusterIP": "10.0.0.200"}})).await;
    assert_eq!(moved["details"]["causes"][0]["field"], "spec.clusterIPs[0]");
}

#[tokio::test(start_paused = true)]
async fn a_service_has_node_ports_as_long_as_its_type_has() {
    let (_server, client) = server();
    let made = create(&client, SERVICES, service("web", "NodePort")).await;
    let port = made["spec"]["ports"][0]["nodePort"].as_i64().expect("a port");
    assert!((30_000..=32_767).contains(&port));
    let web = format!("{SERVICES}/web");
    let labelled = patch(&client, &web, json!({"metadata": {"labels": {"a": "b"}}})).await;
    assert_eq!(labelled["spec"]["ports"][0]["nodePort"], port);
    let plain = patch(&client, &web, json!({"spec": {"type": "ClusterIP"}})).await;
    assert_eq!(plain["spec"]["ports"][0].get("nodePort"), None, "{plain}");
    assert_eq!(plain["spec"]["clusterIP"], made["spec"]["clusterIP"]);
    let outside = json!({"spec": {"type": "ExternalName", "externalName": "example.com"}});
    assert_eq!(patch(&client, &web, outside).await["spec"].get("clusterIP"), None);
}

/// Fails if `Allocator::allocate` reads the stored allocations before it locks the reserved ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_writers_never_get_the_same_address() {
    let (_server, client) = server();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let client = client.clone();
        writers.spawn(async move {
            let mut own = Vec::new();
            for number in 0..20 {
                own.push(address(&client, &format!("s-{writer}-{number}")).await);
            }
            own
        });
    }
    let all: Vec<String> = writers.join_all().await.into_iter().flatten().collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[tokio::test(start_paused = true)]
async fn a_scaler_is_one_object_in_both_versions() {
    let (_server, client) = server();
    let path =
        |version: &str| format!("/apis/autoscaling/{version}/namespaces/default/horizontalpodautoscalers");
    let target = json!({"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"});
    let first = json!({"metadata": {"name": "web"}, "spec": {
        "scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}});
    let made = create(&client, &path("v1"), first).await;
    assert_eq!(made["spec"]["targetCPUUtilizationPercentage"], 50);
    let second = get(&client, &format!("{}/web", path("v2"))).await;
    assert_eq!(second["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 50);
    let metrics = json!([second["spec"]["metrics"][0],
        {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}}]);
    patch(&client, &format!("{}/web", path("v2")), json!({"spec": {"metrics": metrics}})).await;
    let shown = get(&client, &format!("{}/web", path("v1"))).await;
    assert_eq!(shown["spec"]["targetCPUUtilizationPercentage"], 50);
    assert!(
        shown["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/metrics"].is_string(),
        "{shown}"
    );
    patch(&client, &format!("{}/web", path("v1")), json!({"metadata": {"labels": {"a": "b"}}})).await;
    let again = get(&client, &format!("{}/web", path("v2"))).await;
    assert_eq!(again["spec"]["metrics"], metrics, "nothing is lost on the way");
}

#[tokio::test(start_paused = true)]
async fn a_pod_has_the_number_of_its_priority_class() {
    let (_server, client) = server();
    let pods = "/api/v1/namespaces/default/pods";
    let classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
    let pod = |name: &str, class: Option<&str>| {
        let mut pod = crate::fixtures::pod(name);
        if let Some(class) = class {
            pod["spec"]["priorityClassName"] = class.into();
        }
        pod
    };
    let made = create(&client, pods, pod("a", Some("system-node-critical"))).await;
    assert_eq!(made["spec"]["priority"], 2_000_001_000);
    assert_eq!(create(&client, pods, pod("b", None)).await["spec"]["priority"], 0);
    let everybody_s = json!({"metadata": {"name": "usual"}, "value": 7, "globalDefault": true});
    create(&client, classes, everybody_s).await;
    assert_eq!(create(&client, pods, pod("c", None)).await["spec"]["priority"], 7);
    let refused = send(&client, Method::POST, pods, Some(pod("d", Some("none")))).await;
    assert_eq!(refused["code"], 403);
}
