//! The forms of an object: whole, packed, view, metadata.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use trimtab_cache::{ManagedFields, Metadata, Object, ObjectKey, Packed};
use trimtab_informer::Informer;
use trimtab_test_support::{server::ScriptedServer, settle};

use crate::fixtures::object;

fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced("default", name)
}

fn data(map: &Packed<ConfigMap>) -> BTreeMap<String, String> {
    map.read().expect("a ConfigMap").data.clone().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn packed_objects_come_by_list_and_watch_and_read_as_whole_ones() {
    let (mut server, client) = ScriptedServer::new();
    let informer = Informer::builder(client).streaming_lists(false).build::<Packed<ConfigMap>>();
    let by_value =
        informer.add_index("version", |map: &Packed<ConfigMap>| data(map).into_values().collect::<Vec<_>>());
    informer.start();
    let mut odd = object("odd", "2");
    odd["data"] = json!("text");
    server.next().await.list("5", &[object("a", "1"), odd, object("b", "3")]);
    let watch = server.next().await.watch();
    watch.event("MODIFIED", &object("b", "6"));
    watch.event("ADDED", &object("c", "7"));
    watch.event("DELETED", &object("a", "8"));
    settle(Duration::from_millis(1)).await;

    let store = informer.store();
    assert_eq!((store.len(), store.resource_version().as_deref()), (3, Some("8")));
    assert_eq!(by_value.keys("6"), [key("b")]);
    assert!(by_value.get("1").is_empty() && by_value.get("3").is_empty());
    let held = store.get(&key("b")).unwrap();
    assert!(!held.json().contains("managedFields"), "{}", held.json());
    assert_eq!(data(&held)["version"], "6");

    // An item that is not a ConfigMap has its metadata in the store. Reading it returns an error.
    assert!(informer.status().undecodable.is_empty());
    let odd = store.get(&key("odd")).unwrap();
    assert_eq!(odd.metadata().uid(), "uid-odd");
    assert_eq!(odd.read().expect_err("data is no text").key(), &key("odd"));
}

#[tokio::test(start_paused = true)]
async fn managed_fields_are_dropped_unless_they_are_to_be_kept() {
    async fn counts<T: Object<Kind = ConfigMap> + serde::de::DeserializeOwned>(
        keep: ManagedFields,
        count: impl Fn(&T) -> usize,
    ) -> Vec<usize> {
        let (mut server, client) = ScriptedServer::new();
        let informer = Informer::builder(client).streaming_lists(false).managed_fields(keep).build::<T>();
        informer.start();
        server.next().await.list("5", &[object("a", "1")]);
        server.next().await.watch().event("ADDED", &object("b", "6"));
        settle(Duration::from_millis(1)).await;
        ["a", "b"].map(|name| count(&informer.store().get(&key(name)).unwrap())).into()
    }
    let of_whole = |map: &ConfigMap| map.metadata.managed_fields.as_ref().map_or(0, Vec::len);
    let of_packed = |map: &Packed<ConfigMap>| of_whole(&map.read().unwrap());
    assert_eq!(counts::<ConfigMap>(ManagedFields::Dropped, of_whole).await, [0, 0]);
    assert_eq!(counts::<ConfigMap>(ManagedFields::Kept, of_whole).await, [1, 1]);
    assert_eq!(counts::<Packed<ConfigMap>>(ManagedFields::Dropped, of_packed).await, [0, 0]);
    assert_eq!(counts::<Packed<ConfigMap>>(ManagedFields::Kept, of_packed).await, [1, 1]);
}
