//! The Deployments of the hand-over: their limits, their templates, and how far a rollout has come.

use crate::servers::Failure;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kube_client::Client;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The namespace of everything.
pub(super) const NAMESPACE: &str = "hand-over";
/// The time that a rollout may take.
const TIMEOUT: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(100);

/// The limits of a Deployment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) name: &'static str,
    pub(super) desired: usize,
    pub(super) surge: usize,
    pub(super) unavailable: usize,
}

/// Upstream's defaults (25 % each), a surge alone, none at all, half of all, and a larger one.
pub(super) const ALL: [Limits; 5] = [
    Limits { name: "quarter", desired: 10, surge: 3, unavailable: 2 },
    Limits { name: "surge", desired: 10, surge: 1, unavailable: 0 },
    Limits { name: "in-place", desired: 10, surge: 0, unavailable: 1 },
    Limits { name: "half", desired: 10, surge: 5, unavailable: 5 },
    Limits { name: "large", desired: 20, surge: 4, unavailable: 2 },
];

/// The number of Pods of all Deployments.
pub(super) fn total() -> usize {
    ALL.iter().map(|limits| limits.desired).sum()
}

impl Limits {
    pub(super) fn most(&self) -> usize {
        self.desired + self.surge
    }

    pub(super) fn least(&self) -> usize {
        self.desired - self.unavailable
    }

    fn manifest(&self, image: &str) -> Value {
        let rolling = json!({"maxSurge": self.surge, "maxUnavailable": self.unavailable});
        json!({
            "metadata": {"name": self.name},
            "spec": {
                "replicas": self.desired,
                "selector": {"matchLabels": {"app": self.name}},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
                "template": template(self.name, image),
            },
        })
    }
}

/// Many equal Deployments, for measurements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fleet {
    pub(super) deployments: usize,
    pub(super) pods: usize,
}

/// Requests of the user at the same time.
const CONCURRENCY: usize = 8;

impl Fleet {
    fn names(self) -> impl Iterator<Item = String> {
        (0..self.deployments).map(|number| format!("app-{number}"))
    }

    /// Creates the Deployments, with upstream's default strategy.
    pub(super) async fn create(self, user: &User, image: &str) -> Result<(), Failure> {
        let create = |name: String| async move {
            let spec = json!({
                "replicas": self.pods,
                "selector": {"matchLabels": {"app": name}},
                "template": template(&name, image),
            });
            let deployment = json!({"metadata": {"name": name}, "spec": spec});
            user.send("POST", &deployments(""), &deployment).await.map(drop)
        };
        stream::iter(self.names()).map(create).buffer_unordered(CONCURRENCY).try_collect().await
    }

    /// Gives all Deployments another image.
    pub(super) async fn roll_out(self, user: &User, image: &str) -> Result<(), Failure> {
        let patch = |name: String| async move {
            let patch = json!({"spec": {"template": template(&name, image)}});
            user.send("PATCH", &deployments(&format!("/{name}")), &patch).await.map(drop)
        };
        stream::iter(self.names()).map(patch).buffer_unordered(CONCURRENCY).try_collect().await
    }
}

fn deployments(name: &str) -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments{name}")
}

fn template(app: &str, image: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": app, "image": image}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": image}]},
    })
}

/// The requests of the user.
pub(super) struct User(pub(super) Client);

impl User {
    async fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        let content = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let request = http::Request::builder().method(method).uri(path).header("content-type", content);
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        Ok(self.0.request(request.body(body)?).await?)
    }

    /// Creates the namespace.
    pub(super) async fn create_namespace(&self) -> Result<(), Failure> {
        let namespace = json!({"metadata": {"name": NAMESPACE}});
        self.send("POST", "/api/v1/namespaces", &namespace).await.map(drop)
    }

    /// Creates all Deployments with this image.
    pub(super) async fn create_all(&self, image: &str) -> Result<(), Failure> {
        for limits in &ALL {
            self.send("POST", &deployments(""), &limits.manifest(image)).await?;
        }
        Ok(())
    }

    /// Gives all Deployments another image; returns the version of the first.
    pub(super) async fn roll_out(&self, image: &str) -> Result<u64, Failure> {
        let mut first = u64::MAX;
        for limits in &ALL {
            let path = deployments(&format!("/{}", limits.name));
            let patch = json!({"spec": {"template": template(limits.name, image)}});
            first = first.min(version(&self.send("PATCH", &path, &patch).await?));
        }
        Ok(first)
    }

    /// Waits until at least this many Pods of the image are ready; returns their number.
    pub(super) async fn ready(&self, image: &str, least: usize) -> Result<usize, Failure> {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=image%3D{image}");
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let pods = self.send("GET", &path, &Value::Null).await?;
            let is_ready = |pod: &&Value| {
                let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
                conditions.any(|one| one["type"] == "Ready" && one["status"] == "True")
            };
            let ready = pods["items"].as_array().into_iter().flatten().filter(is_ready).count();
            if ready >= least {
                return Ok(ready);
            }
            if Instant::now() >= deadline {
                return Err(format!("after {TIMEOUT:?}, {ready} of {least} Pods of {image} are ready").into());
            }
            sleep(POLL).await;
        }
    }

    /// Waits until there is a Pod of the image.
    pub(super) async fn created(&self, image: &str) -> Result<(), Failure> {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=image%3D{image}&limit=1");
        let deadline = Instant::now() + TIMEOUT;
        while self.send("GET", &path, &Value::Null).await?["items"].as_array().is_none_or(Vec::is_empty) {
            if Instant::now() >= deadline {
                return Err(format!("after {TIMEOUT:?}, there is no Pod of {image}").into());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Waits until every Deployment says that it is rolled out; returns the version at that time.
    pub(super) async fn complete(&self) -> Result<u64, Failure> {
        let path = deployments("");
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let begun = Instant::now();
            let list = self.send("GET", &path, &Value::Null).await?;
            let took = begun.elapsed();
            let mut all = list["items"].as_array().into_iter().flatten();
            let Some(late) = all.find(|one| !is_complete(one)) else { return Ok(version(&list)) };
            if Instant::now() >= deadline {
                let (name, status) = (&late["metadata"]["name"], &late["status"]);
                return Err(format!("after {TIMEOUT:?}, {name} is not rolled out: {status}").into());
            }
            sleep(POLL.max(took * 5)).await; // a long list costs the server time that the rollout needs
        }
    }

    /// Returns the revision and the wanted Pods of each set of a Deployment, by revision.
    pub(super) async fn sets(&self, limits: &Limits) -> Result<Vec<(i64, i64)>, Failure> {
        let name = limits.name;
        let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/replicasets?labelSelector=app%3D{name}");
        let list = self.send("GET", &path, &Value::Null).await?;
        let set = |set: &Value| {
            let revision = set["metadata"]["annotations"]["deployment.kubernetes.io/revision"].as_str();
            let revision = revision.and_then(|text| text.parse().ok()).unwrap_or(0);
            (revision, set["spec"]["replicas"].as_i64().unwrap_or(-1))
        };
        let mut sets: Vec<_> = list["items"].as_array().into_iter().flatten().map(set).collect();
        sets.sort_unstable();
        Ok(sets)
    }
}

fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn is_complete(deployment: &Value) -> bool {
    let (status, desired) = (&deployment["status"], &deployment["spec"]["replicas"]);
    let counts = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"];
    status["observedGeneration"] == deployment["metadata"]["generation"]
        && counts.iter().all(|count| status[count] == *desired)
}
