//! Incidents of clusters that a controller must survive, by the numbers of docs/upstream-behaviours.md. Incident 5 is in
//! `sources`, 25 in `writer`, 30 in `finalizers`.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use tokio::time::sleep;
use trimtab_apiserver::{Filter, Verb};
use trimtab_controller::{Action, Controller, ExternalSource};
use trimtab_test_support::settle;

use crate::world::{Log, SECOND, World, during, key};

/// Incident 3 (kubernetes#22669): a failover floods etcd with lists. The informers outlive the terms, so that a new term
/// lists nothing.
#[tokio::test(start_paused = true)]
async fn a_new_term_sends_no_list() {
    let world = World::new();
    for number in 0..50 {
        world.map(&number.to_string()).await;
    }
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).reconciler(log.done());
    world.informers.start(); // a warm standby
    settle(SECOND).await;
    world.server.request_log().clear();
    for term in 1..=3 {
        let begun = tokio::time::Instant::now();
        controller
            .run(async {
                while log.len() < 50 * term {
                    tokio::task::yield_now().await
                }
            })
            .await
            .expect("stopped");
        assert!(begun.elapsed() < Duration::from_millis(10), "every object at once: {:?}", begun.elapsed());
    }
    let own = Filter::any().user_agent("controller");
    assert_eq!(world.server.request_log().matching(&own).len(), 0);
}

/// Incident 12 (kubernetes#121793): a dead connection was noticed after 45 s, and by then all nodes counted as gone. The lag
/// of each source says how old its state is, before anybody acts on it.
#[tokio::test(start_paused = true)]
async fn the_lag_of_a_source_shows_a_dead_connection_at_once() {
    let world = World::new();
    world.map("a").await;
    let controller = Controller::new("test", &world.maps).reconciler(Log::default().done());
    during(&controller, async {
        settle(SECOND).await;
        let lag = || controller.status().sources[0].lag.expect("synced");
        assert!(lag() <= SECOND);
        let _hole = world.server.faults().black_hole(Filter::any().verb(Verb::Watch));
        world.touch("a", "1").await;
        settle(30 * SECOND).await;
        assert!(lag() >= 30 * SECOND, "{:?}", lag());
    })
    .await;
}

/// Incident 12, the breaker: nothing is done while the state is too old, and all of it as soon as the server is heard.
#[tokio::test(start_paused = true)]
async fn keys_are_parked_while_a_source_lags_too_far_behind() {
    let world = World::new();
    world.map("a").await;
    let (log, store) = (Log::default(), world.maps.store().clone());
    let (sender, timer) = ExternalSource::channel("timer");
    let controller =
        Controller::new("test", &world.maps).external(timer).max_lag(75 * SECOND).reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        assert_eq!(log.names(), ["a"]);
        let silent = Filter::any().user_agent("controller");
        let hole = world.server.faults().black_hole(silent);
        settle(74 * SECOND).await;
        sender.send(key("a"));
        settle(SECOND).await;
        assert_eq!(log.len(), 2, "the state is young enough");
        settle(10 * SECOND).await;
        sender.send(key("a"));
        settle(10 * SECOND).await;
        assert_eq!((log.len(), controller.status().parked), (2, 1));
        let waiting = controller.handle().keys().remove(0).waits_for.expect("it is parked");
        assert!(waiting.starts_with("the state of configmaps is "), "{waiting}");
        drop(hole);
        settle(120 * SECOND).await;
        assert!(controller.status().sources[0].lag < Some(75 * SECOND));
        assert_eq!((log.len(), store.len(), controller.status().parked), (3, 1, 0));
    })
    .await;
}

/// Incident 13 (kubernetes#80693): the server closes a watch that is not read. Reconciles that take minutes do not keep the
/// informer from reading.
#[tokio::test(start_paused = true)]
async fn slow_reconciles_do_not_slow_the_reader_of_the_watch() {
    let world = World::new();
    world.map("slow").await;
    let controller = Controller::new("test", &world.maps).reconcile_timeout(None).reconciler(|_| async {
        sleep(600 * SECOND).await;
        Ok(Action::done())
    });
    during(&controller, async {
        settle(SECOND).await;
        for number in 0..2000 {
            world.touch("slow", &number.to_string()).await;
        }
        settle(SECOND).await;
        let cached = world.maps.store().list();
        let newest: ConfigMap = world.api::<ConfigMap>().get("slow").await.expect("it exists");
        assert_eq!(cached[0].metadata.resource_version, newest.metadata.resource_version);
        let watches = Filter::any().verb(Verb::Watch).user_agent("controller");
        assert_eq!(world.server.request_log().matching(&watches).len(), 1, "one watch, never closed");
        assert_eq!(controller.status().processing, 1);
    })
    .await;
}
