//! Subscriptions of slow readers. client-go buffers every event that a slow handler has not taken yet; a
//! subscription has at most one change for each object.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use tokio::time::{Duration, timeout};
use trimtab_informer::{Informer, Subscription};
use trimtab_test_support::{
    server::{ScriptedServer, WatchBody},
    settle,
};

use crate::fixtures::{lists, object};

async fn following() -> (ScriptedServer, Informer<ConfigMap>, WatchBody) {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    server.next().await.list("5", &[object("a", "1"), object("b", "2")]);
    let watch = server.next().await.watch();
    (server, informer, watch)
}

fn take(subscription: &mut Subscription<ConfigMap>) -> Vec<String> {
    std::iter::from_fn(|| subscription.try_next()).map(|event| format!("{event:?}")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_is_told_what_is_there_and_then_what_comes() {
    let (_server, informer, watch) = following().await;
    let mut early = informer.subscribe();
    assert_eq!(format!("{:?}", early.next().await), "Some(added default/a (initial))");
    let mut late = informer.subscribe();
    assert!(late.has_synced() && early.has_synced());
    assert_eq!((early.pending(), late.pending()), (1, 2));
    take(&mut early);
    let waiting = tokio::spawn(async move { early.next().await });
    watch.event("DELETED", &object("b", "6"));
    assert_eq!(format!("{:?}", waiting.await.unwrap()), "Some(deleted default/b)");
    settle(Duration::from_millis(1)).await;
    assert_eq!(take(&mut late), ["added default/a (initial)"], "b came and went unseen");
}

/// kube-runtime's shared stream loses wake-ups and deletions (kube#1590): a subscriber that waits is woken for each change.
#[tokio::test(start_paused = true)]
async fn a_waiting_subscriber_is_woken_for_an_addition_a_deletion_and_the_next_addition() {
    let (_server, informer, watch) = following().await;
    settle(Duration::from_millis(1)).await;
    let mut subscription = informer.subscribe();
    take(&mut subscription);
    let told = Arc::new(Mutex::new(Vec::new()));
    let waiting = tokio::spawn({
        let told = told.clone();
        async move {
            while let Some(event) = subscription.next().await {
                told.lock().unwrap().push(format!("{event:?}"));
            }
        }
    });
    for (change, name, version) in [("ADDED", "c", "6"), ("DELETED", "c", "7"), ("ADDED", "d", "8")] {
        settle(Duration::from_millis(1)).await;
        watch.event(change, &object(name, version));
    }
    settle(Duration::from_millis(1)).await;
    assert_eq!(*told.lock().unwrap(), ["added default/c", "deleted default/c", "added default/d"]);
    waiting.abort();
}

/// Guarantee 9. A server closes watches that are read too slowly, and a bounded channel can deadlock.
#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_has_one_change_of_each_object_to_take_and_delays_nobody() {
    let (_server, informer, watch) = following().await;
    let mut slow = informer.subscribe();
    for version in 10..5_000 {
        watch.event("MODIFIED", &object(["a", "b"][version % 2], &version.to_string()));
        watch.event("ADDED", &object(&format!("brief{version}"), &version.to_string()));
        watch.event("DELETED", &object(&format!("brief{version}"), &version.to_string()));
    }
    settle(Duration::from_millis(1)).await;
    assert_eq!(informer.store().resource_version().as_deref(), Some("4999"));
    assert_eq!(slow.pending(), 2);
    assert_eq!(take(&mut slow), ["added default/a (initial)", "added default/b (initial)"]);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_ends_when_the_informer_goes_and_a_wait_for_it_takes_nothing() {
    let (_server, informer, watch) = following().await;
    settle(Duration::from_millis(1)).await;
    let mut subscription = informer.subscribe();
    take(&mut subscription);
    assert!(timeout(Duration::from_secs(1), subscription.next()).await.is_err());
    watch.event("MODIFIED", &object("a", "6"));
    settle(Duration::from_millis(1)).await;
    informer.stop().await; // it may be started again
    assert!(subscription.next().await.is_some());
    assert!(timeout(Duration::from_secs(1), subscription.next()).await.is_err());
    drop(informer);
    assert!(subscription.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_a_stream() {
    let (_server, informer, watch) = following().await;
    settle(Duration::from_millis(1)).await;
    let names = informer.subscribe().map(|event| format!("{event:?}"));
    let collecting = tokio::spawn(names.collect::<Vec<_>>());
    settle(Duration::from_millis(1)).await;
    watch.event("MODIFIED", &object("a", "6"));
    settle(Duration::from_millis(1)).await;
    drop(informer); // which ends the stream
    let mut events = collecting.await.expect("no panic");
    assert_eq!(events.pop().as_deref(), Some("updated default/a"));
    events.sort();
    assert_eq!(events, ["added default/a (initial)", "added default/b (initial)"]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_subscription_is_told_nothing_more() {
    let (_server, informer, watch) = following().await;
    drop(informer.subscribe());
    let mut other = informer.subscribe();
    watch.event("MODIFIED", &object("a", "6"));
    settle(Duration::from_millis(1)).await;
    assert_eq!(take(&mut other).len(), 2);
}
