//! Rollouts: rolling, recreated, paused, scaled, broken and under faults.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use kube_client::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::json;
use trimtab_apiserver::{ChangeKind, Filter, Refusal, Verb};
use trimtab_test_support::settle;

use super::cluster::{Cluster, SECOND, image};

#[tokio::test(start_paused = true)]
async fn a_rollout_replaces_all_pods_within_its_bounds_and_says_so() {
    let mut cluster = Cluster::start();
    cluster.create(10, &json!({"progressDeadlineSeconds": 60})).await;
    settle(20 * SECOND).await;
    assert_eq!(cluster.images().await, [image("v1", 1, 10, 10)]);
    assert_eq!(cluster.progressing().await, ("True".to_owned(), "NewReplicaSetAvailable".to_owned()));

    cluster.set_image("v2").await;
    cluster.watch_bounds(60 * SECOND, 9, 11).await;
    assert_eq!(cluster.images().await, [image("v1", 1, 0, 0), image("v2", 2, 10, 10)]);
    assert_eq!(cluster.pods().await, ["v2"; 10]);
    let web = cluster.web().await;
    let status = web.status.expect("a status");
    let counts = [status.replicas, status.updated_replicas, status.ready_replicas, status.available_replicas];
    assert_eq!((counts, status.unavailable_replicas), ([Some(10); 4], None));
    assert_eq!(status.observed_generation, web.metadata.generation);
    let annotations = web.metadata.annotations.expect("annotations");
    assert_eq!(annotations.get("deployment.kubernetes.io/revision").map(String::as_str), Some("2"));
    let events = cluster.events.take_all();
    let up = events.iter().filter(|event| event.starts_with("Normal ScalingReplicaSet Scaled up")).count();
    let down =
        events.iter().filter(|event| event.starts_with("Normal ScalingReplicaSet Scaled down")).count();
    assert!(up >= 6 && down >= 5 && up + down == events.len(), "{events:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_complete_deployment_costs_no_request() {
    let cluster = Cluster::start();
    cluster.create(3, &json!({"progressDeadlineSeconds": 60})).await;
    settle(30 * SECOND).await;
    cluster.server.request_log().clear();
    settle(600 * SECOND).await;
    let requests = cluster.server.request_log().matching(&Filter::any().user_agent("controller"));
    let writes: Vec<_> = requests.iter().filter(|one| one.verb != Verb::Watch).collect();
    assert!(writes.is_empty(), "{writes:?}");
}

/// Pods that are being deleted still run: they count until they are gone.
#[tokio::test(start_paused = true)]
async fn recreate_ends_every_old_pod_before_it_creates_a_new_one() {
    let cluster = Cluster::start();
    cluster.create(4, &json!({"strategy": {"type": "Recreate"}})).await;
    settle(20 * SECOND).await;
    let old = cluster.all_pods().await.into_iter().map(|pod| (pod.name_any(), json!("v1")));
    let (mut pods, mut commits): (BTreeMap<_, _>, _) = (old.collect(), cluster.server.commits());
    cluster.set_image("v2").await;
    settle(20 * SECOND).await;
    let (last, mut has_been_empty) = (cluster.server.resource_version(), false);
    while let Some(commit) = commits.next().await {
        if commit.resource == "pods" && commit.change == ChangeKind::Deleted {
            pods.remove(&commit.name);
        } else if commit.resource == "pods" {
            pods.insert(commit.name, commit.object["metadata"]["labels"]["image"].clone());
        }
        let has = |image: &str| pods.values().any(|one| one == image);
        assert!(!has("v1") || !has("v2"), "{pods:?}");
        has_been_empty |= pods.is_empty();
        if commit.version >= last {
            break;
        }
    }
    assert!(has_been_empty && pods.len() == 4);
    assert_eq!(cluster.images().await, [image("v1", 1, 0, 0), image("v2", 2, 4, 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_rollout_stands_still_keeps_its_proportions_and_goes_on_when_resumed() {
    let cluster = Cluster::start();
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}});
    cluster.create(10, &json!({"progressDeadlineSeconds": 60, "strategy": strategy})).await;
    settle(20 * SECOND).await;
    cluster.set_image("broken").await; // its Pods are never ready: the rollout stops in the middle
    settle(20 * SECOND).await;
    assert_eq!(cluster.images().await, [image("v1", 1, 8, 8), image("broken", 2, 5, 0)]);
    cluster.patch(json!({"spec": {"paused": true}})).await;
    settle(300 * SECOND).await;
    assert_eq!(cluster.progressing().await, ("Unknown".to_owned(), "DeploymentPaused".to_owned()));

    cluster.patch(json!({"spec": {"replicas": 20}})).await;
    settle(20 * SECOND).await;
    assert_eq!(
        cluster.images().await,
        [image("v1", 1, 14, 14), image("broken", 2, 9, 0)],
        "23 of 13, in proportion"
    );

    cluster.set_image("v2").await;
    settle(20 * SECOND).await;
    assert_eq!(cluster.images().await.len(), 2, "a paused Deployment rolls out no template");
    cluster.patch(json!({"spec": {"paused": false}})).await;
    settle(60 * SECOND).await;
    let expected = [image("v1", 1, 0, 0), image("broken", 2, 0, 0), image("v2", 3, 20, 20)];
    assert_eq!(cluster.images().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_broken_rollout_exceeds_its_deadline_and_is_undone() {
    let cluster = Cluster::start();
    cluster.create(5, &json!({"progressDeadlineSeconds": 60})).await;
    settle(20 * SECOND).await;
    cluster.set_image("broken").await;
    cluster.watch_bounds(50 * SECOND, 4, 6).await;
    assert_eq!(cluster.progressing().await.0, "True");
    settle(20 * SECOND).await;
    assert_eq!(cluster.progressing().await, ("False".to_owned(), "ProgressDeadlineExceeded".to_owned()));

    cluster.set_image("v1").await; // what `kubectl rollout undo` does
    cluster.watch_bounds(30 * SECOND, 4, 6).await;
    assert_eq!(cluster.images().await, [image("broken", 2, 0, 0), image("v1", 3, 5, 5)]);
    assert_eq!(cluster.progressing().await, ("True".to_owned(), "NewReplicaSetAvailable".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_rollover_leaves_no_set_between_the_first_and_the_last() {
    let cluster = Cluster::start();
    cluster.create(6, &json!({})).await;
    settle(20 * SECOND).await;
    for version in ["v2", "v3", "v4"] {
        cluster.set_image(version).await;
        cluster.watch_bounds(SECOND, 5, 7).await;
    }
    cluster.watch_bounds(60 * SECOND, 5, 7).await;
    let rows = cluster.images().await;
    assert_eq!(rows.last(), Some(&image("v4", 4, 6, 6)), "{rows:?}");
    assert!(rows[..3].iter().all(|(_, _, wanted, _)| *wanted == 0), "{rows:?}");
}

/// Events of Pods and ReplicaSets come late and watches break, and requests fail, while a rollout is under way.
#[tokio::test(start_paused = true)]
async fn a_rollout_keeps_its_bounds_under_late_caches_cut_watches_and_failing_requests() {
    let cluster = Cluster::start();
    cluster.create(10, &json!({})).await;
    settle(20 * SECOND).await;
    let own = || Filter::any().user_agent("controller");
    let faults = cluster.server.faults();
    let _late = faults.lag_watches(own().resource("replicasets.apps"), SECOND / 2);
    cluster.set_image("v2").await;
    for round in 0..10 {
        faults.refuse(own().verb(Verb::Patch), Refusal::conflict(), 2).leave();
        faults.refuse(own().verb(Verb::Create), Refusal::internal_error(), 1).leave();
        faults.lose_reply(own().verb(Verb::Patch), 1).leave();
        faults.cut_watches(&own());
        if round % 3 == 0 {
            faults.compact();
        }
        cluster.watch_bounds(2 * SECOND, 9, 11).await;
    }
    cluster.watch_bounds(60 * SECOND, 9, 11).await;
    // After ten broken watches in a row, an informer may wait for a minute before it lists: 30 s and as much jitter, as client-go's.
    settle(70 * SECOND).await;
    assert_eq!(cluster.images().await, [image("v1", 1, 0, 0), image("v2", 2, 10, 10)]);
}

#[tokio::test(start_paused = true)]
async fn a_rollout_goes_on_after_the_controllers_were_killed_in_its_middle() {
    let mut cluster = Cluster::start();
    cluster.create(10, &json!({})).await;
    settle(20 * SECOND).await;
    cluster.set_image("v2").await;
    for _ in 0..6 {
        cluster.watch_bounds(SECOND / 2, 9, 11).await;
        cluster.stop_controllers().await;
        settle(SECOND / 10).await;
        cluster.start_controllers();
    }
    cluster.watch_bounds(60 * SECOND, 9, 11).await;
    assert_eq!(cluster.images().await, [image("v1", 1, 0, 0), image("v2", 2, 10, 10)]);
}

/// The deletion lasts while a Pod is held, and meanwhile the template changes and a Pod goes.
#[tokio::test(start_paused = true)]
async fn a_deployment_that_is_deleted_creates_nothing_and_takes_its_sets_with_it() {
    let cluster = Cluster::start();
    cluster.create(3, &json!({})).await;
    settle(20 * SECOND).await;
    let pods: Api<Pod> = Api::default_namespaced(cluster.server.client());
    let names: Vec<_> = cluster.all_pods().await.iter().map(ResourceExt::name_any).collect();
    let finalizers = |list: serde_json::Value| Patch::Merge(json!({"metadata": {"finalizers": list}}));
    let hold = finalizers(json!(["example.com/hold"]));
    pods.patch(&names[0], &PatchParams::default(), &hold).await.expect("patched");
    cluster.server.request_log().clear();
    cluster.deployments().delete("web", &DeleteParams::foreground()).await.expect("deleted");
    settle(5 * SECOND).await;
    cluster.set_image("v2").await;
    pods.delete(&names[1], &DeleteParams::default()).await.ok();
    settle(30 * SECOND).await;
    let web = cluster.web().await;
    assert!(web.metadata.deletion_timestamp.is_some());
    let status = web.status.expect("a status");
    assert_eq!(
        status.observed_generation, web.metadata.generation,
        "its status is written, and nothing else"
    );
    let writes = cluster.server.request_log().matching(&Filter::any().user_agent("controller"));
    let is_other = |verb| !matches!(verb, Verb::Get | Verb::List | Verb::Watch);
    let others: Vec<_> =
        writes.iter().filter(|one| is_other(one.verb) && one.subresource.is_empty()).collect();
    assert_eq!(others.len(), 0, "{others:?}");
    pods.patch(&names[0], &PatchParams::default(), &finalizers(json!(null))).await.expect("patched");
    settle(60 * SECOND).await;
    assert!(cluster.images().await.is_empty() && cluster.all_pods().await.is_empty());
    assert!(cluster.deployments().get_opt("web").await.expect("read").is_none());
}

/// Upstream's `TestSyncDeploymentDeletionRace`: the cache lacks the deletion, and there is an orphan to adopt.
#[tokio::test(start_paused = true)]
async fn a_deployment_whose_deletion_the_cache_lacks_adopts_nothing() {
    let cluster = Cluster::start();
    cluster.create(1, &json!({})).await;
    settle(20 * SECOND).await;
    let own = Filter::any().resource("deployments.apps").user_agent("controller");
    let late = cluster.server.faults().stall_watches(own);
    let hold = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    cluster.patch(hold).await;
    cluster.deployments().delete("web", &DeleteParams::background()).await.expect("marked");
    cluster.server.request_log().clear();
    cluster.create_set("orphan", "v0").await;
    settle(20 * SECOND).await;
    let orphan = cluster.sets().get("orphan").await.expect("kept");
    assert_eq!(orphan.metadata.owner_references, None);
    let reads = Filter::any().verb(Verb::Get).resource("deployments.apps").user_agent("controller");
    assert!(!cluster.server.request_log().matching(&reads).is_empty(), "it was read from the server");
    let creates = Filter::any().verb(Verb::Create).user_agent("controller");
    assert!(cluster.server.request_log().matching(&creates).is_empty());
    late.release();
}
