//! [`Books`]: the Pods of every Deployment after each commit of the server, and the extremes of each rollout.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;
use trimtab_apiserver::{ChangeKind, Commit, Commits};

/// The counts of a Deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) desired: i64,
    /// The most Pods that a rollout may want, and the fewest that must be ready.
    pub(crate) most: i64,
    pub(crate) least: i64,
    /// Ready Pods of the present template.
    pub(crate) updated: i64,
    /// The most Pods that its sets wanted at any time.
    pub(crate) most_wanted: i64,
    /// The fewest ready Pods at any time after the first rollout.
    pub(crate) least_ready: i64,
    pub(crate) created: usize,
    pub(crate) deleted: usize,
    /// The revision, and the reason of the condition `Progressing`.
    pub(crate) revision: String,
    pub(crate) progress: String,
    pub(crate) is_complete: bool,
}

/// The counts of all Deployments. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Books {
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Page {
    row: Row,
    image: Value,
    /// The image, and whether the Pod is live and ready.
    pods: BTreeMap<String, (Value, bool, bool)>,
    wanted: BTreeMap<String, i64>,
    was_complete: bool,
}

impl Books {
    pub(crate) fn new() -> Self {
        Self { pages: Arc::default(), changed: watch::Sender::new(()) }
    }

    /// Records all commits until the server is gone.
    pub(crate) async fn record(self, mut commits: Commits) {
        while let Some(commit) = commits.next().await {
            // Every object of the demo has the name of its Deployment in this label.
            if let Some(app) = commit.object["metadata"]["labels"]["app"].as_str() {
                self.pages.lock().entry(app.to_owned()).or_default().record(&commit);
                self.changed.send_replace(());
            }
        }
    }

    pub(crate) fn rows(&self) -> Vec<(String, Row)> {
        self.pages.lock().iter().map(|(app, page)| (app.clone(), page.row.clone())).collect()
    }

    pub(crate) fn row(&self, app: &str) -> Row {
        self.pages.lock().get(app).map(|page| page.row.clone()).unwrap_or_default()
    }

    /// Waits until a Deployment is in this state.
    pub(crate) async fn until(&self, app: &str, is_there: impl Fn(&Row) -> bool) {
        let mut changed = self.changed.subscribe();
        while !is_there(&self.row(app)) {
            if changed.changed().await.is_err() {
                return; // unreachable: `self` holds the sender
            }
        }
    }
}

impl Row {
    /// Returns whether no set wanted a Pod too many, and no Pod was missing.
    pub(crate) fn is_kept(&self) -> bool {
        self.most_wanted <= self.most && self.least_ready >= self.least
    }
}

impl Page {
    fn record(&mut self, commit: &Commit) {
        let object = &*commit.object;
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let is_gone = commit.change == ChangeKind::Deleted;
        match &*commit.resource {
            "deployments.apps" => self.deployment(object),
            "replicasets.apps" if is_gone => drop(self.wanted.remove(&uid)),
            "replicasets.apps" => drop(self.wanted.insert(uid, number(&object["spec"]["replicas"]))),
            "pods" => self.pod(uid, object, is_gone),
            _ => return,
        }
        let live = self.pods.values().filter(|pod| pod.1);
        let (ready, updated) = live.fold((0, 0), |(ready, updated), (image, _, is_ready)| {
            (ready + i64::from(*is_ready), updated + i64::from(*is_ready && *image == self.image))
        });
        let row = &mut self.row;
        row.updated = updated;
        row.most_wanted = row.most_wanted.max(self.wanted.values().sum());
        row.least_ready = if self.was_complete { row.least_ready.min(ready) } else { row.desired };
    }

    fn deployment(&mut self, object: &Value) {
        let (spec, status, row) = (&object["spec"], &object["status"], &mut self.row);
        let rolling = &spec["strategy"]["rollingUpdate"];
        row.desired = number(&spec["replicas"]);
        row.most = row.desired + number(&rolling["maxSurge"]);
        row.least = row.desired - number(&rolling["maxUnavailable"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        row.revision = text(&object["metadata"]["annotations"]["deployment.kubernetes.io/revision"]);
        let mut conditions = status["conditions"].as_array().into_iter().flatten();
        let progress = conditions.find(|one| one["type"] == "Progressing");
        row.progress = progress.map(|one| text(&one["reason"])).unwrap_or_default();
        let counts = ["replicas", "updatedReplicas", "availableReplicas"];
        row.is_complete = status["observedGeneration"] == object["metadata"]["generation"]
            && counts.iter().all(|count| status[count] == spec["replicas"]);
        self.image = spec["template"]["spec"]["containers"][0]["image"].clone();
        self.was_complete |= row.is_complete;
    }

    fn pod(&mut self, uid: String, object: &Value, is_gone: bool) {
        let is_live = !is_gone && object["metadata"]["deletionTimestamp"].is_null();
        let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
        let is_ready = conditions.any(|one| one["type"] == "Ready" && one["status"] == "True");
        let image = object["spec"]["containers"][0]["image"].clone();
        match self.pods.insert(uid, (image, is_live, is_live && is_ready)) {
            None => self.row.created += 1,
            Some((_, true, _)) if !is_live => self.row.deleted += 1,
            Some(_) => {}
        }
    }
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}
