//! kube-controller-manager with all its controllers, ours switched off: what
//! it does with a Deployment and a namespace.

use super::cluster::Cluster;
use super::{Session, Verdict};
use crate::servers::Failure;
use kube_client::Client;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use trimtab_apiserver::ApiServer;

/// Without those that need a cloud, or act on nodes that do not report.
const CONTROLLERS: &str = "*,-node-lifecycle-controller,-taint-eviction-controller,-node-ipam-controller,\
                           -service-lb-controller,-node-route-controller,-cloud-node-lifecycle-controller";

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What in its log says that the server misbehaved.
const COMPLAINTS: &[&str] = &[
    "panic",
    "Unhandled Error",
    "unable to decode",
    "couldn't get resource list",
    "the server could not find the requested resource",
    "unsupported media type",
    "the server rejected our request",
    "failed to list",
    "Failed to watch",
    "no kind ",
    "Internal error",
    "unexpected object",
    "is forbidden",
    "event bookmark expired",
];

/// Parts of log lines that read like complaints and are none: a controller waits until its cache has its own write, or its
/// object was deleted meanwhile.
const HARMLESS: &[&str] = &["is not as new as written version", "\" not found\""];

/// A change of objects, and the path and the state by which it is known to be done.
struct Step {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    body: Value,
    watched: &'static str,
    done: fn(u16, &Value) -> bool,
}

pub(super) async fn run(kube: &Path) -> Result<Session, Failure> {
    let mut cluster = Cluster::start(ApiServer::builder().controllers(false), "controllers").await?;
    cluster.start_controllers(kube, CONTROLLERS)?;
    let mut steps = Vec::new();
    for step in script() {
        let verdict = step.run(&cluster.client()).await?;
        steps.push((step.name.to_owned(), verdict));
    }
    let log = cluster.stop_controllers()?;
    let complains = |line: &&str| {
        COMPLAINTS.iter().any(|complaint| line.contains(complaint))
            && !HARMLESS.iter().any(|harmless| line.contains(harmless))
    };
    let complaints: Vec<_> = log.lines().filter(complains).collect();
    for complaint in complaints.iter().take(20) {
        println!("FAILED kube-controller-manager logged: {complaint}");
    }
    let clean = if complaints.is_empty() { Verdict::Passed } else { Verdict::Failed };
    steps.push((format!("nothing in {} lines of its log", log.lines().count()), clean));
    Ok(Session { client: "kube-controller-manager".to_owned(), steps })
}

impl Step {
    async fn run(&self, client: &Client) -> Result<Verdict, Failure> {
        let (code, answer) = send(client, self.method, self.path, &self.body).await?;
        if !(200..300).contains(&code) {
            println!("FAILED kube-controller-manager, {}: {code} {answer}", self.name);
            return Ok(Verdict::Failed);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (code, answer) = send(client, "GET", self.watched, &Value::Null).await?;
            if (self.done)(code, &answer) {
                return Ok(Verdict::Passed);
            }
            if Instant::now() >= deadline {
                println!(
                    "FAILED kube-controller-manager, {}: after {PATIENCE:?}, {code} {answer}",
                    self.name
                );
                return Ok(Verdict::Failed);
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn send(client: &Client, method: &str, path: &str, body: &Value) -> Result<(u16, Value), Failure> {
    use http_body_util::BodyExt as _;
    let content = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let request = http::Request::builder().method(method).uri(path).header("content-type", content);
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let response = client.send(request.body(body.into())?).await?;
    let code = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((code, serde_json::from_slice(&body).unwrap_or_default()))
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";
const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";
const PODS: &str = "/api/v1/namespaces/shop/pods";

/// 50 Pods that run the newest template.
fn rolled_out(_: u16, web: &Value) -> bool {
    let status = &web["status"];
    let all = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"];
    status["observedGeneration"] == web["metadata"]["generation"]
        && all.iter().all(|count| status[count] == 50)
}

fn empty(code: u16, list: &Value) -> bool {
    code == 200 && list["items"].as_array().is_some_and(Vec::is_empty)
}

fn gone(code: u16, _: &Value) -> bool {
    code == 404
}

fn there(code: u16, _: &Value) -> bool {
    code == 200
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}})
}

fn script() -> Vec<Step> {
    let template = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": "app:1"}]},
    });
    let web = json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 50, "selector": {"matchLabels": {"app": "web"}}, "template": template},
    });
    let foreground = json!({"propagationPolicy": "Foreground"});
    let step = |name, method, path, body, watched, done| Step { name, method, path, body, watched, done };
    let namespace = json!({"metadata": {"name": "shop"}});
    let account = "/api/v1/namespaces/shop/serviceaccounts/default";
    let job = json!({
        "metadata": {"name": "once"},
        "spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": "app:1"}],
        }}},
    });
    let jobs = "/apis/batch/v1/namespaces/shop/jobs";
    let started: fn(u16, &Value) -> bool = |_, job| job["status"]["active"] == 1;
    vec![
        step("a namespace gets its service account", "POST", "/api/v1/namespaces", namespace, account, there),
        step("a Deployment of 50 Pods rolls out", "POST", DEPLOYMENTS, web, WEB, rolled_out),
        step("another image rolls out", "PATCH", WEB, image("app:2"), WEB, rolled_out),
        step("it rolls back", "PATCH", WEB, image("app:1"), WEB, rolled_out),
        step("it is deleted in the foreground", "DELETE", WEB, foreground, WEB, gone),
        step("its Pods went before it", "GET", PODS, Value::Null, PODS, empty),
        step("a Job starts its Pod", "POST", jobs, job, "/apis/batch/v1/namespaces/shop/jobs/once", started),
        step(
            "the namespace vanishes",
            "DELETE",
            "/api/v1/namespaces/shop",
            Value::Null,
            "/api/v1/namespaces/shop",
            gone,
        ),
    ]
}
