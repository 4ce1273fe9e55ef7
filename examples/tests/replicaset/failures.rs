//! Syncs whose requests are refused, lost, hang or are given up, and whose caches lag or miss events.

use std::{future::pending, time::Duration};

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube_client::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use trimtab_apiserver::{ApiServer, ChangeKind, Filter, Refusal, Verb};
use trimtab_controller::informer::InformerFactory;
use trimtab_events::EventRecorder;
use trimtab_examples::replicaset::{ReplicaSets, gates};
use trimtab_test_support::settle;

use crate::{
    Gates,
    world::{CONVERGED, World, set},
};

/// CL-T4: while the cache lags behind its own writes, the controller is dormant. Fails when `sync`
/// does not ask the expectations.
pub(super) async fn a_lagging_cache_makes_no_pod_too_many(gates: Gates) {
    let mut world = World::new(gates);
    world.create_set("web", 20).await;
    settle(CONVERGED).await;
    assert_eq!(world.created().await, 20);
    let pods = Filter::any().resource("pods").user_agent("controller");
    let lag = world.server.faults().lag_watches(pods, Duration::from_secs(8));
    for name in world.pods_of("web").await.into_iter().take(5) {
        world.pods().delete(&name, &DeleteParams::default()).await.expect("deleted");
    }
    // Status events and touches of the set wake the controller again and again meanwhile.
    for touch in 0..15 {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {"touch": touch.to_string()}}}));
        world.sets().patch("web", &PatchParams::default(), &patch).await.expect("patched");
        sleep(Duration::from_secs(1)).await;
    }
    lag.release();
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, world.created().await), ((20, 20, true), 5));
}

/// A create whose reply is lost was carried out: the set waits until the cache shows it, and makes no
/// twin. Fails when a lost reply is taken for a refusal.
#[tokio::test(start_paused = true)]
async fn a_lost_reply_makes_no_twin() {
    let mut world = World::new(Gates::Default);
    settle(CONVERGED).await;
    let creates = Filter::any().verb(Verb::Create).resource("pods").user_agent("controller");
    let lost = world.server.faults().lose_reply(creates, 1);
    let lag = Filter::any().resource("pods").user_agent("controller");
    let lag = world.server.faults().lag_watches(lag, Duration::from_secs(5));
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    assert_eq!(lost.remaining(), 0);
    lag.release();
    sleep(Duration::from_secs(90)).await; // the cache may take a bookmark to come so far
    assert_eq!((world.status("web").await, world.created().await), ((3, 3, true), 3));
}

/// CL-T3, EX-T3: refusals cost one call per attempt, are in the status, and end.
pub(super) async fn refused_creates_start_slowly_and_are_told(gates: Gates) {
    let mut world = World::new(gates);
    settle(CONVERGED).await;
    let creates = Filter::any().verb(Verb::Create).resource("pods").user_agent("controller");
    let refused = world.server.faults().refuse(creates, Refusal::forbidden(), 1_000);
    world.create_set("web", 200).await;
    sleep(Duration::from_millis(700)).await;
    let tries = 1_000 - refused.remaining();
    assert!((2..=10).contains(&tries), "one call a try, and backoff between them: {tries}");
    let conditions =
        world.sets().get("web").await.expect("found").status.and_then(|status| status.conditions);
    let reasons: Vec<_> = conditions.into_iter().flatten().filter_map(|condition| condition.reason).collect();
    assert_eq!(reasons, ["FailedCreate"]);
    refused.release();
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, world.created().await), ((200, 200, true), 200));
    let status = world.sets().get("web").await.expect("found").status;
    assert_eq!(status.and_then(|status| status.conditions), None);
}

/// CL-T15: as long as an orphan cannot be adopted, nothing is created in its place.
pub(super) async fn a_failing_adoption_creates_nothing(gates: Gates) {
    let mut world = World::new(gates);
    world.create_pod("orphan", "web").await;
    settle(CONVERGED).await;
    assert_eq!(world.created().await, 1);
    let patches = Filter::any().verb(Verb::Patch).resource("pods").user_agent("controller");
    let refused = world.server.faults().refuse(patches, Refusal::forbidden(), usize::MAX);
    world.create_set("web", 2).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(world.created().await, 0);
    refused.release();
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, world.created().await), ((2, 2, true), 1));
}

/// As in kubernetes#115620: Pods that vanish while the watch is down and the history is compacted are
/// found by the relist, and replaced.
pub(super) async fn pods_that_vanish_behind_a_compaction_are_replaced(gates: Gates) {
    let mut world = World::new(gates);
    world.create_set("web", 20).await;
    settle(CONVERGED).await;
    assert_eq!(world.created().await, 20);
    let faults = world.server.faults();
    let watches = Filter::any().verb(Verb::Watch);
    let refused = faults.refuse(watches.clone(), Refusal::unavailable(), usize::MAX);
    faults.cut_watches(&watches);
    for name in world.pods_of("web").await.into_iter().take(5) {
        world.pods().delete(&name, &DeleteParams::default().grace_period(0)).await.expect("deleted");
    }
    faults.compact();
    refused.release();
    sleep(Duration::from_secs(60)).await;
    assert_eq!((world.status("web").await, world.created().await), ((20, 20, true), 5));
}

/// A sync that is dropped in the middle of its creates, as with a lost lease, leaves writes of unknown
/// outcome. The next run settles them and creates no twin. Fails if the guard keeps the expectations: the set
/// then waits until they expire.
#[tokio::test(start_paused = true)]
async fn a_sync_dropped_in_mid_write_is_taken_up_without_twins() {
    let server = ApiServer::start();
    let mut commits = server.commits();
    let client = server.client_as("controller");
    let informers = InformerFactory::new(client.clone());
    let (recorder, events) = EventRecorder::fake(1000);
    let controller = ReplicaSets::new(client, &informers).events(&recorder).controller();
    let creates = Filter::any().verb(Verb::Create).resource("pods").user_agent("controller");
    let slow = server.faults().delay(creates, Duration::from_secs(1), usize::MAX);
    let world = World { commits: server.commits(), server, tasks: JoinSet::new(), events };
    world.create_set("web", 40).await;
    // 1, 2, 4 are created; 8 are under way.
    assert!(timeout(Duration::from_millis(3_500), controller.run(pending())).await.is_err());
    slow.release();
    let next_run = async {
        loop {
            match controller.run(pending()).await {
                // The workers of the dropped run end at their next poll; until then no run begins.
                Err(error) if error.is_running() => tokio::task::yield_now().await,
                ended => return ended,
            }
        }
    };
    assert!(timeout(Duration::from_secs(90), next_run).await.is_err());
    assert_eq!(world.pods_of("web").await.len(), 40);
    let mut too_many = 0;
    let (mut pods, last) = (0_i64, world.server.resource_version());
    while let Some(commit) = commits.next().await {
        if commit.resource == "pods" {
            pods += i64::from(commit.change == ChangeKind::Added)
                - i64::from(commit.change == ChangeKind::Deleted);
            too_many = too_many.max(pods - 40);
        }
        if commit.version >= last {
            break;
        }
    }
    assert_eq!(too_many, 0);
}

/// A conflict is not "gone": the Pod lives, so the delete is tried again with backoff.
pub(super) async fn a_delete_that_is_refused_with_a_conflict_is_tried_again(gates: Gates) {
    let world = World::new(gates);
    world.create_set("web", 5).await;
    settle(CONVERGED).await;
    let deletes = Filter::any().verb(Verb::Delete).resource("pods").user_agent("controller");
    let refused = world.server.faults().refuse(deletes, Refusal::conflict(), usize::MAX);
    world.scale("web", 3).await;
    sleep(Duration::from_secs(2)).await;
    refused.release();
    settle(CONVERGED).await;
    assert_eq!(world.status("web").await, (3, 3, true));
}

/// CL-T8: one conflict costs a read, a second one an error with backoff.
pub(super) async fn a_status_that_is_refused_with_a_conflict_is_read_again_once(gates: Gates) {
    let server = ApiServer::builder().request_log(true).start();
    let world = World::over(server, gates);
    settle(CONVERGED).await;
    let patches = Filter::any().verb(Verb::Patch).user_agent("controller");
    let reads = Filter::any().verb(Verb::Get).user_agent("controller");
    for (conflicts, expected_reads) in [(1, 1), (2, 1)] {
        let before = world.server.request_log().matching(&reads).len();
        let name = format!("web-{conflicts}");
        let refused = world.server.faults().refuse(patches.clone(), Refusal::conflict(), conflicts);
        world.create_set(&name, 0).await;
        settle(CONVERGED).await;
        assert_eq!(refused.remaining(), 0);
        assert_eq!(world.status(&name).await, (0, 0, true));
        assert_eq!(world.server.request_log().matching(&reads).len() - before, expected_reads);
    }
}

/// Five workers whose creates never return: the deadline frees them for other sets, again and again.
pub(super) async fn requests_that_hang_stop_no_other_set(gates: Gates) {
    let world = World::new(gates);
    settle(CONVERGED).await;
    let creates = Filter::any().verb(Verb::Create).resource("pods").namespace("default");
    let held = world.server.faults().hold(creates.user_agent("controller"));
    for name in ["a", "b", "c", "d", "e"] {
        world.create_set(name, 1).await;
    }
    sleep(Duration::from_secs(5)).await;
    let elsewhere: Api<ReplicaSet> = Api::namespaced(world.server.client(), "kube-system");
    elsewhere.create(&PostParams::default(), &set("web", 1)).await.expect("created");
    sleep(Duration::from_secs(60)).await;
    let status = elsewhere.get("web").await.expect("found").status;
    assert_eq!(status.and_then(|status| status.ready_replicas), Some(1));
    held.release();
}

/// The creations and the deletions of two Pods fall between two lists: there are no events for them.
async fn events_are_missed(world: &World) {
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    let before = world.pods_of("web").await;
    let watches = Filter::any().verb(Verb::Watch).resource("pods").user_agent("controller");
    let faults = world.server.faults();
    let refused = faults.refuse(watches.clone(), Refusal::unavailable(), usize::MAX);
    faults.cut_watches(&watches);
    world.scale("web", 5).await;
    sleep(Duration::from_secs(2)).await;
    let new: Vec<_> = world.pods_of("web").await.into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(new.len(), 2);
    for name in new {
        world.pods().delete(&name, &DeleteParams::default().grace_period(0)).await.expect("deleted");
    }
    faults.compact();
    refused.release();
    sleep(Duration::from_secs(60)).await;
}

/// Fails if the version of the cache does not satisfy the counts: the set then waits for 5 minutes.
#[tokio::test(start_paused = true)]
async fn events_that_were_missed_do_not_stop_a_set() {
    let world = World::new(Gates::Default);
    events_are_missed(&world).await;
    assert_eq!(world.status("web").await, (5, 5, true));
}

/// As upstream before 1.36.
#[tokio::test(start_paused = true)]
async fn without_its_gate_a_set_waits_five_minutes_for_events_that_were_missed() {
    let _off = gates::STALE_CONTROLLER_CONSISTENCY_REPLICA_SET.set_for_test(false);
    let world = World::new(Gates::Default);
    events_are_missed(&world).await;
    assert_eq!(world.status("web").await.0, 3);
    sleep(Duration::from_secs(300)).await;
    assert_eq!(world.status("web").await, (5, 5, true));
}
