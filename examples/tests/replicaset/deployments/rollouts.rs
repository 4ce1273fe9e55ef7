//! Rollouts: rolling, recreated, paused, scaled, broken and under faults.

use kube_client::api::DeleteParams;
use serde_json::json;
use trimtab_apiserver::{Filter, Refusal, Verb};
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

#[tokio::test(start_paused = true)]
async fn recreate_ends_every_old_pod_before_it_creates_a_new_one() {
    let cluster = Cluster::start();
    cluster.create(4, &json!({"strategy": {"type": "Recreate"}})).await;
    settle(20 * SECOND).await;
    cluster.set_image("v2").await;
    let mut has_been_empty = false;
    for _ in 0..100 {
        settle(SECOND / 10).await;
        let pods = cluster.pods().await;
        let is_mixed = pods.contains(&"v1".to_owned()) && pods.contains(&"v2".to_owned());
        assert!(!is_mixed, "{pods:?}");
        has_been_empty |= pods.is_empty();
    }
    assert!(has_been_empty);
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

#[tokio::test(start_paused = true)]
async fn a_deployment_that_is_deleted_creates_nothing_and_takes_its_sets_with_it() {
    let cluster = Cluster::start();
    cluster.create(3, &json!({})).await;
    settle(20 * SECOND).await;
    cluster.deployments().delete("web", &DeleteParams::foreground()).await.expect("deleted");
    settle(60 * SECOND).await;
    assert!(cluster.images().await.is_empty() && cluster.pods().await.is_empty());
    assert!(cluster.deployments().get_opt("web").await.expect("read").is_none());
}
