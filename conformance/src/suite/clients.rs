//! What `kube_client` asks for, through its own types.

use crate::answer::Mismatch;
use crate::case::{Case, Outcome, case};
use crate::objects::{applied, config_map, pod, workload};
use crate::site::Site;
use futures_util::TryStreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret};
use kube_client::api::{
    DeleteParams, EvictParams, ListParams, Patch, PatchParams, PostParams, PropagationPolicy, VersionMatch,
    WatchEvent, WatchParams,
};
use kube_client::{Api, Error};
use serde_json::{Value, json};
use std::fmt::Debug;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_typed_object)
            .rule("create, get, replace and delete of a typed object.")
            .source("kube_client: Api"),
        case(lists).rule("Lists with limits and versions.").source("kube_client: ListParams"),
        case(a_streaming_list)
            .rule("A streaming list ends with its bookmark.")
            .source("kube_client: WatchParams::initial_events"),
        case(patches).rule("Patches of each form.").source("kube_client: Patch"),
        case(subresources).rule("Scale and status.").source("kube_client: subresources"),
        case(metadata).rule("Metadata alone.").source("kube_client: get_metadata, list_metadata"),
        case(an_eviction).rule("An eviction.").source("kube_client: evict"),
        case(deletions)
            .rule("A deletion in the foreground and of a collection.")
            .source("kube_client: DeleteParams"),
        case(parameters)
            .rule("A dry run and field validation by parameters.")
            .source("kube_client: PostParams, PatchParams"),
        case(the_cluster)
            .rule("Cluster-scoped objects and the server's version.")
            .source("kube_client: Client::apiserver_version"),
        case(discovery).rule("Discovery by the client's own means.").source("kube_client: discovery"),
    ]
}

/// What went wrong in a call that had to succeed.
fn failed(call: &str) -> impl Fn(Error) -> Mismatch + '_ {
    move |error| Mismatch::new(call, "success", format!("{error:?}"))
}

/// The code of a refusal.
fn refused<T: Debug>(call: &str, outcome: Result<T, Error>, code: u16) -> Result<(), Mismatch> {
    match outcome {
        Err(Error::Api(status)) if status.code == code => Ok(()),
        other => Err(Mismatch::new(call, format!("a refusal with {code}"), format!("{other:?}"))),
    }
}

fn holds(call: &str, expected: &str, found: impl Debug, holds: bool) -> Result<(), Mismatch> {
    if holds { Ok(()) } else { Err(Mismatch::new(call, expected, format!("{found:?}"))) }
}

/// A typed object from JSON.
fn typed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Mismatch> {
    serde_json::from_value(value)
        .map_err(|error| Mismatch::new("the case", "an object of the type", error.to_string()))
}

async fn a_typed_object(site: Site) -> Outcome {
    let maps: Api<ConfigMap> = Api::namespaced(site.client(), site.namespace());
    let made =
        maps.create(&PostParams::default(), &typed(config_map("a"))?).await.map_err(failed("create"))?;
    let mut found = maps.get("a").await.map_err(failed("get"))?;
    holds("get", "what was created", &found, found == made)?;
    found.data = Some([("x".to_owned(), "y".to_owned())].into());
    let replaced = maps.replace("a", &PostParams::default(), &found).await.map_err(failed("replace"))?;
    let newer = replaced.metadata.resource_version != made.metadata.resource_version;
    holds("replace", "a newer version", &replaced, newer)?;
    refused("replace", maps.replace("a", &PostParams::default(), &found).await, 409)?;
    let gone = maps.delete("a", &DeleteParams::default()).await.map_err(failed("delete"))?;
    holds("delete", "a Status", &gone, gone.is_right())?;
    let none = maps.get_opt("a").await.map_err(failed("get_opt"))?;
    holds("get_opt", "nothing", &none, none.is_none())?;
    Ok(())
}

async fn lists(site: Site) -> Outcome {
    site.secrets(&["a", "b", "c"]).await?;
    let secrets: Api<Secret> = Api::namespaced(site.client(), site.namespace());
    let page = secrets.list(&ListParams::default().limit(2)).await.map_err(failed("list"))?;
    let token = page.metadata.continue_.clone().unwrap_or_default();
    let rest =
        secrets.list(&ListParams::default().limit(2).continue_token(&token)).await.map_err(failed("list"))?;
    holds("list", "two and one", (&page.items, &rest.items), page.items.len() == 2 && rest.items.len() == 1)?;
    let version = page.metadata.resource_version.unwrap_or_default();
    let exact = ListParams::default().at(&version).matching(VersionMatch::Exact);
    let all = secrets.list(&exact).await.map_err(failed("list"))?;
    holds("list at exactly the version", "three", &all.items, all.items.len() == 3)?;
    Ok(())
}

async fn a_streaming_list(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let secrets: Api<Secret> = Api::namespaced(site.client(), site.namespace());
    let params = WatchParams::default().initial_events().timeout(10);
    let mut events = std::pin::pin!(secrets.watch(&params, "").await.map_err(failed("watch"))?);
    let first = events.try_next().await.map_err(failed("watch"))?;
    holds("watch", "ADDED", &first, matches!(first, Some(WatchEvent::Added(_))))?;
    match events.try_next().await.map_err(failed("watch"))? {
        Some(WatchEvent::Bookmark(mark)) => {
            let ends = mark
                .metadata
                .annotations
                .get("k8s.io/initial-events-end")
                .is_some_and(|value| value == "true");
            holds("watch", "the end of the initial events", &mark.metadata.annotations, ends)?;
        }
        other => return Err(Mismatch::new("watch", "a bookmark", format!("{other:?}"))),
    }
    Ok(())
}

async fn patches(site: Site) -> Outcome {
    let sets: Api<Deployment> = Api::namespaced(site.client(), site.namespace());
    sets.create(&PostParams::default(), &typed(workload("a", 0))?).await.map_err(failed("create"))?;
    let replicas = |set: &Deployment| set.spec.replicas;
    let merged = sets
        .patch("a", &PatchParams::default(), &Patch::Merge(json!({"spec": {"replicas": 1}})))
        .await
        .map_err(failed("merge"))?;
    holds("merge", "1 replica", replicas(&merged), replicas(&merged) == Some(1))?;
    let strategic = sets
        .patch("a", &PatchParams::default(), &Patch::Strategic(json!({"spec": {"replicas": 2}})))
        .await
        .map_err(failed("strategic"))?;
    holds("strategic", "2 replicas", replicas(&strategic), replicas(&strategic) == Some(2))?;
    let body = applied("apps/v1", "Deployment", json!({"spec": {"replicas": 3}}));
    let applied = sets
        .patch("a", &PatchParams::apply("conformance").force(), &Patch::Apply(body))
        .await
        .map_err(failed("apply"))?;
    holds("apply", "3 replicas", replicas(&applied), replicas(&applied) == Some(3))?;
    Ok(())
}

async fn subresources(site: Site) -> Outcome {
    let sets: Api<Deployment> = Api::namespaced(site.client(), site.namespace());
    sets.create(&PostParams::default(), &typed(workload("a", 1))?).await.map_err(failed("create"))?;
    let scale = sets.get_scale("a").await.map_err(failed("get_scale"))?;
    holds("get_scale", "1 replica", &scale, scale.spec.as_ref().and_then(|spec| spec.replicas) == Some(1))?;
    sets.patch_scale("a", &PatchParams::default(), &Patch::Merge(json!({"spec": {"replicas": 0}})))
        .await
        .map_err(failed("patch_scale"))?;
    let patch = Patch::Merge(json!({"status": {"observedGeneration": 2}}));
    let patched =
        sets.patch_status("a", &PatchParams::default(), &patch).await.map_err(failed("patch_status"))?;
    let generation = patched.status.as_ref().and_then(|status| status.observed_generation);
    holds("patch_status", "generation 2", &patched.status, generation == Some(2))?;
    Ok(())
}

async fn metadata(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let secrets: Api<Secret> = Api::namespaced(site.client(), site.namespace());
    let one = secrets.get_metadata("a").await.map_err(failed("get_metadata"))?;
    holds("get_metadata", "a", &one, one.metadata.name.as_deref() == Some("a"))?;
    let all = secrets.list_metadata(&ListParams::default()).await.map_err(failed("list_metadata"))?;
    holds("list_metadata", "one", &all.items, all.items.len() == 1)?;
    Ok(())
}

async fn an_eviction(site: Site) -> Outcome {
    let pods: Api<Pod> = Api::namespaced(site.client(), site.namespace());
    pods.create(&PostParams::default(), &typed(pod("a"))?).await.map_err(failed("create"))?;
    pods.evict("a", &EvictParams::default()).await.map_err(failed("evict"))?;
    refused("get", pods.get("a").await, 404)?;
    Ok(())
}

async fn deletions(site: Site) -> Outcome {
    let sets: Api<Deployment> = Api::namespaced(site.client(), site.namespace());
    sets.create(&PostParams::default(), &typed(workload("a", 0))?).await.map_err(failed("create"))?;
    let params =
        DeleteParams { propagation_policy: Some(PropagationPolicy::Foreground), ..DeleteParams::default() };
    let marked = sets.delete("a", &params).await.map_err(failed("delete"))?;
    holds("delete", "the Deployment, marked", &marked, marked.is_left())?;
    site.until_gone("apps/v1/deployments/a").await?;
    let secrets: Api<Secret> = Api::namespaced(site.client(), site.namespace());
    site.secrets(&["a", "b"]).await?;
    secrets
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await
        .map_err(failed("delete_collection"))?;
    let left = secrets.list(&ListParams::default()).await.map_err(failed("list"))?;
    holds("delete_collection", "nothing left", &left.items, left.items.is_empty())?;
    Ok(())
}

async fn parameters(site: Site) -> Outcome {
    let maps: Api<ConfigMap> = Api::namespaced(site.client(), site.namespace());
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    maps.create(&dry, &typed(config_map("a"))?).await.map_err(failed("create"))?;
    refused("get", maps.get("a").await, 404)?;
    let made =
        maps.create(&PostParams::default(), &typed(config_map("a"))?).await.map_err(failed("create"))?;
    let strict = PatchParams {
        field_validation: Some(kube_client::api::ValidationDirective::Strict),
        ..PatchParams::default()
    };
    let outcome = maps.patch("a", &strict, &Patch::Merge(json!({"colour": "blue"}))).await;
    refused("patch", outcome, 422)?;
    holds("create", "a uid", &made.metadata.uid, made.metadata.uid.is_some())?;
    Ok(())
}

async fn the_cluster(site: Site) -> Outcome {
    let namespaces: Api<Namespace> = Api::all(site.client());
    let default = namespaces.get("default").await.map_err(failed("get"))?;
    holds("get", "a uid", &default.metadata, default.metadata.uid.is_some())?;
    let version = site.client().apiserver_version().await.map_err(failed("apiserver_version"))?;
    holds("apiserver_version", "1.36", &version, version.major == "1" && version.minor.starts_with("36"))?;
    Ok(())
}

async fn discovery(site: Site) -> Outcome {
    let groups = site.client().list_api_groups().await.map_err(failed("list_api_groups"))?;
    let apps = groups.groups.iter().any(|group| group.name == "apps");
    holds("list_api_groups", "apps", groups.groups.len(), apps)?;
    let resources = site
        .client()
        .list_api_group_resources("apps/v1")
        .await
        .map_err(failed("list_api_group_resources"))?;
    let deployments = resources.resources.iter().any(|one| one.name == "deployments");
    holds("list_api_group_resources", "deployments", resources.resources.len(), deployments)?;
    Ok(())
}
