//! Items and events with malformed metadata: they are reported and counted, and do not fail their list or watch.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Resource,
    api::{ApiResource, DynamicObject, PartialObjectMeta},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use parking_lot::Mutex;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::Duration;
use trimtab_cache::{MetaView, Metadata, Object, Packed};
use trimtab_informer::{Informer, InformerError, metrics};
use trimtab_test_support::{
    log::Log,
    server::{ScriptedServer, WatchBody, failure},
    settle,
};

use crate::fixtures::{lists, object};

/// An object without a readable name, and one whose labels are no map.
fn malformed() -> [Value; 2] {
    let mut nameless = object("x", "3");
    nameless["metadata"]["name"] = json!(5);
    let mut unlabelled = object("b", "4");
    unlabelled["metadata"]["labels"] = json!("text");
    [nameless, unlabelled]
}

/// The kinds of the errors so far, with their keys.
fn take(errors: &Mutex<Vec<InformerError>>) -> Vec<String> {
    let errors = std::mem::take(&mut *errors.lock());
    let describe = |error: &InformerError| match error {
        InformerError::Malformed { place, .. } => place.clone(),
        InformerError::Undecodable { key, .. } => format!("undecodable {key}"),
        other => format!("{other:?}"),
    };
    errors.iter().map(describe).collect()
}

/// Answers with the items: as events of a streaming list, or as a list. Returns the watch that follows.
async fn send(server: &mut ScriptedServer, streaming: bool, items: &[Value]) -> WatchBody {
    if !streaming {
        server.next().await.list("5", items);
        return server.next().await.watch();
    }
    let watch = server.next().await.watch();
    items.iter().for_each(|item| watch.event("ADDED", item));
    watch.end_of_list("5");
    watch
}

/// Follows a list, paged or streaming, and then a watch; both have malformed objects.
async fn follows(streaming: bool) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let (warnings, _guard) = Log::warnings();
    let (mut server, client) = ScriptedServer::new();
    let errors = Arc::new(Mutex::new(Vec::new()));
    let log = errors.clone();
    let builder = Informer::builder(client).streaming_lists(streaming).name("test");
    let builder = builder.on_error(move |_, error| log.lock().push(error.clone()));
    let informer = ::metrics::with_local_recorder(&recorder, || builder.build::<ConfigMap>());
    informer.start();
    let [nameless, unlabelled] = malformed();
    let items = [object("a", "1"), nameless.clone(), unlabelled.clone(), object("c", "2")];
    let watch = send(&mut server, streaming, &items).await;
    settle(Duration::from_millis(1)).await;
    assert!(informer.has_synced());
    assert_eq!(informer.store().len(), 2, "a and c");
    let place = if streaming { "ADDED event 2 of the streaming list" } else { "item 2 of the list" };
    let place = format!("{place}, uid uid-x, resourceVersion 3");
    assert_eq!(take(&errors), ["undecodable default/b", &place]);
    let told = warnings.take();
    let [of_b, of_nameless] = &told[..] else { panic!("{told:?}") };
    assert!(of_b.contains("key=default/b"), "{of_b}");
    for part in ["informer=\"configmaps", &place, "invalid type: number"] {
        assert!(of_nameless.contains(part), "{of_nameless} has no {part}");
    }

    watch.event("ADDED", &nameless);
    watch.event("MODIFIED", &unlabelled);
    watch.event("DELETED", &nameless);
    watch.event("MODIFIED", &object("a", "9"));
    settle(Duration::from_millis(1)).await;
    let [added, deleted] =
        ["ADDED", "DELETED"].map(|kind| format!("{kind} event, uid uid-x, resourceVersion 3"));
    assert_eq!(take(&errors), [&added, "undecodable default/b", &deleted]);
    assert_eq!(warnings.take(), [""; 0], "the log has each object once");
    assert_eq!(informer.store().resource_version().as_deref(), Some("9"), "the watch went on");
    let status = informer.status();
    assert_eq!((status.malformed, status.undecodable.len(), status.restarts), (3, 1, 0));
    assert_eq!((status.lists, status.watches), (1, 1));
    let counted = handle
        .render()
        .lines()
        .any(|line| line.starts_with(metrics::MALFORMED_OBJECTS_TOTAL) && line.ends_with(" 3"));
    assert!(counted, "{}", handle.render());
}

#[tokio::test(start_paused = true)]
async fn malformed_items_of_a_paged_list_do_not_fail_it() {
    follows(false).await;
}

#[tokio::test(start_paused = true)]
async fn malformed_events_of_a_streaming_list_do_not_fail_it() {
    follows(true).await;
}

#[derive(Debug, Deserialize)]
struct View {
    metadata: MetaView,
}

impl Object for View {
    type Kind = ConfigMap;
    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

/// Lists and watches objects with malformed metadata of every kind.
async fn skips<T: Object + DeserializeOwned>(kind: &<T::Kind as Resource>::DynamicType) {
    let all = [
        json!(5),
        json!(null),
        json!([]),
        json!({}),
        json!({"metadata": null}),
        json!({"metadata": "text"}),
        json!({"metadata": []}),
        json!({"metadata": {}}),
        json!({"metadata": {"name": null}}),
        json!({"metadata": {"name": ""}}),
        json!({"metadata": {"name": ["a"]}}),
        json!({"metadata": {"name": "a", "namespace": 5}}),
    ];
    for streaming in [false, true] {
        let form = std::any::type_name::<T>();
        let (mut server, client) = ScriptedServer::new();
        let informer = Informer::builder(client).streaming_lists(streaming).build_with::<T>(kind);
        informer.start();
        let items = [&[object("a", "1")][..], &all, &[object("c", "2")]].concat();
        let watch = send(&mut server, streaming, &items).await;
        for kind in ["ADDED", "MODIFIED", "DELETED"] {
            all.iter().for_each(|object| watch.event(kind, object));
        }
        watch.event("ADDED", &object("d", "9"));
        settle(Duration::from_millis(1)).await;
        let (status, store) = (informer.status(), informer.store());
        assert_eq!((store.len(), store.resource_version().as_deref()), (3, Some("9")), "{form}");
        assert_eq!((status.malformed, status.undecodable.len()), (4 * all.len() as u64, 0), "{form}");
        assert_eq!((status.lists, status.watches, status.restarts), (1, 1, 0), "{form}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_form_of_object_skips_malformed_metadata() {
    skips::<ConfigMap>(&()).await;
    skips::<Packed<ConfigMap>>(&()).await;
    skips::<View>(&()).await;
    skips::<PartialObjectMeta<ConfigMap>>(&()).await;
    skips::<DynamicObject>(&ApiResource::erase::<ConfigMap>(&())).await;
}

#[tokio::test(start_paused = true)]
async fn a_malformed_bookmark_does_not_end_its_watch() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    server.next().await.list("5", &[object("a", "1")]);
    let watch = server.next().await.watch();
    for metadata in
        [json!(null), json!({}), json!({"resourceVersion": 8}), json!({"name": "a", "resourceVersion": 8})]
    {
        watch.event("BOOKMARK", &json!({"kind": "ConfigMap", "metadata": metadata}));
    }
    watch.bookmark("7");
    settle(Duration::from_millis(1)).await;
    let (status, store) = (informer.status(), informer.store());
    assert_eq!((status.malformed, status.watches, status.restarts, status.events), (4, 1, 0, 0));
    assert_eq!((store.len(), store.resource_version().as_deref()), (1, Some("7")));
    assert!(status.undecodable.is_empty(), "a bookmark is no object");
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_whose_last_bookmark_is_malformed_becomes_a_plain_list() {
    let (mut server, client) = ScriptedServer::new();
    let informer = Informer::builder(client).build::<ConfigMap>();
    informer.start();
    let watch = server.next().await.watch();
    watch.event("ADDED", &object("a", "1"));
    let annotations = json!({"k8s.io/initial-events-end": "true"});
    watch.event("BOOKMARK", &json!({"metadata": {"resourceVersion": 5, "annotations": annotations}}));
    server.expect("LIST /api/v1/configmaps limit=500").await.list("5", &[object("a", "1")]);
    assert!(informer.wait_for_sync().await);
}

#[tokio::test(start_paused = true)]
async fn an_error_event_that_cannot_be_read_ends_its_watch() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    server.next().await.list("5", &[]);
    server.next().await.watch().event("ERROR", &json!({"code": "410"}));
    server.expect("LIST /api/v1/configmaps resourceVersion=5 resourceVersionMatch=NotOlderThan").await;
    let error = informer.status().last_error.expect("an error");
    assert!(error.to_string().contains("its status cannot be read: invalid type: string"), "{error}");
    assert_eq!(informer.status().malformed, 0);
}

/// Otherwise each resumed watch begins with the same event, and its version may be too old before another one comes.
#[tokio::test(start_paused = true)]
async fn a_watch_is_resumed_behind_a_malformed_event() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    server.next().await.list("5", &[]);
    let watch = server.next().await.watch();
    watch.event("ADDED", &json!({"metadata": {"name": 5, "resourceVersion": "8"}}));
    watch.event("ADDED", &json!({"metadata": {"name": 5, "resourceVersion": "6"}}));
    watch.event("ADDED", &json!({"metadata": {"name": 5, "resourceVersion": "nonsense"}}));
    settle(Duration::from_secs(2)).await;
    assert_eq!(informer.store().resource_version().as_deref(), Some("8"), "it never goes back");
    drop(watch);
    server.expect("WATCH /api/v1/configmaps resourceVersion=8").await;
}

#[tokio::test(start_paused = true)]
async fn a_server_of_malformed_objects_does_not_fill_the_log() {
    let (warnings, _guard) = Log::warnings();
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    let nameless = |number: usize| json!({"metadata": {"uid": number.to_string()}});
    let mut watch = None;
    for _ in 0..2 {
        let items: Vec<_> = (0..150).map(nameless).collect();
        drop(watch.take());
        server.next().await.list("5", &items);
        let next = server.next().await.watch();
        next.event("ERROR", &failure(410, "Expired"));
        watch = Some(next);
    }
    settle(Duration::from_millis(1)).await;
    let warnings = warnings.take();
    assert_eq!((warnings.len(), informer.status().malformed), (100, 300));
    let says_so: Vec<_> = warnings.iter().map(|line| line.contains("only counted from here on")).collect();
    assert!(says_so[99] && !says_so[98], "the last one says that it is: {:?}", warnings.last());
}
