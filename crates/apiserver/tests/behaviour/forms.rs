//! The forms in which objects are sent: metadata alone, and the tables of kubectl.

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api, Client, ResourceExt,
    api::{ListParams, PartialObjectMeta, PostParams, WatchEvent, WatchParams},
};
use serde_json::Value;
use trimtab_apiserver::ApiServer;

use crate::fixtures::{config_map, config_maps, request};

async fn get_as(client: &Client, accept: &str, path: &str) -> Value {
    let request = request("GET", path).header("accept", accept).body(Vec::new()).expect("the server answers");
    client.request(request).await.expect("the server answers")
}

#[tokio::test(start_paused = true)]
async fn metadata_alone_is_sent_in_gets_lists_and_watches() {
    let server = ApiServer::start();
    let client = server.client();
    let created = config_maps(&client).create(&PostParams::default(), &config_map("one")).await.unwrap();
    let metadata: Api<PartialObjectMeta<ConfigMap>> = Api::default_namespaced(client);
    assert_eq!(metadata.get_metadata("one").await.unwrap().metadata, created.metadata);
    let list = metadata.list_metadata(&ListParams::default()).await.unwrap();
    assert_eq!(list.items[0].uid(), created.uid());
    assert_eq!(list.types.kind, "PartialObjectMetadataList");
    let mut stream =
        Box::pin(metadata.watch_metadata(&WatchParams::default().disable_bookmarks(), "0").await.unwrap());
    let Some(Ok(WatchEvent::Added(object))) = stream.next().await else { panic!("expected an object") };
    assert_eq!(object.metadata, created.metadata);
}

#[tokio::test(start_paused = true)]
async fn tables_have_a_row_for_each_object_and_the_version_of_the_list() {
    let server = ApiServer::start();
    let client = server.client();
    config_maps(&client).create(&PostParams::default(), &config_map("one")).await.unwrap();
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    let table = get_as(&client, accept, "/api/v1/namespaces/default/configmaps?limit=500").await;
    assert_eq!((&table["kind"], &table["apiVersion"]), (&"Table".into(), &"meta.k8s.io/v1".into()));
    assert_eq!(table["metadata"]["resourceVersion"], server.resource_version().to_string());
    assert_eq!(table["rows"][0]["cells"][0], "one");
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let one = get_as(&client, accept, "/api/v1/namespaces/default/configmaps/one?includeObject=Object").await;
    assert_eq!(one["rows"][0]["object"]["data"]["key"], "value");
}

/// One store serves every version of a kind.
#[tokio::test(start_paused = true)]
async fn an_object_is_shown_in_the_version_that_is_asked_for() {
    let server = ApiServer::start();
    let client = server.client();
    let event = serde_json::json!({
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web"},
    });
    let path = "/api/v1/namespaces/default/events";
    crate::fixtures::send_json(&client, "POST", path, &event).await.unwrap();
    let core = get_as(&client, "application/json", "/api/v1/namespaces/default/events/e").await;
    let events =
        get_as(&client, "application/json", "/apis/events.k8s.io/v1/namespaces/default/events").await;
    assert_eq!(core["apiVersion"], "v1");
    assert_eq!(events["apiVersion"], "events.k8s.io/v1");
    assert_eq!(events["items"][0]["regarding"]["name"], "web");
    assert_eq!(events["items"][0].get("apiVersion"), None, "items do not repeat it");
    assert_eq!(events["items"][0]["metadata"]["uid"], core["metadata"]["uid"]);
}
