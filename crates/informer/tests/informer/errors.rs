//! Errors that informers report, and audits.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};
use trimtab_cache::ObjectKey;
use trimtab_informer::{Informer, InformerBuilder};
use trimtab_test_support::{
    server::{PendingRequest, ScriptedServer, WatchBody, failure},
    settle,
};

use crate::fixtures::{lists, object};

const PATH: &str = "/api/v1/configmaps";

fn collect(builder: InformerBuilder) -> (InformerBuilder, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let builder = builder.on_error(move |informer, error| log.lock().push(format!("{informer}: {error}")));
    (builder, told)
}

fn take(told: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut told.lock())
}

/// SI-T6; unlike client-go, errors of a watch, too. vector#5877: errors without a version were dropped
/// silently (incident 24).
#[tokio::test(start_paused = true)]
async fn every_kind_of_error_is_reported() {
    let (mut server, client) = ScriptedServer::new();
    let (builder, told) = collect(lists(client).on_error(|_, _| panic!("a bug in a callback")));
    let informer = builder.build::<ConfigMap>();
    informer.start();
    server.next().await.fail(403, "Forbidden");
    let mut wrong = object("wrong", "2");
    wrong["data"] = json!("text");
    server.next().await.list("5", &[object("a", "1"), wrong.clone()]);
    let watch = server.next().await.watch();
    informer.on_change(|event| assert!(event.initial, "a bug in a handler"));
    watch.event("MODIFIED", &object("a", "6"));
    watch.event("MODIFIED", &wrong);
    watch.event(
        "ERROR",
        &json!({"kind": "Status", "metadata": {}, "code": 500, "reason": "", "message": "odd"}),
    );
    settle(Duration::from_millis(1)).await;
    let told = take(&told);
    let expected = [
        "configmaps: the server refused: 403 Forbidden",
        "configmaps: default/wrong cannot be decoded: ",
        "configmaps: a handler panicked at an event of default/a",
        "configmaps: a handler panicked at an event of default/wrong",
        "configmaps: default/wrong cannot be decoded: ",
        "configmaps: the server ended the watch: 500 odd",
    ];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
    let key = |name| ObjectKey::namespaced("default", name);
    assert!(informer.is_outdated(&key("wrong")) && !informer.is_outdated(&key("a")));
}

/// An informer that has listed `a` at 3 and `b` at 4, at version 5, and is audited about once an hour.
async fn audited() -> (ScriptedServer, Informer<ConfigMap>, Arc<Mutex<Vec<String>>>, WatchBody) {
    let (mut server, client) = ScriptedServer::new();
    let (builder, told) = collect(lists(client).audit(Duration::from_secs(3_600)));
    let informer = builder.build::<ConfigMap>();
    informer.start();
    server.next().await.list("5", &[object("a", "3"), object("b", "4")]);
    let watch = server.next().await.watch();
    (server, informer, told, watch)
}

fn outline(name: &str, version: &str) -> Value {
    json!({"metadata": object(name, version)["metadata"]})
}

/// Lets an hour pass with bookmarks, and returns the request of the audit.
async fn next_audit(server: &mut ScriptedServer, watch: &WatchBody, version: &str) -> PendingRequest {
    let begun = Instant::now();
    loop {
        watch.bookmark(version);
        tokio::time::sleep(Duration::from_secs(60)).await;
        if let Some(call) = server.try_next() {
            let minutes = begun.elapsed().as_secs() / 60;
            assert!((54..=67).contains(&minutes), "{minutes}");
            let accept = call.headers["accept"].to_str().expect("text");
            assert!(accept.contains("as=PartialObjectMetadataList"), "{accept}");
            let query = format!("resourceVersion={version} resourceVersionMatch=Exact");
            assert_eq!(call.describe(), format!("LIST {PATH} {query}"));
            return call;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_audit_compares_at_exactly_the_stores_version_and_disturbs_nothing() {
    let (mut server, informer, told, watch) = audited().await;
    watch.event("MODIFIED", &object("a", "6"));
    let audit = next_audit(&mut server, &watch, "7").await;
    watch.event("ADDED", &object("c", "8")); // meanwhile: the audit is of version 7
    settle(Duration::from_millis(1)).await;
    assert_eq!(informer.store().len(), 3);
    audit.list("7", &[outline("a", "6"), outline("b", "4")]);
    settle(Duration::from_millis(1)).await;
    assert_eq!((informer.status().audits, informer.status().restarts, take(&told).len()), (1, 0, 0));
    // A server that no longer has the version says nothing about the store.
    next_audit(&mut server, &watch, "9").await.fail(410, "Expired");
    next_audit(&mut server, &watch, "9")
        .await
        .list("9", &[outline("a", "6"), outline("b", "4"), outline("c", "8")]);
    settle(Duration::from_millis(1)).await;
    assert_eq!((informer.status().audits, informer.status().restarts, take(&told).len()), (2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_an_audit_finds_is_told_and_repaired_by_a_relist() {
    let (mut server, informer, told, watch) = audited().await;
    let audit = next_audit(&mut server, &watch, "7").await;
    audit.list("7", &[outline("a", "6"), outline("c", "2")]);
    watch.closed().await;
    let found = "configmaps: the store differs from the server at version 7: 1 objects are missing, 1 are surplus, 1 are outdated";
    let expected = [found, "configmaps: the store differs from the server by 3 objects"];
    assert_eq!(take(&told), expected);
    server.expect(&format!("LIST {PATH} limit=500")).await.list("8", &[object("a", "6"), object("c", "2")]);
    let _watch = server.next().await.watch();
    let mut names: Vec<_> = informer.store().keys().iter().map(|key| key.name().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["a", "c"]);
}

/// Incident 11 with audits: they succeed and find no difference; only the watch is dead. Fails if `follow` starts a
/// new `next` after each audit.
#[tokio::test(start_paused = true)]
async fn frequent_audits_do_not_hide_that_a_watch_is_dead() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).audit(Duration::from_secs(20)).build::<ConfigMap>();
    informer.start();
    server.next().await.list("5", &[object("a", "3")]);
    let _dead = server.next().await.watch();
    let opened = Instant::now();
    let probe = loop {
        let call = server.next().await;
        if call.parameter("resourceVersionMatch") != Some("Exact") {
            break call;
        }
        assert!(opened.elapsed() < Duration::from_secs(75), "the watch is still taken for one that lives");
        call.list("5", &[outline("a", "3")]);
    };
    assert!((70..=75).contains(&(probe.at - opened).as_secs()), "{:?}", probe.at - opened);
    assert!(informer.status().audits >= 2);
    probe.list("5", &[]);
    server.expect(&format!("WATCH {PATH} resourceVersion=5")).await;
}

/// The status has the last error and the time since which every attempt has failed.
#[tokio::test(start_paused = true)]
async fn the_status_tells_the_last_error_and_since_when() {
    let (mut server, informer, _, watch) = audited().await;
    let failed = Instant::now();
    watch.event("ERROR", &failure(500, "StorageReadError"));
    settle(Duration::from_millis(1)).await;
    let status = informer.status();
    assert_eq!(status.failing_since, Some(failed));
    assert_eq!(status.last_error.expect("one").code(), Some(500));
    assert!(status.synced && status.bytes > 0, "the store stays as it is meanwhile");
    server.next().await.list("9", &[]);
    let _watch = server.next().await.watch();
    settle(Duration::from_millis(1)).await;
    assert_eq!(informer.status().failing_since, None);
}
