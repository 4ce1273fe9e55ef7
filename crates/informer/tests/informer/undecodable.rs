//! Objects with a field that cannot be decoded: their metadata stays in the store, and handlers are told of them.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube_client::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use parking_lot::Mutex;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use tokio::time::{Duration, sleep};
use trimtab_apiserver::ApiServer;
use trimtab_cache::{Index, MetaView, Metadata, Object, ObjectKey, Packed, Time};
use trimtab_informer::{Event, Informer};

/// Go reads this time; jiff's range ends a day earlier.
const NEVER: &str = "9999-12-31T23:59:59Z";

/// Pods by their JSON, because `k8s_openapi` cannot hold the time.
fn pods(client: Client) -> Api<DynamicObject> {
    Api::default_namespaced_with(client, &ApiResource::erase::<Pod>(&()))
}

async fn create(client: Client, name: &str) {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    });
    let pod = serde_json::from_value(pod).expect("a Pod");
    pods(client).create(&PostParams::default(), &pod).await.expect("created");
}

async fn set_transition(client: Client, name: &str, time: &str) {
    let condition = json!({"type": "Ready", "status": "True", "lastTransitionTime": time});
    let patch = Patch::Merge(json!({"status": {"conditions": [condition]}}));
    pods(client).patch_status(name, &PatchParams::default(), &patch).await.expect("patched");
}

/// An informer with a metadata index, and the names of the events that its handler was told.
struct Followed<T> {
    informer: Informer<T>,
    by_app: Index<T, Arc<str>>,
    told: Arc<Mutex<Vec<String>>>,
}

async fn follow<T: Object<Kind = Pod> + DeserializeOwned>(server: &ApiServer) -> Followed<T> {
    let informer = Informer::builder(server.client_as("informer")).build::<T>();
    let by_app = informer.store().add_label_index("app");
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    informer.on_change(move |event: &Event<T>| log.lock().push(format!("{event:?}")));
    informer.start();
    assert!(informer.wait_for_sync().await);
    Followed { informer, by_app, told }
}

impl<T: Object> Followed<T> {
    async fn told(&self) -> Vec<String> {
        sleep(Duration::from_secs(5)).await;
        std::mem::take(&mut self.told.lock())
    }
}

/// A Pod whose condition changed at the end of the year 9999 vanished from the informers of whole Pods that were
/// started after it, so that controllers created another one.
#[tokio::test(start_paused = true)]
async fn a_pod_with_a_time_outside_of_jiffs_range_does_not_vanish_after_a_restart() {
    let server = ApiServer::start();
    create(server.client(), "good").await;
    create(server.client(), "never").await;
    let before = follow::<Pod>(&server).await;
    before.told().await;
    set_transition(server.client(), "never", NEVER).await;
    let written = pods(server.client()).list(&ListParams::default()).await.unwrap();
    assert!(
        written.items.iter().any(|pod| pod.data["status"]["conditions"][0]["lastTransitionTime"] == NEVER)
    );
    assert_eq!(before.told().await, ["undecodable default/never"]);
    let key = ObjectKey::namespaced("default", "never");
    assert!(before.informer.store().get(&key).is_some(), "the earlier state stays");
    assert_eq!(before.by_app.count("web"), 2);
    drop(before);

    // A restart: another informer, which never sees a state that it can decode.
    let after = follow::<Pod>(&server).await;
    assert_eq!(after.told().await, ["added default/good (initial)", "undecodable default/never (initial)"]);
    let store = after.informer.store();
    assert_eq!(
        (after.by_app.count("web"), after.by_app.get("web").len(), store.undecodable().len()),
        (2, 1, 1)
    );
    let undecodable = store.get_undecodable(&key).unwrap();
    assert!(!undecodable.metadata().uid().is_empty() && !undecodable.reason().is_empty(), "{undecodable:?}");
    assert!(after.informer.status().undecodable.contains_key(&key));

    // A handler that comes later is told of it as well, and a subscription.
    let late = Arc::new(Mutex::new(Vec::new()));
    let log = late.clone();
    after.informer.on_change(move |event| log.lock().push(format!("{event:?}")));
    assert!(late.lock().contains(&"undecodable default/never (initial)".to_owned()), "{late:?}");
    let mut subscription = after.informer.subscribe();

    set_transition(server.client(), "never", "2026-01-01T00:00:00Z").await;
    assert_eq!(after.told().await, ["added default/never"]);
    assert_eq!((store.len(), store.undecodable().len(), after.by_app.count("web")), (2, 0, 2));
    let mut events = Vec::new();
    while let Some(event) = subscription.try_next() {
        events.push(format!("{event:?}"));
    }
    assert_eq!(
        events,
        ["added default/good (initial)", "added default/never"],
        "superseded events are merged"
    );

    set_transition(server.client(), "never", NEVER).await;
    pods(server.client()).delete("never", &DeleteParams::default().grace_period(0)).await.unwrap();
    let told = after.told().await;
    assert_eq!(told.first().map(String::as_str), Some("undecodable default/never"), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("deleted default/never"), "{told:?}");
    assert!(store.undecodable().is_empty() && !store.contains(&key));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_pod_that_was_never_decodable_is_told() {
    let server = ApiServer::start();
    create(server.client(), "never").await;
    set_transition(server.client(), "never", NEVER).await;
    let followed = follow::<Pod>(&server).await;
    assert_eq!(followed.told().await, ["undecodable default/never (initial)"]);
    pods(server.client()).delete("never", &DeleteParams::default().grace_period(0)).await.unwrap();
    let told = followed.told().await;
    assert_eq!(told.last().map(String::as_str), Some("deleted undecodable default/never"), "{told:?}");
    assert_eq!((followed.by_app.count("web"), followed.informer.store().undecodable().len()), (0, 0));
}

#[derive(Debug, Deserialize)]
struct PodView {
    metadata: MetaView,
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    last_transition_time: Option<Time>,
}

impl Object for PodView {
    type Kind = Pod;

    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

#[tokio::test(start_paused = true)]
async fn views_with_the_caches_time_and_packed_pods_hold_every_time() {
    let server = ApiServer::start();
    create(server.client(), "never").await;
    set_transition(server.client(), "never", NEVER).await;
    let key = ObjectKey::namespaced("default", "never");

    let views = follow::<PodView>(&server).await;
    let view = views.informer.store().get(&key).unwrap();
    let time = view.status.conditions[0].last_transition_time.unwrap();
    assert_eq!((time, time.to_string()), (NEVER.parse().unwrap(), NEVER.to_owned()));

    let packed = follow::<Packed<Pod>>(&server).await;
    let pod = packed.informer.store().get(&key).unwrap();
    pod.read().unwrap_err();
    assert_eq!(pod.read_as::<PodView>().unwrap().status.conditions.len(), 1);
}
