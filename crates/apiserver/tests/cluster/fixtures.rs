//! Short ways to say what the tests do: objects are JSON, paths are paths.

use std::time::Duration;

use http::{Method, Request};
use kube_client::{Client, Error};
use serde_json::{Value, json};
use tokio::time::timeout;
use trimtab_apiserver::{ApiServer, ChangeKind, Commit, Commits};

/// Sends a request and returns the JSON that it is answered with, whatever its code.
pub(crate) async fn send(client: &Client, method: Method, path: &str, body: Option<Value>) -> Value {
    let content_type =
        if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
    let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    let request = Request::builder().method(method).uri(path).header("content-type", content_type);
    match client.request(request.body(body).expect("a request")).await {
        Ok(answer) => answer,
        Err(Error::Api(status)) => serde_json::to_value(status).expect("a status"),
        Err(error) => panic!("{path}: {error}"),
    }
}

pub(crate) async fn get(client: &Client, path: &str) -> Value {
    send(client, Method::GET, path, None).await
}

/// Creates `object` in the collection at `path`.
pub(crate) async fn create(client: &Client, path: &str, object: Value) -> Value {
    let created = send(client, Method::POST, path, Some(object)).await;
    assert!(created["metadata"]["uid"].is_string(), "{created}");
    created
}

/// Deletes what is at `path`, with a propagation policy.
pub(crate) async fn delete(client: &Client, path: &str, policy: &str) -> Value {
    send(client, Method::DELETE, path, Some(json!({ "propagationPolicy": policy }))).await
}

pub(crate) async fn patch(client: &Client, path: &str, patch: Value) -> Value {
    send(client, Method::PATCH, path, Some(patch)).await
}

/// The names in the collection at `path`.
pub(crate) async fn names(client: &Client, path: &str) -> Vec<String> {
    let list = get(client, path).await;
    let items = list["items"].as_array().expect("a list");
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

/// A ConfigMap with owners; `!` before an owner's UID says that its deletion is blocked.
pub(crate) fn config_map(name: &str, owners: &[&Value]) -> Value {
    let references: Vec<Value> = owners.iter().map(|owner| reference(owner, false)).collect();
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "ownerReferences": references},
    })
}

/// A reference to `owner`.
pub(crate) fn reference(owner: &Value, block: bool) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "blockOwnerDeletion": block,
    })
}

pub(crate) fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "web:1"}]},
    })
}

/// Long enough for every controller to have nothing left to do.
pub(crate) const IDLE: Duration = Duration::from_secs(600);

/// The commits up to the one that `is_last`.
pub(crate) async fn until(commits: &mut Commits, is_last: impl Fn(&Commit) -> bool) -> Vec<Commit> {
    let mut seen = Vec::new();
    timeout(Duration::from_secs(3600), async {
        loop {
            let commit = commits.next().await.expect("the server runs");
            let last = is_last(&commit);
            seen.push(commit);
            if last {
                return;
            }
        }
    })
    .await
    .expect("the commit that was waited for");
    seen
}

/// The commits that deleted something, as `resource/name`, in order.
pub(crate) fn deleted(commits: &[Commit]) -> Vec<String> {
    let gone = commits.iter().filter(|commit| commit.change == ChangeKind::Deleted);
    gone.map(|commit| format!("{}/{}", commit.resource, commit.name)).collect()
}

/// A server and a client to it.
pub(crate) fn server() -> (ApiServer, Client) {
    let server = ApiServer::start();
    let client = server.client();
    (server, client)
}
