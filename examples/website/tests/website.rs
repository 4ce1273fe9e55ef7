//! The operator against a server in the process, in virtual time: the normal case, and every fault that a cluster has.

use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::api::{apps::v1::Deployment, events::v1::Event};
use kube_client::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube_client::{Api, Resource};
use serde_json::json;
use trimtab_apiserver::{Filter, Refusal, Verb};
use trimtab_manager::Manager;
use trimtab_testing::{RunningManager, TestCluster};
use trimtab_website::kind::{Website, WebsiteSpec};

fn api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(cluster: &TestCluster) -> Api<K> {
    Api::namespaced(cluster.client(), "default")
}

fn manager(cluster: &TestCluster) -> Manager {
    let manager = cluster.manager("website-operator").leader_election("website-system", "website-operator");
    let mut manager = manager.build().expect("sound settings");
    trimtab_website::add_to(&mut manager);
    manager
}

/// Starts a server with the definition, and the operator.
async fn start() -> (TestCluster, RunningManager) {
    let cluster = TestCluster::start();
    for manifest in [include_str!("../manifests/crd.yaml"), include_str!("../manifests/operator.yaml")] {
        cluster.server().load_text(manifest).await.expect("loaded");
    }
    let running = cluster.run(manager(&cluster));
    (cluster, running)
}

async fn create(cluster: &TestCluster, name: &str, theme: Option<&str>) {
    let spec = WebsiteSpec { html: "<h1>Hello</h1>".into(), replicas: 2, theme: theme.map(Into::into) };
    api(cluster).create(&PostParams::default(), &Website::new(name, spec)).await.expect("created");
}

/// Writes the theme, and waits until the operator has nothing left to do.
async fn style(cluster: &TestCluster, css: &str) {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dark"}, "data": {"style.css": css}});
    let (api, params) = (api::<ConfigMap>(cluster), PatchParams::apply("test"));
    api.patch("dark", &params, &Patch::Apply(map)).await.expect("applied");
    cluster.until_idle().await;
}

/// Waits, and asserts that everything of a website exists and that the operator has settled.
async fn assert_served(cluster: &TestCluster, name: &str, style: &str) {
    cluster.until_idle().await;
    let pages = api::<ConfigMap>(cluster).get(&format!("{name}-pages")).await.expect("pages").data;
    assert_eq!(pages.expect("data").into_values().collect::<Vec<_>>(), ["<h1>Hello</h1>", style]);
    api::<Deployment>(cluster).get(name).await.expect("a Deployment");
    api::<Service>(cluster).get(name).await.expect("a Service");
    assert_eq!(ready(cluster, name).await, "False Starting");
    cluster.assert_settles().await;
}

async fn ready(cluster: &TestCluster, name: &str) -> String {
    let status = api::<Website>(cluster).get(name).await.expect("a website").status.expect("a status");
    format!("{} {}", status.conditions[0].status, status.conditions[0].reason)
}

#[tokio::test(start_paused = true)]
async fn a_website_is_served_reported_and_removed() {
    let (cluster, running) = start().await;
    create(&cluster, "hello", None).await;
    assert_served(&cluster, "hello", "").await;
    cluster.requests().assert_no_conflict();
    let up = Patch::Merge(json!({"status": {"replicas": 2, "readyReplicas": 2}}));
    api::<Deployment>(&cluster).patch_status("hello", &PatchParams::default(), &up).await.expect("patched");
    create(&cluster, "other", None).await;
    cluster.until_idle().await;
    assert_eq!(ready(&cluster, "hello").await, "True Serving");
    api::<Website>(&cluster).delete("hello", &DeleteParams::default()).await.expect("deleted");
    cluster.until_idle().await;
    assert!(api::<Deployment>(&cluster).get_opt("hello").await.expect("a reply").is_none(), "collected");
    let directory = api::<ConfigMap>(&cluster).get("websites").await.expect("a directory").data;
    assert_eq!(directory.expect("data").into_keys().collect::<Vec<_>>(), ["other"]);
    running.stop().await.expect("no failure");
    let events = api::<Event>(&cluster).list(&ListParams::default()).await.expect("a list").items;
    let reasons: Vec<_> = events.iter().filter_map(|event| event.reason.as_deref()).collect();
    assert!(reasons.contains(&"Serving") && reasons.contains(&"Starting"), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn the_committed_roles_are_the_smallest_ones() {
    let (cluster, running) = start().await;
    create(&cluster, "hello", Some("dark")).await;
    style(&cluster, "white").await;
    api::<ConfigMap>(&cluster).delete("dark", &DeleteParams::default()).await.expect("deleted");
    cluster.until_idle().await; // the second Event of its kind becomes a series
    api::<Website>(&cluster).delete("hello", &DeleteParams::default()).await.expect("deleted");
    cluster.until_idle().await;
    running.stop().await.expect("no failure");
    cluster.requests().permissions().in_every_namespace().assert_fits(include_str!("../manifests/role.yaml"));
}

#[tokio::test(start_paused = true)]
async fn a_theme_that_comes_later_or_changes_reaches_its_websites() {
    let (cluster, _running) = start().await;
    create(&cluster, "hello", Some("dark")).await;
    cluster.until_idle().await;
    assert_eq!(ready(&cluster, "hello").await, "False ThemeMissing");
    for css in ["white", "red"] {
        style(&cluster, css).await;
        assert_served(&cluster, "hello", css).await;
    }
}

#[tokio::test(start_paused = true)]
async fn conflicts_lost_replies_cut_watches_and_expired_versions_change_nothing() {
    for fault in ["conflict", "lost reply", "cut watch", "410"] {
        let (cluster, _running) = start().await;
        cluster.until_idle().await;
        let (faults, patches) = (cluster.server().faults(), Filter::any().verb(Verb::Patch));
        let guard = match fault {
            "conflict" => Some(faults.refuse(patches, Refusal::conflict(), 3)),
            "lost reply" => Some(faults.lose_reply(patches, 7)),
            _ => None,
        };
        create(&cluster, "hello", None).await;
        if fault == "410" {
            faults.compact();
        }
        if guard.is_none() {
            assert!(faults.cut_watches(&Filter::any()) >= 4, "{fault}");
        }
        assert_served(&cluster, "hello", "").await;
        assert!(guard.is_none_or(|guard| guard.remaining() == 0), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_the_middle_after_any_write_is_finished_by_the_next_process() {
    for writes in 1..=6 {
        let (cluster, running) = start().await;
        let patches = Filter::any().verb(Verb::Patch).user_agent("controller:website-operator");
        let _slow = cluster.server().faults().delay(patches, Duration::from_secs(1), usize::MAX);
        create(&cluster, "hello", None).await;
        while cluster.requests().writes().len() < writes {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        running.crash();
        let _next = cluster.run(manager(&cluster));
        assert_served(&cluster, "hello", "").await;
    }
}
