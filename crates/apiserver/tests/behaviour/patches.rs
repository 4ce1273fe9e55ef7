//! Patches as clients send them.

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube_client::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use trimtab_apiserver::ApiServer;

use crate::fixtures::{code_and_reason, labelled_pod, pods, replica_set};

#[tokio::test(start_paused = true)]
async fn a_strategic_merge_patch_merges_containers_by_name() {
    let server = ApiServer::start();
    let sets: Api<ReplicaSet> = Api::default_namespaced(server.client());
    sets.create(&PostParams::default(), &replica_set("web")).await.unwrap();
    let containers = json!([{"name": "main", "image": "app:2"}, {"name": "side", "image": "log:1"}]);
    let patch = Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    let patched = sets.patch("web", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(patched.metadata.generation, Some(2));
    let patched: Value = serde_json::to_value(&patched).unwrap();
    let containers = patched.pointer("/spec/template/spec/containers").unwrap();
    let images: Vec<&Value> = containers.as_array().unwrap().iter().map(|item| &item["image"]).collect();
    assert_eq!(images, ["app:2", "log:1"]);
    assert_eq!(containers[0]["imagePullPolicy"], "IfNotPresent"); // what was there stays
}

/// The patch of an adoption: owners are merged by UID, and the patch meets one object only.
#[tokio::test(start_paused = true)]
async fn owners_are_merged_by_uid_and_removed_by_directive() {
    let server = ApiServer::builder().controllers(false).start();
    let pods = pods(&server.client());
    let pod = pods.create(&PostParams::default(), &labelled_pod("web", &json!({"a": "b"}))).await.unwrap();
    let owner = |uid: &str| json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": uid});
    let patch = |owner: Value, uid: &Option<String>| {
        Patch::Strategic(json!({"metadata": {"ownerReferences": [owner], "uid": uid}}))
    };
    let params = PatchParams::default();
    pods.patch("web", &params, &patch(owner("1"), &pod.metadata.uid)).await.unwrap();
    let both = pods.patch("web", &params, &patch(owner("2"), &pod.metadata.uid)).await.unwrap();
    assert_eq!(both.metadata.owner_references.unwrap().len(), 2);
    let release = json!({"$patch": "delete", "uid": "1"});
    let one = pods.patch("web", &params, &patch(release, &pod.metadata.uid)).await.unwrap();
    assert_eq!(one.metadata.owner_references.unwrap()[0].uid, "2");
    let elsewhere = patch(owner("3"), &Some("another".to_owned()));
    assert_eq!(code_and_reason(pods.patch("web", &params, &elsewhere).await), (422, "Invalid".into()));
}
