//! Deletion: at once, after a grace period, when the last finalizer is gone.

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube_client::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy},
};
use serde_json::{Value, json};
use trimtab_apiserver::ApiServer;

use crate::fixtures::{
    code_and_reason, config_map, config_maps, from, labelled_pod, pod, pods, refusal, send_json,
};

async fn bound_pod(client: &Client, name: &str) -> Pod {
    pods(client).create(&PostParams::default(), &pod(name)).await.expect("the server answers");
    let binding = json!({"metadata": {"name": name}, "target": {"kind": "Node", "name": "node-1"}});
    let path = format!("/api/v1/namespaces/default/pods/{name}/binding");
    send_json(client, "POST", &path, &binding).await.expect("the server answers");
    pods(client).get(name).await.expect("the server answers")
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_runs_is_deleted_after_its_grace_period_by_who_stops_it() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let pod = bound_pod(&server.client(), "web").await;
    let before = server.now();
    let marked = pods.delete("web", &DeleteParams::default()).await.unwrap().left().expect("it stays");
    let deletion = marked.metadata.deletion_timestamp.clone().unwrap().0;
    assert_eq!(marked.metadata.deletion_grace_period_seconds, Some(30));
    assert_eq!((deletion - before).get_seconds(), 29 + i64::from(before.subsec_nanosecond() == 0));
    assert_eq!(marked.metadata.generation, pod.metadata.generation.map(|generation| generation + 1));
    // Asking again for no less changes nothing.
    let version = server.resource_version();
    pods.delete("web", &DeleteParams::default()).await.unwrap();
    assert_eq!(server.resource_version(), version);
    // A shorter grace period counts from the first deletion.
    let shorter =
        pods.delete("web", &DeleteParams::default().grace_period(10)).await.unwrap().left().unwrap();
    assert_eq!((deletion - shorter.metadata.deletion_timestamp.unwrap().0).get_seconds(), 20);
    pods.delete("web", &DeleteParams::default().grace_period(0)).await.unwrap();
    assert!(pods.get_opt("web").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_runs_nowhere_or_has_ended_is_removed_at_once() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    pods.create(&PostParams::default(), &pod("pending")).await.unwrap();
    pods.delete("pending", &DeleteParams::default()).await.unwrap();
    assert!(pods.get_opt("pending").await.unwrap().is_none());
    bound_pod(&server.client(), "ended").await;
    let ended = Patch::Merge(json!({"status": {"phase": "Succeeded"}}));
    pods.patch_status("ended", &PatchParams::default(), &ended).await.unwrap();
    pods.delete("ended", &DeleteParams::default()).await.unwrap();
    assert!(pods.get_opt("ended").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_object_with_finalizers_stays_until_the_last_one_is_gone() {
    let server = ApiServer::start();
    let maps = config_maps(&server.client());
    let mut map = config_map("kept");
    map.metadata.finalizers = Some(vec!["example.com/one".into(), "example.com/two".into()]);
    maps.create(&PostParams::default(), &map).await.unwrap();
    let marked = maps.delete("kept", &DeleteParams::default()).await.unwrap().left().expect("it stays");
    assert_eq!(marked.metadata.deletion_grace_period_seconds, Some(0));
    let finalizers = |list: &[&str]| Patch::Merge(json!({"metadata": {"finalizers": list}}));
    let params = PatchParams::default();
    let more = finalizers(&["example.com/one", "example.com/two", "example.com/three"]);
    let status = refusal(maps.patch("kept", &params, &more).await);
    assert_eq!(status.code, 422);
    assert_eq!(status.details.unwrap().causes[0].field, "metadata.finalizers");
    let unmark = Patch::Merge(json!({"metadata": {"deletionTimestamp": null}}));
    assert!(maps.patch("kept", &params, &unmark).await.unwrap().metadata.deletion_timestamp.is_some());
    maps.patch("kept", &params, &finalizers(&["example.com/two"])).await.unwrap();
    let mut commits = server.commits();
    let removed = maps.patch("kept", &params, &finalizers(&[])).await.unwrap();
    assert!(maps.get_opt("kept").await.unwrap().is_none());
    let commit = commits.next().await.unwrap();
    assert_eq!(commit.change, trimtab_apiserver::ChangeKind::Deleted);
    assert_eq!(removed.uid(), marked.uid());
}

#[tokio::test(start_paused = true)]
async fn a_deletion_with_preconditions_meets_only_the_object_that_was_seen() {
    let server = ApiServer::start();
    let maps = config_maps(&server.client());
    let map = maps.create(&PostParams::default(), &config_map("one")).await.unwrap();
    let only = |uid: Option<String>, resource_version: Option<String>| {
        DeleteParams::default().preconditions(Preconditions { uid, resource_version })
    };
    let other = only(Some("another".into()), None);
    assert_eq!(code_and_reason(maps.delete("one", &other).await), (409, "Conflict".into()));
    let older = only(map.uid(), Some("1".into()));
    assert_eq!(code_and_reason(maps.delete("one", &older).await), (409, "Conflict".into()));
    let status = maps.delete("one", &only(map.uid(), map.resource_version())).await.unwrap().right().unwrap();
    assert_eq!(status.details.unwrap().uid, map.uid().unwrap());
    assert_eq!(code_and_reason(maps.delete("one", &DeleteParams::default()).await).0, 404);
}

#[tokio::test(start_paused = true)]
async fn propagation_is_left_to_the_garbage_collector_as_a_finalizer() {
    let server = ApiServer::builder().controllers(false).start();
    let maps = config_maps(&server.client());
    for (policy, finalizer) in
        [(PropagationPolicy::Foreground, "foregroundDeletion"), (PropagationPolicy::Orphan, "orphan")]
    {
        let name = finalizer.to_lowercase();
        maps.create(&PostParams::default(), &config_map(&name)).await.unwrap();
        let params = DeleteParams { propagation_policy: Some(policy), ..Default::default() };
        let marked = maps.delete(&name, &params).await.unwrap().left().expect("it stays");
        assert_eq!(marked.finalizers(), [finalizer]);
        let background = DeleteParams::background();
        maps.delete(&name, &background).await.unwrap();
        assert!(maps.get_opt(&name).await.unwrap().is_none());
    }
    let nonsense = json!({"propagationPolicy": "Sideways"});
    let path = "/api/v1/namespaces/default/configmaps/x";
    assert_eq!(code_and_reason(send_json(&server.client(), "DELETE", path, &nonsense).await).0, 422);
}

#[tokio::test(start_paused = true)]
async fn a_collection_is_deleted_as_far_as_it_matches() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    for (name, app) in [("a", "web"), ("b", "web"), ("c", "db")] {
        pods.create(&PostParams::default(), &labelled_pod(name, &json!({"app": app}))).await.unwrap();
    }
    let web = ListParams::default().labels("app=web");
    let deleted = pods.delete_collection(&DeleteParams::default(), &web).await.unwrap().left().unwrap();
    assert_eq!(deleted.items.len(), 2);
    let left: Vec<String> =
        pods.list(&ListParams::default()).await.unwrap().iter().map(Pod::name_any).collect();
    assert_eq!(left, ["c"]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_when_its_own_finalizers_are_gone() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let team: Namespace = from(json!({"metadata": {"name": "team"}}));
    namespaces.create(&PostParams::default(), &team).await.unwrap();
    let marked = namespaces.delete("team", &DeleteParams::default()).await.unwrap().left().unwrap();
    let mut finalized: Value = serde_json::to_value(&marked).unwrap();
    finalized["spec"]["finalizers"] = json!([]);
    send_json(&client, "PUT", "/api/v1/namespaces/team/finalize", &finalized).await.unwrap();
    assert!(namespaces.get_opt("team").await.unwrap().is_none());
}
