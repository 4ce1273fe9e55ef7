//! Informers of several namespaces and of a shard.

use std::{num::NonZeroU32, sync::Arc};

use k8s_openapi::api::core::v1::ConfigMap;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};
use trimtab_cache::{Object, ObjectKey};
use trimtab_informer::{Event, Informer, InformerFactory, Phase, Selection, Shard};
use trimtab_test_support::{
    server::{ScriptedServer, failure},
    settle,
};

use crate::fixtures::lists;

fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/configmaps")
}

fn object(namespace: &str, name: &str, version: &str) -> Value {
    json!({"metadata": {
        "namespace": namespace, "name": name, "uid": format!("uid-{name}"), "resourceVersion": version,
    }})
}

fn record(informer: &Informer<ConfigMap>) -> Arc<Mutex<Vec<String>>> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    informer.on_change(move |event: &Event<ConfigMap>| log.lock().push(format!("{event:?}")));
    told
}

fn take(told: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut told.lock())
}

fn of_a_and_b(client: kube_client::Client) -> Informer<ConfigMap> {
    lists(client).selection(Selection::all().namespaces(["b", "a"])).build()
}

#[tokio::test(start_paused = true)]
async fn several_namespaces_are_one_informer() {
    let (mut server, client) = ScriptedServer::new();
    let informer = of_a_and_b(client);
    let told = record(&informer);
    assert_eq!(informer.description(), "configmaps in a, b");
    informer.start();
    let a = server.expect(&format!("LIST {} limit=500", path("a"))).await;
    let b = server.expect(&format!("LIST {} limit=500", path("b"))).await;
    a.list("10", &[object("a", "one", "7")]);
    let a = server.expect(&format!("WATCH {} resourceVersion=10", path("a"))).await.watch();
    settle(Duration::from_millis(1)).await;
    assert_eq!(take(&told), ["added a/one (initial)"]);
    assert!(!informer.has_synced(), "b has not been listed");
    assert_eq!(informer.store().resource_version(), None, "nothing is known of b");

    let (late, early) = (record(&informer), informer.handler().on_change(|_| {}));
    assert_eq!(take(&late), ["added a/one (initial)"]);
    assert!(!early.has_synced(), "what is initial has not all come");
    b.list("12", &[object("b", "one", "11")]);
    let b = server.expect(&format!("WATCH {} resourceVersion=12", path("b"))).await.watch();
    assert!(informer.wait_for_sync().await && early.has_synced());
    assert_eq!((take(&told), take(&late).len()), (vec!["added b/one (initial)".to_owned()], 1));
    assert_eq!(informer.store().resource_version().as_deref(), Some("10"), "as new as a");

    a.event("MODIFIED", &object("a", "one", "20"));
    settle(Duration::from_millis(1)).await;
    assert_eq!(informer.store().resource_version().as_deref(), Some("12"), "as new as b");
    b.bookmark("30");
    b.event("ERROR", &failure(410, "Expired"));
    let relist = format!("LIST {} resourceVersion=30 resourceVersionMatch=NotOlderThan", path("b"));
    server.expect(&relist).await.list("40", &[object("b", "two", "35")]);
    let _b = server.next().await.watch();
    assert_eq!(take(&told), ["updated a/one", "deleted b/one", "added b/two"], "a stays as it is");
    assert_eq!((informer.store().len(), informer.status().lists), (2, 3));
    assert_eq!(informer.store().resource_version().as_deref(), Some("20"));
}

/// rancher/steve#1229: one that never synced held up all the others.
#[tokio::test(start_paused = true)]
async fn a_forbidden_namespace_is_named_and_holds_up_no_other() {
    let (mut server, client) = ScriptedServer::new();
    let selection = Selection::all().namespaces(["a", "b"]);
    let factory = InformerFactory::builder(client).selection(selection).streaming_lists(false).build();
    let informer = factory.informer::<ConfigMap>();
    factory.start();
    server.next().await.fail(403, "Forbidden");
    server.next().await.list("12", &[object("b", "one", "11")]);
    let watch = server.next().await.watch();
    watch.event("ADDED", &object("b", "two", "13"));
    let error = factory.wait_for_sync(Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "not synced: configmaps in a, b (in a: waiting to try again: the server refused: 403 Forbidden)"
    );
    assert_eq!(informer.store().len(), 2);
    let status = informer.status();
    assert!(matches!(status.phase, Phase::Waiting { .. }) && status.lag.is_none(), "{status:?}");
    assert_eq!(status.sources[1].phase, Phase::Watching);
    assert_eq!(status.sources[1].resource_version.map(|version| version.to_string()).as_deref(), Some("13"));
}

#[tokio::test(start_paused = true)]
async fn a_restarted_informer_goes_on_in_each_namespace_where_it_was() {
    let (mut server, client) = ScriptedServer::new();
    let informer = of_a_and_b(client);
    informer.start();
    server.next().await.list("10", &[]);
    server.next().await.list("12", &[]);
    let _watches = [server.next().await.watch(), server.next().await.watch()];
    informer.stop().await;
    informer.start();
    for (namespace, version) in [("a", 10), ("b", 12)] {
        let query = format!("resourceVersion={version} resourceVersionMatch=NotOlderThan");
        server.expect(&format!("LIST {} {query}", path(namespace))).await.list("20", &[]);
    }
}

/// A server with shards sends only the share; other servers send all objects, and the informer drops the rest.
#[tokio::test(start_paused = true)]
async fn two_shares_have_every_object_once_whether_the_server_knows_shards_or_not() {
    let shares = NonZeroU32::new(2).expect("not zero");
    let objects: Vec<_> = (0..20).map(|number| object("a", &format!("o{number}"), "1")).collect();
    let mut held = Vec::new();
    for number in 0..2 {
        let (mut server, client) = ScriptedServer::new();
        let shard = Shard::nth(number, shares);
        let selector = shard.to_string();
        let informer = lists(client).selection(Selection::all().shard(shard)).build::<ConfigMap>();
        informer.start();
        let list = server.next().await;
        assert_eq!(list.parameter("shardSelector"), Some(selector.as_str()));
        list.list("5", &objects[..10]);
        let watch = server.next().await;
        assert_eq!(watch.parameter("shardSelector"), Some(selector.as_str()));
        let watch = watch.watch();
        objects[10..].iter().for_each(|object| watch.event("ADDED", object));
        watch.event("DELETED", &objects[0]);
        settle(Duration::from_millis(1)).await;
        held.extend(informer.store().keys());
    }
    held.sort();
    let mut expected: Vec<_> = (1..20).map(|number| format!("a/o{number}")).collect();
    expected.sort();
    assert_eq!(held.iter().map(ObjectKey::as_str).collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_lag_says_for_how_long_the_server_has_been_silent() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    let call = server.next().await;
    assert_eq!(informer.status().lag, None);
    call.list("5", &[object("a", "one", "1")]);
    let watch = server.next().await.watch();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(informer.status().lag.map(|lag| lag.as_secs()), Some(30));
    watch.bookmark("6");
    settle(Duration::from_millis(1)).await;
    assert_eq!(informer.status().lag.map(|lag| lag.as_secs()), Some(0));
    watch.cut();
    let began = Instant::now();
    server.next().await.fail(500, "InternalError");
    tokio::time::sleep(Duration::from_secs(40)).await;
    let status = informer.status();
    assert!(status.lag >= Some(began.elapsed()), "{status:?}");
    assert_eq!(informer.store().list()[0].key().name(), "one");
}
