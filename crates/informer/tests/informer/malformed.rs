//! Items and events with malformed metadata: they are reported and counted, and do not fail their list or watch.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use metrics_exporter_prometheus::PrometheusBuilder;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Duration;
use trimtab_informer::{Informer, InformerError, metrics};
use trimtab_test_support::{
    server::{ScriptedServer, WatchBody},
    settle,
};

use crate::fixtures::object;

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
        InformerError::Malformed { .. } => "malformed".to_owned(),
        InformerError::Undecodable { key, .. } => format!("undecodable {key}"),
        other => format!("{other:?}"),
    };
    errors.iter().map(describe).collect()
}

/// Follows a list, paged or streaming, and then a watch; both have malformed objects.
async fn follows(streaming: bool) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let (mut server, client) = ScriptedServer::new();
    let errors = Arc::new(Mutex::new(Vec::new()));
    let log = errors.clone();
    let builder = Informer::builder(client).streaming_lists(streaming).name("test");
    let builder = builder.on_error(move |_, error| log.lock().push(error.clone()));
    let informer = ::metrics::with_local_recorder(&recorder, || builder.build::<ConfigMap>());
    informer.start();
    let [nameless, unlabelled] = malformed();
    let items = [object("a", "1"), nameless.clone(), unlabelled.clone(), object("c", "2")];
    let watch: WatchBody = if streaming {
        let watch = server.next().await.watch();
        items.iter().for_each(|item| watch.event("ADDED", item));
        watch.end_of_list("5");
        watch
    } else {
        server.next().await.list("5", &items);
        server.next().await.watch()
    };
    settle(Duration::from_millis(1)).await;
    assert!(informer.has_synced());
    assert_eq!(informer.store().len(), 2, "a and c");
    let mut reported = take(&errors);
    reported.sort();
    assert_eq!(reported, ["malformed", "undecodable default/b"]);

    watch.event("ADDED", &nameless);
    watch.event("MODIFIED", &unlabelled);
    watch.event("DELETED", &nameless);
    watch.event("MODIFIED", &object("a", "9"));
    settle(Duration::from_millis(1)).await;
    assert_eq!(take(&errors), ["malformed", "undecodable default/b", "malformed"]);
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
