//! Joining: a run ends after its tasks, and a Lease is given back after the led work.
//!
//! These reconciles block their thread, so these tests use real threads and real time. They wait for
//! events, and for timeouts of some milliseconds.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use k8s_openapi::api::{coordination::v1::Lease, core::v1::ConfigMap};
use kube_client::{Api, api::PostParams};
use parking_lot::Mutex;
use serde_json::json;
use tokio::{
    sync::oneshot,
    task::yield_now,
    time::{Instant, sleep, timeout},
};
use trimtab_apiserver::ApiServer;
use trimtab_controller::{
    Action, Controller, Request,
    informer::InformerFactory,
    leaderelection::{LeaderElector, Outcome},
};

const LONG: Duration = Duration::from_secs(60);

/// Counts the reconciles that are alive, dropped futures included.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

async fn server_with_maps(count: usize) -> ApiServer {
    let server = ApiServer::start();
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "default");
    for number in 0..count {
        let map = json!({"metadata": {"name": format!("map-{number}")}});
        let map = serde_json::from_value(map).expect("a ConfigMap");
        maps.create(&PostParams::default(), &map).await.expect("created");
    }
    server
}

/// A controller with one ConfigMap, whose reconcile blocks its thread until the test lets it go.
struct Blocking {
    /// Serves the ConfigMap while the test runs.
    server: ApiServer,
    controller: Arc<Controller>,
    alive: Arc<AtomicUsize>,
    go: mpsc::Sender<()>,
}

impl Blocking {
    async fn new(set: impl FnOnce(Controller) -> Controller) -> Self {
        let server = server_with_maps(1).await;
        let maps = InformerFactory::new(server.client()).informer::<ConfigMap>();
        let alive = Arc::new(AtomicUsize::new(0));
        let (go, wait) = mpsc::channel();
        let (count, wait) = (alive.clone(), Arc::new(Mutex::new(wait)));
        let controller = Controller::new("blocking", &maps).reconciler(move |_: Request| {
            let (count, wait) = (count.clone(), wait.clone());
            async move {
                let _alive = Alive::new(&count);
                _ = wait.lock().recv(); // blocks the thread
                Ok(Action::done())
            }
        });
        Self { server, controller: Arc::new(set(controller)), alive, go }
    }

    async fn until_blocked(&self) {
        let blocked = async {
            while self.alive.load(SeqCst) == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(LONG, blocked).await.expect("reconciling");
    }
}

/// Guarantee 5. Fails when `run` does not await its tasks after it has aborted them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_returns_after_a_reconcile_that_blocks_its_thread_and_not_before() {
    let world = Blocking::new(|controller| controller.grace_period(Duration::ZERO)).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let (controller, alive) = (world.controller.clone(), world.alive.clone());
    let running = tokio::spawn(async move {
        let ended = controller.run(async { _ = stopped.await }).await;
        (ended, alive.load(SeqCst))
    });
    world.until_blocked().await;
    drop(stop);
    sleep(Duration::from_millis(50)).await;
    assert!(!running.is_finished(), "the reconcile runs");
    world.go.send(()).expect("it waits");
    let (ended, alive) = timeout(LONG, running).await.expect("in time").expect("no panic");
    assert!(ended.expect_err("exceeded").is_grace_period_exceeded());
    assert_eq!(alive, 0);
}

/// Guarantees 1 and 5. Fails when the end of a run is the drop of its future.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_controller_that_was_dropped_refuses_to_run_until_its_last_task_is_gone() {
    let world = Blocking::new(|controller| controller).await;
    let controller = world.controller.clone();
    let running = tokio::spawn(async move { controller.run(pending()).await });
    world.until_blocked().await;
    running.abort();
    assert!(running.await.expect_err("aborted").is_cancelled());
    let refused = timeout(LONG, world.controller.run(pending())).await.expect("at once");
    assert!(refused.expect_err("a task is left").is_running());
    let Blocking { server: _server, controller, alive, go } = world;
    drop(go); // no reconcile waits any more: the next run may have one, too
    let ends = async {
        while controller.run(async {}).await.is_err() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, ends).await.expect("runs again");
    assert_eq!(alive.load(SeqCst), 0);
}

/// Guarantee 5: the exception. Nothing but the end of the process ends such a reconcile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reconcile_that_cannot_be_ended_is_named_and_the_process_must_exit() {
    let at_once = |controller: Controller| {
        controller.grace_period(Duration::ZERO).abort_timeout(Duration::from_millis(50))
    };
    let world = Blocking::new(at_once).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let controller = world.controller.clone();
    let running = tokio::spawn(async move { controller.run(async { _ = stopped.await }).await });
    world.until_blocked().await;
    drop(stop);
    let error = timeout(LONG, running).await.expect("in time").expect("no panic").expect_err("blocked");
    assert!(error.must_exit() && error.is_grace_period_exceeded());
    let sentence = "reconciles block their threads, so the process must exit: default/map-0";
    assert_eq!(format!("{error:?}"), sentence);
    assert!(world.controller.run(pending()).await.expect_err("a task is left").is_running());
    world.go.send(()).expect("it waits");
}

/// Guarantee 7, and the order of KEP-5366: stop, then wait for all work, then release. Fails when a worker holds
/// no guard of the term, or when the elector does not wait for guards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_lease_is_released_after_a_reconcile_that_blocks_its_thread_has_ended() {
    let world = Blocking::new(|controller| controller).await;
    let leases: Api<Lease> = Api::namespaced(world.server.client(), "default");
    let elector = LeaderElector::builder(world.server.client(), "default", "web").identity("a");
    let elector = elector.grace_period(Duration::ZERO).release_on_cancel(true);
    let mut elector = elector.build().expect("sound settings");
    let (stop, stopped) = oneshot::channel::<()>();
    let controller = world.controller.clone();
    let running = tokio::spawn(async move {
        let stopped = async { _ = stopped.await };
        elector
            .run_terms(stopped, |term| {
                let controller = controller.clone();
                async move { controller.run(term.lost()).await }
            })
            .await
    });
    world.until_blocked().await;
    drop(stop);
    sleep(Duration::from_millis(50)).await;
    assert!(!running.is_finished(), "the reconcile runs");
    let holder = async || leases.get("web").await.expect("a Lease").spec.expect("a spec").holder_identity;
    assert_eq!(holder().await.as_deref(), Some("a"));
    assert_eq!(world.alive.load(SeqCst), 1);
    world.go.send(()).expect("it waits");
    let outcome = timeout(LONG, running).await.expect("in time").expect("no panic");
    assert!(matches!(outcome, Outcome::ShutDown(None)), "{outcome:?}");
    assert_eq!((world.alive.load(SeqCst), holder().await.as_deref()), (0, Some("")));
}

/// Guarantee 7: a reconcile that does not end keeps the Lease, and the error of the run names it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_led_reconcile_that_cannot_be_ended_keeps_the_lease_and_the_process_must_exit() {
    let world = Blocking::new(|controller| controller).await;
    let leases: Api<Lease> = Api::namespaced(world.server.client(), "default");
    let elector = LeaderElector::builder(world.server.client(), "default", "web")
        .identity("a")
        .lease_duration(Duration::from_secs(1))
        .renew_deadline(Duration::from_millis(500))
        .retry_period(Duration::from_millis(100))
        .grace_period(Duration::ZERO)
        .release_on_cancel(true);
    let mut elector = elector.build().expect("sound settings");
    let (stop, stopped) = oneshot::channel::<()>();
    let controller = world.controller.clone();
    let running = tokio::spawn(async move {
        let stopped = async { _ = stopped.await };
        elector.run(stopped, |term| async move { controller.run(term.lost()).await }).await
    });
    world.until_blocked().await;
    drop(stop);
    let outcome = timeout(LONG, running).await.expect("in time").expect("no panic");
    assert!(outcome.must_exit());
    let Outcome::Unfinished { tasks, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(tasks, ["controller blocking, reconciling default/map-0"]);
    let holder = leases.get("web").await.expect("a Lease").spec.expect("a spec").holder_identity;
    assert_eq!(holder.as_deref(), Some("a"), "it expires");
    world.go.send(()).expect("it waits");
}

/// One budget: the elector's. A longer one of the controller could not be kept.
#[tokio::test(start_paused = true)]
async fn a_led_controller_has_the_grace_period_of_its_elector() {
    for (own, error) in [
        (None, None),
        (Some(20), None),
        (Some(30), Some("grace_period of 30s is longer than the elector's grace_period of 20s")),
    ] {
        let server = server_with_maps(1).await;
        let maps = InformerFactory::new(server.client()).informer::<ConfigMap>();
        let controller = Controller::new("graceful", &maps)
            .reconciler(|_| pending::<Result<Action, trimtab_controller::Error>>());
        let controller = match own {
            Some(seconds) => controller.grace_period(Duration::from_secs(seconds)),
            None => controller,
        };
        let elector = LeaderElector::builder(server.client(), "default", "web");
        let mut elector = elector.release_on_cancel(true).build().expect("sound settings");
        let start = Instant::now();
        let outcome = elector
            .run(sleep(Duration::from_secs(5)), |term| {
                let controller = &controller;
                async move { controller.run(term.lost()).await }
            })
            .await;
        match error {
            None => assert_eq!(start.elapsed().as_secs(), 25, "{outcome:?}"),
            Some(error) => {
                let refused = outcome.into_output().expect("at once").expect_err("refused");
                assert_eq!(refused.to_string(), error);
            }
        }
    }
}

/// Guarantees 1 and 5: of 300 runs that are dropped at some point, none leaves a reconcile to the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_run_begins_while_a_reconcile_of_a_dropped_run_is_alive() {
    let server = server_with_maps(4).await;
    let maps = InformerFactory::new(server.client()).informer::<ConfigMap>();
    let alive = Arc::new(AtomicUsize::new(0));
    let count = alive.clone();
    let controller = Controller::new("dropped", &maps).workers(4).reconciler(move |_| {
        let count = count.clone();
        async move {
            let _alive = Alive::new(&count);
            for _ in 0..100 {
                yield_now().await;
            }
            Ok(Action::requeue_now())
        }
    });
    for run in 0..300 {
        // A refused run has spawned nothing, so every live reconcile belongs to the run before it.
        let started = async {
            while controller.run(async {}).await.is_err() {
                yield_now().await;
            }
            assert_eq!(alive.load(SeqCst), 0, "run {run} would begin beside a reconcile");
        };
        timeout(LONG, started).await.expect("runs again");
        let busy = async {
            while alive.load(SeqCst) < 1 + run % 4 {
                yield_now().await;
            }
        };
        tokio::select! {
            ended = controller.run(pending()) => panic!("ended: {ended:?}"),
            () = busy => {}
        }
    }
}
