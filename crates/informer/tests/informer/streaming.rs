//! Streaming lists, and servers without them. Ids such as WL-T3 name client-go's tests:
//! docs/upstream-behaviours.md.

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};
use trimtab_cache::ObjectKey;
use trimtab_informer::{Informer, Phase};
use trimtab_test_support::{
    server::{ScriptedServer, WatchBody, failure},
    settle,
};

use crate::fixtures::object;

const PATH: &str = "/api/v1/configmaps";

fn start() -> (ScriptedServer, Informer<ConfigMap>) {
    let (server, client) = ScriptedServer::new();
    let informer = Informer::builder(client).build::<ConfigMap>();
    informer.start();
    (server, informer)
}

fn names(informer: &Informer<ConfigMap>) -> Vec<String> {
    let mut names: Vec<_> = informer.store().keys().iter().map(|key| key.name().to_owned()).collect();
    names.sort();
    names
}

/// An informer that has synced `a` and `b` by a stream, which is still open.
async fn streaming() -> (ScriptedServer, Informer<ConfigMap>, WatchBody) {
    let (mut server, informer) = start();
    let stream = server.expect(&format!("STREAM {PATH}")).await.watch();
    stream.event("ADDED", &object("b", "3"));
    stream.event("ADDED", &object("a", "2"));
    stream.end_of_list("5");
    assert!(informer.wait_for_sync().await);
    (server, informer, stream)
}

/// RE-T8, WL-T3, WL-T7.
#[tokio::test(start_paused = true)]
async fn a_streaming_list_fills_the_store_and_becomes_the_watch() {
    let (mut server, informer, stream) = streaming().await;
    assert_eq!(names(&informer), ["a", "b"]);
    assert_eq!(informer.store().resource_version().as_deref(), Some("5"));
    stream.event("ADDED", &object("c", "6"));
    server.expect_silence(Duration::from_secs(60)).await;
    assert_eq!(names(&informer), ["a", "b", "c"]);
    let status = informer.status();
    assert_eq!((status.phase, status.lists, status.watches, status.restarts), (Phase::Watching, 1, 1, 0));
}

/// WL-T4, WL-T8, WL-T13.
#[tokio::test(start_paused = true)]
async fn nothing_of_a_stream_is_seen_before_its_list_is_complete() {
    let (mut server, informer) = start();
    let stream = server.next().await.watch();
    stream.event("ADDED", &object("a", "1"));
    stream.event("ADDED", &object("gone", "2"));
    stream.event("MODIFIED", &object("a", "3"));
    stream.event("DELETED", &object("gone", "4"));
    let metadata = json!({"resourceVersion": "4", "annotations": {"k8s.io/initial-events-end": "false"}});
    stream.event("BOOKMARK", &json!({"kind": "ConfigMap", "metadata": metadata}));
    stream.end_of_list(""); // from nowhere could a watch be resumed
    settle(Duration::from_millis(1)).await;
    assert!(!informer.has_synced() && informer.store().is_empty());
    stream.end_of_list("4");
    settle(Duration::from_millis(1)).await;
    assert_eq!(names(&informer), ["a"]);
    let key = ObjectKey::namespaced("default", "a");
    assert_eq!(informer.store().get(&key).unwrap().data.as_ref().unwrap()["version"], "3");
}

/// WL-T5, WL-T6; kube-runtime 5.0 asks for the stream again, thousands of times a second.
#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_to_stream_is_asked_for_a_list_at_once() {
    for code in [422, 400, 403] {
        let (mut server, informer) = start();
        let stream = server.next().await;
        let refused = stream.at;
        stream.fail(code, "Invalid");
        let list = server.expect(&format!("LIST {PATH} limit=500")).await;
        assert_eq!(list.at, refused);
        list.list("5", &[object("a", "1")]);
        let watch = server.expect(&format!("WATCH {PATH} resourceVersion=5")).await.watch();
        watch.event("ERROR", &failure(410, "Expired")); // remembered for the relist
        server.expect(&format!("LIST {PATH} resourceVersion=5 resourceVersionMatch=NotOlderThan")).await;
        assert_eq!(names(&informer), ["a"]);
    }
}

/// Here client-go 1.35 and kube-runtime 5.0 hang forever (rancher/steve#1229).
#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_that_it_should_stream_is_found_out_within_ten_seconds() {
    let (mut server, informer) = start();
    let stream = server.next().await.watch();
    for number in 0..5 {
        stream.event("ADDED", &object(&format!("o{number}"), "1"));
        sleep(Duration::from_secs(2)).await;
    }
    let last = Instant::now() - Duration::from_secs(2);
    let list = server.expect(&format!("LIST {PATH} limit=500")).await;
    assert_eq!((list.at - last).as_secs(), 10);
    stream.closed().await;
    list.list("5", &[object("a", "1")]);
    server.expect(&format!("WATCH {PATH} resourceVersion=5")).await;
    assert!(informer.status().last_error.unwrap().to_string().contains("5 objects"));
    assert_eq!(names(&informer), ["a"]);
}

/// The same with a kind that is never quiet for ten seconds.
#[tokio::test(start_paused = true)]
async fn a_busy_server_that_ignores_that_it_should_stream_is_found_out_too() {
    let (mut server, _informer) = start();
    let stream = server.next().await.watch();
    let begun = Instant::now();
    for version in 1.. {
        stream.event("MODIFIED", &object("a", &version.to_string()));
        sleep(Duration::from_secs(1)).await;
        if let Some(list) = server.try_next() {
            assert_eq!(list.describe(), format!("LIST {PATH} limit=500"));
            assert!(begun.elapsed() < Duration::from_secs(65), "{:?}", begun.elapsed());
            return;
        }
    }
}

/// WL-T10; kube-runtime 5.0 starts again at once, forever.
#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_before_its_list_is_complete_is_followed_by_a_list_after_a_while() {
    let (mut server, informer) = start();
    let stream = server.next().await.watch();
    stream.event("ADDED", &object("half", "1"));
    settle(Duration::from_millis(1)).await;
    let ended = Instant::now();
    drop(stream);
    let list = server.expect(&format!("LIST {PATH} limit=500")).await;
    assert!(list.at - ended >= Duration::from_millis(800));
    list.list("5", &[object("a", "1")]);
    let watch = server.next().await.watch();
    assert_eq!(names(&informer), ["a"]);
    watch.event("ERROR", &failure(410, "Expired"));
    server.expect(&format!("STREAM {PATH} resourceVersion=5")).await; // it was no refusal
}

/// WL-T9.
#[tokio::test(start_paused = true)]
async fn a_busy_server_is_asked_to_stream_again_later() {
    let (mut server, informer) = start();
    let first = server.next().await.at;
    let second = server.expect(&format!("STREAM {PATH}")).await; // the first was refused a connection
    assert!(second.at > first);
    let asked = second.at;
    second.raw(429, &[("retry-after", "9")], failure(429, "TooManyRequests").to_string());
    let third = server.expect(&format!("STREAM {PATH}")).await;
    assert!(third.at - asked >= Duration::from_secs(9));
    third.watch().end_of_list("5");
    assert!(informer.wait_for_sync().await);
}

/// WL-T11, WL-T12.
#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_after_its_list_is_resumed_as_a_watch() {
    let (mut server, informer, stream) = streaming().await;
    sleep(Duration::from_secs(2)).await;
    let ended = Instant::now();
    drop(stream);
    let watch = server.expect(&format!("WATCH {PATH} resourceVersion=5")).await;
    assert_eq!(watch.at, ended);
    watch.fail(410, "Expired");
    let relist = server.expect(&format!("STREAM {PATH} resourceVersion=5")).await.watch();
    relist.event("ADDED", &object("c", "9"));
    settle(Duration::from_millis(1)).await;
    assert_eq!(names(&informer), ["a", "b"], "the old state stays until the new one is complete");
    relist.end_of_list("10");
    settle(Duration::from_millis(1)).await;
    assert_eq!(names(&informer), ["c"]);
}

/// As client-go: 410 and "too large" make the next stream one of the most recent state.
#[tokio::test(start_paused = true)]
async fn a_stream_of_a_version_that_the_server_lacks_is_followed_by_one_of_its_newest() {
    for within in [true, false] {
        let (mut server, _informer, stream) = streaming().await;
        stream.event("ERROR", &failure(410, "Expired"));
        let relist = server.expect(&format!("STREAM {PATH} resourceVersion=5")).await;
        if within {
            relist.watch().event("ERROR", &failure(410, "Expired"));
        } else {
            relist.fail(410, "Expired");
        }
        server.expect(&format!("STREAM {PATH}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_of_a_stream_that_cannot_be_decoded_costs_only_itself() {
    let (mut server, informer) = start();
    let stream = server.next().await.watch();
    let mut wrong = object("wrong", "1");
    wrong["data"] = json!(7);
    stream.event("ADDED", &wrong);
    stream.event("ADDED", &object("a", "2"));
    stream.end_of_list("5");
    settle(Duration::from_millis(1)).await;
    assert_eq!((names(&informer), informer.status().undecodable.len()), (vec!["a".to_owned()], 1));
}
