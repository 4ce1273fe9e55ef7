//! The few requests that controllers make, on JSON of any kind. Apart from the controllers, because
//! all of them read the same answers the same way: what is not there is `None`, no error.

use http::{Method, Request};
use kube_client::{Client, Error};
use serde_json::{Value, json};

/// A client as controllers use it.
#[derive(Clone)]
pub(crate) struct Requests(Client);

impl Requests {
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }

    /// Reads what is at `path`.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Value>, Error> {
        self.send(Method::GET, path, "application/json", None).await
    }

    /// Makes `object` in the collection at `path`, unless it is there already.
    pub(crate) async fn post(&self, path: &str, object: Value) -> Result<Option<Value>, Error> {
        match self.send(Method::POST, path, "application/json", Some(object)).await {
            Err(Error::Api(status)) if status.code == 409 => Ok(None),
            other => other,
        }
    }

    /// Deletes the object at `path` if it still has this UID and this resource version.
    pub(crate) async fn delete(
        &self,
        path: &str,
        object: &Value,
        policy: &str,
    ) -> Result<Option<Value>, Error> {
        let metadata = &object["metadata"];
        let options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]},
            "propagationPolicy": policy,
        });
        self.send(Method::DELETE, path, "application/json", Some(options)).await
    }

    /// Deletes every object of the collection at `path`.
    pub(crate) async fn delete_collection(&self, path: &str) -> Result<Option<Value>, Error> {
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
        self.send(Method::DELETE, path, "application/json", Some(options)).await
    }

    /// Merges `patch` into the object at `path`.
    pub(crate) async fn merge(&self, path: &str, patch: Value) -> Result<Option<Value>, Error> {
        self.send(Method::PATCH, path, "application/merge-patch+json", Some(patch)).await
    }

    /// Replaces the object at `path`.
    pub(crate) async fn put(&self, path: &str, object: Value) -> Result<Option<Value>, Error> {
        self.send(Method::PUT, path, "application/json", Some(object)).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Option<Value>,
    ) -> Result<Option<Value>, Error> {
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, content_type)
            .body(body)
            .map_err(Error::HttpError)?;
        match self.0.request(request).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The path of an object, or of a collection if `name` is empty. An empty namespace is none.
pub(crate) fn path(api_version: &str, namespace: &str, plural: &str, name: &str) -> String {
    let root = if api_version.contains('/') { "apis" } else { "api" };
    let mut path = format!("/{root}/{api_version}");
    if !namespace.is_empty() {
        path.extend(["/namespaces/", namespace]);
    }
    path.extend(["/", plural]);
    if !name.is_empty() {
        path.extend(["/", name]);
    }
    path
}
