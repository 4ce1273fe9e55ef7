//! A controller that keeps a ledger of versions, under an unreliable server.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api, Error,
    api::{ListParams, PostParams},
};
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_controller::expectations::{Ledger, slow_start_batch};

const KEY: &str = "default/set";
const UID: &str = "u1";
const MAPS: &str = "configmaps";
const WANTED: usize = 40;

type Versions = Ledger<&'static str, &'static str, u64>;

/// The names that are known, and the version up to which they are.
type Cache = Arc<Mutex<(BTreeMap<String, u64>, u64)>>;

/// Feeds the cache with every commit, late, and reports it to the ledger.
fn follow(server: &ApiServer, cache: &Cache, ledger: &Versions) {
    let (mut commits, cache, ledger) = (server.commits(), Arc::clone(cache), ledger.clone());
    tokio::spawn(async move {
        while let Some(commit) = commits.next().await {
            sleep(Duration::from_millis(100)).await;
            if commit.resource == MAPS {
                let mut cache = cache.lock().expect("unpoisoned");
                cache.0.insert(commit.name, commit.version);
                cache.1 = commit.version;
            }
            ledger.reached(&MAPS, commit.version);
        }
    });
}

fn version(text: Option<&String>) -> u64 {
    text.expect("the server sets it").parse().expect("a number")
}

async fn create(maps: &Api<ConfigMap>, ledger: &Versions) -> Result<(), &'static str> {
    let map: ConfigMap =
        serde_json::from_value(json!({"metadata": {"generateName": "set-"}})).expect("a map");
    let write = ledger.expect_creation(&KEY, UID, MAPS);
    match timeout(Duration::from_secs(1), maps.create(&PostParams::default(), &map)).await {
        Ok(Ok(map)) => write.succeeded(version(map.metadata.resource_version.as_ref())),
        Ok(Err(Error::Api(status))) if status.code < 500 => {
            write.refused();
            return Err("refused");
        }
        _ => return Err("unknown"), // the `Write` is dropped, which reports that
    }
    Ok(())
}

/// Brings the number of maps to the wanted one. Returns the time after which to look again, if any.
async fn sync(maps: &Api<ConfigMap>, cache: &Cache, ledger: &Versions) -> Option<Duration> {
    let read = || cache.lock().expect("unpoisoned").1;
    if let Err(not_ready) = ledger.ready(&KEY, |_| Some(read())) {
        let Some(resource) = not_ready.unknown() else {
            return Some(not_ready.expires_in());
        };
        let newest = maps.list(&ListParams::default().limit(1)).await;
        let Ok(newest) = newest else {
            return Some(Duration::from_millis(100));
        };
        ledger.resolve(&KEY, resource, version(newest.metadata.resource_version.as_ref()));
        return Some(Duration::ZERO); // parked, now that it is known for what
    }
    let known = cache.lock().expect("unpoisoned").0.len();
    let outcome = slow_start_batch(WANTED.saturating_sub(known), 1, |_| create(maps, ledger)).await;
    (outcome.succeeded.len() < WANTED - known).then_some(Duration::from_millis(100))
}

/// Replies to creates get lost, reads of the version fail, and the cache lags: there are never too many
/// maps, and soon enough. The line that it guards: `written.unknown += 1` in the ledger's `Record::end`.
#[tokio::test(start_paused = true)]
async fn lost_replies_to_creates_with_generated_names_lead_to_no_twins() {
    for lost in [1, 2, 5, 9] {
        let server = ApiServer::start();
        let maps: Api<ConfigMap> = Api::default_namespaced(server.client());
        let (cache, ledger) = (Cache::default(), Versions::new());
        let (enqueue, mut queue) = mpsc::unbounded_channel();
        let woken = enqueue.clone();
        let _waker = ledger.on_wake(move |key| woken.send(*key).expect("the controller runs"));
        follow(&server, &cache, &ledger);
        let verb = |verb| Filter::any().resource(MAPS).verb(verb);
        let _replies = server.faults().lose_reply(verb(Verb::Create), lost);
        let _reads = server.faults().refuse(verb(Verb::List), Refusal::unavailable(), 2);

        let (mut syncs, start) = (0, Instant::now());
        enqueue.send(KEY).expect("a queue");
        while cache.lock().expect("unpoisoned").0.len() < WANTED {
            assert!(start.elapsed() < Duration::from_secs(60), "a key waits and is not woken");
            let Ok(Some(_)) = timeout(Duration::from_secs(1), queue.recv()).await else { continue };
            syncs += 1;
            if let Some(wait) = sync(&maps, &cache, &ledger).await {
                let enqueue = enqueue.clone();
                tokio::spawn(async move {
                    sleep(wait).await;
                    let _ = enqueue.send(KEY);
                });
            }
            assert!(cache.lock().expect("unpoisoned").0.len() <= WANTED);
        }
        sleep(Duration::from_secs(10)).await;
        assert_eq!(
            maps.list(&ListParams::default()).await.expect("a list").items.len(),
            WANTED,
            "{lost} lost"
        );
        assert!(syncs < 200, "{syncs} syncs: a key that waits is woken, not polled");
    }
}
