//! `/scale`, `/status`, `/binding`.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use kube_client::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use trimtab_apiserver::ApiServer;

use crate::fixtures::{code_and_reason, from, pod, pods, refusal, replica_set, send_json};

#[tokio::test(start_paused = true)]
async fn scale_shows_and_sets_the_replicas_of_every_kind_that_has_some() {
    let server = ApiServer::start();
    let client = server.client();
    let sets: Api<ReplicaSet> = Api::default_namespaced(client.clone());
    sets.create(&PostParams::default(), &replica_set("web")).await.unwrap();
    let scale = sets.get_scale("web").await.unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(1));
    assert_eq!(scale.status.unwrap().selector.as_deref(), Some("app=web"));
    let patch = Patch::Merge(json!({"spec": {"replicas": 5}}));
    let scale = sets.patch_scale("web", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(5));
    let set = sets.get("web").await.unwrap();
    assert_eq!(
        (set.metadata.generation, set.metadata.resource_version),
        (Some(2), scale.metadata.resource_version)
    );
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let deployment = serde_json::to_value(replica_set("web")).unwrap();
    let mut deployment: serde_json::Value = deployment;
    deployment["kind"] = "Deployment".into();
    deployments.create(&PostParams::default(), &from(deployment)).await.unwrap();
    let path = "/apis/apps/v1/namespaces/default/deployments/web/scale";
    let stale = json!({"metadata": {"name": "web", "resourceVersion": "1"}, "spec": {"replicas": 2}});
    assert_eq!(refusal(send_json(&client, "PUT", path, &stale).await).code, 409);
    let negative = json!({"metadata": {"name": "web"}, "spec": {"replicas": -2}});
    assert_eq!(refusal(send_json(&client, "PUT", path, &negative).await).code, 422);
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_bound_to_one_node_and_stays_there() {
    let server = ApiServer::start();
    let client = server.client();
    let pods = pods(&client);
    pods.create(&PostParams::default(), &pod("web")).await.unwrap();
    let path = "/api/v1/namespaces/default/pods/web/binding";
    let binding = json!({"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "node-1"}});
    send_json(&client, "POST", path, &binding).await.unwrap();
    let bound = pods.get("web").await.unwrap();
    assert_eq!(bound.spec.unwrap().node_name.as_deref(), Some("node-1"));
    assert_eq!(bound.status.unwrap().conditions.unwrap()[0].type_, "PodScheduled");
    assert_eq!(code_and_reason(send_json(&client, "POST", path, &binding).await).0, 409);
    let elsewhere = Patch::Merge(json!({"spec": {"nodeName": "node-2"}}));
    assert_eq!(code_and_reason(pods.patch("web", &PatchParams::default(), &elsewhere).await).0, 422);
}

#[tokio::test(start_paused = true)]
async fn a_status_that_does_not_tell_a_pod_s_quality_of_service_leaves_it() {
    let server = ApiServer::start();
    let client = server.client();
    let mut sent =
        serde_json::to_value(pods(&client).create(&PostParams::default(), &pod("web")).await.unwrap())
            .unwrap();
    sent["status"] = json!({"phase": "Running"});
    let path = "/api/v1/namespaces/default/pods/web/status";
    let written = send_json(&client, "PUT", path, &sent).await.unwrap();
    assert_eq!(written["status"], json!({"phase": "Running", "qosClass": "BestEffort"}));
}

#[tokio::test(start_paused = true)]
async fn finalize_leaves_no_empty_list_of_finalizers() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let made = json!({"metadata": {"name": "team"}});
    let mut sent = send_json(&client, "POST", "/api/v1/namespaces", &made).await.unwrap();
    sent["spec"]["finalizers"] = json!([]);
    let written = send_json(&client, "PUT", "/api/v1/namespaces/team/finalize", &sent).await.unwrap();
    assert_eq!(written["spec"], json!({}));
}
