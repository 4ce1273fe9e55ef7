//! Create, get, update, patch and delete, through a typed client.

use crate::fixtures::{code_and_reason, config_map, config_maps, from, pod, pods, refusal, replica_set};
use k8s_openapi::api::{apps::v1::ReplicaSet, coordination::v1::Lease, core::v1::Namespace};
use kube_client::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use trimtab_apiserver::ApiServer;

#[tokio::test(start_paused = true)]
async fn a_created_object_carries_what_only_the_server_sets() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let created = pods.create(&PostParams::default(), &pod("web")).await.unwrap();
    assert_eq!(created.namespace().as_deref(), Some("default"));
    assert_eq!(created.uid().map(|uid| uid.len()), Some(36));
    assert!(created.creation_timestamp().is_some());
    assert_eq!(created.resource_version(), Some(server.resource_version().to_string()));
    assert_eq!(created.status.clone().and_then(|status| status.phase).as_deref(), Some("Pending"));
    assert_eq!(pods.get("web").await.unwrap(), created);
    assert_eq!(
        code_and_reason(pods.create(&PostParams::default(), &pod("web")).await),
        (409, "AlreadyExists".into())
    );
    assert_eq!(code_and_reason(pods.get("other").await), (404, "NotFound".into()));
}

#[tokio::test(start_paused = true)]
async fn a_generated_name_keeps_its_base_and_never_repeats() {
    let server = ApiServer::start();
    let maps = config_maps(&server.client());
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let mut map = config_map("");
        map.metadata.name = None;
        map.metadata.generate_name = Some("base-".to_owned());
        let name = maps.create(&PostParams::default(), &map).await.unwrap().name_any();
        assert!(name.starts_with("base-") && name.len() == 10, "{name}");
        assert!(names.insert(name));
    }
}

#[tokio::test(start_paused = true)]
async fn every_write_makes_one_version_and_a_write_that_changes_nothing_makes_none() {
    let server = ApiServer::start();
    let maps = config_maps(&server.client());
    let before = server.resource_version();
    let created = maps.create(&PostParams::default(), &config_map("one")).await.unwrap();
    assert_eq!(server.resource_version(), before + 1);
    let same = maps.replace("one", &PostParams::default(), &created).await.unwrap();
    assert_eq!(same, created);
    maps.patch("one", &PatchParams::default(), &Patch::Merge(json!({"data": {"key": "value"}})))
        .await
        .unwrap();
    assert_eq!(server.resource_version(), before + 1);
    let patch = Patch::Merge(json!({"data": {"key": null, "other": "2"}}));
    let patched = maps.patch("one", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(patched.data.unwrap().into_iter().collect::<Vec<_>>(), [("other".to_owned(), "2".to_owned())]);
    assert_eq!(server.resource_version(), before + 2);
}

#[tokio::test(start_paused = true)]
async fn a_writer_who_saw_an_older_version_gets_a_conflict() {
    let server = ApiServer::start();
    let maps = config_maps(&server.client());
    let seen = maps.create(&PostParams::default(), &config_map("one")).await.unwrap();
    let mut newer = seen.clone();
    newer.data.as_mut().unwrap().insert("more".into(), "1".into());
    maps.replace("one", &PostParams::default(), &newer).await.unwrap();
    let mut stale = seen.clone();
    stale.data = None;
    let status = refusal(maps.replace("one", &PostParams::default(), &stale).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert!(status.message.ends_with("please apply your changes to the latest version and try again"));
    stale.metadata.resource_version = None; // unconditional
    maps.replace("one", &PostParams::default(), &stale).await.unwrap();
    stale.metadata.uid = Some("another".to_owned());
    assert_eq!(code_and_reason(maps.replace("one", &PostParams::default(), &stale).await).0, 409);
}

#[tokio::test(start_paused = true)]
async fn generation_counts_changes_of_the_spec_and_status_is_written_apart() {
    let server = ApiServer::start();
    let sets: Api<ReplicaSet> = Api::default_namespaced(server.client());
    let created = sets.create(&PostParams::default(), &replica_set("web")).await.unwrap();
    assert_eq!(created.metadata.generation, Some(1));
    let patch = |patch| Patch::Merge(patch);
    let params = PatchParams::default();
    let scaled = sets.patch("web", &params, &patch(json!({"spec": {"replicas": 3}}))).await.unwrap();
    assert_eq!(scaled.metadata.generation, Some(2));
    let status = patch(json!({"status": {"replicas": 3}, "spec": {"replicas": 9}}));
    let ignored = sets.patch("web", &params, &patch(json!({"status": {"replicas": 7}}))).await.unwrap();
    assert_eq!(ignored.status.unwrap().replicas, 0);
    let reported = sets.patch_status("web", &params, &status).await.unwrap();
    assert_eq!(reported.metadata.generation, Some(2));
    let reported = serde_json::to_value(&reported).unwrap();
    assert_eq!((&reported["spec"]["replicas"], &reported["status"]["replicas"]), (&json!(3), &json!(3)));
}

#[tokio::test(start_paused = true)]
async fn leases_are_updated_only_by_who_names_the_version() {
    let server = ApiServer::start();
    let leases: Api<Lease> = Api::default_namespaced(server.client());
    let lease: Lease = from(json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": "me"}}));
    let mut lease = leases.create(&PostParams::default(), &lease).await.unwrap();
    lease.metadata.resource_version = None;
    lease.spec.as_mut().unwrap().holder_identity = Some("you".into());
    let status = refusal(leases.replace("a", &PostParams::default(), &lease).await);
    assert_eq!(status.code, 422);
    assert_eq!(status.details.unwrap().causes[0].field, "metadata.resourceVersion");
}

#[tokio::test(start_paused = true)]
async fn objects_are_created_only_in_namespaces_that_are_there_to_stay() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let inside = Api::namespaced(client.clone(), "team");
    assert_eq!(code_and_reason(inside.create(&PostParams::default(), &pod("web")).await).0, 404);
    let team: Namespace = from(json!({"metadata": {"name": "team"}}));
    let team = namespaces.create(&PostParams::default(), &team).await.unwrap();
    assert_eq!(team.status.unwrap().phase.as_deref(), Some("Active"));
    inside.create(&PostParams::default(), &pod("web")).await.unwrap();
    namespaces.delete("team", &DeleteParams::default()).await.unwrap();
    let status = refusal(inside.create(&PostParams::default(), &pod("late")).await);
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
    assert_eq!(status.details.unwrap().causes[0].reason, "NamespaceTerminating");
    assert_eq!(namespaces.get("team").await.unwrap().status.unwrap().phase.as_deref(), Some("Terminating"));
}

#[tokio::test(start_paused = true)]
async fn names_selectors_and_owners_are_checked_field_by_field() {
    let server = ApiServer::start();
    let client = server.client();
    let status = refusal(pods(&client).create(&PostParams::default(), &pod("Web_1")).await);
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert_eq!(status.details.unwrap().causes[0].field, "metadata.name");
    let sets: Api<ReplicaSet> = Api::default_namespaced(client.clone());
    let mut set = replica_set("web");
    let mut other = serde_json::to_value(&set).unwrap();
    other["spec"]["selector"]["matchLabels"] = json!({"app": "other"});
    let status = refusal(sets.create(&PostParams::default(), &from(other)).await);
    assert_eq!(status.details.unwrap().causes[0].field, "spec.template.metadata.labels");
    set.metadata.owner_references = Some(vec![Default::default()]);
    assert_eq!(code_and_reason(sets.create(&PostParams::default(), &set).await).0, 422);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_is_checked_like_a_write_and_stores_nothing() {
    let server = ApiServer::start();
    let maps = config_maps(&server.client());
    let dry = PostParams { dry_run: true, ..Default::default() };
    let before = server.resource_version();
    maps.create(&dry, &config_map("one")).await.unwrap();
    assert_eq!(code_and_reason(maps.create(&dry, &config_map("_")).await).0, 422);
    maps.create(&PostParams::default(), &config_map("two")).await.unwrap();
    assert_eq!(code_and_reason(maps.create(&dry, &config_map("two")).await).0, 409);
    maps.delete("two", &DeleteParams::default().dry_run()).await.unwrap();
    maps.patch("two", &PatchParams::default().dry_run(), &Patch::Merge(json!({"data": null}))).await.unwrap();
    assert_eq!(server.resource_version(), before + 1);
    assert!(maps.get_opt("one").await.unwrap().is_none());
}
