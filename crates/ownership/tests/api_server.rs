//! Claiming against an API server: its refusals, and the state of the objects afterwards.

use std::sync::Arc;

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use trimtab_apiserver::ApiServer;
use trimtab_cache::{Metadata, Object};
use trimtab_ownership::{Claims, is_controlled_by};

async fn create<K>(api: &Api<K>, object: Value) -> Arc<K>
where
    K: Clone + Serialize + DeserializeOwned + std::fmt::Debug,
{
    let object = serde_json::from_value(object).expect("an object");
    Arc::new(api.create(&PostParams::default(), &object).await.expect("it can be created"))
}

fn pod(name: &str, app: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"app": app}}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
}

/// A server without controllers of its own, a client, and a set that wants the Pods of `app=web`.
async fn cluster() -> (ApiServer, Client, Arc<ReplicaSet>) {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let set = json!({"metadata": {"name": "web"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    }});
    let set = create(&Api::default_namespaced(client.clone()), set).await;
    (server, client, set)
}

fn claims(client: &Client, set: &ReplicaSet) -> Claims {
    let selector = "app=web".parse().expect("a selector");
    Claims::new(client.clone(), set, selector).expect("it came from the server")
}

fn names<T: Object>(objects: &[Arc<T>]) -> Vec<&str> {
    objects.iter().map(|object| object.metadata().name()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_adopted_pod_carries_the_reference_and_a_released_one_does_not() {
    let (_server, client, set) = cluster().await;
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let (a, b) = (create(&pods, pod("a", "web")).await, create(&pods, pod("b", "db")).await);
    let claimed = claims(&client, &set).claim([a, b]).await.expect("a willing server");
    assert_eq!(names(&claimed), ["a"]);
    let a = pods.get("a").await.expect("a pod");
    assert!(is_controlled_by(&a, &*set));
    assert!(!is_controlled_by(&pods.get("b").await.expect("a pod"), &*set));

    let relabel = Patch::Merge(json!({"metadata": {"labels": {"app": "db"}}}));
    let a = pods.patch("a", &PatchParams::default(), &relabel).await.expect("it can be relabelled");
    let claimed = claims(&client, &set).claim([Arc::new(a)]).await.expect("a willing server");
    assert_eq!(names(&claimed), [""; 0]);
    assert_eq!(pods.get("a").await.expect("a pod").metadata.owner_references, None);
}

/// Guarantee 4: a Pod that was merely touched since it was cached is adopted all the same.
#[tokio::test(start_paused = true)]
async fn another_owners_reference_is_never_lost_to_a_stale_cache_and_no_touch_is_a_conflict() {
    let (_server, client, set) = cluster().await;
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let cached = create(&pods, pod("a", "web")).await;
    let other = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "m", "uid": "m1"}]);
    let patch = Patch::Merge(json!({"metadata": {"ownerReferences": other}}));
    pods.patch("a", &PatchParams::default(), &patch).await.expect("it can be patched");
    let uids = async || {
        let owners = pods.get("a").await.expect("a pod").metadata.owner_references.unwrap_or_default();
        let mut uids: Vec<_> = owners.into_iter().map(|owner| owner.uid).collect();
        uids.sort_unstable_by_key(|uid| uid != "m1");
        uids
    };

    let error = claims(&client, &set).require_version(true).claim([cached.clone()]).await;
    assert!(error.expect_err("the cache is stale").failures()[0].is_conflict());
    claims(&client, &set).claim([cached.clone()]).await.expect("the UID is the same");
    assert_eq!(uids().await, ["m1", set.metadata().uid()]);

    let mut ours = (*cached).clone();
    ours.metadata.labels = None; // no longer matches
    ours.metadata.owner_references = pods.get("a").await.expect("a pod").metadata.owner_references;
    let claimed = claims(&client, &set).claim([Arc::new(ours)]).await.expect("a release");
    assert_eq!((claimed.len(), uids().await), (0, vec!["m1".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_namesake_that_came_later_is_neither_adopted_nor_released() {
    let (_server, client, set) = cluster().await;
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let cached = create(&pods, pod("a", "web")).await;
    let now = DeleteParams::default().grace_period(0);
    pods.delete("a", &now).await.expect("it can be deleted");
    assert_eq!(names(&claims(&client, &set).claim([cached.clone()]).await.expect("gone")), [""; 0]);
    let namesake = create(&pods, pod("a", "web")).await;
    assert_eq!(names(&claims(&client, &set).claim([cached]).await.expect("gone")), [""; 0]);
    assert_eq!(pods.get("a").await.expect("a pod"), *namesake);
}

#[tokio::test(start_paused = true)]
async fn a_replaced_owner_adopts_nothing() {
    let (_server, client, set) = cluster().await;
    let (sets, pods): (Api<ReplicaSet>, Api<Pod>) =
        (Api::default_namespaced(client.clone()), Api::default_namespaced(client.clone()));
    let orphan = create(&pods, pod("a", "web")).await;
    sets.delete("web", &DeleteParams::background()).await.expect("it can be deleted");
    let mut successor = (*set).clone();
    successor.metadata = Default::default();
    successor.metadata.name = Some("web".into());
    sets.create(&PostParams::default(), &successor).await.expect("the name is free again");

    let error = claims(&client, &set).claim([orphan]).await.expect_err("the owner is gone");
    assert!(error.failures()[0].is_denied());
    assert_eq!(pods.get("a").await.expect("a pod").metadata.owner_references, None);
}

/// Custom resources know no strategic merge patches; a stale list is read again.
#[tokio::test(start_paused = true)]
async fn custom_resources_are_adopted_like_built_in_kinds() {
    let (_server, client, set) = cluster().await;
    let definitions = ApiResource::from_gvk(&GroupVersionKind::gvk(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
    ));
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Foo", "plural": "foos", "singular": "foo"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]}});
    create(&Api::<DynamicObject>::all_with(client.clone(), &definitions), definition).await;

    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Foo"));
    let foos = Api::<DynamicObject>::default_namespaced_with(client.clone(), &kind);
    let foo = json!({"apiVersion": "example.com/v1", "kind": "Foo", "metadata": {"name": "a", "labels": {"app": "web"}}});
    let foo = create(&foos, foo).await;
    let claimed = claims(&client, &set).claim_with([foo], &kind, |_| true).await.expect("a willing server");
    assert_eq!(names(&claimed), ["a"]);
    assert!(is_controlled_by(&foos.get("a").await.expect("a foo"), &*set));
}
