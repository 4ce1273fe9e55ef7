//! Watches: what they start with, what they send, and how they end.

use std::time::Duration;

use crate::fixtures::{labelled_pod, pod, pods};
use futures_util::{Stream, StreamExt};
use kube_client::{
    ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use serde_json::json;
use tokio::time::timeout;
use trimtab_apiserver::ApiServer;

/// The next event in a form that is short to compare: its type, the object's name and a bookmark's flag.
pub(crate) async fn next<K: ResourceExt>(
    stream: &mut (impl Stream<Item = kube_client::Result<WatchEvent<K>>> + Unpin),
) -> String {
    match timeout(Duration::from_secs(3600), stream.next()).await {
        Err(_) => "nothing".to_owned(),
        Ok(None) => "end".to_owned(),
        Ok(Some(Err(error))) => format!("broken: {error}"),
        Ok(Some(Ok(event))) => match event {
            WatchEvent::Added(pod) => format!("added {}", pod.name_any()),
            WatchEvent::Modified(pod) => format!("modified {}", pod.name_any()),
            WatchEvent::Deleted(pod) => format!("deleted {}", pod.name_any()),
            WatchEvent::Bookmark(bookmark) => {
                let end = bookmark.metadata.annotations.contains_key("k8s.io/initial-events-end");
                format!("bookmark{}", if end { " end" } else { "" })
            }
            WatchEvent::Error(status) => format!("error {}", status.code),
        },
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_sends_every_change_after_its_version_in_order() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    pods.create(&PostParams::default(), &pod("before")).await.unwrap();
    let list = pods.list(&ListParams::default()).await.unwrap();
    let version = list.metadata.resource_version.unwrap();
    let mut stream = Box::pin(pods.watch(&WatchParams::default(), &version).await.unwrap());
    pods.create(&PostParams::default(), &pod("web")).await.unwrap();
    let patch = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
    pods.patch("web", &PatchParams::default(), &patch).await.unwrap();
    pods.delete("web", &DeleteParams::default()).await.unwrap();
    for expected in ["added web", "modified web", "deleted web"] {
        assert_eq!(next(&mut stream).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_selective_watch_tells_who_enters_and_who_leaves() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let params = WatchParams::default().labels("app=web").disable_bookmarks();
    let version = server.resource_version().to_string();
    let mut stream = Box::pin(pods.watch(&params, &version).await.unwrap());
    pods.create(&PostParams::default(), &labelled_pod("one", &json!({"app": "db"}))).await.unwrap();
    for app in ["web", "web2", "web"] {
        let patch = Patch::Merge(json!({"metadata": {"labels": {"app": app}}}));
        pods.patch("one", &PatchParams::default(), &patch).await.unwrap();
    }
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"a": "b"}}}));
    pods.patch("one", &PatchParams::default(), &patch).await.unwrap();
    pods.delete("one", &DeleteParams::default()).await.unwrap();
    for expected in ["added one", "deleted one", "added one", "modified one", "deleted one"] {
        assert_eq!(next(&mut stream).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_ends_its_initial_events_with_a_bookmark() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    for name in ["a", "b"] {
        pods.create(&PostParams::default(), &pod(name)).await.unwrap();
    }
    let mut stream = Box::pin(pods.watch(&WatchParams::default().initial_events(), "").await.unwrap());
    for expected in ["added a", "added b", "bookmark end"] {
        assert_eq!(next(&mut stream).await, expected);
    }
    pods.create(&PostParams::default(), &pod("c")).await.unwrap();
    assert_eq!(next(&mut stream).await, "added c");
}

/// A watch from any version with bookmarks is a streaming list, whether it calls itself one or not.
#[tokio::test(start_paused = true)]
async fn a_watch_from_any_version_ends_its_initial_events_for_who_takes_bookmarks() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    pods.create(&PostParams::default(), &pod("a")).await.unwrap();
    for version in ["", "0"] {
        let mut stream = Box::pin(pods.watch(&WatchParams::default(), version).await.unwrap());
        assert_eq!([next(&mut stream).await, next(&mut stream).await], ["added a", "bookmark end"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_of_a_version_that_does_not_come_is_refused_in_the_stream() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let version = (server.resource_version() + 1).to_string();
    let start = tokio::time::Instant::now();
    let mut stream = Box::pin(pods.watch(&WatchParams::default().initial_events(), &version).await.unwrap());
    assert_eq!(next(&mut stream).await, "error 504");
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_told_how_far_it_is_every_minute_and_before_its_end() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let params = WatchParams::default().timeout(150);
    let mut stream = Box::pin(pods.watch(&params, "0").await.unwrap());
    let start = tokio::time::Instant::now();
    for (expected, seconds) in
        [("bookmark end", 0), ("bookmark", 60), ("bookmark", 120), ("bookmark", 148), ("end", 150)]
    {
        assert_eq!(next(&mut stream).await, expected);
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
}
