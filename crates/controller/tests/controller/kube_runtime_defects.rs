//! The defects that were found in kube-runtime 5.0.0, each as a test of this crate. `crates/informer` has the tests of its
//! own defects; the table in docs/upstream-behaviours.md has all of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use parking_lot::Mutex;
use serde_json::json;
use tokio::time::{Instant, sleep};
use trimtab_apiserver::{Filter, Refusal};
use trimtab_controller::{Action, Controller, Error, Watch, kube_rs};
use trimtab_test_support::settle;

use crate::world::{Log, MS, SECOND, World, during, owned_by, run_for};

/// Defect 1: one watch that fails puts the whole queue to sleep. There 50 events a second have a median latency of 656 ms
/// beside such a watch, here none.
#[tokio::test(start_paused = true)]
async fn a_watch_that_fails_for_ever_adds_no_latency_to_the_others() {
    let world = World::new();
    world.map("a").await;
    let _refused =
        world.server.faults().refuse(Filter::any().resource("pods"), Refusal::forbidden(), usize::MAX);
    let reconciled = Arc::new(Mutex::new(Vec::new()));
    let pods = Watch::new(&world.informers.informer::<Pod>()).optional();
    let controller = Controller::new("test", &world.maps).owns(pods).reconciler({
        let reconciled = reconciled.clone();
        move |_| {
            reconciled.lock().push(Instant::now());
            async { Ok(Action::done()) }
        }
    });
    during(&controller, async {
        settle(SECOND).await;
        reconciled.lock().clear();
        let mut touched = Vec::new();
        for touch in 0..200 {
            touched.push(Instant::now());
            world.touch("a", &touch.to_string()).await;
            sleep(50 * MS).await;
        }
        let reconciled = reconciled.lock();
        assert_eq!(reconciled.len(), 200);
        let longest = reconciled.iter().zip(&touched).map(|(at, from)| *at - *from).max();
        assert!(longest < Some(5 * MS), "{longest:?}");
    })
    .await;
}

/// Defect 4: objects that vanish during a relist produce no event, so that `owns` never wakes their owner.
#[tokio::test(start_paused = true)]
async fn a_dependent_that_was_deleted_while_the_watch_was_down_wakes_its_owner() {
    let world = World::new();
    let owner = world.map("owner").await;
    let pods = world.informers.informer::<Pod>();
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).owns(&pods).reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        world.pod(json!({"name": "p", "ownerReferences": owned_by(&owner)})).await;
        settle(SECOND).await;
        log.clear();
        let filter = Filter::any().resource("pods").user_agent("controller");
        let refused = world.server.faults().refuse(filter.clone(), Refusal::unavailable(), usize::MAX);
        world.server.faults().cut_watches(&filter);
        let now = kube_client::api::DeleteParams::default().grace_period(0);
        world.api::<Pod>().delete("p", &now).await.expect("deleted");
        world.server.faults().compact();
        refused.release();
        settle(60 * SECOND).await;
        assert_eq!(log.names(), ["owner"]);
        assert_eq!(log.requests()[0].reasons.to_string(), "pods deleted");
    })
    .await;
}

/// Defect 8: any owner reference counts there, and one that is not the controller's, too.
#[tokio::test(start_paused = true)]
async fn an_owner_that_is_not_the_controller_is_not_woken() {
    let world = World::new();
    let owner = world.map("owner").await;
    let log = Log::default();
    let controller =
        Controller::new("test", &world.maps).owns(&world.informers.informer::<Pod>()).reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        log.clear();
        let mut reference = owned_by(&owner);
        reference[0]["controller"] = json!(false);
        world.pod(json!({"name": "p", "ownerReferences": reference})).await;
        settle(SECOND).await;
        assert_eq!(log.len(), 0);
    })
    .await;
}

/// Defect 10: only the primary kind is waited for there; a first reconcile meets empty stores.
#[tokio::test(start_paused = true)]
async fn the_first_reconcile_finds_every_store_filled() {
    let world = World::new();
    let owner = world.map("owner").await;
    world.pod(json!({"name": "p", "ownerReferences": owned_by(&owner)})).await;
    let _slow = world.server.faults().delay(Filter::any().resource("pods"), 20 * SECOND, usize::MAX);
    let pods = world.informers.informer::<Pod>();
    let (store, seen) = (pods.store().clone(), Arc::new(Mutex::new(Vec::new())));
    let controller = Controller::new("test", &world.maps).owns(&pods).reconciler({
        let seen = seen.clone();
        move |_| {
            seen.lock().push(store.len());
            async { Ok(Action::done()) }
        }
    });
    run_for(&controller, 60 * SECOND).await;
    assert_eq!(seen.lock().first(), Some(&1));
}

/// Defect 11: a malformed object is never reconciled there, and its list fails for ever.
#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_decoded_is_reconciled_by_its_metadata() {
    #[derive(Debug, serde::Deserialize)]
    struct Numbers {
        metadata: trimtab_controller::cache::MetaView,
        #[expect(dead_code, reason = "its type is the point: the text in it cannot be decoded")]
        data: Option<std::collections::BTreeMap<String, u64>>,
    }
    impl trimtab_controller::cache::Object for Numbers {
        type Kind = ConfigMap;
        fn metadata(&self) -> &impl trimtab_controller::cache::Metadata {
            &self.metadata
        }
    }
    let world = World::new();
    world.map_of(json!({"metadata": {"name": "text"}, "data": {"a": "text"}})).await;
    world.map("fine").await;
    let log = Log::default();
    let never = trimtab_controller::Predicate::<Numbers>::new(|_, _, new| new.is_some());
    let numbers = Watch::new(&world.informers.informer::<Numbers>()).when(never);
    let controller = Controller::new("test", numbers).reconciler(log.done());
    run_for(&controller, SECOND).await;
    let mut names = log.names();
    names.sort();
    assert_eq!(names, ["fine", "text"]);
}

/// Defect 12: due items there are scanned for each, in no order. Here they come in the order of their arrival.
#[tokio::test(start_paused = true)]
async fn keys_are_reconciled_in_the_order_of_their_arrival() {
    let world = World::new();
    let log = Log::default();
    let (sender, keys) = trimtab_controller::ExternalSource::channel("keys");
    let controller = Controller::new("test", &world.maps).external(keys).reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        (0..1000).for_each(|number| sender.send(crate::world::key(&number.to_string())));
        settle(SECOND).await;
    })
    .await;
    let expected: Vec<_> = (0..1000).map(|number: u32| number.to_string()).collect();
    assert_eq!(log.names(), expected);
}

/// Row 3 of the feature table: concurrency there is unbounded. Row 6: no attempt count; kube#34, #297, #1916: no backoff per
/// key.
#[tokio::test(start_paused = true)]
async fn reconciles_are_bounded_by_the_workers() {
    let world = World::new();
    for number in 0..20 {
        world.map(&number.to_string()).await;
    }
    let (busy, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let controller = Controller::new("test", &world.maps).workers(3).reconciler({
        let (busy, most) = (busy.clone(), most.clone());
        move |_| {
            let (busy, most) = (busy.clone(), most.clone());
            async move {
                most.fetch_max(busy.fetch_add(1, SeqCst) + 1, SeqCst);
                sleep(SECOND).await;
                busy.fetch_sub(1, SeqCst);
                Ok(Action::done())
            }
        }
    });
    run_for(&controller, 10 * SECOND).await;
    assert_eq!((most.load(SeqCst), controller.status().reconciles), (3, 20));
}

struct Ctx(Mutex<Vec<String>>);

async fn reconcile(map: Arc<ConfigMap>, ctx: Arc<Ctx>) -> Result<kube_rs::Action, std::io::Error> {
    let name = map.metadata.name.clone().unwrap_or_default();
    ctx.0.lock().push(name.clone());
    match name.as_str() {
        "fails" | "gives-up" => Err(std::io::Error::other(name)),
        "periodic" => Ok(kube_rs::Action::requeue(Duration::from_secs(4))),
        _ => Ok(kube_rs::Action::await_change()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form of kube-rs")]
fn error_policy(map: Arc<ConfigMap>, error: &std::io::Error, _ctx: Arc<Ctx>) -> kube_rs::Action {
    assert_eq!(map.metadata.name, Some(error.to_string()));
    match error.to_string().as_str() {
        "fails" => kube_rs::Action::requeue(Duration::from_secs(3)),
        _ => kube_rs::Action::await_change(),
    }
}

/// An operator of kube-rs moves over by changing its `main`: its `reconcile` and `error_policy` stay.
#[tokio::test(start_paused = true)]
async fn a_reconciler_in_the_form_of_kube_rs_runs_unchanged() {
    let world = World::new();
    for name in ["fails", "gives-up", "periodic", "once"] {
        world.map(name).await;
    }
    let ctx = Arc::new(Ctx(Mutex::default()));
    let controller = Controller::new("test", &world.maps).workers(10).reconciler(kube_rs::reconciler(
        world.maps.store(),
        reconcile,
        error_policy,
        ctx.clone(),
    ));
    during(&controller, async {
        settle(9 * SECOND).await;
        world.delete("once").await;
        settle(SECOND).await;
    })
    .await;
    let count = |name: &str| ctx.0.lock().iter().filter(|reconciled| *reconciled == name).count();
    assert_eq!(["fails", "gives-up", "periodic", "once"].map(count), [4, 1, 3, 1]);
    let status = controller.status();
    assert_eq!((status.failures, status.terminal), (5, 1));
    let _: fn(&'static str) -> Error = Error::new; // the other form stays beside it
}
