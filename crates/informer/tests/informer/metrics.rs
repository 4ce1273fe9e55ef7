//! The metrics of an informer with a name, as an exporter renders them.

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube_client::api::{ApiResource, DynamicObject};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use serde_json::json;
use tokio::time::{Duration, sleep};
use trimtab_cache::Packed;
use trimtab_informer::{InformerFactory, Selection, metrics};
use trimtab_test_support::{
    server::{ScriptedServer, failure},
    settle,
};

use crate::fixtures::lists;

fn object(name: &str, version: &str) -> serde_json::Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"namespace": "default", "name": name, "resourceVersion": version},
    })
}

#[tokio::test(start_paused = true)]
async fn a_scrape_shows_the_life_of_a_named_informer() {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(
            Matcher::Full(metrics::PROCESSING_LATENCY_SECONDS.into()),
            &metrics::LATENCY_BUCKETS,
        )
        .expect("there are buckets")
        .build_recorder();
    let handle = recorder.handle();
    let (mut server, client) = ScriptedServer::new();
    let informer = ::metrics::with_local_recorder(&recorder, || {
        lists(client.clone()).build::<ReplicaSet>(); // without a name, without metrics
        lists(client).name("test").build::<ReplicaSet>()
    });
    let scraped = |metric: &str| -> f64 {
        let text = handle.render();
        let labels = r#"{name="test",group="apps",version="v1",resource="replicasets"}"#;
        let series = format!("{metric}{labels} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&series));
        line.unwrap_or_else(|| panic!("{metric} is missing in:\n{text}")).parse().expect("a number")
    };
    let count_and_sum = |metric: &str| ["count", "sum"].map(|part| scraped(&format!("{metric}_{part}")));

    informer.start();
    server.next().await.fail(500, "InternalError");
    settle(Duration::from_millis(1)).await;
    assert_eq!(
        [scraped(metrics::SYNCED), scraped(metrics::FAILURES_TOTAL)],
        [0.0, 1.0],
        "it never had a list"
    );
    server.next().await.list("51234567890123456", &[object("a", "3"), object("b", "4")]);
    let watch = server.next().await.watch();
    settle(Duration::from_millis(1)).await;
    assert_eq!([scraped(metrics::LISTS_TOTAL), scraped(metrics::FAILURES_TOTAL)], [2.0, 1.0]);
    assert_eq!(scraped(metrics::SYNCED), 1.0);
    assert_eq!(count_and_sum(metrics::ITEMS_PER_LIST), [1.0, 2.0]);
    assert_eq!(count_and_sum(metrics::LIST_DURATION_SECONDS)[0], 1.0);
    assert_eq!(scraped(metrics::LAST_RESOURCE_VERSION), 234_567_890_123_456.0, "the last 15 digits");
    assert_eq!(scraped(metrics::WATCHES_TOTAL), 1.0);

    let mut wrong = object("wrong", "12");
    wrong["spec"] = json!("text");
    watch.event("ADDED", &object("c", "11"));
    watch.event("ADDED", &wrong);
    sleep(Duration::from_secs(3)).await;
    drop(watch);
    server.next().await.watch().event("ERROR", &failure(410, "Expired"));
    settle(Duration::from_millis(1)).await;
    assert_eq!(scraped(metrics::UNDECODABLE_OBJECTS), 1.0);
    assert_eq!(scraped(metrics::STORE_RESOURCE_VERSION), 12.0);
    assert_eq!(count_and_sum(metrics::ITEMS_PER_WATCH), [2.0, 2.0]);
    let [watches, seconds] = count_and_sum(metrics::WATCH_DURATION_SECONDS);
    assert_eq!((watches, seconds.round()), (2.0, 3.0));
    assert_eq!(scraped(metrics::SHORT_WATCHES_TOTAL), 1.0);
    assert_eq!(count_and_sum(metrics::PROCESSING_LATENCY_SECONDS)[0], 3.0, "a list and two events");

    // As soon as the store is no longer behind with an object, the gauge says so.
    let mut other = object("other", "13");
    other["spec"] = json!("text");
    server.next().await.list("20", &[wrong, other]);
    let watch = server.next().await.watch();
    settle(Duration::from_millis(1)).await;
    assert_eq!(scraped(metrics::UNDECODABLE_OBJECTS), 2.0);
    for (kind, object, left) in
        [("MODIFIED", object("wrong", "21"), 1.0), ("DELETED", object("other", "22"), 0.0)]
    {
        watch.event(kind, &object);
        settle(Duration::from_millis(1)).await;
        assert_eq!(scraped(metrics::UNDECODABLE_OBJECTS), left, "{kind}");
    }
}

/// Informers of one kind in a factory are told apart by their form and selection.
#[tokio::test]
async fn two_informers_of_one_kind_in_a_factory_share_no_series() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let (_server, client) = ScriptedServer::new();
    let factory = InformerFactory::builder(client).name("web").namespace("shop").build();
    ::metrics::with_local_recorder(&recorder, || {
        factory.informer::<ReplicaSet>();
        factory.informer::<Packed<ReplicaSet>>();
        factory.informer_with::<DynamicObject>(&ApiResource::erase::<ReplicaSet>(&()));
        let labels = "app=web".parse().expect("a selector");
        factory.selected::<ReplicaSet>(Selection::all().namespace("shop").labels(labels));
        factory.selected::<ReplicaSet>(Selection::all());
        factory.informer::<ReplicaSet>(); // the first one
    });
    let text = handle.render();
    let series = text.lines().filter_map(|line| line.strip_prefix("reflector_last_resource_version{name=\""));
    let mut names: Vec<_> = series.filter_map(|line| line.split('"').next()).collect();
    names.sort_unstable();
    let expected =
        ["web", "web/DynamicObject", "web/Packed<ReplicaSet>", "web/all namespaces", "web/app=web"];
    assert_eq!(names, expected, "{text}");
}
