//! Sharing informers, and waiting for all of them. Ids such as WF-T1 name client-go's tests:
//! docs/upstream-behaviours.md.

use k8s_openapi::api::{
    apps::v1::ReplicaSet,
    core::v1::{ConfigMap, Secret},
};
use kube_client::api::{ApiResource, DynamicObject, PartialObjectMeta};
use serde::Deserialize;
use tokio::time::{Duration, Instant};
use trimtab_cache::{MetaView, Metadata, Object};
use trimtab_informer::{InformerFactory, Phase, Selection};
use trimtab_test_support::{
    server::{PendingRequest, ScriptedServer},
    settle,
};

use crate::fixtures::object;

#[derive(Debug, Deserialize)]
struct SetView {
    metadata: MetaView,
}

impl Object for SetView {
    type Kind = ReplicaSet;
    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

#[tokio::test(start_paused = true)]
async fn one_kind_form_and_selection_has_one_informer() {
    let (mut server, client) = ScriptedServer::new();
    let factory = InformerFactory::builder(client).streaming_lists(false).build();
    let (one, same) = (factory.informer::<ConfigMap>(), factory.clone().informer::<ConfigMap>());
    factory.selected::<ConfigMap>(Selection::all().namespace("x"));
    factory.informer::<SetView>();
    factory.start();
    factory.start();
    let mut asked = Vec::new();
    for _ in 0..3 {
        let call = server.next().await;
        asked.push(call.describe());
        call.list("5", &[object("a", "1")]);
    }
    asked.sort();
    let expected = [
        "LIST /api/v1/configmaps limit=500",
        "LIST /api/v1/namespaces/x/configmaps limit=500",
        "LIST /apis/apps/v1/replicasets limit=500",
    ];
    assert_eq!(asked, expected);
    factory.wait_for_sync(Duration::from_secs(1)).await.unwrap();
    assert_eq!((one.store().len(), same.store().len()), (1, 1));
    let names = r#"InformerFactory { informers: ["configmaps", "configmaps in x", "replicasets.apps (SetView)"], .. }"#;
    assert_eq!(format!("{factory:?}"), names);
}

/// WF-T2. A kind that never syncs delays no other kind, and is named. In rancher/steve#1229 one kind blocked all.
#[tokio::test(start_paused = true)]
async fn waiting_names_what_is_not_synced_and_why() {
    let (mut server, client) = ScriptedServer::new();
    let factory = InformerFactory::builder(client).namespace("x").streaming_lists(false).build();
    let config_maps = factory.informer::<ConfigMap>();
    factory.informer::<Secret>();
    factory.informer::<ReplicaSet>();
    factory.start();
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(server.next().await);
    }
    calls.sort_by_key(PendingRequest::describe);
    let mut calls = calls.into_iter();
    calls.next().unwrap().list("5", &[]); // config maps
    let _unanswered = calls.next().unwrap();
    calls.next().unwrap().fail(404, "NotFound"); // replica sets

    let before = Instant::now();
    let error = factory.wait_for_sync(Duration::from_millis(700)).await.unwrap_err();
    assert_eq!(before.elapsed(), Duration::from_millis(700));
    assert!(config_maps.has_synced());
    assert_eq!(
        error.to_string(),
        "not synced: replicasets.apps in x (waiting until the kind is served: the server refused: 404 NotFound); \
         secrets in x (listing)"
    );
    assert_eq!(format!("{error:?}"), error.to_string(), "as `main` prints it");
    assert!(matches!(error.informers()[1].status.phase, Phase::Listing));
}

/// WF-T1.
#[tokio::test(start_paused = true)]
async fn waiting_ends_as_soon_as_all_are_synced() {
    let (mut server, client) = ScriptedServer::new();
    let factory = InformerFactory::builder(client).streaming_lists(false).build();
    factory.wait_for_sync(Duration::ZERO).await.unwrap(); // nothing to wait for
    factory.informer::<ConfigMap>();
    factory.start();
    let waiting = tokio::spawn({
        let factory = factory.clone();
        async move { factory.wait_for_sync(Duration::from_secs(60)).await }
    });
    let call = server.next().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    call.list("5", &[]);
    let before = Instant::now();
    waiting.await.unwrap().unwrap();
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_before_the_start_nor_after_the_shutdown() {
    let (mut server, client) = ScriptedServer::new();
    let factory = InformerFactory::builder(client).streaming_lists(false).build();
    let early = factory.informer::<ConfigMap>();
    server.expect_silence(Duration::from_secs(100)).await;
    factory.start();
    server.next().await.list("5", &[]);
    let watch = server.next().await.watch();
    let late = factory.informer::<Secret>();
    factory.start(); // only the new one
    server.expect("LIST /api/v1/secrets limit=500").await.list("5", &[]);
    settle(Duration::from_millis(1)).await;
    let _open = server.next().await.watch();

    factory.shut_down().await;
    watch.closed().await;
    factory.shut_down().await;
    factory.start();
    server.expect_silence(Duration::from_secs(1_000)).await;
    assert_eq!([early.status().phase, late.status().phase], [Phase::Stopped, Phase::Stopped]);
}

/// WL-T14's kinds: dynamic objects, and metadata alone.
#[tokio::test(start_paused = true)]
async fn dynamic_objects_and_metadata_alone_are_forms_like_others() {
    let (mut server, client) = ScriptedServer::new();
    let factory = InformerFactory::builder(client).streaming_lists(false).build();
    let resource = ApiResource::erase::<ConfigMap>(&());
    let dynamic = factory.informer_with::<DynamicObject>(&resource);
    let metadata = factory.informer::<PartialObjectMeta<ConfigMap>>();
    factory.start();
    for _ in 0..2 {
        let call = server.expect("LIST /api/v1/configmaps limit=500").await;
        let accept = call.headers["accept"].to_str().unwrap().to_owned();
        let mut object = object("a", "1");
        if accept.contains("as=PartialObjectMetadataList;g=meta.k8s.io;v=v1") {
            object = serde_json::json!({"metadata": object["metadata"]});
        }
        call.list("5", &[object]);
    }
    factory.wait_for_sync(Duration::from_secs(1)).await.unwrap();
    assert_eq!(dynamic.store().list()[0].data["data"]["version"], "1");
    assert_eq!(metadata.store().list()[0].metadata().resource_version(), "1");
    assert_eq!(
        (dynamic.description(), metadata.description()),
        ("configmaps (DynamicObject)", "configmaps (PartialObjectMeta<ConfigMap>)")
    );
}

#[tokio::test(start_paused = true)]
async fn one_informer_is_stopped_and_started_again_while_others_go_on() {
    let (mut server, client) = ScriptedServer::new();
    let factory = InformerFactory::builder(client).streaming_lists(false).build();
    let (one, other) = (factory.informer::<ConfigMap>(), factory.informer::<Secret>());
    factory.start();
    for _ in 0..2 {
        server.next().await.list("5", &[]);
    }
    let _watches = [server.next().await.watch(), server.next().await.watch()];
    settle(Duration::from_millis(1)).await;
    one.stop().await;
    assert_eq!([one.status().phase, other.status().phase], [Phase::Stopped, Phase::Watching]);
    server.expect_silence(Duration::from_secs(50)).await;
    factory.start();
    let query = "resourceVersion=5 resourceVersionMatch=NotOlderThan";
    server.expect(&format!("LIST /api/v1/configmaps {query}")).await.list("6", &[]);
    let _watch = server.next().await.watch();
}

#[tokio::test(start_paused = true)]
async fn an_informer_that_nobody_uses_stops_if_asked_to() {
    let (mut server, client) = ScriptedServer::new();
    let factory = InformerFactory::builder(client).streaming_lists(false).stop_unused(true).build();
    let (one, same) = (factory.informer::<ConfigMap>(), factory.informer::<ConfigMap>());
    factory.start();
    server.next().await.list("5", &[object("a", "1")]);
    let watch = server.next().await.watch();
    assert!(one.wait_for_sync().await);
    drop(one);
    watch.bookmark("6");
    settle(Duration::from_millis(1)).await;
    assert_eq!(same.status().phase, Phase::Watching, "the second user is still there");
    drop(same);
    watch.closed().await;
    assert_eq!(format!("{factory:?}"), "InformerFactory { informers: [], .. }");
    let new = factory.informer::<ConfigMap>();
    assert!(new.store().is_empty() && !new.has_synced());
    factory.start();
    server.expect("LIST /api/v1/configmaps limit=500").await;
}
