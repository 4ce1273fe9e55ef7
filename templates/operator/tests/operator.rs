//! The operator against an API server in the process, in virtual time: no cluster, no sleeping.

use std::{process::Command, time::Duration};

use k8s_openapi::{
    NamespaceResourceScope,
    api::{apps::v1::Deployment, core::v1::ConfigMap, events::v1::Event},
};
use kube_client::{
    Api, Resource,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use operator::kind::{{kind}};
use operator::kind::{Spec, definition};
use serde_json::json;
use trimtab_apiserver::{Filter, Refusal, Verb};
use trimtab_manager::Manager;
use trimtab_testing::{RunningManager, TestCluster};

const NAME: &str = "{{project-name}}";

fn api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(
    cluster: &TestCluster,
) -> Api<K> {
    Api::namespaced(cluster.client(), "default")
}

fn manager(cluster: &TestCluster) -> Manager {
    let builder = cluster.manager(NAME).leader_election(NAME, NAME);
    let mut manager = builder.build().expect("sound settings");
    operator::add_to(&mut manager).expect("a valid finalizer");
    manager
}

/// Starts a server with the definition, and the operator.
async fn start() -> (TestCluster, RunningManager) {
    let cluster = TestCluster::start();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}});
    for object in [definition(), namespace] {
        cluster.server().load_text(&object.to_string()).await.expect("loaded");
    }
    let running = cluster.run(manager(&cluster));
    (cluster, running)
}

async fn create(cluster: &TestCluster, name: &str) {
    let object = {{kind}}::new(name, Spec { image: "web:1".to_owned(), replicas: 2 });
    api(cluster).create(&PostParams::default(), &object).await.expect("created");
}

/// Lets the Pods of a Deployment be ready: nothing acts on Deployments in this server.
async fn make_ready(cluster: &TestCluster, name: &str) {
    let ready = Patch::Merge(json!({"status": {"replicas": 2, "readyReplicas": 2}}));
    let deployments: Api<Deployment> = api(cluster);
    deployments.patch_status(name, &PatchParams::default(), &ready).await.expect("patched");
    cluster.until_idle().await;
}

async fn condition(cluster: &TestCluster, name: &str) -> String {
    let object: {{kind}} = api(cluster).get(name).await.expect("an object");
    let condition = object.status.expect("a status").conditions.swap_remove(0);
    format!("{} {}: {}", condition.status, condition.reason, condition.message)
}

/// Waits until the operator has nothing to do, and asserts that the object is deployed and that nothing is written any
/// more.
async fn assert_deployed(cluster: &TestCluster, name: &str) {
    cluster.until_idle().await;
    let deployment: Deployment = api(cluster).get(name).await.expect("a Deployment");
    assert_eq!(deployment.spec.replicas, Some(2));
    assert_eq!(condition(cluster, name).await, "False Starting: 0 of 2 Pods are ready");
    cluster.assert_settles().await;
}

#[tokio::test(start_paused = true)]
async fn an_object_is_deployed_reported_and_removed() {
    let (cluster, running) = start().await;
    create(&cluster, "a").await;
    create(&cluster, "b").await;
    assert_deployed(&cluster, "a").await;
    make_ready(&cluster, "a").await;
    assert_eq!(condition(&cluster, "a").await, "True Running: 2 of 2 Pods are ready");

    api::<{{kind}}>(&cluster).delete("a", &DeleteParams::default()).await.expect("deleted");
    cluster.until_idle().await;
    assert!(api::<{{kind}}>(&cluster).get_opt("a").await.expect("a reply").is_none());
    let deployment = api::<Deployment>(&cluster).get_opt("a").await.expect("a reply");
    assert!(deployment.is_none(), "collected with its owner");
    let directory: ConfigMap = api(&cluster).get("{{kind | downcase}}s").await.expect("a directory");
    assert_eq!(directory.data.expect("entries").into_keys().collect::<Vec<_>>(), ["b"]);

    running.stop().await.expect("no failure"); // the last Events are sent
    let events = api::<Event>(&cluster).list(&ListParams::default()).await.expect("a list").items;
    let reasons: Vec<_> = events.into_iter().filter_map(|event| event.reason).collect();
    assert!(reasons.contains(&"Running".to_owned()), "{reasons:?}");
}

/// Fails if `manifests/role.yaml` lacks a permission, or grants one in vain; prints the roles that fit.
#[tokio::test(start_paused = true)]
async fn the_committed_roles_are_the_smallest_ones() {
    let (cluster, running) = start().await;
    create(&cluster, "a").await;
    cluster.until_idle().await;
    for ready in [2, 0, 2, 0] {
        let ready = Patch::Merge(json!({"status": {"replicas": 2, "readyReplicas": ready}}));
        let deployments: Api<Deployment> = api(&cluster);
        deployments.patch_status("a", &PatchParams::default(), &ready).await.expect("patched");
        cluster.until_idle().await; // the second Event of a reason becomes a series
    }
    api::<{{kind}}>(&cluster).delete("a", &DeleteParams::default()).await.expect("deleted");
    cluster.until_idle().await;
    running.stop().await.expect("no failure");
    let permissions = cluster.requests().permissions().in_every_namespace();
    permissions.assert_fits(include_str!("../manifests/role.yaml"));
}

#[test]
fn the_committed_definition_is_the_printed_one() {
    let program = env!("CARGO_BIN_EXE_{{project-name}}");
    let printed = Command::new(program).arg("--crd").output().expect("the program runs");
    let printed = String::from_utf8(printed.stdout).expect("text");
    let committed = include_str!("../manifests/crd.yaml");
    assert_eq!(printed, committed, "run: {NAME} --crd > manifests/crd.yaml");
}

/// A field that the schema lacks would be dropped.
#[tokio::test(start_paused = true)]
async fn the_definition_has_every_field_of_the_types() {
    let (cluster, _running) = start().await;
    create(&cluster, "a").await;
    cluster.until_idle().await;
    make_ready(&cluster, "a").await;
    let stored: {{kind}} = api(&cluster).get("a").await.expect("an object");
    assert_eq!(stored.spec, Spec { image: "web:1".to_owned(), replicas: 2 });
    let status = stored.status.expect("a status");
    assert_eq!((status.ready_replicas, status.conditions[0].observed_generation), (2, Some(1)));
    let invalid = {{kind}}::new("b", Spec { image: String::new(), replicas: 1 });
    let refused = api(&cluster).create(&PostParams::default(), &invalid).await;
    assert!(refused.expect_err("no image").to_string().contains("spec.image"));
}

#[tokio::test(start_paused = true)]
async fn conflicts_lost_replies_cut_watches_and_expired_versions_change_nothing() {
    for fault in ["conflict", "lost reply", "cut watch", "410"] {
        let (cluster, _running) = start().await;
        cluster.until_idle().await;
        let faults = cluster.server().faults();
        let patches = Filter::any().verb(Verb::Patch);
        let guard = match fault {
            "conflict" => Some(faults.refuse(patches, Refusal::conflict(), 3)),
            "lost reply" => Some(faults.lose_reply(patches, 4)),
            _ => None,
        };
        create(&cluster, "a").await;
        if fault == "410" {
            faults.compact();
        }
        if guard.is_none() {
            assert!(faults.cut_watches(&Filter::any()) >= 3, "{fault}");
        }
        assert_deployed(&cluster, "a").await;
        assert!(guard.is_none_or(|guard| guard.remaining() == 0), "{fault}");
    }
}

/// After each number of writes: the next process finishes the work.
#[tokio::test(start_paused = true)]
async fn a_crash_in_the_middle_is_finished_by_the_next_process() {
    for writes in 1..=4 {
        let (cluster, running) = start().await;
        let patches = Filter::any().verb(Verb::Patch);
        let _slow = cluster.server().faults().delay(patches, Duration::from_secs(1), usize::MAX);
        create(&cluster, "a").await;
        while cluster.requests().writes().len() < writes {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        running.crash();
        let _next = cluster.run(manager(&cluster));
        assert_deployed(&cluster, "a").await;
    }
}
