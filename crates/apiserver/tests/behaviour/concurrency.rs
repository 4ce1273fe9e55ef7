//! Many writers and many watches at once, on several threads.

use std::time::Duration;

use futures_util::StreamExt;
use kube_client::{
    ResourceExt,
    api::{Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};
use trimtab_apiserver::ApiServer;

use crate::fixtures::{config_map, config_maps};

const WRITERS: u64 = 4;
const WRITES: u64 = 100;
const WATCHES: u64 = 8;

/// Guarantee 1. Hangs, and so fails, without `slot.waiters.insert` in `State::look`: a watch that found
/// nothing is then not woken by the next commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_watch_gets_every_commit_once_and_in_order_whoever_writes() {
    let server = ApiServer::start();
    let start = server.resource_version();
    let maps = config_maps(&server.client());
    let mut watches = JoinSet::new();
    for _ in 0..WATCHES {
        let params = WatchParams::default().disable_bookmarks();
        let mut stream = Box::pin(maps.watch(&params, &start.to_string()).await.expect("opens"));
        watches.spawn(async move {
            let mut last = start;
            for _ in 0..WRITERS * WRITES {
                let event = stream.next().await.expect("goes on").expect("whole");
                let WatchEvent::Added(map) = event else { panic!("expected an object, found {event:?}") };
                let version =
                    map.resource_version().and_then(|version| version.parse().ok()).expect("a number");
                assert!(version > last, "{version} after {last}");
                last = version;
            }
        });
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let maps = maps.clone();
        writers.spawn(async move {
            for number in 0..WRITES {
                let map = config_map(&format!("map-{writer}-{number}"));
                maps.create(&PostParams::default(), &map).await.expect("created");
            }
        });
    }
    let all = async {
        writers.join_all().await;
        watches.join_all().await;
    };
    timeout(Duration::from_secs(60), all).await.expect("no wake-up is lost");
}

/// Fails without the comparison with `expected` in `State::commit`: increments are then lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn patches_that_race_are_all_applied() {
    let server = ApiServer::start();
    let maps = config_maps(&server.client());
    maps.create(&PostParams::default(), &config_map("shared")).await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let maps = maps.clone();
        writers.spawn(async move {
            for number in 0..WRITES {
                let patch = Patch::Merge(json!({"data": {format!("key-{writer}-{number}"): "x"}}));
                maps.patch("shared", &PatchParams::default(), &patch).await.expect("patched");
            }
        });
    }
    writers.join_all().await;
    let entries = maps.get("shared").await.unwrap().data.unwrap().len();
    assert_eq!(entries, 1 + usize::try_from(WRITERS * WRITES).unwrap());
}
