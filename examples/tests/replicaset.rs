//! The ReplicaSet controller over the in-process API server, in virtual time.

use std::{collections::BTreeSet, future::pending, time::Duration};

use k8s_openapi::api::{
    apps::v1::ReplicaSet,
    core::v1::{Pod, PodSpec},
};
use kube_client::{
    Api,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use trimtab_apiserver::{ApiServer, ChangeKind, Commits, Filter, Kubelet, Refusal, Verb};
use trimtab_controller::{
    cache::{Metadata, Object},
    featuregate::TestGuard,
    gates,
    informer::InformerFactory,
};
use trimtab_examples::replicaset::ReplicaSets;
use trimtab_test_support::settle;

/// A state of the feature gates that decide which writes a set waits for.
#[derive(Debug, Clone, Copy)]
enum Gates {
    Default,
    /// A lost reply is taken for a refusal, as upstream does.
    WithoutUnknownOutcomes,
    /// Counts alone, as upstream before 1.36.
    WithoutVersions,
}

impl Gates {
    /// Sets the gates on this thread, until the guards are dropped.
    fn enter(self) -> Vec<TestGuard> {
        match self {
            Self::Default => vec![],
            Self::WithoutUnknownOutcomes => vec![gates::UNKNOWN_OUTCOME_CONSISTENCY.set_for_test(false)],
            Self::WithoutVersions => vec![gates::STALE_CONTROLLER_CONSISTENCY.set_for_test(false)],
        }
    }
}

/// Runs each behaviour in every state of the gates.
macro_rules! in_every_state_of_the_gates {
    ($($behaviour:ident),* $(,)?) => {
        in_every_state_of_the_gates!(@state default_gates Default $($behaviour)*);
        in_every_state_of_the_gates!(@state without_unknown_outcomes WithoutUnknownOutcomes $($behaviour)*);
        in_every_state_of_the_gates!(@state without_versions WithoutVersions $($behaviour)*);
    };
    (@state $name:ident $gates:ident $($behaviour:ident)*) => {
        mod $name {
            $(
                #[tokio::test(start_paused = true)]
                async fn $behaviour() {
                    super::$behaviour(super::Gates::$gates).await;
                }
            )*
        }
    };
}

in_every_state_of_the_gates! {
    a_set_gets_its_replicas_and_says_so,
    scaling_creates_or_deletes_exactly_the_difference,
    orphans_are_adopted_and_relabelled_pods_released,
    a_lagging_cache_makes_no_pod_too_many,
    refused_creates_start_slowly_and_are_told,
    a_set_that_is_recreated_starts_afresh,
    large_sets_come_in_waves,
    pods_become_available_after_their_time,
    terminating_pods_are_told_while_they_last,
    a_set_that_is_being_deleted_creates_nothing,
    a_failing_adoption_creates_nothing,
    pods_that_vanish_behind_a_compaction_are_replaced,
    a_delete_that_is_refused_with_a_conflict_is_tried_again,
    a_status_that_is_refused_with_a_conflict_is_read_again_once,
    requests_that_hang_stop_no_other_set,
    a_pod_is_made_of_the_template_with_a_generated_name_and_a_controller,
    a_pod_with_a_condition_of_the_year_9999_counts_after_a_restart,
    a_name_in_the_template_does_not_reach_the_pods,
}

/// A server, a kubelet and the controller. Dropping it stops them.
struct World {
    server: ApiServer,
    commits: Commits,
    tasks: JoinSet<()>,
}

impl World {
    fn new(gates: Gates) -> Self {
        Self::over(ApiServer::start(), gates)
    }

    fn over(server: ApiServer, gates: Gates) -> Self {
        let commits = server.commits();
        let mut tasks = JoinSet::new();
        let kubelet = Kubelet::new(server.client()).startup(Duration::from_millis(100));
        tasks.spawn(kubelet.run(pending()));
        let client = server.client_as("controller");
        let informers = InformerFactory::new(client.clone());
        let _gates = gates.enter();
        let controller = ReplicaSets::new(client, &informers).controller();
        tasks.spawn(async move { controller.run(pending()).await.expect("it runs until it is dropped") });
        Self { server, commits, tasks }
    }

    fn sets(&self) -> Api<ReplicaSet> {
        Api::namespaced(self.server.client(), "default")
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.server.client(), "default")
    }

    async fn create_set(&self, name: &str, replicas: usize) -> ReplicaSet {
        self.sets().create(&PostParams::default(), &set(name, replicas)).await.expect("created")
    }

    async fn create_pod(&self, name: &str, app: &str) {
        let pod = json!({
            "metadata": {"name": name, "labels": {"app": app}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        });
        let pod = serde_json::from_value(pod).expect("a Pod");
        self.pods().create(&PostParams::default(), &pod).await.expect("created");
    }

    async fn scale(&self, name: &str, replicas: usize) {
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        self.sets().patch_scale(name, &PatchParams::default(), &patch).await.expect("scaled");
    }

    /// The names of the Pods that `set` controls and that are not being deleted.
    async fn pods_of(&self, set: &str) -> Vec<String> {
        let pods = self.pods().list(&ListParams::default()).await.expect("listed").items;
        let own = |pod: &&Pod| pod.metadata().controller().is_some_and(|owner| owner.name == set);
        let live = pods.iter().filter(own).filter(|pod| pod.metadata.deletion_timestamp.is_none());
        live.map(|pod| pod.metadata().name().to_owned()).collect()
    }

    /// `(replicas, ready, observed generation is the present one)`.
    async fn status(&self, set: &str) -> (i32, i32, bool) {
        let set = self.sets().get(set).await.expect("found");
        let status = set.status.unwrap_or_default();
        let told = status.observed_generation == set.metadata.generation;
        (status.replicas, status.ready_replicas.unwrap_or(0), told)
    }

    /// Returns the number of Pods created since the last call.
    async fn created(&mut self) -> usize {
        let (mut created, last) = (0, self.server.resource_version());
        while let Some(commit) = self.commits.next().await {
            created += usize::from(commit.resource == "pods" && commit.change == ChangeKind::Added);
            if commit.version >= last {
                break;
            }
        }
        created
    }
}

fn set(name: &str, replicas: usize) -> ReplicaSet {
    let set = json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    });
    serde_json::from_value(set).expect("a ReplicaSet")
}

/// Long enough for a set to converge, much shorter than an expectation lives.
const CONVERGED: Duration = Duration::from_secs(20);

async fn a_set_gets_its_replicas_and_says_so(gates: Gates) {
    let mut world = World::new(gates);
    world.create_set("web", 25).await;
    settle(CONVERGED).await;
    assert_eq!(world.pods_of("web").await.len(), 25);
    assert_eq!(world.status("web").await, (25, 25, true));
    assert_eq!(world.created().await, 25);
    assert_eq!(world.tasks.len(), 2, "neither the kubelet nor the controller has ended");
}

async fn scaling_creates_or_deletes_exactly_the_difference(gates: Gates) {
    let mut world = World::new(gates);
    world.create_set("web", 10).await;
    settle(CONVERGED).await;
    world.scale("web", 15).await;
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, world.created().await), ((15, 15, true), 15));
    world.scale("web", 4).await;
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, world.created().await), ((4, 4, true), 0));
    assert_eq!(world.pods().list(&ListParams::default()).await.expect("listed").items.len(), 4);
}

/// CL-T7, OW-T1, OW-T5: orphans are adopted before Pods are created; a relabelled Pod is released and replaced.
async fn orphans_are_adopted_and_relabelled_pods_released(gates: Gates) {
    let mut world = World::new(gates);
    world.create_pod("orphan-1", "web").await;
    world.create_pod("orphan-2", "web").await;
    world.create_pod("stranger", "other").await;
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    let pods = world.pods_of("web").await;
    assert!(pods.contains(&"orphan-1".to_owned()) && pods.contains(&"orphan-2".to_owned()), "{pods:?}");
    assert_eq!((pods.len(), world.created().await), (3, 3 + 1), "three by hand, one by the controller");

    let relabel = Patch::Merge(json!({"metadata": {"labels": {"app": "debug"}}}));
    world.pods().patch("orphan-1", &PatchParams::default(), &relabel).await.expect("patched");
    settle(CONVERGED).await;
    let pods = world.pods_of("web").await;
    assert!(!pods.contains(&"orphan-1".to_owned()), "{pods:?}");
    assert_eq!((pods.len(), world.created().await), (3, 1));
    let released = world.pods().get("orphan-1").await.expect("still there");
    assert_eq!(released.metadata.owner_references, None);
}

/// CL-T4: while the cache lags behind its own writes, the controller is dormant. Fails when `sync`
/// does not ask the expectations.
async fn a_lagging_cache_makes_no_pod_too_many(gates: Gates) {
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
async fn refused_creates_start_slowly_and_are_told(gates: Gates) {
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

/// CL-T11: the expectations of the old set do not block the new one.
async fn a_set_that_is_recreated_starts_afresh(gates: Gates) {
    let mut world = World::new(gates);
    world.create_set("web", 5).await;
    settle(CONVERGED).await;
    let watches = Filter::any().resource("pods").user_agent("controller");
    let stalled = world.server.faults().stall_watches(watches);
    world.scale("web", 8).await; // three creations that are not seen
    sleep(Duration::from_secs(1)).await;
    world.sets().delete("web", &DeleteParams::background()).await.expect("deleted");
    stalled.release();
    settle(CONVERGED).await;
    assert_eq!(world.pods_of("web").await.len(), 0, "the garbage collector took them");
    world.create_set("web", 2).await;
    settle(CONVERGED).await;
    assert_eq!(world.status("web").await, (2, 2, true));
    assert_eq!(world.created().await, 5 + 3 + 2);
}

/// CL-T9: 700 replicas come in two waves, and the second waits until the first is seen. Fails without
/// the limit, and when the set does not wait.
async fn large_sets_come_in_waves(gates: Gates) {
    let mut world = World::new(gates);
    settle(CONVERGED).await;
    let pods = Filter::any().resource("pods").user_agent("controller");
    let lag = world.server.faults().lag_watches(pods, Duration::from_secs(5));
    world.create_set("web", 700).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(world.created().await, 500);
    lag.release();
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, world.created().await), ((700, 700, true), 200));
}

/// CL-T17: a Pod is available after `minReadySeconds`, and the set is requeued for it.
async fn pods_become_available_after_their_time(gates: Gates) {
    let world = World::new(gates);
    world.create_set("web", 3).await;
    let patch = Patch::Merge(json!({"spec": {"minReadySeconds": 60}}));
    world.sets().patch("web", &PatchParams::default(), &patch).await.expect("patched");
    settle(CONVERGED).await;
    let available = async || {
        let status = world.sets().get("web").await.expect("found").status.unwrap_or_default();
        (status.ready_replicas, status.available_replicas)
    };
    assert_eq!(available().await, (Some(3), Some(0)));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(available().await, (Some(3), Some(3)));
}

/// Terminating Pods are counted apart while they are there, and no longer.
async fn terminating_pods_are_told_while_they_last(gates: Gates) {
    let world = World::new(gates);
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    let name = world.pods_of("web").await.remove(0);
    let hold = Patch::Merge(json!({"metadata": {"finalizers": ["example.com/hold"]}}));
    world.pods().patch(&name, &PatchParams::default(), &hold).await.expect("patched");
    world.pods().delete(&name, &DeleteParams::default()).await.expect("marked");
    settle(CONVERGED).await;
    let terminating = async || {
        world.sets().get("web").await.expect("found").status.and_then(|status| status.terminating_replicas)
    };
    assert_eq!((world.status("web").await, terminating().await), ((3, 3, true), Some(1)));
    let let_go = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    world.pods().patch(&name, &PatchParams::default(), &let_go).await.expect("patched");
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, terminating().await), ((3, 3, true), Some(0)));
}

/// CL-T16: a set that is on its way out creates nothing.
async fn a_set_that_is_being_deleted_creates_nothing(gates: Gates) {
    let mut world = World::new(gates);
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    let hold = Patch::Merge(json!({"metadata": {"finalizers": ["example.com/hold"]}}));
    world.sets().patch("web", &PatchParams::default(), &hold).await.expect("patched");
    world.sets().delete("web", &DeleteParams::background()).await.expect("marked");
    assert_eq!(world.created().await, 3);
    let name = world.pods_of("web").await.remove(0);
    world.pods().delete(&name, &DeleteParams::default()).await.expect("deleted");
    settle(CONVERGED).await;
    assert_eq!((world.pods_of("web").await.len(), world.created().await), (2, 0));
}

/// CL-T15: as long as an orphan cannot be adopted, nothing is created in its place.
async fn a_failing_adoption_creates_nothing(gates: Gates) {
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
async fn pods_that_vanish_behind_a_compaction_are_replaced(gates: Gates) {
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
    let controller = ReplicaSets::new(client, &informers).controller();
    let creates = Filter::any().verb(Verb::Create).resource("pods").user_agent("controller");
    let slow = server.faults().delay(creates, Duration::from_secs(1), usize::MAX);
    let world = World { commits: server.commits(), server, tasks: JoinSet::new() };
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
async fn a_delete_that_is_refused_with_a_conflict_is_tried_again(gates: Gates) {
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
async fn a_status_that_is_refused_with_a_conflict_is_read_again_once(gates: Gates) {
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
async fn requests_that_hang_stop_no_other_set(gates: Gates) {
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

/// EX-T4: upstream's `CreatePods`. A Pod has the template's labels and spec, a generated name and a controller reference.
async fn a_pod_is_made_of_the_template_with_a_generated_name_and_a_controller(gates: Gates) {
    let world = World::new(gates);
    let web = world.create_set("web", 1).await;
    settle(CONVERGED).await;
    let pods = world.pods().list(&ListParams::default()).await.expect("listed").items;
    let [pod] = &pods[..] else { panic!("one Pod: {pods:?}") };
    let template = web.spec.template.expect("a template");
    assert_eq!(pod.metadata.generate_name.as_deref(), Some("web-"));
    assert_eq!(pod.metadata.labels, template.metadata.and_then(|metadata| metadata.labels));
    let image = |spec: &Option<PodSpec>| spec.as_ref().map(|spec| spec.containers[0].image.clone());
    assert_eq!(image(&pod.spec), image(&template.spec));
    let owners = pod.metadata.owner_references.as_deref().expect("an owner");
    let [owner] = owners else { panic!("one owner: {owners:?}") };
    assert_eq!((&*owner.api_version, &*owner.kind, &*owner.name), ("apps/v1", "ReplicaSet", "web"));
    assert_eq!(Some(&owner.uid), web.metadata.uid.as_ref());
    assert_eq!((owner.controller, owner.block_owner_deletion), (Some(true), Some(true)));
}

/// Go reads this time, and the types of k8s-openapi do not. Such a Pod counts, before a restart and after it.
async fn a_pod_with_a_condition_of_the_year_9999_counts_after_a_restart(gates: Gates) {
    let world = World::new(gates);
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    let pods = world.pods_of("web").await;
    let never = json!({"type": "Never", "status": "True", "lastTransitionTime": "9999-12-31T23:59:59Z"});
    let patch = Patch::Strategic(json!({"status": {"conditions": [never]}}));
    let api: Api<DynamicObject> =
        Api::namespaced_with(world.server.client(), "default", &ApiResource::erase::<Pod>(&()));
    let patched = api.patch_status(&pods[0], &PatchParams::default(), &patch).await.expect("patched");
    let times = patched.data["status"]["conditions"].as_array().expect("conditions").iter();
    assert!(times.clone().any(|one| one["lastTransitionTime"] == "9999-12-31T23:59:59Z"), "{patched:?}");
    settle(CONVERGED).await;
    let World { server, tasks, .. } = world;
    drop(tasks);
    let again = World::over(server, gates);
    settle(CONVERGED).await;
    // By their metadata: a list of whole Pods cannot be decoded.
    let list = again.pods().list_metadata(&ListParams::default()).await.expect("listed");
    let names: BTreeSet<_> = list.items.into_iter().filter_map(|pod| pod.metadata.name).collect();
    assert_eq!((names, again.status("web").await), (pods.into_iter().collect(), (3, 3, true)));
}

/// Upstream copies labels, annotations and finalizers. With a name, only the first Pod could be created.
async fn a_name_in_the_template_does_not_reach_the_pods(gates: Gates) {
    let world = World::new(gates);
    let mut web = set("web", 3);
    if let Some(metadata) = web.spec.template.as_mut().and_then(|template| template.metadata.as_mut()) {
        metadata.name = Some("only-one".into());
        metadata.annotations = Some([("note".into(), "kept".into())].into());
    }
    world.sets().create(&PostParams::default(), &web).await.expect("created");
    settle(CONVERGED).await;
    assert_eq!(world.status("web").await, (3, 3, true));
    for pod in world.pods().list(&ListParams::default()).await.expect("listed").items {
        assert!(pod.metadata.name.is_some_and(|name| name.starts_with("web-")));
        assert_eq!(pod.metadata.annotations.expect("annotations")["note"], "kept");
    }
}

/// The creations and the deletions of two Pods fall between two lists: there are no events for them. Fails
/// if the version of the cache does not satisfy the counts: the set then waits for 5 minutes.
#[tokio::test(start_paused = true)]
async fn events_that_were_missed_do_not_stop_a_set() {
    let world = World::new(Gates::Default);
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
    assert_eq!(world.status("web").await, (5, 5, true));
}
