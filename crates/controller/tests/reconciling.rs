//! A controller against the in-process API server, with paused time.

use std::{
    future::{Ready, pending, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube_client::{
    Api,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams},
};
use parking_lot::Mutex;
use serde_json::json;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};
use trimtab_apiserver::{ApiServer, Filter, Refusal};
use trimtab_controller::{
    Action, Controller, Error, Request,
    cache::ObjectKey,
    informer::{Informer, InformerFactory},
};
use trimtab_test_support::settle;

struct World {
    server: ApiServer,
    informers: InformerFactory,
    maps: Informer<ConfigMap>,
}

impl World {
    fn new() -> Self {
        let server = ApiServer::start();
        let informers = InformerFactory::new(server.client());
        let maps = informers.informer();
        Self { server, informers, maps }
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube_client::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.server.client(), "default")
    }

    async fn create(&self, name: &str) -> ConfigMap {
        let map: ConfigMap =
            serde_json::from_value(json!({"metadata": {"name": name}})).expect("a ConfigMap");
        self.api().create(&PostParams::default(), &map).await.expect("created")
    }

    async fn touch(&self, name: &str, value: &str) {
        let patch = Patch::Merge(json!({"data": {"touched": value}}));
        self.api::<ConfigMap>().patch(name, &PatchParams::default(), &patch).await.expect("patched");
    }
}

/// The requests of a reconciler, with their times.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Request, Instant)>>>);

impl Log {
    fn record(&self, request: &Request) {
        self.0.lock().push((request.clone(), Instant::now()));
    }

    /// Returns a reconciler that records its requests and returns `done`.
    fn reconciler(&self) -> impl Fn(Request) -> Ready<Result<Action, Error>> + use<> {
        let log = self.clone();
        move |request| {
            log.record(&request);
            ready(Ok(Action::done()))
        }
    }

    fn keys(&self) -> Vec<String> {
        self.0.lock().iter().map(|(request, _)| request.key.to_string()).collect()
    }

    fn len(&self) -> usize {
        self.0.lock().len()
    }
}

/// Guarantee 2.
#[tokio::test(start_paused = true)]
async fn every_object_is_reconciled_at_the_start_and_after_each_change() {
    let world = World::new();
    world.create("a").await;
    world.create("b").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).reconciler(log.reconciler());
    let running = controller.run(pending());
    let story = async {
        settle(Duration::from_secs(1)).await;
        let mut keys = log.keys();
        keys.sort();
        assert_eq!(keys, ["default/a", "default/b"]);
        world.touch("a", "1").await;
        settle(Duration::from_secs(1)).await;
        world.api::<ConfigMap>().delete("b", &DeleteParams::default()).await.expect("deleted");
        settle(Duration::from_secs(1)).await;
        assert_eq!(log.keys()[2..], ["default/a", "default/b"]);
    };
    tokio::select! { ended = running => panic!("ended: {ended:?}"), () = story => {} }
}

/// Guarantee 1. Fails if workers take keys from two queues, or if the key is completed before the reconcile.
#[tokio::test(start_paused = true)]
async fn a_key_is_never_reconciled_twice_at_once() {
    let world = World::new();
    world.create("a").await;
    let (busy, most, runs) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let controller = Controller::new("test", &world.maps).workers(4).reconciler({
        let (busy, most, runs) = (busy.clone(), most.clone(), runs.clone());
        move |_| {
            let (busy, most, runs) = (busy.clone(), most.clone(), runs.clone());
            async move {
                most.fetch_max(busy.fetch_add(1, SeqCst) + 1, SeqCst);
                runs.fetch_add(1, SeqCst);
                sleep(Duration::from_millis(50)).await;
                busy.fetch_sub(1, SeqCst);
                Ok(Action::done())
            }
        }
    });
    let story = async {
        for touch in 0..20 {
            world.touch("a", &touch.to_string()).await;
            sleep(Duration::from_millis(10)).await;
        }
        settle(Duration::from_secs(1)).await;
    };
    tokio::select! { ended = controller.run(pending()) => panic!("ended: {ended:?}"), () = story => {} }
    assert_eq!(most.load(SeqCst), 1);
    let runs = runs.load(SeqCst);
    assert!((4..=12).contains(&runs), "20 touches in 200 ms coalesce into runs of 50 ms, not {runs}");
}

/// Guarantees 3 and 4.
#[tokio::test(start_paused = true)]
async fn a_failing_key_backs_off_while_others_continue_and_a_success_resets_it() {
    let world = World::new();
    world.create("bad").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).reconciler({
        let log = log.clone();
        move |request: Request| {
            log.record(&request);
            async move {
                match (request.key.name(), request.attempt) {
                    ("bad", 0) => panic!("the first attempt panics"),
                    ("bad", 1..5) => Err(std::io::Error::other("not yet").into()),
                    _ => Ok(Action::done()),
                }
            }
        }
    });
    let story = async {
        settle(Duration::from_secs(1)).await;
        world.create("good").await;
        settle(Duration::from_secs(1)).await;
        world.touch("bad", "again").await;
        settle(Duration::from_secs(1)).await;
    };
    tokio::select! { ended = controller.run(pending()) => panic!("ended: {ended:?}"), () = story => {} }
    let log = log.0.lock();
    let attempts: Vec<_> = log.iter().map(|(request, _)| (request.key.name(), request.attempt)).collect();
    let expected = [
        ("bad", 0),
        ("bad", 1),
        ("bad", 2),
        ("bad", 3),
        ("bad", 4),
        ("bad", 5),
        ("good", 0),
        ("bad", 0),
        ("bad", 1),
    ];
    assert_eq!(
        attempts[..9],
        expected,
        "a success resets the failures, so the last change starts at attempt 0"
    );
    let waits: Vec<_> = log.windows(2).take(5).map(|pair| (pair[1].1 - pair[0].1).as_millis()).collect();
    assert!(waits.windows(2).all(|pair| pair[1] >= pair[0] * 2 - 1), "5 ms doubled each time: {waits:?}");
    let status = controller.status();
    assert_eq!((status.panics, status.queued, status.processing), (2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn retries_end_at_their_limit_and_terminal_errors_are_not_retried() {
    let world = World::new();
    world.create("limited").await;
    world.create("terminal").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).max_retries(3).reconciler({
        let log = log.clone();
        move |request: Request| {
            log.record(&request);
            async move {
                let error = std::io::Error::other("no");
                Err(if request.key.name() == "terminal" { Error::terminal(error) } else { error.into() })
            }
        }
    });
    let story = sleep(Duration::from_secs(3600));
    tokio::select! { ended = controller.run(pending()) => panic!("ended: {ended:?}"), () = story => {} }
    let count = |name: &str| log.0.lock().iter().filter(|(request, _)| request.key.name() == name).count();
    assert_eq!((count("limited"), count("terminal")), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_requeued_after_the_delay_of_its_action() {
    let world = World::new();
    world.create("a").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).reconciler({
        let log = log.clone();
        move |request| {
            log.record(&request);
            async { Ok(Action::requeue_after(Duration::from_secs(60))) }
        }
    });
    let story = sleep(Duration::from_secs(185));
    tokio::select! { ended = controller.run(pending()) => panic!("ended: {ended:?}"), () = story => {} }
    assert_eq!(log.len(), 4);
    assert!(log.0.lock().iter().all(|(request, _)| request.attempt == 0), "not a failure");
}

/// Guarantee 6, and the status of a run that has ended.
#[tokio::test(start_paused = true)]
async fn a_running_reconcile_finishes_and_a_queued_key_is_not_started_after_the_shutdown() {
    let world = World::new();
    world.create("a").await;
    world.create("b").await;
    let finished = Arc::new(AtomicUsize::new(0));
    let controller = Controller::new("test", &world.maps).reconciler({
        let finished = finished.clone();
        move |_| {
            let finished = finished.clone();
            async move {
                sleep(Duration::from_secs(5)).await;
                finished.fetch_add(1, SeqCst);
                Ok(Action::done())
            }
        }
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let story = async {
        settle(Duration::from_secs(1)).await;
        assert_eq!(controller.status().processing, 1);
        drop(stop);
    };
    let began = Instant::now();
    let (ended, ()) = tokio::join!(controller.run(async { _ = stopped.await }), story);
    ended.expect("within the grace period");
    assert_eq!(finished.load(SeqCst), 1);
    assert!((5..7).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!(controller.status().processing, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_exceeds_the_grace_period_is_cancelled() {
    let world = World::new();
    world.create("a").await;
    let controller = Controller::new("test", &world.maps)
        .grace_period(Duration::from_secs(3))
        .reconciler(|_| pending::<Result<Action, Error>>());
    let ended = controller.run(settle(Duration::from_secs(1))).await;
    assert!(ended.expect_err("it never ends").is_grace_period_exceeded());
}

/// Guarantee 5, and a second run.
#[tokio::test(start_paused = true)]
async fn a_controller_runs_again_with_every_object_and_without_its_old_handlers() {
    let world = World::new();
    world.create("a").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).reconciler(log.reconciler());
    settle(Duration::from_secs(1)).await;
    assert!(!world.maps.has_synced(), "nothing runs before `run`");
    controller.run(settle(Duration::from_secs(1))).await.expect("stopped");
    world.touch("a", "while stopped").await;
    settle(Duration::from_secs(1)).await;
    assert_eq!(log.len(), 1);
    controller.run(settle(Duration::from_secs(1))).await.expect("stopped");
    assert_eq!(log.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_does_not_sync_fails_the_run_with_its_name() {
    let world = World::new();
    let filter = Filter::any().resource("pods");
    let _refusing = world.server.faults().refuse(filter, Refusal::forbidden(), usize::MAX);
    let pods = world.informers.informer::<Pod>();
    let controller = Controller::new("test", &world.maps)
        .owns(&pods)
        .sync_timeout(Duration::from_secs(10))
        .reconciler(|_| async { Ok(Action::done()) });
    let error = timeout(Duration::from_secs(11), controller.run(pending())).await.expect("in time");
    let error = error.expect_err("no list of Pods");
    assert!(error.is_not_synced() && error.to_string().contains("pods"), "{error}");
}

/// An event of a dependent queues its controller's key; if the event changes the controller, both keys are queued.
#[tokio::test(start_paused = true)]
async fn events_of_dependents_become_the_keys_of_their_controllers() {
    let world = World::new();
    let (a, b) = (world.create("a").await, world.create("b").await);
    let pods = world.informers.informer::<Pod>();
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).owns(&pods).reconciler(log.reconciler());
    let owner = |map: &ConfigMap, uid: Option<&str>| {
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": map.metadata.name,
                "uid": uid.or(map.metadata.uid.as_deref()), "controller": true}])
    };
    let story = async {
        settle(Duration::from_secs(1)).await;
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "pod", "ownerReferences": owner(&a, None)},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }))
        .expect("a Pod");
        world.api::<Pod>().create(&PostParams::default(), &pod).await.expect("created");
        settle(Duration::from_secs(1)).await;
        assert_eq!(log.keys()[2..], ["default/a"]);
        let patch = Patch::Merge(json!({"metadata": {"ownerReferences": owner(&b, None)}}));
        world.api::<Pod>().patch("pod", &PatchParams::default(), &patch).await.expect("patched");
        settle(Duration::from_secs(1)).await;
        let mut both = log.keys()[3..].to_vec();
        both.sort();
        assert_eq!(both, ["default/a", "default/b"]);
        let stranger = Patch::Merge(json!({"metadata": {"ownerReferences": owner(&b, Some("another"))}}));
        world.api::<Pod>().patch("pod", &PatchParams::default(), &stranger).await.expect("patched");
        settle(Duration::from_secs(1)).await;
        assert_eq!(log.keys()[5..], ["default/b"], "another UID is another object");
    };
    tokio::select! { ended = controller.run(pending()) => panic!("ended: {ended:?}"), () = story => {} }
}

#[tokio::test(start_paused = true)]
async fn events_of_other_kinds_become_the_keys_that_the_function_returns() {
    let world = World::new();
    let pods = world.informers.informer::<Pod>();
    let log = Log::default();
    let named = ObjectKey::namespaced("default", "named");
    let controller = Controller::new("test", &world.maps)
        .watches(&pods, move |_| [named.clone()])
        .reconciler(log.reconciler());
    let story = async {
        settle(Duration::from_secs(1)).await;
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "pod"}, "spec": {"containers": [{"name": "c", "image": "i"}]},
        }))
        .expect("a Pod");
        world.api::<Pod>().create(&PostParams::default(), &pod).await.expect("created");
        settle(Duration::from_secs(1)).await;
        assert_eq!(log.keys(), ["default/named"]);
    };
    tokio::select! { ended = controller.run(pending()) => panic!("ended: {ended:?}"), () = story => {} }
}

/// Dependents find their controller by the kind that the `ApiResource` describes.
#[tokio::test(start_paused = true)]
async fn a_kind_that_is_known_at_run_time_can_be_the_primary() {
    let world = World::new();
    let map = world.create("a").await;
    let resource = ApiResource::erase::<ConfigMap>(&());
    let maps = world.informers.informer_with::<DynamicObject>(&resource);
    let pods = world.informers.informer::<Pod>();
    let log = Log::default();
    let controller = Controller::new_with("test", &maps, &resource).owns(&pods).reconciler(log.reconciler());
    let story = async {
        settle(Duration::from_secs(1)).await;
        assert_eq!(log.keys(), ["default/a"]);
        for kind in ["Secret", "ConfigMap"] {
            let pod: Pod = serde_json::from_value(json!({
                "metadata": {"generateName": "pod-", "ownerReferences": [
                    {"apiVersion": "v1", "kind": kind, "name": "a", "uid": map.metadata.uid, "controller": true},
                ]},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            }))
            .expect("a Pod");
            world.api::<Pod>().create(&PostParams::default(), &pod).await.expect("created");
            settle(Duration::from_secs(1)).await;
        }
        assert_eq!(log.keys(), ["default/a", "default/a"], "a Secret is another kind");
    };
    tokio::select! { ended = controller.run(pending()) => panic!("ended: {ended:?}"), () = story => {} }
}

#[tokio::test(start_paused = true)]
async fn a_controller_without_workers_does_not_run() {
    let world = World::new();
    let controller =
        Controller::new("test", &world.maps).workers(0).reconciler(|_| async { Ok(Action::done()) });
    let error = controller.run(pending()).await.expect_err("no workers");
    assert_eq!(format!("{error:?}"), "the controller has 0 workers, but needs at least 1");
    settle(Duration::from_secs(1)).await;
    assert!(!world.maps.has_synced(), "no informer was started");
}
