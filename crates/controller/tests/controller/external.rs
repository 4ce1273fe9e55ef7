//! Sources outside of the cluster: streams, channels, timers.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use futures_util::{StreamExt, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use tokio::time::sleep;
use trimtab_controller::{Controller, EventKind, ExternalSource};
use trimtab_test_support::settle;

use crate::world::{Log, MS, SECOND, World, during, key, run_for};

/// SO-T1: `source.Channel`.
#[tokio::test(start_paused = true)]
async fn a_channel_queues_keys_now_or_in_the_next_run() {
    let world = World::new();
    let log = Log::default();
    let (sender, webhooks) = ExternalSource::channel("webhooks");
    let controller = Controller::new("test", &world.maps).external(webhooks).reconciler(log.done());
    sender.send(key("early"));
    sender.send(key("early"));
    during(&controller, async {
        settle(SECOND).await;
        assert_eq!(log.names(), ["early"]);
        sender.clone().send(key("now"));
        settle(MS).await;
        assert_eq!(log.names(), ["early", "now"]);
        assert_eq!(log.requests()[1].reasons.to_string(), "webhooks external");
    })
    .await;
    sender.send(key("later"));
    run_for(&controller, SECOND).await;
    assert_eq!(log.names(), ["early", "now", "later"]);
}

/// Objects are queued again, and sources without a state stay connected as they are.
#[tokio::test(start_paused = true)]
async fn a_channel_and_a_timer_outlive_a_requeue_of_all_objects() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let (sender, webhooks) = ExternalSource::channel("webhooks");
    let hourly = ExternalSource::timer("hourly", 3600 * SECOND, || [key("hour")]);
    let controller =
        Controller::new("test", &world.maps).external(webhooks).external(hourly).reconciler(log.done());
    let handle = controller.handle();
    during(&controller, async {
        settle(SECOND).await;
        handle.requeue_all();
        settle(SECOND).await;
        assert_eq!(log.names(), ["a", "a"]);
        let phases: Vec<_> = handle.sources().into_iter().map(|source| source.phase).collect();
        assert_eq!(phases, ["watching", "open", "open"]);
        sender.send(key("now"));
        settle(3600 * SECOND).await;
        assert_eq!(log.names(), ["a", "a", "now", "hour"]);
    })
    .await;
}

/// SO-T2: `source.Func`; the end of a stream is not the end of the controller, and a second run continues it.
#[tokio::test(start_paused = true)]
async fn a_stream_of_keys_or_objects_queues_keys_until_it_ends() {
    let world = World::new();
    let map = Arc::new(world.map("object").await);
    let log = Log::default();
    let keys = stream::iter(["one", "two"]).then(|name| async move {
        sleep(10 * SECOND).await;
        key(name)
    });
    let objects = stream::once(async move { map });
    let controller =
        Controller::new("test", &world.informers.informer::<k8s_openapi::api::core::v1::Secret>())
            .external(ExternalSource::keys("keys", keys))
            .external(ExternalSource::objects::<ConfigMap>("objects", objects))
            .reconciler(log.done());
    controller.run(settle(15 * SECOND)).await.expect("stopped");
    assert_eq!(log.names(), ["object", "one"]);
    during(&controller, async {
        settle(15 * SECOND).await;
        let phases: Vec<_> = controller.status().sources.into_iter().map(|source| source.phase).collect();
        assert_eq!(phases[1..], ["ended", "ended"]);
    })
    .await;
    assert_eq!(log.names(), ["object", "one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_timer_queues_keys_in_each_period() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let store = world.maps.store().clone();
    let hourly = ExternalSource::timer("hourly", 3600 * SECOND, move || store.keys());
    let controller = Controller::new("test", &world.maps).external(hourly).reconciler(log.done());
    run_for(&controller, 3 * 3600 * SECOND + SECOND).await;
    assert_eq!(log.len(), 4);
    assert!(log.requests()[3].reasons.has(EventKind::External));
}

/// Each source has its own error and backoff, visible in its status, and it delays no other.
#[tokio::test(start_paused = true)]
async fn a_source_that_fails_is_connected_again_with_backoff() {
    let world = World::new();
    world.map("a").await;
    let (log, attempts) = (Log::default(), Arc::new(AtomicUsize::new(0)));
    let count = attempts.clone();
    let source = ExternalSource::connecting("queue", move || {
        let attempt = count.fetch_add(1, SeqCst);
        async move {
            match attempt {
                0 => Err("no route"),
                1 => panic!("a defect"),
                _ => Ok(stream::iter([Ok(key("message")), Err("connection cut")])),
            }
        }
    });
    let controller = Controller::new("test", &world.maps).external(source).reconciler(log.done());
    during(&controller, async {
        settle(MS).await;
        assert_eq!(log.names(), ["a"]);
        let failing = controller.status().sources.remove(1);
        assert_eq!((failing.name.as_str(), failing.last_error.as_deref()), ("queue", Some("no route")));
        assert!(failing.failing_since.is_some());
        settle(SECOND).await; // 0.8 s
        assert_eq!(attempts.load(SeqCst), 2);
        let failing = controller.status().sources.remove(1);
        assert_eq!(failing.last_error.as_deref(), Some("the source panicked"));
        settle(2 * SECOND).await; // 1.6 s
        assert_eq!(log.names(), ["a", "message"]);
        let failing = controller.status().sources.remove(1);
        assert_eq!(failing.last_error.as_deref(), Some("connection cut"));
    })
    .await;
}

/// A stream that ends is opened again after 0.8 s, each time: a key resets the backoff.
#[tokio::test(start_paused = true)]
async fn a_source_whose_stream_ends_is_connected_again() {
    let world = World::new();
    let (log, attempts) = (Log::default(), Arc::new(AtomicUsize::new(0)));
    let count = attempts.clone();
    let source = ExternalSource::connecting("queue", move || {
        count.fetch_add(1, SeqCst);
        async { Ok::<_, String>(stream::iter([Ok(key("message"))])) }
    });
    let controller = Controller::new("test", &world.maps).external(source).reconciler(log.done());
    run_for(&controller, 2500 * MS).await;
    assert_eq!((attempts.load(SeqCst), log.len()), (4, 4)); // at 0, 0.8, 1.6 and 2.4 s
}

/// A source that was removed is not polled any more.
#[tokio::test(start_paused = true)]
async fn a_stream_that_was_removed_is_dropped() {
    let world = World::new();
    let (log, polled) = (Log::default(), Arc::new(AtomicUsize::new(0)));
    let controller = Controller::new("test", &world.maps).reconciler(log.done());
    let handle = controller.handle();
    let running = pin!(during(&controller, async {
        settle(SECOND).await;
        let count = polled.clone();
        let ticks = stream::unfold((), move |()| {
            let count = count.clone();
            async move {
                sleep(SECOND).await;
                Some((key(&count.fetch_add(1, SeqCst).to_string()), ()))
            }
        });
        let id = handle.external(ExternalSource::keys("ticks", ticks));
        settle(3500 * MS).await;
        assert_eq!((log.len(), polled.load(SeqCst)), (3, 3));
        assert!(handle.remove(id));
        settle(10 * SECOND).await;
        assert_eq!((log.len(), polled.load(SeqCst)), (3, 3));
    }));
    running.await;
}
