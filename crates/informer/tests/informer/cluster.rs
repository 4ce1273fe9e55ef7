//! Informers with the API server of `trimtab-apiserver`: writes reach handlers despite faults of the watch.

use std::sync::Arc;

use k8s_openapi::{
    api::core::v1::ConfigMap, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube_client::{
    Api,
    api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams},
};
use parking_lot::Mutex;
use serde_json::json;
use tokio::time::{Duration, sleep};
use trimtab_apiserver::{ApiServer, Filter};
use trimtab_cache::{Change, Metadata, Object, ObjectKey};
use trimtab_informer::{Informer, Phase, Selection};

/// A server with some objects, and an informer of those with the label `app=web`.
struct Cluster {
    server: ApiServer,
    maps: Api<ConfigMap>,
    informer: Informer<ConfigMap>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Cluster {
    async fn new() -> Self {
        let server = ApiServer::start();
        let maps = Api::default_namespaced(server.client());
        let selection = Selection::all().labels("app=web".parse().expect("a selector"));
        let informer =
            Informer::builder(server.client_as("informer")).selection(selection).page_size(3).build();
        let told = Arc::new(Mutex::new(Vec::new()));
        let log = told.clone();
        informer.on_change(move |event: &trimtab_informer::Event<ConfigMap>| {
            log.lock().push(match &event.change {
                Change::Deleted(last) if last.final_state_unknown => format!("{event:?}?"),
                _ => format!("{event:?}"),
            });
        });
        Self { server, maps, informer, told }
    }

    async fn create(&self, name: &str) {
        let map = json!({"metadata": {"name": name, "labels": {"app": "web"}}, "data": {"round": "0"}});
        let map = serde_json::from_value(map).expect("a ConfigMap");
        self.maps.create(&PostParams::default(), &map).await.expect("created");
    }

    async fn patch(&self, name: &str, patch: serde_json::Value) {
        self.maps.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("patched");
    }

    async fn delete(&self, name: &str) {
        self.maps.delete(name, &DeleteParams::default()).await.expect("deleted");
    }

    async fn told(&self) -> Vec<String> {
        sleep(Duration::from_secs(5)).await;
        std::mem::take(&mut self.told.lock())
    }
}

/// FA-T1, FA-T2.
#[tokio::test(start_paused = true)]
async fn what_is_written_reaches_handlers() {
    let cluster = Cluster::new().await;
    for number in 0..7 {
        cluster.create(&format!("o{number}")).await;
    }
    cluster.informer.start();
    let told = cluster.told().await;
    assert_eq!(told.len(), 7);
    assert_eq!(told[0], "added default/o0 (initial)");

    cluster.create("a").await;
    cluster.patch("a", json!({"data": {"round": "1"}})).await;
    cluster.patch("o1", json!({"metadata": {"labels": {"app": "db"}}})).await; // leaves the selection
    cluster.delete("a").await;
    assert_eq!(
        cluster.told().await,
        ["added default/a", "updated default/a", "deleted default/o1", "deleted default/a"]
    );
    let store = cluster.informer.store();
    assert_eq!(store.len(), 6);
    assert_eq!(store.resource_version(), Some(cluster.server.resource_version().to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_cut_watch_costs_no_event() {
    let cluster = Cluster::new().await;
    cluster.informer.start();
    cluster.told().await;
    for round in 0..5 {
        let name = format!("o{round}");
        cluster.create(&name).await;
        assert_eq!(cluster.server.faults().cut_watches(&Filter::any().user_agent("informer")), 1);
        cluster.patch(&name, json!({"data": {"round": "1"}})).await;
        assert_eq!(
            cluster.told().await,
            [format!("added default/{name}"), format!("updated default/{name}")]
        );
        sleep(Duration::from_secs(180)).await; // healthy for long enough to be forgiven
    }
    assert_eq!((cluster.informer.status().lists, cluster.informer.status().restarts), (1, 5));
}

/// client-go once leaked objects that a relist no longer had (kubernetes#115620), and hid the changes of a relist from
/// handlers without a resync (kubernetes#86015).
#[tokio::test(start_paused = true)]
async fn what_was_deleted_behind_a_compaction_is_told_after_the_relist() {
    let cluster = Cluster::new().await;
    for name in ["gone", "reborn", "same"] {
        cluster.create(name).await;
    }
    cluster.informer.start();
    cluster.told().await;
    let reborn = cluster.informer.store().get(&ObjectKey::namespaced("default", "reborn")).expect("there");
    cluster.server.faults().cut_watches(&Filter::any());
    cluster.delete("gone").await;
    cluster.delete("reborn").await;
    cluster.create("reborn").await;
    cluster.create("new").await;
    cluster.server.faults().compact();
    assert_eq!(
        cluster.told().await,
        ["deleted default/gone?", "added default/new", "updated default/reborn"]
    );
    let status = cluster.informer.status();
    assert_eq!((status.phase, status.lists, status.objects), (Phase::Watching, 2, 3));
    let now = cluster.informer.store().get(&reborn.key()).expect("there");
    assert_ne!(now.metadata().uid(), reborn.metadata().uid(), "handlers compare UIDs");
}

#[tokio::test(start_paused = true)]
async fn a_custom_kind_is_followed_from_the_moment_it_is_served() {
    let server = ApiServer::start();
    let kind = GroupVersionKind::gvk("example.com", "v1", "Widget");
    let resource = ApiResource::from_gvk_with_plural(&kind, "widgets");
    let informer = Informer::builder(server.client()).build_with::<DynamicObject>(&resource);
    informer.start();
    sleep(Duration::from_secs(10)).await;
    assert!(matches!(informer.status().phase, Phase::NotServed { .. }), "{:?}", informer.status());

    let definition: CustomResourceDefinition = serde_json::from_value(json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    }))
    .unwrap();
    let definitions: Api<CustomResourceDefinition> = Api::all(server.client());
    definitions.create(&PostParams::default(), &definition).await.unwrap();
    let widgets: Api<DynamicObject> = Api::default_namespaced_with(server.client(), &resource);
    let widget = DynamicObject::new("one", &resource).data(json!({"spec": {"size": 3}}));
    widgets.create(&PostParams::default(), &widget).await.unwrap();
    assert!(informer.wait_for_sync().await);
    assert_eq!(informer.store().list()[0].data["spec"]["size"], 3);
}
