//! [`Census`]: every change of every Pod and ReplicaSet of a namespace, in the order
//! of the server, and the counts after each.

use crate::servers::Failure;
use futures_util::StreamExt as _;
use kube_client::Client;
use kube_client::core::WatchEvent;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The time without an event after which all events have arrived.
const QUIET: Duration = Duration::from_secs(2);

/// A change of one object.
#[derive(Debug)]
struct Change {
    /// The resource version: on a kube-apiserver it orders the changes of all kinds.
    version: u64,
    uid: String,
    /// `None` if the object is gone.
    state: Option<State>,
}

/// The part of an object that counts.
#[derive(Debug, Clone)]
enum State {
    Pod { app: String, set: String, is_live: bool, is_ready: bool },
    Set { app: String, replicas: i64 },
}

/// The watches of Pods and ReplicaSets.
#[derive(Debug)]
pub(super) struct Census {
    changes: UnboundedReceiver<Change>,
    watches: JoinSet<Result<(), Failure>>,
}

/// The extremes of one Deployment between two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    /// The most Pods that were not terminating.
    pub(super) most_live: usize,
    /// The fewest ready Pods that were not terminating.
    pub(super) least_ready: usize,
    /// The most Pods that all its sets wanted.
    pub(super) most_wanted: i64,
    /// Pods that were created.
    pub(super) created: usize,
    /// Pods whose deletion began.
    pub(super) deleted: usize,
    /// Pods that were created for a set that had all it wanted.
    pub(super) needless: usize,
}

impl Census {
    /// Watches the namespace from now on.
    pub(super) async fn start(client: &Client, namespace: &str) -> Result<Self, Failure> {
        let (sender, changes) = unbounded_channel();
        let mut watches = JoinSet::new();
        let paths = [
            format!("/api/v1/namespaces/{namespace}/pods"),
            format!("/apis/apps/v1/namespaces/{namespace}/replicasets"),
        ];
        for path in paths {
            let list: Value = client.request(http::Request::get(&*path).body(Vec::new())?).await?;
            let version = list["metadata"]["resourceVersion"].as_str().unwrap_or_default();
            watches.spawn(follow(client.clone(), path, version.to_owned(), sender.clone()));
        }
        Ok(Self { changes, watches })
    }

    /// Waits until no event comes any more, and returns all changes in order.
    pub(super) async fn close(mut self) -> Result<History, Failure> {
        let mut changes = Vec::new();
        while let Ok(Some(change)) = timeout(QUIET, self.changes.recv()).await {
            changes.push(change);
        }
        if let Some(ended) = self.watches.try_join_next() {
            ended??;
            return Err("a watch ended early, so the counts are incomplete".into());
        }
        changes.sort_by_key(|change| change.version);
        Ok(History(changes))
    }
}

/// Sends every change of a collection behind a version. A watch that
/// the server ends is resumed where it ended.
async fn follow(
    client: Client,
    path: String,
    mut version: String,
    changes: UnboundedSender<Change>,
) -> Result<(), Failure> {
    loop {
        let path = format!("{path}?watch=true&allowWatchBookmarks=true&resourceVersion={version}");
        let request = http::Request::get(path).body(Vec::new())?;
        let mut events = std::pin::pin!(client.request_events::<Value>(request).await?);
        while let Some(event) = events.next().await {
            let (object, is_gone) = match event? {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
                WatchEvent::Deleted(object) => (object, true),
                WatchEvent::Bookmark(bookmark) => {
                    version = bookmark.metadata.resource_version;
                    continue;
                }
                WatchEvent::Error(status) => return Err(status.message.into()),
            };
            let change = Change::of(&object, is_gone);
            version = change.version.to_string();
            if changes.send(change).is_err() {
                return Ok(());
            }
        }
    }
}

impl Change {
    fn of(object: &Value, is_gone: bool) -> Self {
        let metadata = &object["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let app = text(&metadata["labels"]["app"]);
        let state = match object["spec"]["replicas"].as_i64() {
            Some(replicas) => State::Set { app, replicas },
            None => {
                let is_live = metadata["deletionTimestamp"].is_null();
                let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
                let mut ready = conditions.filter(|one| one["type"] == "Ready" && one["status"] == "True");
                let set = text(&metadata["ownerReferences"][0]["uid"]);
                State::Pod { app, set, is_live, is_ready: is_live && ready.next().is_some() }
            }
        };
        Self {
            version: text(&metadata["resourceVersion"]).parse().unwrap_or(0),
            uid: text(&metadata["uid"]),
            state: (!is_gone).then_some(state),
        }
    }
}

/// All changes, in the order of the server.
#[derive(Debug)]
pub(super) struct History(Vec<Change>);

impl History {
    /// Counts the Pods of the Deployment `app` after each change behind the
    /// version `from`, up to the version `to`.
    pub(super) fn counts(&self, app: &str, (from, to): (u64, u64)) -> Counts {
        let (mut now, mut counts) = (Present::default(), Counts::NONE);
        for change in self.0.iter().take_while(|change| change.version <= to) {
            let seen = change.version > from;
            match now.apply(app, change) {
                Effect::Created { is_needless } if seen => {
                    counts.created += 1;
                    counts.needless += usize::from(is_needless);
                }
                Effect::Deleted if seen => counts.deleted += 1,
                _ => {}
            }
            if seen {
                let (live, ready) = now.pods();
                counts.most_live = counts.most_live.max(live);
                counts.least_ready = counts.least_ready.min(ready);
                counts.most_wanted = counts.most_wanted.max(now.sets.values().sum());
            }
        }
        counts
    }
}

impl Counts {
    const NONE: Self =
        Self { most_live: 0, least_ready: usize::MAX, most_wanted: 0, created: 0, deleted: 0, needless: 0 };
}

/// The objects of one Deployment after a change.
#[derive(Debug, Default)]
struct Present {
    /// The set, whether it is live and whether it is ready, by UID.
    pods: HashMap<String, (String, bool, bool)>,
    /// The wanted Pods, by UID.
    sets: HashMap<String, i64>,
}

/// The effect of a change on the number of Pods.
enum Effect {
    None,
    Created { is_needless: bool },
    Deleted,
}

impl Present {
    fn apply(&mut self, app: &str, change: &Change) -> Effect {
        match &change.state {
            None => {
                self.sets.remove(&change.uid);
                match self.pods.remove(&change.uid) {
                    Some((_, true, _)) => Effect::Deleted,
                    _ => Effect::None,
                }
            }
            Some(State::Set { app: own, replicas }) if own == app => {
                self.sets.insert(change.uid.clone(), *replicas);
                Effect::None
            }
            Some(State::Pod { app: own, set, is_live, is_ready }) if own == app => {
                let before = self.pods.insert(change.uid.clone(), (set.clone(), *is_live, *is_ready));
                match before {
                    None => Effect::Created { is_needless: self.has_too_many(set) },
                    Some((_, true, _)) if !is_live => Effect::Deleted,
                    Some(_) => Effect::None,
                }
            }
            Some(_) => Effect::None,
        }
    }

    /// Whether a set has more live Pods than it wants.
    fn has_too_many(&self, set: &str) -> bool {
        let live = self.pods.values().filter(|(owner, is_live, _)| owner == set && *is_live).count();
        live as i64 > self.sets.get(set).copied().unwrap_or(0)
    }

    /// The numbers of live and of ready Pods.
    fn pods(&self) -> (usize, usize) {
        let count = |is: fn(&(String, bool, bool)) -> bool| self.pods.values().filter(|pod| is(pod)).count();
        (count(|pod| pod.1), count(|pod| pod.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(version: u64, uid: &str, ready: &str, more: &Value) -> Change {
        let mut object = json!({
            "metadata": {"uid": uid, "resourceVersion": version.to_string(), "labels": {"app": "web"},
                "ownerReferences": [{"uid": "set"}]},
            "spec": {}, "status": {"conditions": [{"type": "Ready", "status": ready}]},
        });
        if let Some(more) = more.as_object() {
            object["metadata"].as_object_mut().expect("a map").extend(more.clone());
        }
        Change::of(&object, false)
    }

    fn set(version: u64, replicas: i64) -> Change {
        let metadata =
            json!({"uid": "set", "resourceVersion": version.to_string(), "labels": {"app": "web"}});
        Change::of(&json!({"metadata": metadata, "spec": {"replicas": replicas}}), false)
    }

    #[test]
    fn counts_are_those_after_each_change_between_two_versions() {
        let deleted = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        let history = History(vec![
            set(1, 1),
            pod(2, "a", "True", &json!({})),
            pod(3, "b", "False", &json!({})), // one more than the set wants
            pod(4, "b", "True", &json!({})),
            pod(5, "a", "True", &deleted),
            pod(6, "c", "False", &json!({})), // and again
        ]);
        let all =
            Counts { most_live: 2, least_ready: 0, most_wanted: 1, created: 3, deleted: 1, needless: 2 };
        assert_eq!(history.counts("web", (0, u64::MAX)), all);
        let some =
            Counts { most_live: 2, least_ready: 1, most_wanted: 1, created: 0, deleted: 1, needless: 0 };
        assert_eq!(history.counts("web", (3, 5)), some);
        assert_eq!(history.counts("db", (0, u64::MAX)).created, 0);
    }
}
