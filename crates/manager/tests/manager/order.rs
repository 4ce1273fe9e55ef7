//! The order of start and stop, and what is waited for.

use std::time::Duration;

use k8s_openapi::api::{
    core::v1::{ConfigMap, Secret},
    events::v1::Event,
};
use kube_client::{Resource, api::ListParams};
use tokio::time::{Instant, sleep};
use trimtab_apiserver::{Filter, Verb};
use trimtab_controller::{Action, Controller};
use trimtab_events::NewEvent;
use trimtab_test_support::settle;

use crate::world::World;

/// controller-runtime's order: servers, caches, others, elected; and back. Fails if two stages are started or stopped in the
/// other order.
#[tokio::test(start_paused = true)]
async fn parts_start_in_order_and_stop_in_the_reverse_order() {
    let world = World::new().await;
    let _slow = world.server.faults().delay(Filter::any().verb(Verb::Watch), Duration::from_secs(2), 1);
    let mut manager = world.builder().leader_election("default", "test").build().expect("sound settings");
    let maps = manager.informers().informer::<ConfigMap>();
    let log = world.log.clone();
    maps.on_change(move |event| log.add(format!("event {}", event.key())));
    // Added in another order than they start in.
    manager
        .runnable(world.runnable("led").led())
        .runnable(world.runnable("replica"))
        .runnable(world.runnable("server").before_informers())
        .controller(world.controller("maps", &maps));
    manager.run_until(sleep(Duration::from_secs(30))).await.expect("no failure");
    let lines = world.log.lines();
    let start = ["start server", "event default/a", "start replica"];
    assert_eq!(lines[..3], start);
    let mut led = lines[3..5].to_vec();
    led.sort();
    assert_eq!(led, ["reconcile maps default/a", "start led"]);
    assert_eq!(lines[5..], ["stop replica", "stop led", "stop server"]);
    assert!(
        world.server.faults().open_watches(&Filter::any().user_agent("manager")) == 0,
        "informers have stopped"
    );
}

/// Fails if the manager starts only the informers of its controllers.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_only_read_is_filled_before_the_first_reconcile() {
    let world = World::new().await;
    let secrets_only = Filter::any().resource("secrets").user_agent("manager");
    let _slow = world.server.faults().delay(secrets_only, Duration::from_secs(5), 2);
    let mut manager = world.manager();
    let (maps, secrets) =
        (manager.informers().informer::<ConfigMap>(), manager.informers().informer::<Secret>());
    let (log, store) = (world.log.clone(), secrets.store().clone());
    manager.controller(Controller::new("reader", &maps).reconciler(move |_| {
        log.add(format!("secrets: {}", store.len()));
        std::future::ready(Ok(Action::done()))
    }));
    manager.run_until(sleep(Duration::from_secs(20))).await.expect("no failure");
    assert_eq!(world.log.lines(), ["secrets: 1"]);
}

#[tokio::test(start_paused = true)]
async fn an_informer_that_is_requested_later_is_started_at_once() {
    let world = World::new().await;
    let manager = world.manager();
    let informers = manager.informers().clone();
    let running = manager.run_until(std::future::pending());
    let story = async {
        settle(Duration::from_secs(1)).await;
        let secrets = informers.informer::<Secret>();
        assert!(secrets.wait_for_sync().await);
        assert_eq!(secrets.store().len(), 1);
    };
    tokio::select! { ended = running => panic!("ended: {ended:?}"), () = story => {} }
}

#[tokio::test(start_paused = true)]
async fn an_optional_informer_delays_nothing() {
    let world = World::new().await;
    let _held = world.server.faults().hold(Filter::any().resource("secrets").user_agent("manager"));
    let mut manager = world.manager();
    let (maps, secrets) =
        (manager.informers().informer::<ConfigMap>(), manager.informers().informer::<Secret>());
    manager.optional(&secrets).controller(world.controller("maps", &maps));
    let start = Instant::now();
    manager.run_until(sleep(Duration::from_secs(5))).await.expect("no failure");
    assert_eq!(world.log.count("reconcile maps default/a"), 1);
    assert!(world.log.last("reconcile maps default/a") - start < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn controllers_and_runnables_on_every_replica_run_without_the_lease() {
    let world = World::new().await;
    let mut leader = world.builder().leader_election("default", "test").build().expect("sound settings");
    leader.runnable(world.runnable("leader").led());
    let running = tokio::spawn(leader.run_until(sleep(Duration::from_secs(60))));
    settle(Duration::from_secs(5)).await;

    let mut follower = world.builder().leader_election("default", "test").build().expect("sound settings");
    let maps = follower.informers().informer::<ConfigMap>();
    follower
        .controller_on_every_replica(world.controller("unled", &maps))
        .controller(world.controller("led", &maps))
        .runnable(world.runnable("replica"));
    follower.run_until(sleep(Duration::from_secs(10))).await.expect("no failure");
    let mut lines = world.log.lines();
    lines.sort();
    assert_eq!(lines, ["reconcile unled default/a", "start leader", "start replica", "stop replica"]);
    running.await.expect("no panic").expect("no failure");
}

#[tokio::test(start_paused = true)]
async fn a_runnable_that_returns_early_ends_nothing() {
    let world = World::new().await;
    let mut manager = world.manager();
    let once = trimtab_manager::Runnable::new("once", |_| async { Ok::<(), std::convert::Infallible>(()) });
    manager.runnable(once).runnable(world.runnable("other"));
    let start = Instant::now();
    manager.run_until(sleep(Duration::from_secs(9))).await.expect("no failure");
    assert_eq!(world.log.last("stop other") - start, Duration::from_secs(9));
}

/// The last Events get the flush timeout of their recorder, however long it is.
#[tokio::test(start_paused = true)]
async fn events_are_flushed_for_as_long_as_their_recorder_says() {
    let world = World::new().await;
    let events = Filter::any().resource("events");
    let _slow = world.server.faults().delay(events.clone(), Duration::from_secs(20), 1);
    let flush_timeout = Duration::from_secs(30);
    let manager = world
        .builder()
        .events(move |events| events.flush_timeout(flush_timeout))
        .build()
        .expect("sound settings");
    let map = world.api::<ConfigMap>().get("a").await.expect("it is there");
    manager.events().record(&map.object_ref(&()), NewEvent::normal("Started", "Start", "the program runs"));
    manager.run_until(sleep(Duration::from_secs(1))).await.expect("no failure");
    let list = world.api::<Event>().list(&ListParams::default()).await.expect("listed");
    assert_eq!(list.items.len(), 1);
}
