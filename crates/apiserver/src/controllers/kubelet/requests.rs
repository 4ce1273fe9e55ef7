//! The requests of the kubelet.

use http::{Method, Request, header};
use kube_client::{Client, Error};
use serde_json::{Value, json};

use super::{
    pods::Action,
    status,
    view::{Metadata, PodView},
};
use crate::controllers::requests::path;

/// Performs an action for a Pod.
pub(super) async fn perform(client: &Client, pod: &PodView, action: &Action) -> Result<(), Error> {
    let Metadata { namespace, name, uid, .. } = &pod.metadata;
    let path = path("v1", namespace, "pods", name);
    match action {
        Action::Bind { node } => {
            let binding = json!({
                "apiVersion": "v1",
                "kind": "Binding",
                "metadata": {"name": name, "namespace": namespace, "uid": uid},
                "target": {"apiVersion": "v1", "kind": "Node", "name": node},
            });
            send(client, Method::POST, &format!("{path}/binding"), "application/json", &binding).await
        }
        Action::Start { ip, after } => report(client, &path, uid, &status::running(pod, ip, *after)).await,
        Action::Go(step) => report(client, &path, uid, &status::after(pod, *step)).await,
        Action::Remove => {
            let options = json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "gracePeriodSeconds": 0,
                "preconditions": {"uid": uid},
            });
            send(client, Method::DELETE, &path, "application/json", &options).await
        }
    }
}

/// Reports the status of the Pod at `path`, if it still has this UID.
async fn report(client: &Client, path: &str, uid: &str, status: &Value) -> Result<(), Error> {
    let patch = json!({"metadata": {"uid": uid}, "status": status});
    send(client, Method::PATCH, &format!("{path}/status"), "application/merge-patch+json", &patch).await
}

/// Sends a request whose answer does not matter.
pub(super) async fn send(
    client: &Client,
    method: Method,
    path: &str,
    content_type: &str,
    body: &Value,
) -> Result<(), Error> {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, content_type);
    let request = request.body(body.to_string().into_bytes()).map_err(Error::HttpError)?;
    client.request_text(request).await.map(drop)
}
