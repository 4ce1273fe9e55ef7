//! Discovery as clients make it.

use http::{HeaderMap, Request};
use serde_json::{Value, json};

use crate::fixtures::{get, server};

#[tokio::test]
async fn a_client_finds_every_kind_by_going_from_document_to_document() {
    let (_server, client) = server();
    let groups = client.list_api_groups().await.unwrap();
    assert_eq!(groups.groups[0].name, "apiregistration.k8s.io");
    let mut served = 0;
    for group in &groups.groups {
        for version in &group.versions {
            let resources = client.list_api_group_resources(&version.group_version).await.unwrap();
            assert_eq!(resources.group_version, version.group_version);
            served += resources.resources.len();
        }
    }
    assert!(served > 30, "{served}");
    let core = client.list_core_api_resources("v1").await.unwrap();
    let pods = core.resources.iter().find(|resource| resource.name == "pods").unwrap();
    assert!(pods.namespaced && pods.verbs.contains(&"watch".to_owned()));
    assert_eq!(client.apiserver_version().await.unwrap().git_version, "v1.36.3");
}

#[tokio::test]
async fn kube_s_own_aggregated_discovery_understands_the_server() {
    let (_server, client) = server();
    let groups = client.list_api_groups_aggregated().await.unwrap();
    let apps =
        groups.items.iter().find(|group| group.metadata.as_ref().unwrap().name.as_deref() == Some("apps"));
    assert!(
        apps.unwrap().versions[0]
            .resources
            .iter()
            .any(|kind| kind.resource.as_deref() == Some("replicasets"))
    );
}

#[tokio::test]
async fn every_discovered_collection_can_be_listed() {
    let (_server, client) = server();
    let groups = client.list_api_groups().await.unwrap().groups;
    let versions = groups.iter().flat_map(|group| &group.versions);
    let roots = versions.map(|version| format!("/apis/{}", version.group_version));
    for root in roots.chain(["/api/v1".to_owned()]) {
        let resources = get(&client, &root).await;
        for resource in resources["resources"].as_array().expect("resources") {
            let verbs = resource["verbs"].as_array().expect("verbs");
            if verbs.iter().any(|verb| verb == "list") {
                let list = get(&client, &format!("{root}/{}", resource["name"].as_str().unwrap())).await;
                assert_eq!(list["kind"], format!("{}List", resource["kind"].as_str().unwrap()));
            }
        }
    }
}

async fn text(path: &str, headers: HeaderMap) -> Result<String, kube_client::Error> {
    let (_server, client) = server();
    let mut request = Request::get(path).body(Vec::new()).expect("a request");
    *request.headers_mut() = headers;
    client.request_text(request).await
}

#[tokio::test]
async fn health_version_and_openapi_are_answered() {
    assert_eq!(text("/readyz", HeaderMap::new()).await.unwrap(), "ok");
    let index: Value = serde_json::from_str(&text("/openapi/v3", HeaderMap::new()).await.unwrap()).unwrap();
    let url = index["paths"]["api/v1"]["serverRelativeURL"].as_str().unwrap().to_owned();
    let document: Value = serde_json::from_str(&text(&url, HeaderMap::new()).await.unwrap()).unwrap();
    assert_eq!(document["openapi"], json!("3.0.0"));
}

#[tokio::test]
async fn a_path_below_no_served_group_is_not_found() {
    for path in ["/nope", "/apis/nope.io/v1/things"] {
        let error = text(path, HeaderMap::new()).await.unwrap_err();
        assert!(matches!(&error, kube_client::Error::Api(status) if status.code == 404), "{path}: {error}");
    }
    let (_server, client) = server();
    let status = get(&client, "/apis/apps/v1/nopes").await;
    assert_eq!((&status["code"], &status["reason"]), (&json!(404), &json!("NotFound")));
}
