//! Listing and watching, request by request. Ids such as RE-T9 name client-go's tests:
//! docs/upstream-behaviours.md.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Duration, Instant};
use trimtab_cache::{Change, MetaView, Metadata, Object, ObjectKey};
use trimtab_informer::{Event, Informer, Phase, Selection};
use trimtab_test_support::{
    server::{ScriptedServer, WatchBody, failure},
    settle,
};

use crate::fixtures::{lists, object};

const PATH: &str = "/api/v1/configmaps";

fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced("default", name)
}

/// Records a handler's events: `+a 1`, `a 1>2`, `-a 2`, with `!` before an initial event and `?` after a deletion
/// with an unknown final state.
fn record(informer: &Informer<ConfigMap>) -> Arc<Mutex<Vec<String>>> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    informer.on_change(move |event: &Event<ConfigMap>| {
        let version = |object: &ConfigMap| object.metadata().resource_version().to_owned();
        let text = match &event.change {
            Change::Added(new) => format!("+{} {}", new.metadata().name(), version(new)),
            Change::Updated { old, new } => {
                format!("{} {}>{}", new.metadata().name(), version(old), version(new))
            }
            Change::Deleted(last) => {
                let mark = if last.final_state_unknown { "?" } else { "" };
                format!("-{} {}{mark}", last.key.name(), version(&last.object))
            }
            Change::Undecodable(now) => format!("?{} {}", now.key().name(), now.metadata().resource_version),
            Change::UndecodableDeleted(last) => format!("-?{}", last.key().name()),
        };
        log.lock().push(if event.initial { format!("!{text}") } else { text });
    });
    told
}

fn take(told: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut told.lock())
}

/// An informer that has listed `a` at version 5, and the watch that it then opened.
async fn watching() -> (ScriptedServer, Informer<ConfigMap>, Arc<Mutex<Vec<String>>>, WatchBody) {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    let told = record(&informer);
    informer.start();
    server.expect(&format!("LIST {PATH} limit=500")).await.list("5", &[object("a", "3")]);
    let watch = server.expect(&format!("WATCH {PATH} resourceVersion=5")).await.watch();
    settle(Duration::from_millis(1)).await;
    assert_eq!(take(&told), ["!+a 3"]);
    (server, informer, told, watch)
}

/// RE-T7, RE-T8, RE-T25, RE-T29, FA-T2.
#[tokio::test(start_paused = true)]
async fn what_the_server_tells_reaches_the_store_and_then_the_handlers() {
    let (_server, informer, told, watch) = watching().await;
    watch.event("ADDED", &object("b", "6"));
    watch.event("MODIFIED", &object("a", "7"));
    watch.event("DELETED", &object("b", "8"));
    watch.event("MODIFIED", &object("c", "9")); // unknown so far, so it is an addition
    watch.event("ADDED", &object("c", "10")); // and this an update
    watch.event("DELETED", &object("never-seen", "11"));
    watch.event("ADDED", &json!({"kind": "Table", "rows": []}));
    watch.event("LATER", &json!({}));
    settle(Duration::from_millis(1)).await;
    assert_eq!(take(&told), ["+b 6", "a 3>7", "-b 8", "+c 9", "c 9>10"]);
    let store = informer.store();
    assert_eq!((store.len(), store.resource_version().as_deref()), (2, Some("11")));
    let held = store.get(&key("a")).unwrap();
    assert_eq!(held.data.as_ref().unwrap()["version"], "7");
    assert_eq!(held.metadata.managed_fields, None, "what is not worth storing is not stored");
    let status = informer.status();
    assert_eq!((status.phase, status.objects, status.events, status.restarts), (Phase::Watching, 2, 7, 0));
}

/// RE-T16.
#[tokio::test(start_paused = true)]
async fn a_long_list_is_read_in_pages_and_takes_effect_as_one() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).page_size(2).build::<ConfigMap>();
    let told = record(&informer);
    informer.start();
    server.expect(&format!("LIST {PATH} limit=2")).await.page(
        "5",
        "t=1&",
        &[object("a", "1"), object("b", "2")],
    );
    let second = server.expect(&format!("LIST {PATH} continue=t=1& limit=2")).await;
    settle(Duration::from_millis(1)).await;
    assert!(!informer.has_synced() && informer.store().is_empty());
    second.list("5", &[object("c", "3")]);
    server.expect(&format!("WATCH {PATH} resourceVersion=5")).await;
    assert_eq!(take(&told), ["!+a 1", "!+b 2", "!+c 3"]);
    assert!(informer.wait_for_sync().await);
}

/// RE-T21.
#[tokio::test(start_paused = true)]
async fn pages_that_expire_midway_are_followed_by_one_unpaged_list() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    server.next().await.page("5", "token", &[object("a", "1")]);
    server.next().await.fail(410, "Expired");
    let whole =
        server.expect(&format!("LIST {PATH} resourceVersion=5 resourceVersionMatch=NotOlderThan")).await;
    assert_eq!(whole.at.elapsed(), Duration::ZERO);
    whole.list("9", &[object("b", "7")]);
    server.expect(&format!("WATCH {PATH} resourceVersion=9")).await;
    assert_eq!(informer.store().keys(), [key("b")]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_in_order_is_resumed_at_once_from_the_last_bookmark() {
    let (mut server, informer, _, watch) = watching().await;
    watch.bookmark("12");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ended = Instant::now();
    drop(watch);
    let next = server.expect(&format!("WATCH {PATH} resourceVersion=12")).await;
    assert_eq!(next.at, ended);
    assert_eq!((informer.status().restarts, informer.status().lists), (0, 1));
}

/// RE-T24: the timeouts of 50 informers are not the same, or all would reconnect at once.
#[tokio::test(start_paused = true)]
async fn watches_that_begin_together_are_asked_to_end_apart() {
    let mut timeouts = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let (mut server, client) = ScriptedServer::new();
        let informer = lists(client).build::<ConfigMap>();
        informer.start();
        server.next().await.list("5", &[]);
        timeouts.insert(server.next().await.timeout_seconds());
    }
    assert!(timeouts.len() > 25, "{timeouts:?}");
}

/// RE-T19, SI-T5, CT-T8. client-go once leaked objects that a relist no longer had (kubernetes#115620) and hid the changes
/// of a relist from handlers (kubernetes#86015); kube-runtime 5.0 reports no deletion of `gone`.
#[tokio::test(start_paused = true)]
async fn what_happened_while_the_version_expired_is_told_after_the_relist() {
    for within in [true, false] {
        let (mut server, informer, told, watch) = watching().await;
        watch.event("ADDED", &object("gone", "6"));
        watch.event("ADDED", &object("same", "7"));
        settle(Duration::from_millis(1)).await;
        let same = informer.store().get(&key("same")).unwrap();
        if within {
            watch.event("ERROR", &failure(410, "Expired"));
        } else {
            watch.cut();
            server.next().await.fail(410, "Gone");
        }
        server
            .expect(&format!("LIST {PATH} resourceVersion=7 resourceVersionMatch=NotOlderThan"))
            .await
            .list("20", &[object("new", "19"), object("same", "7"), object("a", "11")]);
        server.expect(&format!("WATCH {PATH} resourceVersion=20")).await;
        assert_eq!(take(&told), ["+gone 6", "+same 7", "-gone 6?", "+new 19", "a 3>11"]);
        assert!(Arc::ptr_eq(&same, &informer.store().get(&key("same")).unwrap()));
    }
}

/// RE-T20, RE-T22. kubernetes#107133: a reflector requested a version that is too large, forever.
#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_give_the_version_is_asked_for_the_most_recent_state() {
    for refusal in [
        failure(410, "Expired"),
        json!({"code": 504, "reason": "Timeout", "details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}}),
    ] {
        let (mut server, informer, _, watch) = watching().await;
        watch.event("ERROR", &failure(410, "Expired"));
        server.next().await.raw(refusal["code"].as_u64().unwrap() as u16, &[], refusal.to_string());
        let asked = Instant::now();
        let list = server.expect(&format!("LIST {PATH} limit=500")).await;
        assert_eq!(list.at, asked);
        list.list("4", &[]); // the server was restored from a backup: its versions are smaller
        server.expect(&format!("WATCH {PATH} resourceVersion=4")).await;
        assert!(informer.store().is_empty());
    }
}

/// RE-T9, RE-T10: errors never stop the reflector, and the delay grows with each.
#[tokio::test(start_paused = true)]
async fn failing_lists_are_tried_again_for_ever_at_growing_distances() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    let mut before = server.next().await.at; // dropped: the connection is refused
    for attempt in 0..20 {
        let call = server.expect(&format!("LIST {PATH} limit=500")).await;
        let base = Duration::from_millis(800 << attempt.min(6)).min(Duration::from_secs(30));
        let waited = call.at - before;
        assert!(waited >= base && waited < base * 2 + Duration::from_millis(2), "{attempt}: {waited:?}");
        before = call.at;
        match attempt % 3 {
            0 => call.fail(403, "Forbidden"),
            1 => call.json(&json!({"metadata": {"resourceVersion": "5"}})),
            _ => call.raw(200, &[], r#"{"metadata":{"resourceVersion":"5"},"items":[{"#.to_owned()),
        }
        if attempt % 3 == 1 {
            break; // a list without items is an empty list
        }
        settle(Duration::from_millis(1)).await;
        let status = informer.status();
        assert!(matches!(status.phase, Phase::Waiting { .. }), "{status:?}");
        assert!(!status.synced && status.failing_since.is_some());
        assert_eq!(status.last_error.unwrap().code(), (attempt % 3 == 0).then_some(403));
    }
    assert!(informer.wait_for_sync().await);
}

/// RE-T12, RE-T13.
#[tokio::test(start_paused = true)]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asks_and_then_resumed_without_a_list() {
    let (mut server, informer, _, watch) = watching().await;
    watch.cut();
    for _ in 0..4 {
        let call = server.expect(&format!("WATCH {PATH} resourceVersion=5")).await;
        let at = call.at;
        call.raw(429, &[("retry-after", "77")], failure(429, "TooManyRequests").to_string());
        server.expect_silence(Duration::from_secs(76)).await;
        assert!(at.elapsed() >= Duration::from_secs(76));
    }
    assert_eq!(informer.status().lists, 1);
}

/// RE-T1: slow watchers are closed, connections are cut, proxies end bodies anywhere.
#[tokio::test(start_paused = true)]
async fn a_watch_that_breaks_off_is_resumed_after_its_last_whole_event() {
    for end in ["cut", "truncated"] {
        let (mut server, informer, told, watch) = watching().await;
        watch.event("ADDED", &object("b", "6"));
        let line = json!({"type": "ADDED", "object": object("c", "7")}).to_string();
        watch.text(line[..80].to_owned());
        settle(Duration::from_millis(1)).await;
        if end == "cut" {
            watch.cut();
        } else {
            drop(watch);
        }
        settle(Duration::from_millis(1)).await;
        let error = informer.status().last_error.expect("not silence");
        assert!(error.to_string().contains(if end == "cut" { "cut" } else { "within a line" }), "{error}");
        let resumed = server.expect(&format!("WATCH {PATH} resourceVersion=6")).await.watch();
        resumed.event("ADDED", &object("c", "7"));
        settle(Duration::from_millis(1)).await;
        assert_eq!(take(&told), ["+b 6", "+c 7"]);
        assert_eq!(informer.status().failing_since, None);
    }
}

#[tokio::test(start_paused = true)]
async fn events_are_read_however_the_connection_cuts_them() {
    let (_server, _informer, told, watch) = watching().await;
    let line = |name, version| json!({"type": "ADDED", "object": object(name, version)}).to_string() + "\n";
    let text = ["\n".to_owned(), line("b", "6"), line("c", "7")].concat().replacen('\n', "", 1);
    for byte in text.as_bytes() {
        watch.text(vec![*byte]);
    }
    watch.text([line("d", "8"), line("e", "9")].concat());
    let big =
        json!({"metadata": {"name": "big", "resourceVersion": "10"}, "data": {"x": "x".repeat(3 << 20)}});
    watch.event("ADDED", &big);
    settle(Duration::from_millis(1)).await;
    assert_eq!(take(&told), ["+b 6", "+c 7", "+d 8", "+e 9", "+big 10"]);
}

/// Incident 11: client-go#374, kubernetes#65012: a connection that is dead without a word left clients blind
/// for a quarter of an hour. Servers send a bookmark about once a minute.
#[tokio::test(start_paused = true)]
async fn a_watch_on_which_nothing_arrives_is_given_up_and_resumed_within_75_seconds() {
    let (mut server, informer, _, watch) = watching().await;
    for _ in 0..10 {
        watch.bookmark("8");
        server.expect_silence(Duration::from_secs(61)).await;
    }
    watch.bookmark("8");
    let seen = Instant::now();
    let at_least = "resourceVersion=8 resourceVersionMatch=NotOlderThan";
    let probe = server.expect(&format!("LIST {PATH} limit=1 {at_least}")).await;
    assert!((probe.at - seen).as_secs() <= 75, "{:?}", probe.at - seen);
    watch.closed().await;
    // Into the black hole again: there is no response, and the timeout is shorter.
    let resumed = server.expect(&format!("WATCH {PATH} resourceVersion=8")).await;
    assert!((resumed.at - probe.at).as_secs() <= 32, "{:?}", resumed.at - probe.at);
    let _silent = resumed.watch();
    server.expect(&format!("LIST {PATH} limit=1 {at_least}")).await.list("8", &[]);
    server.expect(&format!("WATCH {PATH} resourceVersion=8")).await;
    // A server that has nothing to say, and is there, is no failure.
    assert_eq!((informer.status().restarts, informer.status().lists), (1, 1));
}

/// No request hangs forever, although kube-client has no read timeout and may retry for many minutes.
#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_never_answers_is_asked_again() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    let unanswered = server.next().await;
    let list = server.next().await;
    assert!(list.at - unanswered.at < Duration::from_secs(78));
    let half = list.watch();
    half.text("{");
    let list = server.next().await;
    list.list("5", &[]);
    let unanswered = server.next().await;
    let watch = server.expect(&format!("WATCH {PATH} resourceVersion=5")).await;
    assert!(watch.at - unanswered.at < Duration::from_secs(40));
    assert_eq!(informer.status().restarts, 3);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_served_is_waited_for_by_name() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    for _ in 0..3 {
        server.next().await.raw(404, &[], "404 page not found\n".to_owned());
        settle(Duration::from_millis(1)).await;
        assert!(matches!(informer.status().phase, Phase::NotServed { .. }));
    }
    assert!(informer.status().last_error.unwrap().is_not_served());
    server.next().await.list("5", &[object("a", "3")]);
    assert!(informer.wait_for_sync().await);
}

/// RE-T27.
#[tokio::test(start_paused = true)]
async fn a_watch_that_the_server_cannot_go_on_with_is_followed_by_a_relist() {
    let (mut server, informer, told, watch) = watching().await;
    watch.event("ADDED", &object("corrupt", "6"));
    watch.event("ERROR", &failure(500, "StorageReadError"));
    server
        .expect(&format!("LIST {PATH} resourceVersion=6 resourceVersionMatch=NotOlderThan"))
        .await
        .list("8", &[object("a", "3")]);
    server.next().await;
    assert_eq!(take(&told), ["+corrupt 6", "-corrupt 6?"]);
    assert_eq!(informer.store().keys(), [key("a")]);
}

/// With kube-runtime 5.0 one malformed object fails every list.
#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_decoded_costs_only_itself() {
    let wrong = |name: &str, version: &str| {
        let mut object = object(name, version);
        object["data"] = json!("text");
        object
    };
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    let told = record(&informer);
    informer.start();
    server.next().await.list("5", &[object("a", "1"), wrong("b", "2"), object("c", "3")]);
    let watch = server.next().await.watch();
    watch.event("MODIFIED", &wrong("a", "6"));
    watch.event("ADDED", &object("d", "7"));
    settle(Duration::from_millis(1)).await;
    let status = informer.status();
    assert_eq!(status.undecodable.keys().collect::<Vec<_>>(), [&key("a"), &key("b")]);
    assert!(status.undecodable[&key("a")].contains("invalid type: string \"text\""), "{status:?}");
    assert_eq!(informer.store().get(&key("a")).unwrap().metadata().resource_version(), "1");

    watch.event("MODIFIED", &object("b", "8"));
    watch.event("DELETED", &wrong("a", "9"));
    settle(Duration::from_millis(1)).await;
    assert_eq!(take(&told), ["!+a 1", "!+c 3", "!?b 2", "?a 6", "+d 7", "+b 8", "-a 1?"]);
    assert!(informer.status().undecodable.is_empty());

    watch.event("MODIFIED", &wrong("c", "10"));
    watch.event("ERROR", &failure(410, "Expired"));
    server.next().await.list("12", &[object("b", "8"), wrong("c", "10")]);
    server.next().await;
    assert_eq!(take(&told), ["?c 10", "-d 7?"], "c is still there, in a state that handlers were told of");
    assert_eq!(informer.store().resource_version().as_deref(), Some("12"));
}

/// A view that panics while it decodes certain objects.
#[derive(Debug, Deserialize)]
struct Fragile {
    metadata: MetaView,
    #[serde(default, deserialize_with = "panic_on_bad")]
    data: (),
}

fn panic_on_bad<'de, D: serde::Deserializer<'de>>(data: D) -> Result<(), D::Error> {
    let data = std::collections::BTreeMap::<String, String>::deserialize(data)?;
    assert_ne!(data["version"], "666", "a bug in a view");
    Ok(())
}

impl Object for Fragile {
    type Kind = ConfigMap;
    fn metadata(&self) -> &impl Metadata {
        let () = self.data;
        &self.metadata
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_on_which_a_view_panics_costs_only_itself() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<Fragile>();
    informer.start();
    server.next().await.list("5", &[object("a", "666"), object("b", "1")]);
    let watch = server.next().await.watch();
    watch.event("MODIFIED", &object("b", "666"));
    watch.event("ADDED", &object("c", "7"));
    settle(Duration::from_millis(1)).await;
    let status = informer.status();
    assert_eq!((informer.store().len(), status.restarts), (2, 0));
    assert_eq!(status.undecodable.len(), 2);
    assert!(status.undecodable[&key("b")].contains("panicked"), "{status:?}");
}

/// FA-T1: the request has all selectors.
#[tokio::test(start_paused = true)]
async fn a_selection_is_part_of_every_request() {
    let (mut server, client) = ScriptedServer::new();
    let selection = Selection::all()
        .namespace("shop")
        .labels("app in (web,api),!old".parse().unwrap())
        .fields("metadata.name!=x");
    let informer = lists(client).selection(selection).page_size(0).build::<ConfigMap>();
    informer.start();
    let path = "/api/v1/namespaces/shop/configmaps";
    let selectors = "fieldSelector=metadata.name!=x labelSelector=app in (api,web),!old";
    server.expect(&format!("LIST {path} {selectors}")).await.list("5", &[]);
    server.expect(&format!("WATCH {path} {selectors} resourceVersion=5")).await;
    assert_eq!(informer.description(), "configmaps in shop");
}

/// RE-T15, SI-T2.
#[tokio::test(start_paused = true)]
async fn a_resync_tells_handlers_every_object_again_while_events_go_on() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).resync(Duration::from_secs(10)).build::<ConfigMap>();
    let told = record(&informer);
    informer.start();
    server.next().await.list("5", &[object("a", "3")]);
    let watch = server.next().await.watch();
    settle(Duration::from_millis(1)).await;
    assert_eq!(take(&told), ["!+a 3"]);
    for _ in 0..3 {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            watch.bookmark("6");
        }
        settle(Duration::from_millis(1)).await;
        assert_eq!(take(&told), ["a 3>3"]);
    }
}

/// RE-T2, RE-T4, RE-T5, SI-T14, SI-T19.
#[tokio::test(start_paused = true)]
async fn a_stopped_informer_hangs_up_and_a_restarted_one_goes_on() {
    let (mut server, informer, told, watch) = watching().await;
    informer.start(); // it runs already
    informer.stop().await;
    watch.closed().await;
    informer.stop().await;
    server.expect_silence(Duration::from_secs(1_000)).await;
    assert_eq!((informer.status().phase, informer.store().len()), (Phase::Stopped, 1));
    informer.start();
    server
        .expect(&format!("LIST {PATH} resourceVersion=5 resourceVersionMatch=NotOlderThan"))
        .await
        .list("9", &[object("b", "8")]);
    server.next().await;
    assert_eq!(take(&told), ["-a 3?", "+b 8"]);
}

/// Fails if `stop` reports the end without checking for a new task.
#[tokio::test(start_paused = true)]
async fn an_informer_started_while_a_stop_waits_is_not_taken_for_stopped() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    let unanswered = server.next().await;
    tokio::join!(informer.stop(), async { informer.start() });
    drop(unanswered);
    assert_ne!(informer.status().phase, Phase::Stopped);
    let list = server.next().await;
    let (synced, ()) = tokio::join!(informer.wait_for_sync(), async { list.list("5", &[]) });
    assert!(synced);
}

/// SI-T19.
#[tokio::test(start_paused = true)]
async fn an_informer_stops_when_its_last_handle_goes() {
    let (mut server, informer, _, watch) = watching().await;
    let (other, store) = (informer.clone(), informer.store().clone());
    drop(informer);
    watch.event("ADDED", &object("b", "6"));
    settle(Duration::from_millis(1)).await;
    assert_eq!(store.len(), 2);
    drop(other);
    watch.closed().await;
    server.expect_no_client().await;
    assert_eq!(store.len(), 2);

    let (mut server, client) = ScriptedServer::new();
    let waiting = lists(client).build::<ConfigMap>();
    assert!(!waiting.has_synced());
    drop(waiting); // never started: nothing to stop
    server.expect_no_client().await;
}

/// A server was restored from a backup during a watch. Its versions are older, and the objects in the store may be of a
/// history that the server no longer has.
#[tokio::test(start_paused = true)]
async fn a_bookmark_from_before_what_was_seen_leads_to_a_list_of_the_most_recent_state() {
    let (mut server, informer, told, watch) = watching().await;
    watch.bookmark("4");
    server.expect(&format!("LIST {PATH} limit=500")).await.list("4", &[object("b", "2")]);
    server.expect(&format!("WATCH {PATH} resourceVersion=4")).await;
    assert_eq!(take(&told), ["-a 3?", "+b 2"]);
    assert_eq!(informer.store().resource_version().as_deref(), Some("4"));
}
