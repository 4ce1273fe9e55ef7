//! [`Site`]: a namespace of its own on the server in question, and the requests that a case makes there.

use crate::answer::{Answer, Mismatch};
use crate::events::Events;
use crate::request::Call;
use bytes::Bytes;
use http::Method;
use kube_client::Client;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

/// How long a controller may take over something that a case waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The patch types, by the names of their content types.
pub(crate) const JSON: &str = "application/json-patch+json";
pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(crate) const APPLY: &str = "application/apply-patch+yaml";

/// One case's place on a server.
///
/// A path that begins with a slash is taken as it is. Others are paths of the case's namespace:
/// `configmaps/a` in the core group, `apps/v1/deployments/a` in another one.
#[derive(Clone, Debug)]
pub(crate) struct Site(Arc<Inner>);

struct Inner {
    client: Client,
    namespace: String,
    /// Paths of what lies outside the namespace and is deleted at the end.
    leftovers: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl Site {
    /// Makes the namespace.
    pub(crate) async fn open(client: Client, namespace: String) -> Result<Self, Mismatch> {
        let site = Self(Arc::new(Inner { client, namespace, leftovers: Mutex::default() }));
        let body = json!({"metadata": {"name": site.namespace()}});
        site.post("/api/v1/namespaces", body).await?.code(201)?;
        Ok(site)
    }

    /// Deletes what the case has made, without waiting for it to be gone.
    pub(crate) async fn close(&self) -> Result<(), Mismatch> {
        for path in self.0.leftovers.lock().await.drain(..).rev() {
            self.delete(&path).await?;
        }
        self.delete(&format!("/api/v1/namespaces/{}", self.namespace())).await?;
        Ok(())
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// A client of the kind that programs use.
    pub(crate) fn client(&self) -> Client {
        self.0.client.clone()
    }

    /// A name for something outside the namespace that no other case uses.
    pub(crate) fn unique(&self, name: &str) -> String {
        format!("{}-{name}", self.namespace())
    }

    /// Has `path` deleted when the case has ended.
    pub(crate) async fn leave(&self, path: impl Into<String>) {
        self.0.leftovers.lock().await.push(path.into());
    }

    /// The path as the server knows it.
    pub(crate) fn path(&self, path: &str) -> String {
        if path.starts_with('/') {
            return path.to_owned();
        }
        let namespace = self.namespace();
        let mut segments = path.splitn(3, '/');
        match (segments.next(), segments.next(), segments.next()) {
            (Some(group), Some(version), Some(rest)) if is_version(version) => {
                format!("/apis/{group}/{version}/namespaces/{namespace}/{rest}")
            }
            _ => format!("/api/v1/namespaces/{namespace}/{path}"),
        }
    }

    /// A request to be filled in.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.0.client.clone(), method, self.path(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Mismatch> {
        self.call(Method::GET, path).send().await
    }

    /// Reads in the form that `accept` asks for.
    pub(crate) async fn get_as(&self, accept: &str, path: &str) -> Result<Answer, Mismatch> {
        self.call(Method::GET, path).accept(accept).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Answer, Mismatch> {
        self.call(Method::POST, path).json(&body).send().await
    }

    /// Posts a body that may be anything.
    pub(crate) async fn post_as(
        &self,
        content_type: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Answer, Mismatch> {
        self.call(Method::POST, path).body(content_type, body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Result<Answer, Mismatch> {
        self.call(Method::PUT, path).json(&body).send().await
    }

    pub(crate) async fn patch(&self, form: &str, path: &str, body: Value) -> Result<Answer, Mismatch> {
        self.call(Method::PATCH, path).json(&body).header("content-type", form).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Answer, Mismatch> {
        self.call(Method::DELETE, path).send().await
    }

    pub(crate) async fn delete_with(&self, path: &str, options: Value) -> Result<Answer, Mismatch> {
        self.call(Method::DELETE, path).json(&options).send().await
    }

    /// Creates something that the case needs.
    pub(crate) async fn create(&self, path: &str, body: Value) -> Result<Answer, Mismatch> {
        self.post(path, body).await?.code(201)
    }

    /// Creates something outside the namespace, and has it deleted at the end.
    pub(crate) async fn create_global(&self, path: &str, body: Value) -> Result<Answer, Mismatch> {
        let created = self.create(path, body).await?;
        self.leave(format!("{path}/{}", created.text("/metadata/name"))).await;
        Ok(created)
    }

    /// Creates Secrets with these names: no controller adds any of its own, so lists show these and no other.
    pub(crate) async fn secrets(&self, names: &[&str]) -> Result<(), Mismatch> {
        for name in names {
            self.create("secrets", json!({"metadata": {"name": name}})).await?;
        }
        Ok(())
    }

    /// Opens a watch; `path` has its query.
    pub(crate) async fn watch(&self, path: &str) -> Result<Events, Mismatch> {
        self.call(Method::GET, path).watch().await
    }

    /// Opens a watch of a collection, for what happens after a version; `path` may have a query.
    pub(crate) async fn watch_after(&self, version: &str, path: &str) -> Result<Events, Mismatch> {
        let separator = if path.contains('?') { '&' } else { '?' };
        self.watch(&format!("{path}{separator}watch=true&resourceVersion={version}")).await
    }

    /// Creates one object after the other until one is as it should be, for
    /// what a server follows in its own time.
    pub(crate) async fn eventually_made(
        &self,
        path: &str,
        body: impl Fn(u32) -> Value,
        holds: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, Mismatch> {
        let deadline = Instant::now() + PATIENCE;
        let mut number = 0;
        loop {
            let answer = self.post(path, body(number)).await?;
            if holds(&answer) {
                return Ok(answer);
            }
            if Instant::now() >= deadline {
                return answer.check(false, format!("another object within {PATIENCE:?}"));
            }
            number += 1;
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until an object exists.
    pub(crate) async fn until_found(&self, path: &str, expected: &str) -> Result<Answer, Mismatch> {
        self.eventually(path, |answer| answer.status == 200, expected).await
    }

    /// Waits until an object does not exist any longer.
    pub(crate) async fn until_gone(&self, path: &str) -> Result<Answer, Mismatch> {
        self.eventually(path, |answer| answer.status == 404, "404").await
    }

    /// Asks again until the answer is as it should be, for what controllers do in their own time.
    pub(crate) async fn eventually(
        &self,
        path: &str,
        holds: impl Fn(&Answer) -> bool,
        expected: &str,
    ) -> Result<Answer, Mismatch> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await?;
            if holds(&answer) {
                return Ok(answer);
            }
            if Instant::now() >= deadline {
                return answer.check(false, format!("{expected} within {PATIENCE:?}"));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// `v1`, `v1beta1`, …
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::is_version;

    #[test]
    fn the_second_segment_tells_a_group_from_a_resource() {
        assert!(is_version("v1") && is_version("v2beta1"));
        assert!(!is_version("vote") && !is_version("status") && !is_version("v"));
    }
}
