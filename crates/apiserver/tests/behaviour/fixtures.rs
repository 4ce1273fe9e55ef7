//! The objects that the tests of this crate work with.

use http::Request;
use k8s_openapi::api::{
    apps::v1::ReplicaSet,
    core::v1::{ConfigMap, Pod},
};
use kube_client::{Api, Client, Error, core::Status};
use serde_json::{Value, json};

/// The Pods of the namespace `default`.
pub(crate) fn pods(client: &Client) -> Api<Pod> {
    Api::namespaced(client.clone(), "default")
}

/// The config maps of the namespace `default`.
pub(crate) fn config_maps(client: &Client) -> Api<ConfigMap> {
    Api::namespaced(client.clone(), "default")
}

/// A Pod with one container.
pub(crate) fn pod(name: &str) -> Pod {
    labelled_pod(name, &json!({}))
}

/// A Pod with labels.
pub(crate) fn labelled_pod(name: &str, labels: &Value) -> Pod {
    from(json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [{"name": "main", "image": "app:1"}]},
    }))
}

/// A ConfigMap with one entry.
pub(crate) fn config_map(name: &str) -> ConfigMap {
    from(json!({"metadata": {"name": name}, "data": {"key": "value"}}))
}

/// A ReplicaSet whose selector matches its template.
pub(crate) fn replica_set(name: &str) -> ReplicaSet {
    from(json!({
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "app:1"}]},
            },
        },
    }))
}

/// A typed object from JSON.
pub(crate) fn from<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the test's JSON fits the type")
}

/// The refusal of the server.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Status {
    match result {
        Err(Error::Api(status)) => *status,
        other => panic!("expected a Status, found {other:?}"),
    }
}

/// The code and the reason of a refusal.
pub(crate) fn code_and_reason<T: std::fmt::Debug>(result: Result<T, Error>) -> (u16, String) {
    let status = refusal(result);
    (status.code, status.reason)
}

/// Sends a request without a body.
pub(crate) async fn send(client: &Client, method: &str, path: &str) -> Result<Value, Error> {
    client.request(request(method, path).body(Vec::new()).expect("a valid request")).await
}

/// Sends a JSON body.
pub(crate) async fn send_json(
    client: &Client,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, Error> {
    let request = request(method, path).header("content-type", "application/json");
    client.request(request.body(body.to_string().into_bytes()).expect("a valid request")).await
}

/// The beginning of a request.
pub(crate) fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path)
}
