//! A controller that counts its creations and awaits deletions by UID.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api,
    api::{DeleteParams, ListParams, PostParams},
};
use serde_json::{Value, json};
use tokio::time::{advance, sleep};
use trimtab_apiserver::{ApiServer, ChangeKind, FaultGuard, Filter, Refusal, Verb};
use trimtab_controller::expectations::{Expectations, slow_start_batch};

const KEY: &str = "default/set";

/// The objects that the controller knows of: UIDs by name, as late as its events.
type Cache = Arc<Mutex<BTreeMap<String, String>>>;

fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).expect("the server sets it").to_owned()
}

/// Feeds the cache with every commit after `lag`, and reports the events to the expectations.
fn follow(server: &ApiServer, cache: &Cache, expectations: &Expectations<&'static str>, lag: Duration) {
    let (mut commits, cache, expectations) = (server.commits(), Arc::clone(cache), expectations.clone());
    tokio::spawn(async move {
        while let Some(commit) = commits.next().await {
            if commit.resource != "configmaps" {
                continue;
            }
            sleep(lag).await;
            let uid = text(&commit.object, "/metadata/uid");
            let mut cache = cache.lock().expect("unpoisoned"); // the cache first, then the expectations
            match commit.change {
                ChangeKind::Added => {
                    cache.insert(commit.name, uid);
                    expectations.creation_observed(&KEY);
                }
                ChangeKind::Deleted => {
                    cache.remove(&commit.name);
                    expectations.deletion_observed_by_uid(&KEY, &uid);
                }
                _ => {}
            }
        }
    });
}

/// One sync: brings the number of maps to `wanted`, if the cache can be trusted. Returns whether it could.
async fn sync(
    maps: &Api<ConfigMap>,
    cache: &Cache,
    expectations: &Expectations<&'static str>,
    wanted: usize,
) -> bool {
    if !expectations.satisfied(&KEY) {
        return false;
    }
    let known = cache.lock().expect("unpoisoned").clone();
    let missing = wanted.saturating_sub(known.len());
    expectations.expect_creations(&KEY, missing);
    let map: ConfigMap =
        serde_json::from_value(json!({"metadata": {"generateName": "set-"}})).expect("a map");
    let params = PostParams::default();
    let outcome = slow_start_batch(missing, 1, |_| maps.create(&params, &map)).await;
    expectations.lower(&KEY, outcome.failed.len() + outcome.untried.len(), 0);

    let surplus: Vec<_> = known.into_iter().skip(wanted).collect();
    expectations.expect_deletions_by_uid(&KEY, surplus.iter().map(|(_, uid)| uid.as_str()));
    for (name, uid) in surplus {
        if maps.delete(&name, &DeleteParams::default()).await.is_err() {
            expectations.deletion_observed_by_uid(&KEY, &uid);
        }
    }
    true
}

async fn number(maps: &Api<ConfigMap>) -> usize {
    maps.list(&ListParams::default()).await.expect("a list").items.len()
}

/// Makes two creates fail.
fn refuse_two_creates(server: &ApiServer) -> FaultGuard {
    let creates = Filter::any().verb(Verb::Create).resource("configmaps");
    server.faults().refuse(creates, Refusal::forbidden(), 2)
}

/// Guarantee 1, end to end. Without the first `if` of `sync` there are soon hundreds of maps.
#[tokio::test(start_paused = true)]
async fn a_controller_with_a_lagging_cache_never_creates_or_deletes_too_many() {
    let server = ApiServer::start();
    let maps: Api<ConfigMap> = Api::default_namespaced(server.client());
    let (cache, expectations) = (Cache::default(), Expectations::new());
    follow(&server, &cache, &expectations, Duration::from_millis(70));

    let (mut before, mut trusted, mut distrusted) = (0, 0, 0);
    for wanted in [20, 5, 12, 0, 30] {
        let _refusals = refuse_two_creates(&server);
        for _ in 0..400 {
            match sync(&maps, &cache, &expectations, wanted).await {
                true => trusted += 1,
                false => distrusted += 1,
            }
            let now = number(&maps).await;
            assert!(
                (before.min(wanted)..=before.max(wanted)).contains(&now),
                "{now} on the way from {before} to {wanted}"
            );
            advance(Duration::from_millis(10)).await;
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(number(&maps).await, wanted);
        before = wanted;
    }
    assert!(trusted > 0 && distrusted > 0, "{trusted} syncs acted, {distrusted} waited");
}
