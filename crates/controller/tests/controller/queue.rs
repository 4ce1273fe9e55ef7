//! The options of the queue: priorities, turns, limits, debounce. controller-runtime's behaviours are those of
//! `pkg/handler/eventhandler_test.go` and `pkg/controller/priorityqueue`: docs/upstream-behaviours.md.

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
};

use parking_lot::Mutex;
use serde_json::json;
use tokio::time::sleep;
use trimtab_apiserver::{Filter, Refusal};
use trimtab_controller::{Action, Controller, Error, ExternalSource, Request, workqueue::priority};
use trimtab_test_support::settle;

use crate::world::{Log, MS, SECOND, World, during, key, run_for};

/// PQ-T1: creations of the initial list have low priority; PQ-T2: later events have normal priority.
#[tokio::test(start_paused = true)]
async fn events_come_before_the_initial_list() {
    let world = World::new();
    for number in 0..5 {
        world.map(&format!("old-{number}")).await;
    }
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).reconciler({
        let log = log.clone();
        move |request| {
            log.record(&request);
            async {
                sleep(SECOND).await;
                Ok(Action::done())
            }
        }
    });
    during(&controller, async {
        settle(500 * MS).await;
        world.map("new").await;
        world.touch("old-4", "1").await;
        settle(10 * SECOND).await;
    })
    .await;
    // The priority of old-4 was raised; it has waited longer than the new one.
    assert_eq!(log.names(), ["old-0", "old-4", "new", "old-1", "old-2", "old-3"]);
    let priorities: Vec<_> = log.requests().iter().map(|request| request.priority).collect();
    let [low, normal] = [priority::LOW, priority::NORMAL];
    assert_eq!(priorities, [low, normal, normal, low, low, low]);
}

/// PQ-T3: a resync has low priority, a relist with a changed object has normal priority.
#[tokio::test(start_paused = true)]
async fn a_resync_has_low_priority() {
    let world = World::new();
    world.map("a").await;
    let maps = trimtab_controller::informer::Informer::builder(world.client.clone()).resync(10 * SECOND);
    let maps = maps.build::<k8s_openapi::api::core::v1::ConfigMap>();
    let log = Log::default();
    let controller = Controller::new("test", &maps).reconciler(log.done());
    during(&controller, async {
        settle(15 * SECOND).await;
        world.touch("a", "1").await;
        settle(SECOND).await;
    })
    .await;
    let seen: Vec<_> =
        log.requests().iter().map(|request| (request.priority, request.reasons.to_string())).collect();
    assert_eq!(
        seen,
        [
            (priority::LOW, "configmaps created".to_owned()),
            (priority::LOW, "configmaps resync".to_owned()),
            (priority::NORMAL, "configmaps updated".to_owned()),
        ]
    );
}

/// PQ-T3, its other half: of a relist, only the objects that have changed are reconciled, with normal priority.
#[tokio::test(start_paused = true)]
async fn a_relist_with_a_changed_object_has_normal_priority() {
    let world = World::new();
    world.map("changed").await;
    world.map("same").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        log.clear();
        let filter = Filter::any().resource("configmaps").user_agent("controller");
        let refused = world.server.faults().refuse(filter.clone(), Refusal::unavailable(), usize::MAX);
        world.server.faults().cut_watches(&filter);
        world.touch("changed", "1").await;
        world.server.faults().compact(); // the watch cannot go on where it was
        refused.release();
        settle(60 * SECOND).await;
    })
    .await;
    let seen: Vec<_> =
        log.requests().iter().map(|request| (request.key.name().to_owned(), request.priority)).collect();
    assert_eq!(seen, [("changed".to_owned(), priority::NORMAL)]);
}

/// PQ-T4: a requeue keeps the priority of its request, unless `Result.Priority` is set.
#[tokio::test(start_paused = true)]
async fn a_key_keeps_its_priority_through_backoff_and_requeues() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let results = Mutex::new(vec![
        Ok(Action::done()),
        Ok(Action::requeue_now()),
        Ok(Action::requeue_after(SECOND).priority(priority::HIGH)),
        Ok(Action::requeue()),
        Err(Error::new("no")),
    ]);
    let controller = Controller::new("test", &world.maps)
        .low_priority(-7)
        .reconciler(log.returning(move |_| results.lock().pop().expect("five reconciles")));
    run_for(&controller, 10 * SECOND).await;
    let priorities: Vec<_> = log.requests().iter().map(|request| request.priority).collect();
    assert_eq!(priorities, [-7, -7, -7, priority::HIGH, priority::HIGH]);
}

/// controller-runtime#3496: low priority starves for ever. Here it ages.
#[tokio::test(start_paused = true)]
async fn a_key_of_the_initial_list_does_not_starve() {
    let world = World::new();
    world.map("first").await;
    world.map("old").await;
    let log = Log::default();
    let (sender, busy) = ExternalSource::channel("busy");
    let controller = Controller::new("test", &world.maps)
        .external(busy)
        .ageing(NonZeroU32::new(1).expect("not zero"))
        .reconciler(log.returning(move |request| {
            let number: u32 =
                request.key.name().strip_prefix("busy-").and_then(|n| n.parse().ok()).unwrap_or(0);
            sender.send(key(&format!("busy-{}", number + 1)));
            sender.send(key(&format!("busy-{}", number + 2)));
            Ok(Action::done())
        }));
    during(&controller, async {
        while !log.names().contains(&"old".to_owned()) {
            assert!(log.len() < 1000, "starves");
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(log.len() > 50, "but it has low priority");
}

/// Lists come in the order of keys: without the option, the namespace that sorts first is first with all of its keys.
#[tokio::test(start_paused = true)]
async fn fair_namespaces_take_turns() {
    let world = World::new();
    world.namespace("a-storm").await;
    for number in 0..20 {
        world.map_of(json!({"metadata": {"name": format!("m{number}"), "namespace": "a-storm"}})).await;
    }
    world.map("calm").await;
    let place = async |controller: Controller<()>| {
        let log = Log::default();
        run_for(&controller.reconciler(log.done()), SECOND).await;
        assert_eq!(log.len(), 21);
        log.names().iter().position(|name| name == "calm").expect("reconciled")
    };
    assert_eq!(place(Controller::new("test", &world.maps)).await, 20);
    assert_eq!(place(Controller::new("test", &world.maps).fair_namespaces()).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_occupies_no_more_workers_than_its_limit() {
    let world = World::new();
    world.namespace("storm").await;
    for number in 0..10 {
        world.map_of(json!({"metadata": {"name": format!("m{number}"), "namespace": "storm"}})).await;
    }
    world.map("calm").await;
    let most = Arc::new(Mutex::new((BTreeMap::<String, usize>::new(), 0)));
    let ended = Log::default();
    let controller = Controller::new("test", &world.maps)
        .workers(4)
        .workers_per_namespace(NonZeroUsize::new(2).expect("not zero"))
        .reconciler({
            let (most, ended) = (most.clone(), ended.clone());
            move |request: Request| {
                let (most, ended) = (most.clone(), ended.clone());
                async move {
                    let namespace = request.key.namespace().unwrap_or_default().to_owned();
                    {
                        let (busy, most) = &mut *most.lock();
                        *busy.entry(namespace.clone()).or_default() += 1;
                        *most = (*most).max(busy[&namespace]);
                    }
                    sleep(SECOND).await;
                    *most.lock().0.entry(namespace).or_default() -= 1;
                    ended.record(&request);
                    Ok(Action::done())
                }
            }
        });
    run_for(&controller, 4500 * MS).await;
    assert_eq!(most.lock().1, 2);
    assert_eq!(ended.len(), 9, "two of the storm each second, and the calm one in the first");
    assert!(ended.names()[..3].contains(&"calm".to_owned()));
}

/// Later events do not prolong the delay: a key that never rests is reconciled all the same.
#[tokio::test(start_paused = true)]
async fn a_burst_of_events_is_one_reconcile_after_the_debounce() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).debounce(SECOND).reconciler(log.done());
    during(&controller, async {
        settle(1500 * MS).await;
        assert_eq!(log.len(), 1);
        for touch in 0..30 {
            world.touch("a", &touch.to_string()).await;
            sleep(100 * MS).await;
        }
        settle(2 * SECOND).await;
    })
    .await;
    assert!((4..=5).contains(&log.len()), "30 events in 3 s: {:?}", log.intervals());
}
